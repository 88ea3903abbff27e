"""Work beside the libraries that people have: `make interop` installs them and runs this.

They hold NumPy and pandas back, so they are not in the environment of the other tests.
"""

import os
import re
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.cluster import KMeans
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from sklearn_seqae import LSTMAutoencoderTransformer
from sklearn_seqae.containers import convert, from_channel_first, to_channel_first
from tests.conftest import TINY

# These libraries warn of each other's next versions, which is not ours to mend.
pytestmark = [pytest.mark.long, pytest.mark.filterwarnings("default")]


def needed(module):
    return pytest.importorskip(module, reason="`make interop` installs it, and tests it")


@pytest.fixture(scope="module")
def sequences():
    rng = np.random.default_rng(0)
    return [rng.normal(size=(n, 2)).cumsum(axis=0) for n in rng.integers(3, 12, size=40)]


@pytest.fixture(scope="module")
def labels(sequences):
    return np.array([int(len(sequence) > 7) for sequence in sequences])


@pytest.fixture(scope="module")
def equal():
    """Sequences of equal length, channels first: (n_sequences, n_channels, n_steps)."""
    return np.random.default_rng(0).normal(size=(40, 2, 12)).cumsum(axis=2)


@pytest.fixture(scope="module")
def fitted(sequences):
    return LSTMAutoencoderTransformer(**TINY).fit(sequences)


def test_scalers_of_tslearn_go_before_codes_in_a_pipeline(sequences):
    tslearn = needed("tslearn.utils")
    from tslearn.preprocessing import TimeSeriesScalerMinMax

    X = tslearn.to_time_series_dataset(sequences)  # NaN-padded
    clusters = make_pipeline(
        TimeSeriesScalerMinMax(), LSTMAutoencoderTransformer(**TINY), KMeans(2, n_init=3)
    )
    assert set(clusters.fit_predict(X)) == {0, 1}


def test_data_sets_of_tslearn_have_the_codes_of_their_sequences(sequences, fitted):
    tslearn = needed("tslearn.utils")
    X = tslearn.to_time_series_dataset(sequences)
    np.testing.assert_array_equal(fitted.transform(X), fitted.transform(sequences))
    decoded = fitted.reconstruct(X)
    assert [len(tslearn.to_time_series(x, remove_nans=True)) for x in decoded] == [
        len(x) for x in sequences
    ]


@pytest.mark.parametrize("mtype", ["pd-multiindex", "nested_univ", "df-list"])
def test_panels_of_sktime_have_the_codes_of_their_sequences(sequences, fitted, mtype):
    datatypes = needed("sktime.datatypes")
    X = datatypes.convert_to(convert(sequences, "long"), mtype)
    np.testing.assert_array_equal(fitted.transform(X), fitted.transform(sequences))
    back = fitted.reconstruct(X)
    valid, message, _ = datatypes.check_is_mtype(back, mtype, scitype="Panel", return_metadata=True)
    assert valid, message


def test_sktime_puts_codes_behind_its_transformers(equal, labels):
    needed("sktime")
    from sktime.classification.compose import SklearnClassifierPipeline
    from sktime.transformations.series.exponent import ExponentTransformer

    # It gives a classifier of scikit-learn one row a sequence: one channel, therefore.
    ours = make_pipeline(LSTMAutoencoderTransformer(**TINY), StandardScaler(), LogisticRegression())
    X = equal[:, :1]
    both = SklearnClassifierPipeline(ours, [ExponentTransformer(power=2, offset=0)]).fit(X, labels)
    alone = clone(ours).fit(X[:, 0] ** 2, labels)
    np.testing.assert_array_equal(both.predict(X), alone.predict(X[:, 0] ** 2))


def test_aeon_puts_codes_behind_its_transformers(equal, labels):
    needed("aeon")
    from aeon.classification.compose import ClassifierPipeline
    from aeon.transformations.collection import Normalizer

    ours = make_pipeline(
        FunctionTransformer(from_channel_first),
        LSTMAutoencoderTransformer(**TINY),
        LogisticRegression(),
    )
    X = equal[:, :1]  # the only kind that it passes on to classifiers of scikit-learn
    predicted = ClassifierPipeline([Normalizer()], ours).fit(X, labels).predict(X)
    assert predicted.shape == (40,)


