"""Sequences are packed into few widths, each once an epoch, and padded with NaN alone."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

from sklearn_seqae.containers.registry import Sequences, as_sequences
from sklearn_seqae.network.batching import (
    MAX_WIDTHS,
    bucket_widths,
    canonical_order,
    epoch_chunks,
    inference_batches,
    pad,
    round_width,
)

LENGTHS = st.lists(st.integers(0, 300), min_size=1, max_size=60).map(np.array)


def make_sequences(lengths, n_channels=2, seed=0):
    values = np.random.default_rng(seed).normal(size=(int(np.sum(lengths)), n_channels))
    return Sequences.from_lengths(values.astype("float32"), lengths)


def padded_cells(lengths, widths, batch_size):
    """Return the number of steps that an epoch computes, padding and filled-up rows included."""
    chunks = epoch_chunks(lengths, widths, batch_size, 8, None)
    return sum(chunk.rows.size * chunk.width for chunk in chunks)


@given(lengths=LENGTHS, batch_size=st.integers(1, 16), multiple=st.integers(1, 7))
def test_widths_hold_all_are_few_ascending_and_multiples_of_the_patch_size(
    lengths, batch_size, multiple
):
    widths = bucket_widths(lengths, batch_size, multiple)
    assert 1 <= len(widths) <= MAX_WIDTHS
    assert (np.diff(widths) > 0).all()
    assert widths[0] > 0
    assert widths[-1] >= lengths.max()
    assert (widths % multiple == 0).all()


@given(lengths=LENGTHS, batch_size=st.integers(1, 16))
def test_every_width_is_used(lengths, batch_size):
    widths = bucket_widths(lengths, batch_size)
    assert set(np.searchsorted(widths, lengths)) == set(range(len(widths)))


@pytest.mark.parametrize(("length", "multiple", "width"), [(17, 1, 17), (17, 4, 20), (100, 1, 100)])
def test_equal_lengths_have_one_exact_width(length, multiple, width):
    assert bucket_widths(np.full(9, length), 4, multiple).tolist() == [width]


@pytest.mark.parametrize("multiple", [1, 4])
def test_sequences_without_steps_still_have_a_width(multiple):
    assert bucket_widths(np.zeros(3, dtype=int), 2, multiple)[-1] >= 1


def test_buckets_compute_much_less_than_padding_to_the_longest():
    lengths = np.random.default_rng(0).lognormal(4, 0.8, size=2000).astype(int)
    widths = bucket_widths(lengths, 32)
    assert padded_cells(lengths, widths, 32) < 0.25 * len(lengths) * lengths.max()
    assert padded_cells(lengths, widths, 32) < 1.8 * lengths.sum()


def test_few_sequences_are_not_worth_many_widths():
    assert len(bucket_widths(np.arange(1, 20), 32)) == 1


@given(length=st.integers(0, 5000), multiple=st.integers(1, 16))
def test_a_rounded_width_is_at_most_an_eighth_or_one_patch_longer(length, multiple):
    width = round_width(length, multiple)
    assert width >= length
    assert width % multiple == 0
    assert width - max(length, 1) < max(multiple, length / 8 + 1)


def test_rounded_widths_are_few():
    assert len({round_width(n, 1) for n in range(1000)}) < 70


@given(
    lengths=LENGTHS,
    batch_size=st.integers(1, 9),
    chunk_size=st.integers(1, 4),
    seed=st.none() | st.integers(0, 2**32),
)
def test_every_sequence_comes_once_an_epoch_in_a_width_that_holds_it(
    lengths, batch_size, chunk_size, seed
):
    rng = None if seed is None else np.random.default_rng(seed)
    widths = bucket_widths(lengths, batch_size)
    seen = []
    for chunk in epoch_chunks(lengths, widths, batch_size, chunk_size, rng):
        n_batches, n_rows = chunk.rows.shape
        assert 1 <= n_batches <= chunk_size
        assert n_rows == batch_size
        assert chunk.width in widths
        real = chunk.rows[chunk.rows >= 0]
        assert (lengths[real] <= chunk.width).all()
        assert (chunk.rows[chunk.rows < 0] == -1).all()
        seen += real.tolist()
    assert sorted(seen) == list(range(len(lengths)))


def test_only_the_last_batch_of_a_width_is_filled_up():
    lengths = np.random.default_rng(0).integers(1, 100, size=500)
    widths = bucket_widths(lengths, 32)
    assert len(widths) > 1
    for width in widths:
        chunks = epoch_chunks(lengths, widths, 32, 4, np.random.default_rng(0))
        rows = [row for chunk in chunks if chunk.width == width for row in chunk.rows]
        assert sum((row < 0).any() for row in rows) <= 1


def describe(chunks):
    return [(chunk.width, chunk.rows.tolist()) for chunk in chunks]


def test_the_order_follows_the_generator_and_differs_from_epoch_to_epoch():
    lengths = np.random.default_rng(0).integers(1, 100, size=200)
    widths = bucket_widths(lengths, 8)
    epochs = [
        describe(epoch_chunks(lengths, widths, 8, 2, np.random.default_rng([5, epoch])))
        for epoch in (0, 0, 1)
    ]
    assert epochs[0] == epochs[1]
    assert epochs[0] != epochs[2]
    # Neither the widths nor the sequences within one stay in order.
    assert [width for width, _ in epochs[0]] != sorted(width for width, _ in epochs[0])
    batches = {tuple(sorted(row)) for _, rows in epochs[0] for row in rows}
    assert batches != {tuple(sorted(row)) for _, rows in epochs[2] for row in rows}


def test_without_a_generator_sequences_stay_in_order():
    chunks = epoch_chunks(np.full(7, 3), np.array([3]), 2, 3, None)
    assert describe(chunks) == [(3, [[0, 1], [2, 3], [4, 5]]), (3, [[6, -1]])]


@given(lengths=st.lists(st.integers(0, 6), min_size=1, max_size=8), seed=st.integers(0, 99))
def test_padding_is_nan_behind_the_steps_and_in_rows_of_minus_one(lengths, seed):
    sequences = make_sequences(lengths)
    rows = np.random.default_rng(seed).integers(-1, len(lengths), size=(2, 3))
    padded = pad(sequences, rows, 7)
    assert padded.shape == (2, 3, 7, 2)
    assert padded.dtype == np.float32
    for index in np.ndindex(rows.shape):
        expected = sequences[rows[index]] if rows[index] >= 0 else np.empty((0, 2))
        assert_array_equal(padded[index][: len(expected)], expected)
        assert np.isnan(padded[index][len(expected) :]).all()


def test_missing_values_and_zeros_are_padded_around_not_changed():
    sequences = as_sequences([[0.0, np.nan, 0.0], [0.0]])
    expected = [[0, np.nan, 0, np.nan], [0, np.nan, np.nan, np.nan]]
    assert_array_equal(pad(sequences, np.arange(2), 4)[..., 0], expected)


@given(lengths=LENGTHS, multiple=st.integers(1, 5), units=st.sampled_from([1, 300, 10**6]))
def test_inference_batches_hold_every_sequence_once_as_narrow_as_may_be(lengths, multiple, units):
    order = np.argsort(lengths, kind="stable")
    seen = []
    for chunk in inference_batches(lengths, order, multiple, units):
        real = chunk.rows[chunk.rows >= 0]
        longest = max(lengths[real].max(), 1)
        assert chunk.width % multiple == 0
        assert longest <= chunk.width < longest + multiple
        seen += real.tolist()
    assert sorted(seen) == list(range(len(lengths)))


@pytest.mark.parametrize(
    ("n", "n_steps", "units", "sizes"),
    [
        (1, 9, 64, [1]),
        (17, 9, 64, [17]),
        (1200, 10, 20, [1024, 176]),
        (1200, 10, 64, [512, 512, 176]),
        (100, 10, 4096, [32, 32, 32, 4]),
        (100, 10**4, 64, [32, 32, 32, 4]),
    ],
)
def test_inference_batches_are_as_large_as_fits_the_cache(n, n_steps, units, sizes):
    batches = inference_batches(np.full(n, n_steps), np.arange(n), 1, units)
    assert [len(chunk.rows) for chunk in batches] == sizes


def test_inference_batches_of_unequal_sequences_compute_little_on_padding():
    lengths = np.sort(np.exp(np.random.default_rng(0).normal(3, 1, 2000)).astype(int))
    chunks = inference_batches(lengths, np.arange(2000), 1, 64)
    assert sum(chunk.width * len(chunk.rows) for chunk in chunks) < 1.4 * lengths.sum()


@given(
    lengths=st.lists(st.integers(0, 3), min_size=1, max_size=12),
    order=st.randoms(use_true_random=False),
)
def test_the_canonical_order_is_by_length_and_the_same_for_every_order_of_the_input(lengths, order):
    sequences = make_sequences(lengths)
    several = sequences.take([*range(len(lengths)), *order.choices(range(len(lengths)), k=5)])
    shuffled = several.take(order.sample(range(len(several)), len(several)))
    mine, _ = canonical_order(sequences.lengths, sequences)
    theirs, equals = canonical_order(shuffled.lengths, shuffled)
    assert (np.diff(sequences.lengths[mine]) >= 0).all()
    for i, j in zip(mine, theirs, strict=True):
        assert_array_equal(sequences[i], shuffled[j])
    assert set(equals) == set(theirs)
    for i, j in enumerate(equals):
        assert_array_equal(shuffled[i], shuffled[j])
    assert len({x.tobytes() for x in sequences}) == len(mine)
