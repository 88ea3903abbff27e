"""Names and categories of others are shown as text, and nothing in them is obeyed."""

import io
import json
import re
from xml.etree import ElementTree as ET

import matplotlib.pyplot as plt
import numpy as np
import onnx
import pandas as pd
import pytest
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

from sklearn_seqae import (
    CodeMapDisplay,
    DetectionDisplay,
    ErrorDisplay,
    LSTMAutoencoderTransformer,
    ReconstructionDisplay,
    TrainingDisplay,
    load,
)
from sklearn_seqae.__main__ import main

# For a page, a figure, a formula, rich's console and a terminal.
EVIL = (
    "</text></td><script>alert(1)</script>\" onload='x' $x_$ [link=x]y[/link] "
    "\x1b]0;z\x07\x08\u202e"
)
COMMANDS = re.compile("[\x00-\x08\x0b-\x1f\x7f\x80-\x9f\u202e]")


@pytest.fixture(scope="module")
def frame():
    """A long table whose columns, ids and categories are written by an enemy."""
    rng = np.random.default_rng(0)
    ids = np.repeat([f"{i}{EVIL}" for i in range(12)], 4)
    categories = np.tile([f"a{EVIL}", f"b{EVIL}"], 24)
    columns = {f"id{EVIL}": ids, f"t{EVIL}": np.tile(np.arange(4), 12)}
    columns |= {f"x{EVIL}": rng.normal(size=48).cumsum(), f"y{EVIL}": categories}
    return pd.DataFrame(columns)


@pytest.fixture(scope="module")
def table(frame):
    """The table as estimators take it."""
    return frame.set_index(list(frame.columns[:2]))


@pytest.fixture(scope="module")
def model(table):
    """An estimator that learned these names, out of a file."""
    ae = LSTMAutoencoderTransformer(4, units=6, epochs=2, scaler=StandardScaler(), random_state=0)
    file = io.BytesIO()
    ae.fit(table).save(file)
    file.seek(0)
    loaded = load(file)
    loaded.history_[f"loss{EVIL}"] = loaded.history_["loss"]
    return loaded


@pytest.fixture
def folder(model, frame, tmp_path, monkeypatch):
    """A folder with the model and the table, where commands run."""
    monkeypatch.chdir(tmp_path)
    model.save("model.zip")
    frame.to_csv("data.csv", index=False)
    return tmp_path


def test_a_notebook_shows_names_as_text(model):
    page = model._repr_html_() + Pipeline([(f"a{EVIL}", model)])._repr_html_()
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert" in page
    assert "onload='x'" not in page


@pytest.mark.filterwarnings("ignore:constrained_layout not applied")  # such names are long
def test_figures_show_names_as_text_and_are_whole_svg_files(model, table):
    labels = [EVIL, f"_{EVIL}"] * 6
    displays = [
        TrainingDisplay.from_estimator(model, metric=f"loss{EVIL}"),
        ReconstructionDisplay.from_estimator(model, table, sequences=[0, 1]),
        ErrorDisplay.from_estimator(model, table),
        CodeMapDisplay.from_predictions(model.transform(table), y=labels, annotate={0: EVIL}),
        DetectionDisplay(scores=np.arange(12.0), y=labels, score_name=EVIL).plot(),
    ]
    displays[1].titles = [EVIL, f"_{EVIL}"]
    displays[1].plot()
    for fonttype in ("path", "none"):
        with plt.rc_context({"svg.fonttype": fonttype}):
            for display in displays:
                file = io.BytesIO()
                np.ravel(display.figure_)[0].savefig(file, format="svg")
                tags = [element.tag for element in ET.fromstring(file.getvalue()).iter()]
                assert not any("script" in str(tag) for tag in tags)
    plt.close("all")


def test_an_exported_encoder_has_names_as_they_are(model, tmp_path):
    model.export_onnx(tmp_path / "encoder.onnx")
    (found,) = [
        json.loads(prop.value)
        for prop in onnx.load(tmp_path / "encoder.onnx").metadata_props
        if prop.key == "channels"
    ]
    assert [channel["name"] for channel in found] == [f"x{EVIL}", f"y{EVIL}"]
    assert found[1]["categories"] == [f"a{EVIL}", f"b{EVIL}"]


def test_a_terminal_gets_no_commands(folder, capsys):
    for arguments, code in (
        (["info", "model.zip"], 0),
        (["info", "model.zip", "--json"], 0),
        (["transform", "model.zip", f"{EVIL}.csv"], 1),
        (["transform", "model.zip", f"{EVIL}"], 1),
        (["transform", "model.zip", "data.csv", "--id", EVIL], 1),
        (["fit", "data.csv", "out.zip", "--id", f"y{EVIL}"], 1),
        (["export", "model.zip", f"{EVIL}/x.onnx"], 1),
    ):
        assert main(arguments) == code
        printed = capsys.readouterr()
        assert not COMMANDS.search(printed.out + printed.err)
        assert printed.err.count("\n") == code


def test_a_table_on_a_terminal_has_no_commands_but_one_in_a_pipe_is_as_it_is(
    folder, capsys, monkeypatch
):
    assert main(["score", "model.zip", "data.csv"]) == 0
    assert EVIL.replace('"', '""') in capsys.readouterr().out
    terminal = io.TextIOWrapper(io.BytesIO())
    terminal.buffer.isatty = lambda: True
    monkeypatch.setattr("sys.stdout", terminal)
    assert main(["score", "model.zip", "data.csv"]) == 0
    printed = terminal.buffer.getvalue().decode()
    assert not COMMANDS.search(printed)
    assert "\\x1b]0;z" in printed
