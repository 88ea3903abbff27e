"""Output containers of transformers of sequences, as `set_output` asks for."""

from typing import Any, Self

from sklearn import get_config
from sklearn.base import OneToOneFeatureMixin, TransformerMixin

from sklearn_seqae.containers import convert
from sklearn_seqae.containers.arrow import ArrowFrame, PolarsFrame
from sklearn_seqae.containers.numpy_arrays import Array2D
from sklearn_seqae.containers.pandas_frames import LongFrame, WideFrame
from sklearn_seqae.containers.pandas_nested import NestedFrame
from sklearn_seqae.containers.registry import Form, Sequences, to_container

# What may be asked for, and the containers that are so already.
_OUTPUTS: dict[str, tuple[type[Form], ...]] = {
    "default": (),
    "pandas": (WideFrame, LongFrame, NestedFrame, ArrowFrame),
    "polars": (PolarsFrame,),
}


def chosen_output(estimator: Any) -> str:
    """Return what the estimator, or scikit-learn's configuration, wants `transform` to return."""
    config = getattr(estimator, "_sklearn_output_config", {})
    output: str = config.get("transform", get_config()["transform_output"])
    return output


class SequencesOut(OneToOneFeatureMixin, TransformerMixin):
    """A transformer that returns sequences; scikit-learn's `set_output` makes tables only."""

    def __init_subclass__(cls, **arguments: Any) -> None:
        """Keep scikit-learn from making a table of what `transform` returns."""
        wrapped: dict[str, Any] = {"auto_wrap_output_keys": None}
        super().__init_subclass__(**wrapped, **arguments)

    def set_output(self, *, transform: str | None = None) -> Self:
        """Set the container that :meth:`transform` and `fit_transform` return.

        What reads sequences reads each of these, so a Pipeline may be set as a whole.

        Parameters
        ----------
        transform : {"default", "pandas", "polars"} or None, default=None
            - "default": the one that came;
            - "pandas": a DataFrame: a wide one for a 2-D array, the one that came for DataFrames,
              else a long one with an index of (sequence, time);
            - "polars": a DataFrame with a list column a channel;
            - None: as it was.

        Returns
        -------
        SequenceScaler
            This scaler.

        Raises
        ------
        ValueError
            If there is no such container.

        See Also
        --------
        sklearn.set_config : The same for all estimators, by ``transform_output``.

        Examples
        --------
        >>> from sklearn_seqae import SequenceScaler
        >>> scaler = SequenceScaler("minmax").set_output(transform="pandas")
        >>> scaler.fit_transform([[0.0, 5.0], [10.0]])["x0"].tolist()
        [0.0, 0.5, 1.0]
        """
        if transform is None:
            return self
        if transform not in _OUTPUTS:
            raise ValueError(
                f"Expected transform to be one of {list(_OUTPUTS)} or None, got {transform!r}: "
                "choose one of these."
            )
        # scikit-learn's own attribute, which `clone` keeps.
        self._sklearn_output_config = {"transform": transform}
        return self

    def _give_out(self, sequences: Sequences, X: Any) -> Any:
        """Return what became of `X` in the container that `set_output` asks for."""
        if isinstance(X, Sequences):
            return sequences
        output, form = chosen_output(self), sequences.form
        if output == "default" or isinstance(form, _OUTPUTS[output]):
            return to_container(sequences)
        names = self.get_feature_names_out().tolist()
        if output == "pandas" and isinstance(form, Array2D):
            return to_container(sequences, WideFrame(tuple(names), (form.dtype,)))
        frame = convert(sequences, {"pandas": "long", "polars": "polars"}[output])
        if form.channel_names is None and len(names) == sequences.n_channels:
            frame.columns = names
        return frame
