"""The display of a long series with its anomalies."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.ensemble import IsolationForest

from sklearn_seqae import AnomalyDisplay, LSTMAutoencoderDetector, SlidingWindowDetector

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


@pytest.fixture(autouse=True)
def _closed_figures():
    plt.switch_backend("agg")
    yield
    plt.close("all")


def make_frame(n=600):
    t = np.arange(n)
    values = np.stack([np.sin(t / 4), np.cos(t / 7)], axis=1)
    values += np.random.default_rng(0).normal(0, 0.1, (n, 2))
    index = pd.date_range("2026-01-01", periods=n, freq="5min", tz="Europe/Vienna")
    return pd.DataFrame(values, columns=["load $", "heat"], index=index)


@pytest.fixture(scope="module")
def detector():
    small = LSTMAutoencoderDetector(units=8, epochs=5, random_state=0)
    return SlidingWindowDetector(small, window_size=40).fit(make_frame())


@pytest.fixture(scope="module")
def broken():
    frame = make_frame(300)
    frame.iloc[150:170, 0] = 4.0
    return frame


def test_panels_show_series_expected_values_scores_and_intervals(detector, broken):
    display = AnomalyDisplay.from_estimator(detector, broken)
    assert len(display.axes_) == 3
    assert_array_equal(display.lines_[1].get_ydata(), broken["heat"])
    assert_allclose(display.expected_lines_[0].get_ydata(), detector.reconstruct(broken)["load $"])
    assert_array_equal(display.score_line_.get_ydata(), detector.score_samples(broken))
    assert display.threshold_line_.get_ydata()[0] == detector.offset_
    assert display.axes_[0].get_ylabel() == r"load \$"
    ((first, last),) = display.intervals
    table = detector.find_anomalies(broken)
    assert [broken.index[first], broken.index[last]] == [table["start"][0], table["end"][0]]
    assert all(len(panel.patches) == 1 for panel in display.axes_)
    display.figure_.canvas.draw()


def test_one_of_several_series_and_some_channels_are_chosen(detector, broken):
    X = [broken[:100].to_numpy(), broken.to_numpy()]
    display = AnomalyDisplay.from_estimator(detector, X, series=1, channels="heat")
    assert_array_equal(display.lines_[0].get_ydata(), broken["heat"])
    assert len(display.axes_) == 2
    with pytest.raises(ValueError, match="series to be a position from 0 to 1, got 2"):
        AnomalyDisplay.from_estimator(detector, X, series=2)
    with pytest.raises(ValueError, match="out of"):
        AnomalyDisplay.from_estimator(detector, X, channels="cold")


def test_a_detector_that_reconstructs_nothing_shows_scores_only(broken):
    forest = SlidingWindowDetector(IsolationForest(random_state=0), window_size=40)
    display = AnomalyDisplay.from_estimator(forest.fit(make_frame()), broken)
    assert display.expected_lines_ == []
    with pytest.raises(TypeError, match="a SlidingWindowDetector, got IsolationForest"):
        AnomalyDisplay.from_estimator(IsolationForest(), broken)


def test_given_values_are_plotted_in_the_place_that_is_given():
    values = np.arange(20.0)[:, None]
    display = AnomalyDisplay(values=values, scores=-values[:, 0], intervals=[(15, 19)])
    _, ax = plt.subplots()
    display.plot(ax, line_kwargs={"c": "red"}, span_kwargs={"alpha": 0.5})
    assert display.lines_[0].get_color() == "red"
    assert display.figure_ is ax.figure
    assert display.axes_[0].patches[0].get_alpha() == 0.5
    assert_allclose(display.axes_[0].patches[0].get_extents().width > 0, True)


@pytest.mark.parametrize(
    ("given", "text"),
    [
        ({"values": np.ones(5), "scores": np.ones(5)}, "Expected values of shape"),
        ({"values": np.ones((5, 1)), "scores": np.ones(4)}, "a score for each time stamp"),
        (
            {"values": np.ones((5, 1)), "scores": np.ones(5), "expected": np.ones((5, 2))},
            "an expected value for each value",
        ),
    ],
)
def test_what_does_not_fit_together_is_refused(given, text):
    with pytest.raises(ValueError, match=text):
        AnomalyDisplay(**given).plot()
