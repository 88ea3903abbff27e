"""Skill scores, and the warnings of fits without skill or with too few epochs."""

import warnings

import keras
import numpy as np
import pytest
from numpy.testing import assert_allclose
from sklearn.exceptions import ConvergenceWarning

from sklearn_seqae import LSTMAutoencoderTransformer
from sklearn_seqae.containers.registry import as_sequences
from sklearn_seqae.exceptions import NothingLearnedWarning
from sklearn_seqae.training import skill
from sklearn_seqae.training.losses import MaskedLoss
from sklearn_seqae.training.skill import SkillScore

NAN = np.nan


def measure(loss, sequences):
    data = as_sequences(sequences)
    return SkillScore.of(MaskedLoss(keras.losses.get(loss), n_numbers=data.n_channels), data)


# The skill score


def test_zero_is_the_loss_of_the_mean_over_real_values_and_one_that_of_a_perfect_copy():
    skill_score = measure("mse", [[1.0, NAN, 3.0], [], [5.0]])
    assert_allclose(skill_score.constant, np.var([1.0, 3.0, 5.0]), rtol=1e-6)
    assert skill_score.skill(0.0) == 1.0
    assert_allclose(skill_score.skill(skill_score.constant), 0.0)
    assert_allclose(skill_score.skill(2 * skill_score.constant), -1.0)


def test_the_constant_to_beat_is_the_median_where_that_is_better():
    values = [0.0, 0.0, 0.0, 10.0]
    assert_allclose(measure("mae", [values]).constant, 2.5)
    assert_allclose(measure("mse", [values]).constant, np.var(values))


@pytest.mark.parametrize(
    ("loss", "values"),
    [
        ("binary_crossentropy", [[0.2], [0.5], [0.6]]),
        ("categorical_crossentropy", [[0.2, 0.8], [0.5, 0.5], [0.6, 0.4]]),
    ],
)
def test_a_cross_entropy_is_perfect_where_no_prediction_has_a_lower_one(loss, values):
    true = np.array(values)
    entropy = -(true * np.log(true)).sum(axis=1)
    if true.shape[1] == 1:
        entropy -= ((1 - true) * np.log(1 - true)).sum(axis=1)
    skill_score = measure(loss, [true])
    assert_allclose(skill_score.perfect, entropy.mean(), rtol=1e-4)
    assert skill_score.constant > skill_score.perfect
    assert_allclose(skill_score.skill(skill_score.perfect), 1.0)


@pytest.mark.parametrize("value", [0.0, 0.1, 5.3, 1e6, 1e-30])
@pytest.mark.parametrize("loss", ["mse", "mae"])
def test_there_is_nothing_to_learn_about_a_constant(loss, value):
    assert measure(loss, [np.full((5, 2), value)]).skill(3.0) == 1.0


def test_long_sequences_are_measured_in_parts(monkeypatch):
    x = np.random.default_rng(0).normal(size=(50, 2))
    whole = measure("mse", [x])
    monkeypatch.setattr(skill, "STEPS_AT_ONCE", 7)
    assert_allclose(measure("mse", [x]).constant, whole.constant, rtol=1e-6)


def test_the_last_gain_is_that_of_the_last_half_of_the_epochs():
    skill_score = SkillScore(constant=1.0, perfect=0.0)
    assert_allclose(skill_score.last_gain([0.8, 0.5, 0.7, 0.4]), 0.1)
    assert_allclose(skill_score.last_gain([0.6]), 0.4)
    assert skill_score.last_gain([0.5, 0.2, 0.3, 0.4]) == 0.0
    assert skill_score.last_gain([1.5, 1.2]) == 0.0


# Fits


@pytest.fixture(scope="module")
def levels():
    """Sixty sequences that each have a level of their own."""
    rng = np.random.default_rng(0)
    return [
        np.full((n, 1), level) for n, level in zip([3, 4, 5] * 20, rng.normal(size=60), strict=True)
    ]


