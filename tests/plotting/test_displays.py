"""Displays draw what the data are: tests look at artists, not at pixels."""

import subprocess
import sys

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import LogNorm, to_hex
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.decomposition import PCA
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.ensemble import IsolationForest
from sklearn.exceptions import NotFittedError
from sklearn.manifold import TSNE, Isomap
from sklearn.neighbors import LocalOutlierFactor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import OneClassSVM

from sklearn_seqae import (
    CodeMapDisplay,
    DetectionDisplay,
    ErrorDisplay,
    LSTMAutoencoderTransformer,
    ReconstructionDisplay,
    TrainingDisplay,
)
from sklearn_seqae.containers import convert
from sklearn_seqae.plotting.palette import ON_DARK, ON_LIGHT

NAN = np.nan
ONE = np.ones((3, 2))
STYLES = ["default", "dark_background"]


@pytest.fixture(autouse=True)
def _closed_figures():
    """Draw in files only, and close what a test opened."""
    plt.switch_backend("agg")
    yield
    plt.close("all")


@pytest.fixture(scope="module")
def frames():
    """Twelve sequences of a numerical and a categorical channel, with gaps."""
    rng = np.random.default_rng(0)
    X = []
    for n_steps in rng.integers(3, 8, 12):
        values = rng.normal(size=n_steps).cumsum()
        X.append(pd.DataFrame({"cost $": values, "mode": np.where(values > 0, "on", "off")}))
    X[0].loc[1, "cost $"] = NAN
    X[0].loc[2, "mode"] = None
    return X


@pytest.fixture(scope="module")
def mixed(frames):
    """An estimator fitted on `frames`."""
    return LSTMAutoencoderTransformer(n_components=4, units=6, epochs=1, random_state=0).fit(frames)


@pytest.fixture(scope="module")
def codes():
    return np.random.default_rng(0).normal(size=(40, 6))


def draw(figure):
    """Lay out and render a figure, which is where matplotlib finds most that is wrong."""
    figure.canvas.draw()
    return figure


def texts_of(legend):
    return [text.get_text() for text in legend.get_texts()]


def overlap(first, second):
    """Tell whether two boxes (x, y, width, height) share more than an edge."""
    return all(
        first[i] < second[i] + second[i + 2] - 1e-9 and second[i] < first[i] + first[i + 2] - 1e-9
        for i in (0, 1)
    )


class TestTraining:
    def test_the_curves_are_those_of_the_history_and_the_best_epoch_is_marked(self, fitted):
        display = TrainingDisplay.from_estimator(fitted)
        assert_array_equal(display.line_.get_xdata(), [1, 2])
        assert_array_equal(display.line_.get_ydata(), fitted.history_["loss"])
        assert_array_equal(display.val_line_.get_ydata(), fitted.history_["val_loss"])
        best = fitted.best_epoch_
        assert_array_equal(display.best_.get_xdata(), [best + 1])
        assert_array_equal(display.best_.get_ydata(), [fitted.history_["val_loss"][best]])
        assert (display.ax_.get_xlabel(), display.ax_.get_ylabel()) == ("epoch", "loss")

    def test_another_metric_may_be_chosen(self, fitted):
        display = TrainingDisplay.from_estimator(fitted, metric="length_loss")
        assert_array_equal(display.line_.get_ydata(), fitted.history_["length_loss"])
        assert_array_equal(display.val_line_.get_ydata(), fitted.history_["val_length_loss"])

    def test_an_unknown_metric_is_refused_and_no_figure_stays(self, fitted):
        with pytest.raises(ValueError, match=r"one of \['loss', 'length_loss'\].*got 'accuracy'"):
            TrainingDisplay.from_estimator(fitted, metric="accuracy")
        assert plt.get_fignums() == []

    def test_one_epoch_is_a_marker_and_there_may_be_no_held_out_sequences(self):
        display = TrainingDisplay.from_history({"loss": [0.5]}, best_epoch=0)
        assert display.val_line_ is None
        assert display.line_.get_marker() == "o"
        assert_array_equal(display.best_.get_ydata(), [0.5])
        assert display.ax_.get_xlim() == (0, 2)

    def test_without_a_best_epoch_none_is_marked(self):
        assert TrainingDisplay.from_history({"loss": [0.5, 0.4]}).best_ is None

    def test_many_epochs_have_no_markers(self):
        display = TrainingDisplay.from_history({"loss": np.geomspace(1, 0.01, 3000)})
        assert display.line_.get_marker() == "None"

    @pytest.mark.parametrize(
        ("metric", "values", "scale"),
        [
            ("loss", [1.0, 0.1], "log"),
            ("loss", [1.0, 0.5], "linear"),
            ("loss", [1.0, 0.0], "linear"),
            ("loss", [NAN, 1.0, 0.01], "log"),
            ("accuracy", [0.01, 0.9], "linear"),
        ],
    )
    def test_losses_that_span_much_are_on_a_logarithmic_axis(self, metric, values, scale):
        display = TrainingDisplay.from_history({metric: values}, metric=metric)
        assert display.ax_.get_yscale() == scale

    def test_a_best_epoch_after_those_with_held_out_sequences_is_on_the_other_curve(self):
        history = {"loss": [3.0, 2.0, 1.0], "val_loss": [3.5, 2.5]}  # as after partial_fit
        display = TrainingDisplay.from_history(history, best_epoch=2)
        assert_array_equal(display.best_.get_ydata(), [1.0])

    def test_keywords_reach_the_artists_by_any_alias(self):
        history = {"loss": [2.0, 1.0], "val_loss": [2.0, 1.0]}
        display = TrainingDisplay.from_history(
            history, line_kwargs={"c": "red", "lw": 3}, val_line_kwargs={"ls": ":"}
        )
        assert (display.line_.get_color(), display.line_.get_linewidth()) == ("red", 3)
        assert display.val_line_.get_linestyle() == ":"

    def test_an_estimator_without_history_is_refused(self, codes):
        with pytest.raises(NotFittedError):
            TrainingDisplay.from_estimator(LSTMAutoencoderTransformer())
        with pytest.raises(TypeError, match=r"with a history_.*got PCA: give that estimator"):
            TrainingDisplay.from_estimator(PCA().fit(codes))


