"""Ragged arrays of awkward and of TensorFlow."""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sklearn_seqae._utils.optional_imports import load, load_keras

from .columns import Categories, Columns, combine, restore
from .numeric import as_array, floating
from .numpy_arrays import refuse_unequal, refuse_zero
from .raw_sequences import RawSequences
from .sequences import Form, SequenceIndex, Sequences, offsets_of

# Dtypes in the text of an awkward type that are written as others, but no fields of such a name.
_NOT_FLOATING = re.compile(r"\b(u?int(?:8|16|32|64)|bool|unknown)\b(?!\"?:)")


@dataclass(frozen=True)
class AwkwardArray(Form):
    """An awkward array.

    Parameters
    ----------
    datashape : str
        The type of its sequences, as awkward writes it, with floating types for others.
    fields : tuple or None, default=None
        Names of the channels, where steps are records, or the array is one of records of lists.
    """

    name = "awkward"
    datashape: str
    fields: tuple[str, ...] | None = None

    @classmethod
    def of(cls, sequences: Sequences) -> AwkwardArray:
        """Return the form for sequences of another container: lists of numbers or of records."""
        dtype, names = sequences.values.dtype.name, sequences.channel_names
        kinds = {found is None or found.values.dtype.kind for found in sequences.categories}
        n_channels = sequences.n_channels
        fields = names
        if names is None and len(kinds) > 1:  # text and numbers side by side are no vector
            fields = tuple(range(n_channels))
        if fields is not None:
            step = "{" + ", ".join(f'"{name}": {dtype}' for name in fields) + "}"
        else:
            step = dtype if n_channels == 1 else f"{n_channels} * {dtype}"
        return cls(f"var * {step}", names)

    @property
    def channel_names(self) -> tuple[str, ...] | None:
        """Names of the fields."""
        return self.fields

    def write(self, sequences: Sequences, index: SequenceIndex | None) -> Any:
        """Return an awkward array; lists of a fixed size may become others."""
        ak = load("awkward")
        # Built part by part: ak.enforce_type (2.14) loses empty lists where it changes dtypes.
        kind = ak.types.from_datashape(self.datashape, highlevel=False)
        categories = sequences.categories or (None,) * sequences.n_channels
        channels = list(zip(sequences.values.T, categories, strict=True))
        if isinstance(kind, ak.types.RecordType):  # of lists
            _check_channels(len(kind.contents), sequences)
            contents = []
            for one, channel in zip(kind.contents, channels, strict=True):
                step = _inside(ak, one).content
                contents.append(_as_lists(ak, one, _as_leaf(ak, step, *channel), sequences.offsets))
            return ak.Array(_as_records(ak, kind, contents, len(sequences)))
        step = _inside(ak, kind).content
        inner = _inside(ak, step)
        if isinstance(inner, ak.types.RecordType):
            _check_channels(len(inner.contents), sequences)
            leaves = [
                _as_leaf(ak, one, *channel)
                for one, channel in zip(inner.contents, channels, strict=True)
            ]
            steps = _as_optional(ak, step, _as_records(ak, inner, leaves, len(sequences.values)))
        elif _is_vector(ak, inner):
            if sequences.categories:
                items = combine(sequences.values, categories, str(sequences.values.dtype)).ravel()
                leaf = _as_items(ak, inner.content, items)
            else:
                leaf = _as_leaf(ak, inner.content, sequences.values.ravel(), None)
            starts = np.arange(len(sequences.values) + 1) * sequences.n_channels
            steps = _as_lists(ak, step, leaf, starts)
        else:
            _check_channels(1, sequences)
            steps = _as_leaf(ak, step, *channels[0])
        return ak.Array(_as_lists(ak, kind, steps, sequences.offsets))


@dataclass(frozen=True)
class RaggedTensor(Form):
    """A tf.RaggedTensor.

    Parameters
    ----------
    dtype : str, default="float32"
        The floating dtype of its values, as TensorFlow writes it.
    splits : str, default="int64"
        The dtype of its row splits.
    steps : {"vectors", "ragged", "numbers"}, default="vectors"
        What a step is: a row of a tensor, one that is ragged, too, or a number.
    """

    name = "ragged"
    dtype: str = "float32"
    splits: str = "int64"
    steps: str = "vectors"

    @classmethod
    def of(cls, sequences: Sequences) -> RaggedTensor:
        """Return the form for sequences of another container."""
        return cls(sequences.values.dtype.name)

    def write(self, sequences: Sequences, index: SequenceIndex | None) -> Any:
        """Return a RaggedTensor."""
        load_keras()
        import tensorflow as tf

        n_channels = sequences.n_channels
        dtype = tf.as_dtype(self.dtype)
        # NumPy's cast: that of TensorFlow makes zeros of the smallest numbers.
        values = combine(sequences.values, sequences.categories, dtype.as_numpy_dtype)
        if sequences.categories and values.dtype.kind not in "fiub":
            raise TypeError(
                "Expected numbers for a RaggedTensor, got categories that are text; convert to "
                "'list' or 'awkward' instead."
            )
        steps = tf.constant(values)
        if self.steps == "numbers":
            _check_channels(1, sequences)
            steps = steps[:, 0]
        elif self.steps == "ragged":
            starts = tf.range(len(sequences.values) + 1, dtype=self.splits) * n_channels
            steps = tf.RaggedTensor.from_row_splits(tf.reshape(steps, (-1,)), starts)
        return tf.RaggedTensor.from_row_splits(steps, tf.cast(sequences.offsets, self.splits))


