"""The examples are short, run, and learn what they say."""

import importlib
import warnings
from pathlib import Path

import numpy as np
import pytest

from sklearn_seqae.datasets import load_japanese_vowels

EXAMPLES = Path(__file__).parents[1] / "examples"
SHORT = (
    "moving_ones",
    "reshape",
    "dense",
    "stacked",
    "own_models",
    "next_element",
    "symbols",
    "float_series",
)
# Examples have as many epochs as they need.
pytestmark = [
    pytest.mark.filterwarnings("error::sklearn.exceptions.ConvergenceWarning"),
    pytest.mark.filterwarnings("error::sklearn_seqae.exceptions.NothingLearnedWarning"),
]
PNG = b"\x89PNG\r\n\x1a\n"


@pytest.fixture
def example(monkeypatch):
    """Return a function that imports an example by its name."""
    monkeypatch.syspath_prepend(EXAMPLES)
    return importlib.import_module


def sizes(model):
    """Return the output shapes of a model's layers, without the number of sequences."""
    return [layer.output.shape[1:] for layer in model.layers]


@pytest.mark.parametrize("name", SHORT)
def test_an_example_is_at_most_25_lines_and_begins_with_its_question(name):
    lines = (EXAMPLES / f"{name}.py").read_text(encoding="utf-8").splitlines()
    assert len(lines) <= 25
    assert lines[0].startswith('"""')
    assert lines[0].endswith('"""')
    assert "?" in lines[0]


def test_moving_ones_come_back_with_their_ones_and_lengths_in_place(example):
    ae, lengths_right, ones_right, zero_steps = example("moving_ones").main(3000)
    assert lengths_right >= 0.99
    assert ones_right >= 0.99
    assert np.abs(zero_steps).max() < 0.1
    assert ae.history_["accuracy"][-1] >= 0.97


def test_the_three_models_of_moving_ones_share_their_weights(example):
    with warnings.catch_warnings():  # of fifty sequences ten epochs learn little
        warnings.simplefilter("ignore")
        ae = example("moving_ones").main(50)[0]
    held = {id(variable) for variable in ae.model_.variables}
    parts = [*ae.encoder_.variables, *ae.decoder_.variables]
    assert parts
    assert all(id(variable) in held for variable in parts)

    x = np.zeros((3, 10, 8), dtype=np.float32)
    written = ae.decoder_.predict(ae.encoder_.predict(x, verbose=0), verbose=0)
    np.testing.assert_allclose(ae.model_.predict(x, verbose=0)[0], written, atol=1e-6)


def test_a_code_of_20_is_cut_into_10_steps_of_2(example):
    ae, r2 = example("reshape").main(300)
    assert sizes(ae.decoder_)[:2] == [(10, 2), (10, 5)]
    assert r2 >= 0.98


def test_50_units_write_10_steps_of_5_channels_at_once(example):
    ae, r2 = example("dense").main(300)
    assert (sizes(ae.decoder_)[0], sizes(ae.decoder_)[-1]) == ((50,), (10, 5))
    assert r2 >= 0.98


def test_stacked_layers_learn_and_the_decoder_mirrors_them(example):
    ae, r2 = example("stacked").main(600)
    read, written = sizes(ae.encoder_), sizes(ae.decoder_)
    assert read.index((None, 64)) < read.index((None, 32))  # two directions
    assert written.index((20, 16)) < written.index((20, 32))
    assert r2 >= 0.95


def test_own_encoder_and_decoder_learn(example):
    ae, r2 = example("own_models").main()
    kinds = {type(layer).__name__ for layer in ae.decoder_.layers[-1].layers}
    assert kinds == {"RepeatVector", "GRU", "Dense"}
    assert r2 >= 0.95


def test_an_autoregressive_decoder_writes_the_symbols_that_come_next(example):
    _, right = example("next_element").main()
    assert right >= 0.98


def test_modes_and_temperatures_come_back_from_one_code(example):
    ae, X, right = example("symbols").main()
    assert right >= 0.97
    assert ae.score(X) >= 0.95
    assert ae.history_["val_accuracy"][ae.best_epoch_] >= 0.9
    assert ae.reconstruct(X)[0].columns.tolist() == ["mode", "t"]


def test_four_float_series_come_back_and_are_drawn(example, tmp_path):
    ae, X, r2 = example("float_series").main(tmp_path)
    assert r2 >= 0.98
    decoded = ae.inverse_transform(ae.transform(X))
    assert [len(x) for x in decoded] == [9, 8, 4, 4]
    pictures = ["codes.png", "loss.png", "model.png", "reconstructions.png"]
    assert sorted(path.name for path in tmp_path.iterdir()) == pictures
    assert all((tmp_path / name).read_bytes().startswith(PNG) for name in pictures)


def test_codes_served_by_onnxruntime_are_those_of_transform(example, capsys):
    with warnings.catch_warnings():  # for codes to be the same, they need not say much
        warnings.simplefilter("ignore")
        assert example("serve_onnx").main(epochs=1) < 1e-4
    assert [line.split()[0] for line in capsys.readouterr().out.splitlines()] == [
        "The",
        "transform:",
        "onnxruntime:",
    ]


def test_points_between_codes_of_vowels_stand_for_sequences_in_between(example, tmp_path):
    ae, centres_back, between, samples = example("between_codes").main(tmp_path)
    # A centre, decoded and encoded again, is in the cluster that it is the centre of.
    assert centres_back.tolist() == list(range(9))
    steps = [len(x) for x in between]
    assert steps == sorted(steps)
    assert steps[-1] - steps[0] >= 8
    assert 7 <= min(map(len, samples)) < max(map(len, samples)) <= 26
    # Lengths of unseen utterances are right within one step.
    X = load_japanese_vowels(subset="test").data
    decoded = ae.inverse_transform(ae.transform(X))
    misses = [abs(len(x) - len(x2)) for x, x2 in zip(X, decoded, strict=True)]
    assert np.mean(np.array(misses) <= 1) >= 0.95
    assert (tmp_path / "between_codes.png").read_bytes().startswith(PNG)


def test_all_displays_are_drawn_on_one_page_for_few_and_many_on_light_and_dark(example, tmp_path):
    with warnings.catch_warnings():  # two epochs learn little
        warnings.simplefilter("ignore")
        ae, names = example("displays").main(tmp_path, n_many=40, n_training=40, epochs=2)
    assert names == ["3_light.png", "3_dark.png", "40_light.png", "40_dark.png"]
    assert all((tmp_path / name).read_bytes().startswith(PNG) for name in names)
    page = (tmp_path / "index.html").read_text(encoding="utf-8")
    assert all(f'src="{name}"' in page for name in names)
    assert f"{ae.model_.count_params():,}" in page


def test_the_demo_tells_speakers_apart_and_draws(example, tmp_path):
    demo = example("demo")
    assert demo.main(tmp_path) >= demo.LEAST_ACCURACY
    pictures = ["japanese_vowels.png", "loss.png", "model.png"]
    assert sorted(path.name for path in tmp_path.iterdir()) == pictures
    assert all((tmp_path / name).read_bytes().startswith(PNG) for name in pictures)