def test_collections_of_aeon_of_unequal_length_go_through_a_pipeline():
    needed("aeon")
    from aeon.datasets import load_japanese_vowels

    X, y = load_japanese_vowels(split="train")
    ours = make_pipeline(
        FunctionTransformer(from_channel_first),
        LSTMAutoencoderTransformer(**TINY | {"n_components": 40}),
        StandardScaler(),
        LogisticRegression(),
    )
    assert ours.fit(X, y).score(X, y) > 0.8
    steps = ours[1].reconstruct(from_channel_first(X))
    assert [x.shape for x in to_channel_first(steps)] == [x.shape for x in X]


def test_transformers_of_aeon_go_before_codes(equal):
    needed("aeon")
    from aeon.transformations.collection import Normalizer

    ours = make_pipeline(
        Normalizer(), FunctionTransformer(from_channel_first), LSTMAutoencoderTransformer(**TINY)
    )
    assert ours.fit_transform(equal).shape == (40, TINY["n_components"])


@pytest.fixture(scope="module")
def metrics():
    """Two channels of a server with a regular day, (1000, 2)."""
    pd = needed("pandas")
    day = np.arange(1000) / 96 * 2 * np.pi
    rng = np.random.default_rng(0)
    values = np.stack([np.sin(day), np.cos(day)], 1) + 0.1 * rng.normal(size=(1000, 2))
    time = pd.date_range("2026-11-01", periods=1000, freq="15min")
    return pd.DataFrame(values, index=time, columns=["cpu", "requests"])


def test_aeon_finds_nothing_wrong_with_the_detector():
    checking = needed("aeon.testing.estimator_checking")
    from sklearn_seqae.adapters import AeonDetector

    results = checking.check_estimator(AeonDetector, raise_exceptions=True, verbose=False)
    assert len(results) > 20
    assert set(results.values()) == {"PASSED"}


def test_sktime_finds_nothing_wrong_with_the_detector():
    checks = needed("sktime.utils.estimator_checks")
    from sklearn_seqae.adapters import SktimeDetector

    results = checks.check_estimator(SktimeDetector, raise_exceptions=True, verbose=False)
    assert len(results) > 50
    assert set(results.values()) == {"PASSED"}


@pytest.mark.parametrize("name", ["aeon", "sktime"])
def test_adapters_score_and_decide_as_the_detector_inside(metrics, name):
    needed(name)
    from sklearn.ensemble import IsolationForest

    from sklearn_seqae import SlidingWindowDetector, adapters

    inner = SlidingWindowDetector(IsolationForest(random_state=0), window_size=48)
    train, test = metrics[:700], metrics[700:].copy()
    test.iloc[100:150] = 5.0
    alone = clone(inner).fit(train)
    if name == "aeon":
        adapter = adapters.AeonDetector(inner).fit(train.to_numpy().T)
        np.testing.assert_allclose(adapter.predict(test.to_numpy().T), -alone.score_samples(test))
        np.testing.assert_allclose(adapter.predict(test, axis=0), -alone.score_samples(test))
    else:
        adapter = adapters.SktimeDetector(inner).fit(train)
        found = np.flatnonzero(alone.predict(test) < 0)
        assert len(found)
        assert adapter.predict(test)["ilocs"].tolist() == found.tolist()
        scores = adapter.transform_scores(test)
        assert scores.index.equals(test.index)
        np.testing.assert_allclose(scores["scores"], -alone.score_samples(test))
        assert (
            adapter.predict_scores(test)["scores"].tolist() == scores["scores"].iloc[found].tolist()
        )
    assert not hasattr(inner, "estimator_")


@pytest.mark.parametrize("name", ["AeonDetector", "SktimeDetector"])
def test_adapters_tell_which_detector_they_expect(metrics, name):
    needed(name.removesuffix("Detector").lower())
    from sklearn_seqae import LSTMAutoencoderDetector, adapters

    with pytest.raises(TypeError, match="must be a SlidingWindowDetector or None, got a LSTM"):
        getattr(adapters, name)(LSTMAutoencoderDetector()).fit(metrics)


def test_the_code_of_the_guide_for_aeon_and_sktime_runs(metrics, monkeypatch):
    monkeypatch.setattr("sklearn_seqae.estimators.series_detector.DEFAULT_EPOCHS", 1)
    needed("aeon")
    needed("sktime")
    page = Path(__file__).parents[1] / "docs/guide/series.md"
    code = re.findall(r"^```{code-block} python\n(.*?)^```", page.read_text(), re.DOTALL | re.M)
    assert len(code) == 1
    cut = code[0].replace("2000", "700").replace("window_size=100", "window_size=48")
    known = {"metrics": metrics}
    exec(compile(cut, "series.md", "exec"), known)
    assert known["scores"].shape == (300,)