class TestReconstruction:
    def test_lines_are_the_sequences_and_their_reconstructions(self, fitted, ragged):
        chosen = [3, 5]
        display = ReconstructionDisplay.from_estimator(fitted, ragged, sequences=chosen)
        assert display.axes_.shape == (2, 2)
        back = fitted.reconstruct([ragged[i] for i in chosen])
        lengths = [len(x) for x in fitted.inverse_transform(fitted.transform(ragged))]
        for channel, i in np.ndindex(2, 2):
            line = display.lines_[channel, i]
            assert_array_equal(line.get_ydata(), ragged[chosen[i]][:, channel])
            assert_allclose(
                display.reconstruction_lines_[channel, i].get_ydata(),
                back[i][:, channel],
                atol=1e-6,
            )
            end = display.length_lines_[channel, i].get_xdata()
            assert_array_equal(end, np.repeat(lengths[chosen[i]] - 0.5, 2))
        assert_array_equal(display.decoded_lengths, [lengths[i] for i in chosen])
        title = display.axes_[0, 1].get_title()
        assert title == f"sequence 5\n{len(ragged[5])} steps, decoded {lengths[5]}"
        assert display.axes_[1, 0].get_ylabel() == "channel 1"
        assert display.ax_ is display.axes_[0, 0]

    def test_missing_values_are_gaps_with_markers_at_their_reconstructions(self):
        X, back = [[[0.0], [NAN], [2.0], [NAN]]], [[[0.5], [1.5], [2.5], [3.5]]]
        display = ReconstructionDisplay.from_predictions(X, back)
        assert_array_equal(display.lines_[0, 0].get_ydata(), [0, NAN, 2, NAN])
        # Each of these values stands alone, and a line through one point would not be seen.
        assert display.lines_[0, 0].get_markevery() == [0, 2]
        assert_array_equal(display.missing_[0, 0].get_xdata(), [1, 3])
        assert_array_equal(display.missing_[0, 0].get_ydata(), [1.5, 3.5])
        assert display.length_lines_[0, 0] is None
        assert display.decoded_lengths is None

    def test_other_lengths_of_reconstructions_are_the_decoded_lengths(self):
        X, back = [np.zeros((3, 1)), np.zeros((2, 1))], [np.ones((5, 1)), np.ones((2, 1))]
        display = ReconstructionDisplay.from_predictions(X, back)
        assert_array_equal(display.decoded_lengths, [5, 2])
        assert len(display.reconstruction_lines_[0, 0].get_ydata()) == 5
        X[0][-1] = NAN
        shorter = ReconstructionDisplay.from_predictions(X[:1], [np.ones((1, 1))])
        assert shorter.missing_[0, 0] is None  # nothing came back where the value is missing

    def test_categories_are_labelled_and_names_of_columns_are_no_formulas(self, mixed, frames):
        display = ReconstructionDisplay.from_estimator(mixed, frames, sequences=0)
        numbers, categories = display.axes_[:, 0]
        assert numbers.get_ylabel() == r"cost \$"
        assert [text.get_text() for text in categories.get_yticklabels()] == ["off", "on"]
        codes = frames[0]["mode"].map({"off": 0, "on": 1}).to_numpy(dtype=float)
        assert_array_equal(display.lines_[1, 0].get_ydata(), codes)
        assert_array_equal(display.missing_[0, 0].get_xdata(), [1])
        assert_array_equal(display.missing_[1, 0].get_xdata(), [2])
        draw(display.figure_)

    def test_categories_of_both_share_one_axis(self):
        X, back = [["b", "a"], ["b"]], [["a", "c"], ["b"]]
        display = ReconstructionDisplay.from_predictions(X, back, sequences=[0])
        named = dict(enumerate(display.categories[0]))
        lines = display.lines_[0, 0], display.reconstruction_lines_[0, 0]
        drawn = [[named[int(code)] for code in line.get_ydata()] for line in lines]
        assert drawn == [["b", "a"], ["a", "c"]]

    def test_integers_are_categories_if_selected(self):
        X, back = [[3, 7]], [[7, 7]]
        display = ReconstructionDisplay.from_predictions(X, back, categorical_features=[0])
        assert [t.get_text() for t in display.ax_.get_yticklabels()] == ["3", "7"]
        assert_array_equal(display.lines_[0, 0].get_ydata(), [0, 1])

    def test_the_first_three_sequences_and_four_channels_are_drawn_by_default(self):
        X = np.zeros((9, 4, 7))
        display = ReconstructionDisplay.from_predictions(X, X)
        assert display.axes_.shape == (4, 3)

    def test_channels_are_chosen_by_index_name_mask_or_slice(self, mixed, frames):
        for channels in (1, [1], "mode", ["mode"], [False, True], slice(1, None), -1):
            display = ReconstructionDisplay.from_estimator(mixed, frames, channels=channels)
            assert display.channel_names == ["mode"]
        renamed = ReconstructionDisplay.from_estimator(
            mixed, frames, channels="b", channel_names=["a", "b"]
        )
        assert renamed.channel_names == ["b"]

    @pytest.mark.parametrize(
        ("chosen", "message"),
        [
            ({"sequences": 40}, "sequences to be indices from 0 to 39, got 40"),
            ({"sequences": []}, "at least one index from 0 to 39"),
            ({"sequences": 1.5}, "sequences to be indices from 0 to 39, got 1.5"),
            ({"sequences": [[1]]}, "at least one index from 0 to 39"),
            ({"channels": [2]}, "channels to be indices from 0 to 1"),
            ({"channels": "x"}, r"names out of \['channel 0', 'channel 1'\], got 'x'"),
            ({"channel_names": ["a"]}, "to be 2 names, one per channel, got 1"),
            ({"sequences": slice(None), "channels": [0, 1] * 2}, "at most 100 panels, got 40"),
        ],
    )
    def test_a_bad_choice_is_refused_and_no_figure_stays(self, fitted, ragged, chosen, message):
        with pytest.raises(ValueError, match=message):
            ReconstructionDisplay.from_estimator(fitted, ragged, **chosen)
        assert plt.get_fignums() == []

    def test_an_empty_sequence_has_a_note(self, fitted, ragged):
        display = ReconstructionDisplay.from_estimator(fitted, ragged, sequences=[0])
        assert "no steps" in [text.get_text() for text in display.ax_.texts]
        draw(display.figure_)

    def test_every_form_of_data_is_drawn(self, wide):
        ae = LSTMAutoencoderTransformer(n_components=4, units=6, epochs=1, random_state=0)
        for X in (wide, pd.DataFrame(wide).rename(columns="t{}".format)):
            display = ReconstructionDisplay.from_estimator(ae.fit(X), X)
            assert_array_equal(display.lines_[0, 1].get_ydata(), wide[1])

    def test_one_given_axes_is_divided_and_stays_the_current_one(self, fitted, ragged):
        figure, (left, right) = plt.subplots(1, 2)
        plt.sca(right)
        display = ReconstructionDisplay.from_estimator(fitted, ragged, sequences=[3, 4], ax=right)
        assert display.axes_.shape == (2, 2)
        assert not right.axison
        assert left.axison
        assert plt.gca() is right
        draw(figure)
        place = right.get_position()
        for ax in display.axes_.flat:
            assert ax.get_position().x0 >= place.x0 - 1e-9
            assert ax.figure is figure
        boxes = [ax.get_position().bounds for ax in display.axes_.flat]
        assert not any(overlap(boxes[i], boxes[j]) for i in range(4) for j in range(i))

    def test_an_axes_outside_of_a_grid_is_divided_too(self, fitted, ragged):
        figure = plt.figure()
        ax = figure.add_axes((0.1, 0.1, 0.8, 0.8))
        display = ReconstructionDisplay.from_estimator(fitted, ragged, ax=ax)
        assert display.axes_.shape == (2, 3)
        draw(figure)

    def test_as_many_axes_as_panels_may_be_given(self, fitted, ragged):
        _, axes = plt.subplots(2, 3)
        display = ReconstructionDisplay.from_estimator(fitted, ragged, ax=axes)
        assert_array_equal(display.axes_, axes)
        with pytest.raises(ValueError, match="to be 6 Axes, for 2 rows of 3 panels, got 3"):
            ReconstructionDisplay.from_estimator(fitted, ragged, ax=axes[0])
        with pytest.raises(TypeError, match=r"to be matplotlib Axes.*got Figure"):
            ReconstructionDisplay.from_estimator(fitted, ragged, ax=plt.figure())

    def test_another_estimator_is_refused(self, codes):
        with pytest.raises(TypeError, match=r"reconstructs sequences.*got PCA.*of a pipeline"):
            ReconstructionDisplay.from_estimator(PCA().fit(codes), codes)
        with pytest.raises(NotFittedError):
            ReconstructionDisplay.from_estimator(LSTMAutoencoderTransformer(), [ONE])

    def test_sequences_and_reconstructions_must_match(self):
        with pytest.raises(
            ValueError, match=r"as many sequences and channels.*got 1 sequences of 2"
        ):
            ReconstructionDisplay.from_predictions([ONE], [ONE, ONE])
        with pytest.raises(ValueError, match="categorical or numerical in both"):
            ReconstructionDisplay.from_predictions([["a", "b"]], [[1.0, 2.0]])