def warned(fit):
    """Return the categories of the warnings that a fit gives."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        fit()
    return [warning.category for warning in caught]


def make(**changes):
    # Without a linear path, which has skill before the first epoch.
    parameters = {"units": 8, "learning_rate": 0.01, "random_state": 0, "epochs": 100}
    parameters |= {"shortcut": None}
    return LSTMAutoencoderTransformer(4, **{**parameters, **changes})


def test_a_fit_that_has_flattened_out_says_nothing(levels):
    assert warned(lambda: make().fit(levels)) == []


def test_a_fit_that_is_still_improving_asks_for_more_epochs(levels):
    with pytest.warns(ConvergenceWarning, match=r"after all 5 epochs .* Use more epochs, or warm"):
        make(epochs=5).fit(levels)


def test_what_learned_nothing_says_so_and_what_to_try(levels):
    ae = make(learning_rate=1e-9, epochs=2)
    with pytest.warns(NothingLearnedWarning, match=r"no better than the mean .* Try more epochs"):
        ae.fit(levels)
    assert ae.score(levels) < 0.01


@pytest.mark.parametrize(
    "changes",
    [
        {"loss": "mae"},
        pytest.param({"loss": "binary_crossentropy", "scaler": "minmax"}, marks=pytest.mark.long),
        {"early_stopping": False},
        pytest.param({"decoder": "autoregressive"}, marks=pytest.mark.long),
    ],
    ids=str,
)
def test_what_learned_nothing_says_so_whatever_the_loss_and_what_learned_does_not(levels, changes):
    lame = [make(**changes, learning_rate=1e-9, epochs=2, random_state=i) for i in range(4)]
    found = [NothingLearnedWarning in warned(lambda ae=ae: ae.fit(levels)) for ae in lame]
    assert sum(found) >= 3  # initial weights may be a little better than the mean, by chance
    assert NothingLearnedWarning not in warned(lambda: make(**changes, epochs=40).fit(levels))


@pytest.mark.long
def test_noise_without_a_pattern_is_not_learned():
    rng = np.random.default_rng(0)
    noise = [rng.normal(size=(n, 2)) for n in rng.integers(40, 60, 40)]
    assert NothingLearnedWarning in warned(
        lambda: make(epochs=10).set_params(n_components=1).fit(noise)
    )


def test_a_linear_path_has_skill_and_has_converged_before_the_first_epoch(levels):
    ae = make(shortcut="cosine", learning_rate=1e-9, epochs=2)
    assert warned(lambda: ae.fit(levels)) == []
    assert ae.score(levels) > 0.9


def test_one_outlier_that_is_held_out_does_not_give_a_warning(levels):
    # Of ten sequences one is held out: here one near the mean, which no network hits as well.
    near = [level / 100 for level in levels[:10]]
    split = np.random.default_rng(0).permutation(10)[0]
    data = [near[i] if i == split else levels[i] for i in range(10)]
    assert NothingLearnedWarning not in warned(lambda: make().fit(data))


def test_a_constant_is_learned_without_complaint():
    assert warned(lambda: make(epochs=2).fit([np.full((n, 1), 0.1) for n in range(1, 20)])) == []


def test_partial_fit_never_complains(levels):
    ae = make(learning_rate=1e-9)
    assert warned(lambda: ae.partial_fit(levels).partial_fit(levels)) == []


def test_an_interrupted_fit_only_says_that_it_was_interrupted(levels):
    class Stop(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            raise KeyboardInterrupt

    assert warned(lambda: make(callbacks=Stop).fit(levels)) == [UserWarning]


def test_a_fit_that_stopped_by_itself_does_not_ask_for_more_epochs(levels):
    class Enough(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            self.model.stop_training = epoch == 3

    assert ConvergenceWarning not in warned(lambda: make(callbacks=Enough).fit(levels))
