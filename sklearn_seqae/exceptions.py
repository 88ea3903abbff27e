"""Warnings and errors of this package, for users to filter and to catch."""


class NothingLearnedWarning(UserWarning):
    """Given by `fit` where the reconstruction is no better than the mean of the training data.

    `sklearn.exceptions.ConvergenceWarning` tells that more epochs would help; this one that codes
    say next to nothing about their sequences, whatever the number of epochs was.

    See Also
    --------
    sklearn.exceptions.ConvergenceWarning : More epochs would help.

    Examples
    --------
    >>> import warnings
    >>> from sklearn_seqae.exceptions import NothingLearnedWarning
    >>> with warnings.catch_warnings():
    ...     warnings.simplefilter("error", NothingLearnedWarning)  # a fit in here ends in an error
    """


class OverlapWarning(UserWarning):
    """Given by `fit` where sequences look like overlapping windows, and no groups were given.

    Windows that overlap share values, so that those held out from training are no new ones: a
    detector calls all new ones outliers, and early stopping is late.

    See Also
    --------
    LSTMAutoencoderDetector.fit : Takes `groups`, the block of time of each window.

    Examples
    --------
    >>> import warnings
    >>> from sklearn_seqae.exceptions import OverlapWarning
    >>> with warnings.catch_warnings():
    ...     warnings.simplefilter("error", OverlapWarning)  # a fit in here ends in an error
    """


class AmbiguousInputWarning(UserWarning):
    """Given where data are read in one way and are more likely meant in another.

    Such are a table with a step a row, where a row is read as a sequence, and an index of (time,
    id) in place of (id, time). The message says how data are given that are meant so. It is an
    error where data cannot be meant as they would be read.

    See Also
    --------
    sklearn_seqae.containers : What each container is read as.

    Examples
    --------
    >>> import warnings
    >>> from sklearn_seqae.exceptions import AmbiguousInputWarning
    >>> with warnings.catch_warnings():
    ...     warnings.simplefilter("ignore", AmbiguousInputWarning)  # for data that are meant so
    """


class FileFormatError(ValueError):
    """Raised by `load` where a file is not one that `save` wrote, or not as it wrote it.

    The file may be of another kind, damaged, altered, or written by a newer version of this
    package.

    See Also
    --------
    load : Raises it.
    UntrustedError : The file may be good, but needs code of others.

    Examples
    --------
    >>> import io
    >>> from sklearn_seqae import exceptions, load
    >>> try:
    ...     load(io.BytesIO(b"a pickle, perhaps"))
    ... except exceptions.FileFormatError as error:
    ...     str(error)[:27]
    'Expected a file that save w'
    """


class UntrustedError(FileFormatError):
    """Raised by `load` where a file names functions or classes that the caller does not trust.

    Nothing of what it names was imported. Whoever knows and trusts the code can name it in `load`.

    Parameters
    ----------
    names : list of str
        Their import paths, "module:name"; also an attribute.

    See Also
    --------
    load : Raises it.

    Examples
    --------
    >>> from sklearn_seqae.exceptions import UntrustedError
    >>> error = UntrustedError(["my_models:make_encoder"])
    >>> error.names
    ['my_models:make_encoder']
    """

    def __init__(self, names: list[str]) -> None:
        super().__init__(names)
        self.names = names

    def __str__(self) -> str:
        """Return what was found, and what to do."""
        return (
            f"Expected a file without code of others, got one that needs {', '.join(self.names)}: "
            f"if you know and trust this code, load the file with trusted={self.names!r}."
        )