class TestCodeMap:
    def test_points_are_principal_components_by_default(self, codes):
        display = CodeMapDisplay.from_predictions(codes)
        expected = PCA(2, random_state=0).fit_transform(codes)
        assert_allclose(display.points, expected)
        assert_allclose(display.scatters_[0].get_offsets(), expected)
        share = PCA(2).fit(codes).explained_variance_ratio_[0]
        assert display.ax_.get_xlabel() == f"PC 1 ({share:.0%} of variance)"

    def test_an_estimator_encodes_first(self, fitted, ragged):
        display = CodeMapDisplay.from_estimator(fitted, ragged)
        expected = CodeMapDisplay.from_predictions(fitted.transform(ragged))
        assert_allclose(display.points, expected.points)

    def test_a_pipeline_is_accepted(self, fitted, ragged):
        scaled = StandardScaler().fit(fitted.transform(ragged))
        display = CodeMapDisplay.from_estimator(make_pipeline(fitted, scaled), ragged, thumbnails=2)
        assert len(display.points) == len(ragged)
        assert len(display.thumbnails_) == 2

    @pytest.mark.parametrize("n_components", [1, 2])
    def test_codes_of_two_components_are_points_already(self, codes, n_components):
        display = CodeMapDisplay.from_predictions(codes[:, :n_components])
        assert_array_equal(display.points[:, :n_components], codes[:, :n_components])
        assert display.ax_.get_xlabel() == "code, component 0"

    @pytest.mark.parametrize("n", [1, 2, 3])
    def test_few_codes_have_a_map(self, codes, n):
        X = [np.arange(3.0)] * n
        display = CodeMapDisplay.from_predictions(
            codes[:n], sequences=X, thumbnails=n, annotate=["x"] * n
        )
        assert display.points.shape == (n, 2)
        assert len(display.thumbnails_) == n
        draw(display.figure_)

    def test_equal_codes_have_a_map(self):
        display = CodeMapDisplay.from_predictions(np.ones((5, 4)), annotate={1: "all"})
        assert_array_equal(display.points, np.zeros((5, 2)))
        draw(display.figure_)

    def test_any_embedding_is_cloned_and_used(self, codes):
        embedding = Isomap()
        display = CodeMapDisplay.from_predictions(codes, embedding=embedding)
        assert not hasattr(embedding, "embedding_")
        assert display.points.shape == (40, 2)
        assert display.ax_.get_ylabel() == "Isomap, axis 2"

    def test_an_embedding_that_learns_from_labels_gets_them(self, codes):
        y = np.arange(40) % 3
        display = CodeMapDisplay.from_predictions(
            codes, y=y, embedding=LinearDiscriminantAnalysis(n_components=2)
        )
        expected = LinearDiscriminantAnalysis(n_components=2).fit_transform(codes, y)
        assert_allclose(display.points, expected)
        with pytest.raises(ValueError, match="learns from labels as well: give y"):
            CodeMapDisplay.from_predictions(codes, embedding=LinearDiscriminantAnalysis())

    @pytest.mark.parametrize(
        ("embedding", "error", "message"),
        [
            (TSNE(), ValueError, r"TSNE cannot embed 3 codes of 6 .*perplexity.*None for PCA"),
            (PCA(3), ValueError, r"3 finite points of 2 coordinates, but PCA gave .*\(3, 3\)"),
            ("tsne", TypeError, "an estimator with fit_transform, got 'tsne'|instance"),
            (PCA, TypeError, "give an instance"),
        ],
    )
    def test_an_invalid_embedding_is_refused(self, codes, embedding, error, message):
        with pytest.raises(error, match=message):
            CodeMapDisplay.from_predictions(codes[:3], embedding=embedding)
        assert plt.get_fignums() == []

    @pytest.mark.parametrize("codes", [[[NAN, 1.0]], [1.0, 2.0], [["a", "b"]], np.ones((0, 3))])
    def test_invalid_codes_are_refused(self, codes):
        with pytest.raises(ValueError, match="codes to be a 2-D array of finite numbers"):
            CodeMapDisplay.from_predictions(codes)

    def test_labels_have_colours_and_a_legend_of_their_own(self, codes):
        y = np.array(["b", "a"] * 20)
        display = CodeMapDisplay.from_predictions(codes, y=y)
        assert_array_equal(display.classes_, ["a", "b"])
        assert_allclose(display.scatters_[0].get_offsets(), display.points[y == "a"])
        assert texts_of(display.legend_) == ["a", "b"]
        colors = [to_hex(s.get_facecolor()[0]).upper() for s in display.scatters_]
        assert colors == list(ON_LIGHT[:2])
        assert display.colorbar_ is None

    def test_labels_with_special_characters_of_matplotlib_are_shown(self, codes):
        y = ["_hidden", "$x$"] * 20
        display = CodeMapDisplay.from_predictions(codes, y=y)
        draw(display.figure_)
        shown = texts_of(display.legend_)
        assert shown[0] == r"\$x\$"
        assert shown[1].endswith("_hidden")

    def test_unknown_labels_are_grey(self, codes):
        y = np.array(["a", None] * 20, dtype=object)
        display = CodeMapDisplay.from_predictions(codes, y=y)
        assert texts_of(display.legend_) == ["a", "unknown"]
        assert_allclose(display.scatters_[1].get_offsets(), display.points[1::2])

    @pytest.mark.parametrize(
        "y",
        [
            pd.Series([1, None] * 20, dtype="Int64"),
            pd.Categorical(["a", None] * 20),
            [1.0, NAN] * 20,
            [1, None] * 20,
        ],
    )
    def test_all_missing_values_are_unknown_labels(self, codes, y):
        display = CodeMapDisplay.from_predictions(codes, y=y)
        assert [len(scatter.get_offsets()) for scatter in display.scatters_] == [20, 20]

    @pytest.mark.parametrize("y", [[NAN] * 40, [None] * 40])
    def test_all_labels_may_be_unknown(self, codes, y):
        display = CodeMapDisplay.from_predictions(codes, y=y)
        assert [len(scatter.get_offsets()) for scatter in display.scatters_] == [40]
        draw(display.figure_)

    def test_nine_labels_differ_in_colour_or_marker(self, codes):
        display = CodeMapDisplay.from_predictions(codes, y=np.arange(40) % 9)
        looks = {
            (tuple(s.get_facecolor()[0]), s.get_paths()[0].vertices.tobytes())
            for s in display.scatters_
        }
        assert len(looks) == 9
        # The legend stands beside the map, not on it.
        box = draw(display.figure_) and display.legend_.get_window_extent()
        assert box.x0 >= display.ax_.get_window_extent().x1 - 1
        assert box.x1 <= display.figure_.bbox.x1

    def test_more_labels_than_a_legend_takes_go_to_a_colour_bar(self, codes):
        y = [f"class {i:02d}" for i in range(40)]
        display = CodeMapDisplay.from_predictions(codes, y=y)
        assert display.legend_ is None
        assert_array_equal(display.scatters_[0].get_array(), np.arange(40))
        ticks = [text.get_text() for text in display.colorbar_.ax.get_yticklabels()]
        assert (ticks[0], ticks[-1]) == ("class 00", "class 39")

    def test_numbers_have_a_colour_bar(self, codes):
        y = np.linspace(0.1, 0.9, 40)
        display = CodeMapDisplay.from_predictions(codes, y=y)
        assert_allclose(display.scatters_[0].get_array(), y)
        assert display.classes_ is None
        assert display.colorbar_ is not None

    def test_errors_and_lengths_may_be_the_colours(self, fitted, ragged):
        display = CodeMapDisplay.from_estimator(fitted, ragged, color_by="error")
        assert_allclose(display.scatters_[0].get_array(), -fitted.score_samples(ragged))
        assert display.colorbar_.ax.get_ylabel() == "mean squared error, scaled units"
        by_length = CodeMapDisplay.from_estimator(fitted, ragged, color_by="length")
        assert_array_equal(by_length.y, [len(x) for x in ragged])
        with pytest.raises(ValueError, match="'error', 'length' or None, got 'size'"):
            CodeMapDisplay.from_estimator(fitted, ragged, color_by="size")
        with pytest.raises(ValueError, match="either y or color_by, got both"):
            CodeMapDisplay.from_estimator(fitted, ragged, [1] * 40, color_by="error")

    def test_thumbnails_are_the_sequences_do_not_overlap_and_stay_inside(self, fitted, ragged):
        display = CodeMapDisplay.from_estimator(fitted, ragged, thumbnails=12)
        indices = display.thumbnail_indices_
        assert len(set(indices)) == len(indices) == len(display.thumbnails_)
        assert 2 <= len(indices) <= 12
        for i, picture in zip(indices, display.thumbnails_, strict=True):
            lines = picture.get_lines()
            assert [len(line.get_ydata()) for line in lines] == [len(ragged[i])] * 2
        draw(display.figure_)
        boxes = [picture.get_window_extent().bounds for picture in display.thumbnails_]
        assert not any(overlap(a, b) for k, a in enumerate(boxes) for b in boxes[:k])
        whole = display.ax_.get_window_extent()
        assert all(x >= whole.x0 and x + w <= whole.x1 + 1e-6 for x, _, w, _ in boxes)
        assert all(y >= whole.y0 and y + h <= whole.y1 + 1e-6 for _, y, _, h in boxes)

    def test_thumbnails_need_their_sequences(self, codes):
        with pytest.raises(ValueError, match="sequences to draw 3 thumbnails of, got none"):
            CodeMapDisplay.from_predictions(codes, thumbnails=3)
        with pytest.raises(ValueError, match="inconsistent numbers of samples"):
            CodeMapDisplay.from_predictions(codes, sequences=[ONE], thumbnails=1)
        with pytest.raises(ValueError, match="a number of pictures, 0 or more, got -1"):
            CodeMapDisplay.from_predictions(codes, thumbnails=-1)

    def test_thumbnails_of_categories_and_of_empty_sequences_are_drawn(self, mixed, frames, codes):
        display = CodeMapDisplay.from_estimator(mixed, frames, thumbnails=2)
        assert len(display.thumbnails_[0].get_lines()) == 1  # the channel of numbers alone
        X = [["a", "b"], [], ["a"]]
        display = CodeMapDisplay.from_predictions(codes[:3], sequences=X, thumbnails=3)
        assert len(display.thumbnails_) == 3
        draw(display.figure_)

    def test_points_are_annotated_by_index_or_all(self, codes):
        display = CodeMapDisplay.from_predictions(codes, annotate={3: "three $", -1: "last"})
        assert [text.get_text() for text in display.texts_] == [r"three \$", "last"]
        assert_allclose(display.texts_[0].xy, display.points[3])
        every = CodeMapDisplay.from_predictions(codes, annotate=np.arange(40))
        assert len(every.texts_) == 40
        with pytest.raises(ValueError, match="indices from 0 to 39, got 40"):
            CodeMapDisplay.from_predictions(codes, annotate={40: "?"})
        with pytest.raises(ValueError, match="inconsistent numbers of samples"):
            CodeMapDisplay.from_predictions(codes, annotate=["one"])

    def test_three_thousand_points_are_small_faint_and_an_image(self):
        crowd = np.random.default_rng(0).normal(size=(3000, 4))
        display = CodeMapDisplay.from_predictions(crowd, y=np.arange(3000) % 3)
        few = CodeMapDisplay.from_predictions(crowd[:3])
        assert display.scatters_[0].get_sizes()[0] < few.scatters_[0].get_sizes()[0] / 5
        assert display.scatters_[0].get_alpha() < few.scatters_[0].get_alpha()
        assert display.scatters_[0].get_rasterized()
        assert not few.scatters_[0].get_rasterized()

    def test_as_many_labels_as_points_are_needed(self, codes):
        with pytest.raises(ValueError, match="inconsistent numbers of samples"):
            CodeMapDisplay.from_predictions(codes, y=[1, 2])
        assert plt.get_fignums() == []

    def test_keywords_reach_the_points(self, codes):
        display = CodeMapDisplay.from_predictions(
            codes, y=["a", "b"] * 20, scatter_kwargs={"s": 7, "ec": "red", "alpha": 0.2}
        )
        assert display.scatters_[1].get_sizes() == [7]
        assert display.scatters_[1].get_alpha() == 0.2

    def test_an_estimator_without_codes_is_refused(self, codes):
        with pytest.raises(TypeError, match=r"with transform.*got IsolationForest"):
            CodeMapDisplay.from_estimator(IsolationForest().fit(codes), codes)
        scaler = StandardScaler().fit(codes)
        with pytest.raises(TypeError, match="score_samples for color_by='error', got Standard"):
            CodeMapDisplay.from_estimator(scaler, codes, color_by="error")


