"""Warnings of this package, for users to filter."""


class NothingLearnedWarning(UserWarning):
    """Given by `fit` where the reconstruction is no better than the mean of the training data.

    `sklearn.exceptions.ConvergenceWarning` tells that more epochs would help; this one that codes
    say next to nothing about their sequences, whatever the number of epochs was.

    Examples
    --------
    >>> import warnings
    >>> from sklearn_seqae.exceptions import NothingLearnedWarning
    >>> with warnings.catch_warnings():
    ...     warnings.simplefilter("error", NothingLearnedWarning)  # a fit in here ends in an error
    """