def read_awkward(X: Any) -> RawSequences | None:
    """Read an awkward array of lists (of numbers, vectors or records), or of records of lists."""
    ak = sys.modules.get("awkward")
    if ak is None:
        return None
    if isinstance(X, list | tuple) and len(X) and all(isinstance(x, ak.Array) for x in X):
        # What scikit-learn makes of an awkward array where it takes some of its sequences.
        X = ak.unflatten(ak.concatenate(X), [len(x) for x in X])
    if not isinstance(X, ak.Array):
        return None
    names = tuple(X.fields)
    is_record = bool(names) and isinstance(X.type.content, ak.types.RecordType)
    lists = [X[name] for name in names] if is_record else [X]
    if any(one.ndim < 2 for one in lists):
        return None
    refuse_zero("sample(s)", (len(X),), len(X))
    where = [f"the field {name!r}" for name in names] or ["the awkward array"]
    all_lengths = [_list_lengths(ak, *one) for one in zip(lists, where, strict=False)]
    refuse_unequal(all_lengths, where, "sequence {}".format, "None")
    lengths = all_lengths[0]
    steps = [ak.flatten(one, axis=1) for one in lists]
    if names and not is_record:
        steps = [steps[0][name] for name in names]
    datashape = _NOT_FLOATING.sub(lambda found: _floating_name(found[0]), str(X.type.content))
    blocks = [_block(ak, *one, lengths, not names) for one in zip(steps, where, strict=True)]
    columns = [Columns([one], [name].__getitem__) for one, name in zip(blocks, where, strict=True)]
    return RawSequences(columns, offsets_of(lengths), AwkwardArray(datashape, names or None))


def read_tensor(X: Any) -> RawSequences | None:
    """Read a tf.RaggedTensor of numbers or of vectors."""
    tensorflow = sys.modules.get("tensorflow")
    if tensorflow is None or not isinstance(X, tensorflow.RaggedTensor):
        return None
    where = "the RaggedTensor"
    refuse_zero("sample(s)", (int(X.nrows()),), int(X.nrows()))
    offsets = X.row_splits.numpy().astype(np.int64, copy=False)
    kind = "vectors"
    steps = X.values
    if isinstance(steps, tensorflow.RaggedTensor):
        kind = "ragged"
        n_channels = _shared_length(steps.row_lengths().numpy(), offsets, where)
        steps = steps.values
    elif steps.shape.rank == 1:
        kind, n_channels = "numbers", 1
    else:
        n_channels = steps.shape[1]
    if isinstance(steps, tensorflow.RaggedTensor) or steps.shape.rank > (
        2 if kind == "vectors" else 1
    ):
        raise ValueError(
            "Expected a RaggedTensor (n_sequences, None) or (n_sequences, None, n_channels), got "
            f"one of shape {tuple(X.shape)}; make one vector of all that belongs to a step."
        )
    refuse_zero("channel(s)", tuple(X.shape), n_channels)
    block = steps.numpy().reshape(-1, n_channels)
    if block.dtype.kind == "V":  # bfloat16, which NumPy does not know
        block = block.astype(np.float32)
    dtype = X.dtype if X.dtype.is_floating else tensorflow.as_dtype(floating(block.dtype))
    form = RaggedTensor(dtype.name, X.row_splits.dtype.name, kind)
    return RawSequences([Columns([block], [where].__getitem__)], offsets, form)


def unpack_torch(X: Any) -> list[Any] | None:
    """Return the sequences of a nested tensor or a PackedSequence of torch, else None.

    They are written as a list of arrays, as a plain tensor is written as an array.
    """
    torch = sys.modules.get("torch")
    if torch is None:
        return None
    if isinstance(X, torch.nn.utils.rnn.PackedSequence):
        tensors = torch.nn.utils.rnn.unpack_sequence(X)
    elif isinstance(X, torch.Tensor) and X.is_nested:
        tensors = X.unbind()
    else:
        return None
    return [tensor.detach().cpu().numpy() for tensor in tensors]


def _check_channels(n_channels: int, sequences: Sequences) -> None:
    if n_channels != sequences.n_channels:
        raise ValueError(
            f"Expected sequences of {n_channels} channels for this ragged array, got "
            f"{sequences.n_channels} channels; ask for the form 'list' or '3d' instead."
        )