class TestErrors:
    # Channel 1 of the second sequence is missing, and the third is empty.
    X = (np.zeros((2, 2)), np.array([[0.0, NAN]] * 4), np.zeros((0, 2)))
    BACK = (np.ones((2, 2)), np.full((4, 2), 3.0), np.zeros((0, 2)))

    def test_a_heat_map_has_the_mean_over_sequences_by_channel_and_step(self):
        display = ErrorDisplay.from_predictions(self.X, self.BACK)
        grid = display.image_.get_array().filled(NAN)
        assert_array_equal(grid, [[5, 5, 9, 9], [1, 1, NAN, NAN]])
        assert display.image_.get_extent() == [-0.5, 3.5, 1.5, -0.5]
        assert [t.get_text() for t in display.ax_.get_yticklabels()] == ["channel 0", "channel 1"]
        assert display.colorbar_.ax.get_ylabel() == "squared error"

    def test_one_sequence_may_be_drawn_alone(self):
        display = ErrorDisplay.from_predictions(self.X, self.BACK, sequence=0)
        assert_array_equal(display.image_.get_array(), np.ones((2, 2)))
        assert display.ax_.get_title() == "sequence 0"
        empty = ErrorDisplay.from_predictions(self.X, self.BACK, sequence=-1)
        draw(empty.figure_)
        with pytest.raises(ValueError, match="sequence to be indices from 0 to 2, got 3"):
            ErrorDisplay.from_predictions(self.X, self.BACK, sequence=3)

    def test_sequences_are_rows_the_shortest_first(self):
        display = ErrorDisplay.from_predictions(self.X, self.BACK, kind="sequences")
        grid = display.image_.get_array().filled(NAN)
        assert_array_equal(grid, [[NAN] * 4, [1, 1, NAN, NAN], [9] * 4])

    def test_the_figures_are_those_of_the_estimator(self, fitted, ragged):
        errors = fitted.reconstruction_error(ragged, per="value")
        display = ErrorDisplay.from_estimator(fitted, ragged, sequence=3)
        assert_allclose(display.image_.get_array(), errors[3].T)
        assert display.colorbar_.ax.get_ylabel() == "squared error\n(scaled units)"
        by_length = ErrorDisplay.from_estimator(fitted, ragged, kind="length")
        points = by_length.scatter_.get_offsets()
        full = [i for i, x in enumerate(ragged) if len(x)]
        assert_array_equal(points[full, 0], [len(ragged[i]) for i in full])
        assert_allclose(points[full, 1], fitted.reconstruction_error(ragged)[full])

    def test_the_curve_by_length_is_the_median(self):
        X = [np.zeros((n, 1)) for n in np.repeat([2, 5], 20)]
        errors = np.arange(40) % 20 + 1.0
        back = [x + np.sqrt(e) for x, e in zip(X, errors, strict=True)]
        display = ErrorDisplay.from_predictions(X, back, kind="length")
        assert_array_equal(display.line_.get_xdata(), [2, 5])
        assert_allclose(display.line_.get_ydata(), [10.5, 10.5], rtol=1e-6)
        assert display.ax_.get_yscale() == "log"
        few = ErrorDisplay.from_predictions(X[:3], back[:3], kind="length")
        assert few.line_ is None
        assert len(few.scatter_.get_offsets()) == 3

    def test_many_long_sequences_share_cells_and_keep_their_mean(self):
        rng = np.random.default_rng(0)
        errors = [rng.random((n, 2)) for n in rng.integers(1, 1500, 3000)]
        display = ErrorDisplay(errors=errors).plot(kind="sequences")
        grid = display.image_.get_array()
        assert grid.shape == (600, 600)
        assert display.image_.get_extent() == [-0.5, max(map(len, errors)) - 0.5, 2999.5, -0.5]
        assert abs(grid[:, 0].mean() - 0.5) < 0.05

    def test_an_error_of_zero_is_not_missing(self):
        back = np.array([[[0.0], [1.0], [100.0]]])
        display = ErrorDisplay.from_predictions(np.zeros((1, 3, 1)), back)
        assert isinstance(display.image_.norm, LogNorm)
        drawn = display.image_.cmap(display.image_.norm(display.image_.get_array()))
        assert_array_equal(drawn[..., 3], 1.0)

    def test_a_wrong_category_is_an_error_of_one(self):
        X, back = [["a", "b", None]], [["a", "c", "c"]]
        display = ErrorDisplay.from_predictions(X, back)
        assert_array_equal(display.image_.get_array().filled(NAN), [[0, 1, NAN]])

    def test_names_are_those_of_columns_or_given(self, mixed, frames):
        display = ErrorDisplay.from_estimator(mixed, frames)
        assert [t.get_text() for t in display.ax_.get_yticklabels()] == [r"cost \$", "mode"]
        display = ErrorDisplay.from_estimator(mixed, frames, channel_names=["a", "b"])
        assert display.channel_names == ["a", "b"]

    @pytest.mark.parametrize("kind", ["heatmap", "sequences", "length"])
    def test_sequences_of_no_steps_are_drawn(self, kind):
        display = ErrorDisplay(errors=[np.zeros((0, 2))] * 12).plot(kind=kind)
        draw(display.figure_)

    def test_invalid_arguments_are_refused(self, codes):
        with pytest.raises(ValueError, match=r"kind to be one of .*'heatmap'.*got 'steps'"):
            ErrorDisplay.from_predictions(self.X, self.BACK, kind="steps")
        with pytest.raises(ValueError, match="sequence only with kind='heatmap', got 1"):
            ErrorDisplay.from_predictions(self.X, self.BACK, kind="length", sequence=1)
        with pytest.raises(ValueError, match="sequence 0 has 2 steps and its reconstruction 1"):
            ErrorDisplay.from_predictions(self.X[:1], [np.ones((1, 2))])
        with pytest.raises(TypeError, match="reconstructs sequences"):
            ErrorDisplay.from_estimator(PCA().fit(codes), codes)
        assert plt.get_fignums() == []


