"""Custom warnings and errors of this package."""


class NothingLearnedWarning(UserWarning):
    """Warning that the reconstruction is no better than the mean of the training data.

    It is raised by `fit`. Codes then contain almost no information about their sequences, whatever
    the number of epochs was.

    See Also
    --------
    sklearn.exceptions.ConvergenceWarning : Warning that more epochs are needed.

    Examples
    --------
    >>> import warnings
    >>> from sklearn_seqae.exceptions import NothingLearnedWarning
    >>> with warnings.catch_warnings():
    ...     warnings.simplefilter("error", NothingLearnedWarning)  # a fit in here ends in an error
    """


class OverlapWarning(UserWarning):
    """Warning that sequences seem to be overlapping windows, but `groups` is None.

    It is raised by `fit`. Overlapping windows share values, so held-out windows are not independent
    of those that the network is trained on: a detector predicts all new windows as outliers, and
    early stopping is late.

    See Also
    --------
    sklearn_seqae.windows.sliding_windows : Windows that know which time stamps they share.
    LSTMAutoencoderDetector.fit : Its parameter `groups` has the block of time of each window.

    Examples
    --------
    >>> import warnings
    >>> from sklearn_seqae.exceptions import OverlapWarning
    >>> with warnings.catch_warnings():
    ...     warnings.simplefilter("error", OverlapWarning)  # a fit in here ends in an error
    """


class AmbiguousInputWarning(UserWarning):
    """Warning that data probably have another layout than the one they are read with.

    Examples are a table with one row per step, whose rows are read as sequences, and an index of
    (time, id) instead of (id, time). The message describes how to pass data of the probable layout.
    If the data cannot have the layout they would be read with, an error is raised instead.

    See Also
    --------
    sklearn_seqae.containers : The layout of each container.

    Examples
    --------
    >>> import warnings
    >>> from sklearn_seqae.exceptions import AmbiguousInputWarning
    >>> with warnings.catch_warnings():
    ...     warnings.simplefilter("ignore", AmbiguousInputWarning)  # if the layout is right
    """


class FileFormatError(ValueError):
    """Error raised by `load` if a file was not written by `save`, or is damaged.

    The file may also have been altered, or written by a newer version of this package.

    See Also
    --------
    load : Load a saved estimator.
    UntrustedError : Error for files that need functions or classes that are not trusted.

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
    """Error raised by `load` if a file needs functions or classes that are not trusted.

    None of them was imported. If you trust them, pass their names as `trusted` to `load`.

    Parameters
    ----------
    names : list of str
        Import paths of the functions and classes, "module:name". Stored as an attribute.

    See Also
    --------
    load : Load a saved estimator.

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
        """Return the message of the error."""
        return (
            f"Expected a file without code of others, got one that needs {', '.join(self.names)}: "
            f"if you know and trust this code, load the file with trusted={self.names!r}."
        )
