"""The containers that sequences may come in, and helpers for those that need a word of explanation.

Every method that takes sequences takes each of these. What gives sequences back gives the same kind
back, with its ids, time stamps, names and floating dtypes: float64 for lists of Python's numbers,
and for integers, as decoded values are not whole, the least floating dtype that holds them and
float32. Values keep the precision that they came in until their location and scale are taken off:
the network alone is float32.

====================================== =========================================================
container                              one sequence is
====================================== =========================================================
list, tuple, or object array (n,) or   an array (n_steps, n_channels), a 1-D sequence of one
(n, 1)                                 channel, or nested lists
list of DataFrames                     a DataFrame, one column a channel
3-D array                              (n_steps, n_channels) of (n_sequences, n_steps, n_channels);
                                       all-NaN steps at its end are padding, as in tslearn
2-D array, wide DataFrame              a row of one channel, one column a step; padded likewise
long DataFrame (pandas)                the rows of one id, in an index of (id, time); a column is a
                                       channel. sktime's pd-multiindex; see :func:`from_long`
nested DataFrame or Series (pandas)    a row; a cell holds all steps of a channel, as Series, array
                                       or list. sktime's nested_univ
list columns (pyarrow table, batch,    a row; a column of lists is a channel, or one column has
array; polars or pandas frame, series) lists of lists or of structs, whose steps are vectors
awkward array                          ``var * float``, ``var * n_channels * float`` or ``var *
                                       {x: float, ...}``; or each field holds ``var * float``
``tf.RaggedTensor``                    (None,) or (None, n_channels)
nested tensor, packed sequence (torch) (n_steps,) or (n_steps, n_channels); a list comes back
masked array (NumPy)                   as in lists and arrays; what is masked is missing, or padding
====================================== =========================================================

Sequences may be empty. NaN, None, null and what is masked are missing values. Time stamps have to
rise within each sequence; as text they have to be dates (ISO 8601), and rise as these do. Ids of a
long DataFrame are in the order of their first rows, and so are the rows of codes; with
``set_output(transform="pandas")`` these are called by the ids.

A table looks the same whether its rows are sequences or steps. What cannot be meant as it would be
read is refused, with what to do; what hardly can is read with an
:class:`~sklearn_seqae.exceptions.AmbiguousInputWarning`:

====================================== =========================================================
a table, wide or of (id, time), with   is
====================================== =========================================================
a column of time stamps, or text       refused: a row is a step, see :func:`from_long`; or the
beside numbers                         text names the sequences, ``X.set_index(name)``
numbers that look like ids and times   read with a warning, as is one column of row numbers
rows of time stamps, and columns of    refused: one series is ``[X]``, or pieces of it; with
words                                  columns called x1, x2, ... or 0, 1, ... it is a warning,
                                       and with ``X.rename_axis(columns="step")`` neither
columns of channels by steps           refused: ``X.stack`` makes them an index of (id, time);
                                       names such as x_0, x_1, y_0, y_1 are read with a warning
an index of (time, text)               refused: ``X.swaplevel().sort_index()``; of (time, number)
                                       read with a warning, unless the level is named as a time
one column of symbols                  refused: ``[X]`` is one sequence, ``list(text)`` another
one column of numbers                  read with a warning by fit, and refused after a fit on
                                       sequences that were no rows of a table: ``[X]``
====================================== =========================================================

Sequences that are decoded from codes alone get their ids from the index of the codes, if these are
a DataFrame, else 0, 1, ...; their time stamps start where those of the first training sequence did,
and go on in its step (numbers, dates, periods), or are 0, 1, ... where that has no regular one.

scikit-learn's splitters (`cross_val_score`, `GridSearchCV`, `train_test_split`) split rows. In a
long DataFrame these are steps, and sequences would be cut without a word: split ``convert(X,
"nested")``, which has one row a sequence, or pass ``groups=X.index.get_level_values(0)`` to a
splitter of groups. A ``tf.RaggedTensor``, a record batch and awkward records of lists cannot be
split at all, and what is pyarrow's only since scikit-learn 1.7; ``convert(X, "list")`` can.

aeon's collections have channels first, which their shape does not tell: :func:`from_channel_first`.
"""

from .conversion import convert, from_channel_first, from_long, to_channel_first

__all__ = ["convert", "from_channel_first", "from_long", "to_channel_first"]