class TestDetection:
    def test_bars_count_scores_and_a_line_is_at_the_threshold(self):
        scores = np.array([-3.0, -1.0, -0.5, -0.4])
        display = DetectionDisplay.from_predictions(scores, threshold=-0.9, bins=7)
        assert display.counts_.shape == (1, 7)
        assert display.counts_.sum() == 4
        heights = [bar.get_height() for bar in display.bars_[0]]
        assert_array_equal(heights, display.counts_[0])
        assert_array_equal(display.line_.get_xdata(), [-0.9, -0.9])
        assert display.n_flagged_ == 2
        assert texts_of(display.ax_.get_legend()) == ["threshold -0.9: 2 below (50.0%)"]

    @pytest.mark.parametrize(
        "detector",
        [
            IsolationForest(n_estimators=10, random_state=0),
            LocalOutlierFactor(novelty=True),
            OneClassSVM(),
        ],
    )
    def test_any_outlier_detector_is_accepted(self, codes, detector):
        detector.fit(codes)
        display = DetectionDisplay.from_estimator(detector, codes)
        assert_array_equal(display.scores, detector.score_samples(codes))
        assert display.threshold == pytest.approx(float(np.ravel(detector.offset_)[0]))
        assert display.n_flagged_ == (detector.decision_function(codes) < 0).sum()

    def test_an_estimator_without_threshold_has_none(self, fitted, ragged):
        display = DetectionDisplay.from_estimator(fitted, ragged)
        assert display.line_ is None
        assert display.ax_.get_legend() is None
        assert_array_equal(display.scores, fitted.score_samples(ragged))

    def test_labels_are_stacked(self):
        scores, y = np.array([-2.0, -1.0, -0.5, -0.5]), [-1, 1, 1, 1]
        display = DetectionDisplay.from_predictions(scores, y=y)
        assert_array_equal(display.counts_.sum(axis=1), [1, 3])
        assert texts_of(display.ax_.get_legend()) == ["outliers (-1)", "inliers (1)"]
        bottoms = [bar.get_y() for bar in display.bars_[1]]
        assert_array_equal(bottoms, display.counts_[0])

    @pytest.mark.parametrize("y", [[True, False, True], [0, 1, 1], ["good", "bad", "bad"]])
    def test_other_labels_keep_their_names(self, y):
        display = DetectionDisplay.from_predictions([-1.0, -2.0, -3.0], y=y)
        assert texts_of(display.ax_.get_legend()) == sorted(map(str, set(y)))

    def test_every_score_has_a_tick_as_long_as_there_are_few(self):
        display = DetectionDisplay.from_predictions([-1.0, -2.0, -3.0])
        assert_array_equal(display.ticks_[0].get_xdata(), [-1, -2, -3])
        assert DetectionDisplay.from_predictions(np.arange(3000.0)).ticks_ == []

    def test_single_outliers_are_seen_beside_thousands(self):
        scores = np.append(-np.random.default_rng(0).random(3000), [-50.0, -80.0])
        display = DetectionDisplay.from_predictions(scores, threshold=-1.5)
        assert (display.ax_.get_yscale(), display.ax_.get_xscale()) == ("log", "asinh")
        assert display.counts_.sum() == 3002
        # The tail does not press the rest into one bar.
        assert (display.counts_ > 0).sum() > 10
        draw(display.figure_)
        plain = DetectionDisplay.from_predictions(scores, xscale="linear", yscale="linear")
        assert (plain.ax_.get_yscale(), plain.ax_.get_xscale()) == ("linear", "linear")

    @pytest.mark.parametrize("scores", [[0.0], [5.0, 5.0], [-1e-12], [1e30, -1e30], [-0.0] * 9])
    @pytest.mark.parametrize("xscale", ["auto", "asinh"])
    def test_unusual_distributions_of_scores_have_a_histogram(self, scores, xscale):
        display = DetectionDisplay.from_predictions(scores, xscale=xscale)
        assert display.counts_.sum() == len(scores)
        draw(display.figure_)

    @pytest.mark.parametrize(
        ("given", "message"),
        [
            ({"scores": []}, "finite numbers, one a sequence"),
            ({"scores": [NAN, 1.0]}, "finite numbers"),
            ({"scores": [[1.0]]}, r"an array of shape \(1, 1\)"),
            ({"scores": [1.0], "threshold": NAN}, "threshold to be a finite number or None"),
            ({"scores": [1.0], "y": [1, 1]}, "inconsistent numbers of samples"),
            ({"scores": np.arange(7.0), "y": np.arange(7)}, r"at most 6 different labels.*got 7"),
            ({"scores": [1.0], "bins": 0}, "a number of bars from 1 on or 'auto', got 0"),
            ({"scores": [1.0], "xscale": "log"}, "xscale to be one of .*got 'log'"),
            ({"scores": [1.0], "yscale": "cube"}, "yscale to be one of .*got 'cube'"),
        ],
    )
    def test_invalid_arguments_are_refused(self, given, message):
        with pytest.raises(ValueError, match=message):
            DetectionDisplay.from_predictions(**given)
        assert plt.get_fignums() == []

    def test_an_estimator_without_scores_is_refused(self, codes):
        with pytest.raises(TypeError, match=r"with score_samples.*got StandardScaler"):
            DetectionDisplay.from_estimator(StandardScaler().fit(codes), codes)
        with pytest.raises(NotFittedError):
            DetectionDisplay.from_estimator(IsolationForest(), codes)


