"""Containers of sequences: those that estimators accept, and conversion between them.

All methods accept sequences in each of these containers. Sequences are returned in the container of
the input, with its ids, time stamps, names and floating dtypes: float64 for lists of Python numbers
and, as decoded values are not integers, the smallest floating dtype for integers that is at least
float32. Values keep their precision until they are scaled; only the network is float32.

====================================== =========================================================
container                              a sequence is
====================================== =========================================================
list, tuple, or object array (n,) or   an array (n_steps, n_channels), a 1-D sequence of one
(n, 1)                                 channel, or nested lists
list of DataFrames                     a DataFrame with one column per channel
3-D array                              (n_steps, n_channels) of (n_sequences, n_steps, n_channels);
                                       all-NaN steps at its end are padding, as in tslearn
2-D array, wide DataFrame              a row, one channel, one column per step; padded likewise
long DataFrame (pandas)                the rows of one id, in an index of (id, time); a column is a
                                       channel. sktime's pd-multiindex; see :func:`from_long`
nested DataFrame or Series (pandas)    a row; a cell holds all steps of a channel, as Series, array
                                       or list. sktime's nested_univ
list columns (pyarrow table, batch,    a row; a column of lists is a channel, or one column has
array; polars or pandas frame, series) lists of lists or of structs, whose steps are vectors
awkward array                          ``var * float``, ``var * n_channels * float`` or ``var *
                                       {x: float, ...}``; or each field holds ``var * float``
``tf.RaggedTensor``                    (None,) or (None, n_channels)
nested tensor, packed sequence (torch) (n_steps,) or (n_steps, n_channels); returned as a list
masked array (NumPy)                   as in lists and arrays; masked values are missing or padding
windows of long series                 a window; see :func:`sklearn_seqae.windows.sliding_windows`
====================================== =========================================================

Sequences may be empty. NaN, None, null and masked values are missing. Time stamps must increase
within each sequence; as text they must be dates (ISO 8601). Ids of a long DataFrame are in the
order of their first rows, and so are the rows of codes; with ``set_output(transform="pandas")``
the ids are the index of codes.

Rows of a table may be sequences or steps, which the table itself does not specify. If rows cannot
be sequences, an error is raised that describes the remedy; if they probably are not, there is an
:class:`~sklearn_seqae.exceptions.AmbiguousInputWarning`:

====================================== =========================================================
a table, wide or of (id, time), with   is
====================================== =========================================================
a column of time stamps, or text       an error: a row is a step, see :func:`from_long`; or the
beside numbers                         text has the ids, ``X.set_index(name)``
numbers that look like ids and times   read with a warning, as is one column of row numbers
rows of time stamps, and columns of    an error: pass one series as ``[X]``, or windows of it; a
words                                  warning if columns are x1, x2, ... or 0, 1, ..., and none
                                       with ``X.rename_axis(columns="step")``
columns of channels by steps           an error: ``X.stack`` gives an index of (id, time);
                                       names such as x_0, x_1, y_0, y_1 are read with a warning
an index of (time, text)               an error: ``X.swaplevel().sort_index()``; of (time, number)
                                       read with a warning, unless the level is named as a time
one column of categories               an error: ``[X]`` is one sequence, ``list(text)`` another
one column of numbers                  read with a warning by fit; an error after a fit on
                                       sequences that were not rows of a table: ``[X]``
====================================== =========================================================

Ids of sequences decoded from codes are the index of the codes if these are a DataFrame, otherwise
0, 1, ... Their time stamps start at the first one of the first training sequence, with its interval
(numbers, dates, periods), or are 0, 1, ... if that is not regular.

scikit-learn's splitters (`cross_val_score`, `GridSearchCV`, `train_test_split`) split rows. In a
long DataFrame rows are steps, so sequences would be cut without an error: split ``convert(X,
"nested")``, which has one row per sequence, or pass ``groups=X.index.get_level_values(0)`` to a
splitter of groups. A ``tf.RaggedTensor``, a record batch and awkward records of lists cannot be
split, and containers of pyarrow only since scikit-learn 1.7; ``convert(X, "list")`` can.

Collections of aeon have channels before steps, see :func:`from_channel_first`.
"""

from .conversion import convert, from_channel_first, from_long, to_channel_first

__all__ = ["convert", "from_channel_first", "from_long", "to_channel_first"]