def test_optuna_tunes(sequences):
    optuna = needed("optuna")
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    ae = LSTMAutoencoderTransformer(**TINY)

    def skill(trial):
        rate = trial.suggest_float("learning_rate", 1e-3, 1e-2, log=True)
        return cross_val_score(clone(ae).set_params(learning_rate=rate), sequences, cv=2).mean()

    study = optuna.create_study(direction="maximize", sampler=optuna.samplers.RandomSampler(seed=0))
    study.optimize(skill, n_trials=3)
    assert np.isfinite([trial.value for trial in study.trials]).all()
    assert study.best_value == max(trial.value for trial in study.trials)


def test_successive_halving_tunes_with_epochs_as_its_resource(sequences):
    from sklearn.experimental import enable_halving_search_cv  # noqa: F401 (its import enables)
    from sklearn.model_selection import HalvingGridSearchCV

    search = HalvingGridSearchCV(
        LSTMAutoencoderTransformer(**TINY),
        {"learning_rate": [0.001, 0.003, 0.01, 0.03]},
        cv=2,
        resource="epochs",
        min_resources=1,
        max_resources=4,
        factor=2,
    ).fit(sequences)
    assert search.best_params_["epochs"] == 4
    assert search.n_resources_ == [1, 2, 4]


def test_a_classifier_of_scikeras_reads_codes(sequences, labels):
    import keras
    from scikeras.wrappers import KerasClassifier

    def build(meta):
        inputs = keras.Input((meta["n_features_in_"],))
        return keras.Model(inputs, keras.layers.Dense(1, activation="sigmoid")(inputs))

    classifier = KerasClassifier(
        build,
        loss="binary_crossentropy",
        optimizer="adam",
        optimizer__learning_rate=0.1,
        epochs=30,
        verbose=0,
    )
    # Labels are those of long sequences, which recurrent layers tell apart in two epochs.
    ae = LSTMAutoencoderTransformer(**TINY, shortcut=None)
    model = make_pipeline(ae, StandardScaler(), classifier)
    assert model.fit(sequences, labels).score(sequences, labels) > 0.8


# Functions travel by value from a script only, so the code of the guide is one.
SCRIPT = """
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from sklearn_seqae import LSTMAutoencoderTransformer

rng = np.random.default_rng(0)
X = [rng.normal(size=(n, 12)).astype(np.float32) for n in rng.integers(3, 12, size=40)]
Path("utterances").mkdir()
for first in (0, 20):
    channels = {f"c{j}": [x[:, j] for x in X[first : first + 20]] for j in range(12)}
    table = pa.table({"id": [f"u{first + i:02}" for i in range(20)], **channels})
    pq.write_table(table, f"utterances/{first}.parquet")
ae = LSTMAutoencoderTransformer(4, units=6, epochs=1, random_state=0).fit(X)
%s
table = pq.read_table(f"codes of {sys.argv[1]}").sort_by("id")
assert table["id"].to_pylist() == [f"u{i:02}" for i in range(40)]
np.testing.assert_allclose(np.array(table["code"].to_pylist()), ae.transform(X), atol=1e-6)
"""


@pytest.mark.parametrize("engine", ["ray", "pyspark"])
def test_the_recipes_of_the_guide_encode_with_ray_and_spark(engine, tmp_path):
    if find_spec(engine) is None:
        pytest.skip(f"{engine} is not installed here; `make interop` installs it, and tests it")
    if engine == "pyspark" and shutil.which("java") is None:
        pytest.skip("Spark needs Java, which is not installed")
    page = Path(__file__).parents[1] / "docs/guide/scaling_out.md"
    section = (
        page.read_text(encoding="utf-8").partition("## Spark and Ray")[2].partition("\n## ")[0]
    )
    common, ray, spark = re.findall(
        r"^```[^\n]*\n(.*?)^```", section, flags=re.DOTALL | re.MULTILINE
    )
    (tmp_path / "recipe.py").write_text(SCRIPT % (common + (ray if engine == "ray" else spark)))
    environment = os.environ | {"PYSPARK_PYTHON": sys.executable}
    done = subprocess.run(
        [sys.executable, "recipe.py", engine],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