def _shared_length(lengths: NDArray[np.int64], offsets: NDArray[np.int64], where: str) -> int:
    """Return the number of channels, which all steps have to agree upon."""
    n_channels = int(lengths[0]) if len(lengths) else 1
    if (lengths != n_channels).any():
        at = int(np.argmax(lengths != n_channels))
        sequence = int(np.searchsorted(offsets, at, side="right")) - 1
        raise ValueError(
            f"Expected {n_channels} channels at every step, as at the first, but {where} has "
            f"{lengths[at]} at step {at - offsets[sequence]} of sequence {sequence}; fill it with "
            "NaN."
        )
    return n_channels


# Awkward arrays


def _floating_name(dtype: str) -> str:
    return "float64" if dtype == "unknown" else str(floating(dtype))


def _list_lengths(ak: Any, lists: Any, where: str) -> NDArray[np.int64]:
    missing = ak.to_numpy(ak.is_none(lists))
    if missing.any():
        raise ValueError(
            f"Expected a list for every sequence, but {where} has None for sequence "
            f"{int(np.argmax(missing))}; give an empty list, or leave it out by X[~ak.is_none(X)]."
        )
    return np.asarray(ak.to_numpy(ak.num(lists, axis=1), allow_missing=False), dtype=np.int64)


def _block(
    ak: Any, steps: Any, where: str, lengths: NDArray[np.int64], may_be_vectors: bool
) -> NDArray[Any]:
    """Return the steps of one channel, or of all if they are vectors, as (total_steps, n)."""
    if _is_text(ak, steps):
        return np.array(ak.to_list(steps), dtype=object)[:, None]
    if "union" in str(steps.type.content):
        raise TypeError(
            f"Expected one type of values, but {where} has {steps.type.content}; convert all to "
            "numbers first."
        )
    if steps.ndim == 1:
        return as_array(ak.to_numpy(steps), where)[:, None]
    if steps.ndim > 2 or not may_be_vectors:
        raise ValueError(
            f"Expected numbers, vectors or records of numbers at every step, but {where} has "
            f"arrays of {steps.ndim - 1} dimensions; make one vector of all that belongs to a step."
        )
    sizes = ak.to_numpy(ak.fill_none(ak.num(steps, axis=1), 0))
    n_channels = _shared_length(sizes, offsets_of(lengths), where)
    refuse_zero("channel(s)", (len(sizes), n_channels), n_channels)
    return as_array(ak.to_numpy(ak.flatten(steps, axis=1)), where).reshape(-1, n_channels)


def _inside(ak: Any, kind: Any) -> Any:
    """Return a type without saying that it may be missing."""
    return kind.content if isinstance(kind, ak.types.OptionType) else kind


def _is_vector(ak: Any, kind: Any) -> bool:
    is_list = isinstance(kind, ak.types.ListType | ak.types.RegularType)
    return is_list and "__array__" not in kind.parameters


def _is_text(ak: Any, steps: Any) -> bool:
    return str(_inside(ak, steps.type.content)) == "string"


def _as_optional(ak: Any, kind: Any, content: Any) -> Any:
    """Return contents of which none is missing as those of a type, which may be an option."""
    return ak.contents.UnmaskedArray(content) if isinstance(kind, ak.types.OptionType) else content


def _as_leaf(ak: Any, kind: Any, values: NDArray[Any], categories: Categories | None) -> Any:
    """Return the values of a channel, with None for NaN where the type has it."""
    if categories is not None:
        return _as_items(ak, kind, restore(values, categories))
    numbers = ak.contents.NumpyArray(values.astype(_inside(ak, kind).primitive))
    if not isinstance(kind, ak.types.OptionType):
        return numbers
    mask = ak.index.Index8(np.isnan(values).astype(np.int8))
    # Of the ways to say that a number is missing, the one that ak.Array(...) chooses.
    return ak.contents.ByteMaskedArray(mask, numbers, False).to_IndexedOptionArray64()


def _as_items(ak: Any, kind: Any, items: NDArray[Any]) -> Any:
    """Return text or numbers as they are, of a type that may be an option."""
    leaf = ak.Array(items.tolist()).layout
    return leaf if leaf.is_option else _as_optional(ak, kind, leaf)


def _as_records(ak: Any, kind: Any, contents: list[Any], n_records: int) -> Any:
    fields = None if kind.is_tuple else kind.fields
    return ak.contents.RecordArray(contents, fields, n_records, parameters=kind.parameters)


def _as_lists(ak: Any, kind: Any, content: Any, offsets: NDArray[np.int64]) -> Any:
    """Return lists of the type, or of any size where it has a fixed one that they have not."""
    size = getattr(_inside(ak, kind), "size", None)
    if size is not None and (np.diff(offsets) == size).all():
        lists = ak.contents.RegularArray(content, size, len(offsets) - 1)
    else:
        lists = ak.contents.ListOffsetArray(ak.index.Index64(offsets), content)
    return _as_optional(ak, kind, lists)