DRAWN = {
    "training": lambda ae, X, **k: TrainingDisplay.from_estimator(ae, **k),
    "reconstruction": lambda ae, X, **k: ReconstructionDisplay.from_estimator(
        ae, X, sequences=3, channels=0, **k
    ),
    "codes": lambda ae, X, **k: CodeMapDisplay.from_estimator(
        ae, X, color_by="error", thumbnails=3, annotate={1: "x"}, **k
    ),
    "labels": lambda ae, X, **k: CodeMapDisplay.from_estimator(ae, X, y=["a", "b"] * 20, **k),
    "heatmap": lambda ae, X, **k: ErrorDisplay.from_estimator(ae, X, **k),
    "sequences": lambda ae, X, **k: ErrorDisplay.from_estimator(ae, X, kind="sequences", **k),
    "length": lambda ae, X, **k: ErrorDisplay.from_estimator(ae, X, kind="length", **k),
    "detection": lambda ae, X, **k: DetectionDisplay.from_predictions(
        ae.score_samples(X), threshold=-1.0, **k
    ),
}


class TestAll:
    @pytest.mark.parametrize("name", DRAWN)
    def test_a_new_figure_is_one_that_pyplot_knows(self, fitted, ragged, name):
        display = DRAWN[name](fitted, ragged)
        assert plt.get_fignums() == [1]
        assert plt.gcf() is display.figure_
        assert display.ax_.figure is display.figure_
        draw(display.figure_)
        for ax in display.figure_.axes:  # nothing is cut off
            box = ax.get_tightbbox()
            assert box is None or display.figure_.bbox.padded(1.0).contains(*box.min)
            assert box is None or display.figure_.bbox.padded(1.0).contains(*box.max)

    @pytest.mark.parametrize("name", DRAWN)
    def test_a_given_axes_is_all_that_is_drawn_on(self, fitted, ragged, name):
        _, other = plt.subplots()
        figure, (ax, second) = plt.subplots(1, 2)
        plt.figure(other.figure)
        settings = dict(plt.rcParams)
        display = DRAWN[name](fitted, ragged, ax=ax)
        assert display.ax_ is ax
        assert display.figure_ is figure
        assert len(plt.get_fignums()) == 2
        assert plt.gca() is other
        assert dict(plt.rcParams) == settings
        assert not other.has_data()
        assert not second.has_data()

    @pytest.mark.parametrize("style", STYLES)
    @pytest.mark.parametrize("name", DRAWN)
    def test_text_differs_from_the_background_in_the_style_of_the_axes(
        self, fitted, ragged, style, name
    ):
        with plt.style.context(style):
            _, ax = plt.subplots()
        display = DRAWN[name](fitted, ragged, ax=ax)  # in another style than its Axes
        ink = to_hex(ax.xaxis.label.get_color())
        assert ink == {"default": "#000000", "dark_background": "#ffffff"}[style]
        shown = [t for t in display.figure_.findobj(plt.Text) if t.get_text() and t.get_visible()]
        assert shown
        assert {to_hex(text.get_color()) for text in shown} == {ink}

    @pytest.mark.parametrize("style", STYLES)
    def test_colours_suit_the_background(self, fitted, style):
        with plt.style.context(style):
            display = TrainingDisplay.from_estimator(fitted)
        expected = ON_LIGHT if style == "default" else ON_DARK
        assert display.line_.get_color() == expected[0]
        assert display.val_line_.get_color() == expected[1]

    @pytest.mark.parametrize("name", DRAWN)
    def test_a_display_may_be_drawn_again(self, fitted, ragged, name):
        display = DRAWN[name](fitted, ragged)
        first = display.ax_
        assert display.plot() is display
        assert display.ax_ is not first
        assert len(plt.get_fignums()) == 2

    def test_a_subfigure_is_accepted(self, fitted, ragged):
        part = plt.figure(layout="constrained").subfigures(1, 2)[0]
        display = ErrorDisplay.from_estimator(fitted, ragged, ax=part.subplots())
        assert display.figure_ is part
        draw(part.figure)

    def test_arguments_are_not_changed(self, fitted, ragged):
        copies = [x.copy() for x in ragged]
        for drawn in DRAWN.values():
            drawn(fitted, ragged)
        for x, copy in zip(ragged, copies, strict=True):
            assert_array_equal(x, copy)


def test_displays_without_matplotlib_name_the_extra():
    program = (
        "import sys\n"
        "sys.modules['matplotlib'] = None\n"
        "import numpy as np\n"
        "from sklearn_seqae import CodeMapDisplay, DetectionDisplay, ErrorDisplay\n"
        "from sklearn_seqae import ReconstructionDisplay, TrainingDisplay\n"
        "X = [np.ones((3, 2))]\n"
        "for draw in (\n"
        "    lambda: TrainingDisplay.from_history({'loss': [1.0]}),\n"
        "    lambda: ReconstructionDisplay.from_predictions(X, X),\n"
        "    lambda: CodeMapDisplay.from_predictions(np.eye(3)),\n"
        "    lambda: ErrorDisplay.from_predictions(X, X),\n"
        "    lambda: ErrorDisplay.from_predictions(X, X, kind='length'),\n"
        "    lambda: DetectionDisplay.from_predictions([1.0]),\n"
        "    lambda: CodeMapDisplay.from_estimator(None, X),\n"
        "    lambda: ReconstructionDisplay.from_estimator(None, X),\n"
        "    lambda: ErrorDisplay.from_estimator(None, X),\n"
        "):\n"
        "    try:\n"
        "        draw()\n"
        "    except ImportError as error:\n"
        "        print(str(error).partition(' draws ')[2])\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    said = 'with matplotlib, which is not installed: pip install "sklearn-seqae[plot]".'
    assert done.stdout.splitlines() == [said] * 9, done.stderr


def test_channels_have_the_names_of_a_long_frame(fitted, ragged):
    frame = convert(ragged, "long").set_axis(["pulse", "pressure"], axis=1)
    assert ErrorDisplay.from_estimator(fitted, frame).channel_names == ["pulse", "pressure"]
    back = fitted.reconstruct(frame)
    assert ErrorDisplay.from_predictions(frame, back).channel_names == ["pulse", "pressure"]
    named = ReconstructionDisplay.from_predictions(frame, back)
    assert named.channel_names == ["pulse", "pressure"]
