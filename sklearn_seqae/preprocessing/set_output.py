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

# The choices, and the containers that satisfy them already.
_OUTPUTS: dict[str, tuple[type[Form], ...]] = {
    "default": (),
    "pandas": (WideFrame, LongFrame, NestedFrame, ArrowFrame),
    "polars": (PolarsFrame,),
}


def chosen_output(estimator: Any) -> str:
    """Return the output container chosen for an estimator, or in scikit-learn's configuration."""
    config = getattr(estimator, "_sklearn_output_config", {})
    output: str = config.get("transform", get_config()["transform_output"])
    return output


class SequencesOut(OneToOneFeatureMixin, TransformerMixin):
    """Mixin of transformers that return sequences, with a `set_output` for these."""

    def __init_subclass__(cls, **arguments: Any) -> None:
        """Disable the wrapping of `transform` by scikit-learn, which makes tables."""
        wrapped: dict[str, Any] = {"auto_wrap_output_keys": None}
        super().__init_subclass__(**wrapped, **arguments)

    def set_output(self, *, transform: str | None = None) -> Self:
        """Set the output container of :meth:`transform` and `fit_transform`.

        All estimators for sequences accept these containers, so `set_output` of a Pipeline may be
        used as well.

        Parameters
        ----------
        transform : {"default", "pandas", "polars"} or None, default=None
            - "default": the container of `X`;
            - "pandas": a DataFrame: that of `X` if it is one, a wide one for a 2-D array, otherwise
              a long one with an index of (sequence, time);
            - "polars": a DataFrame with one list column per channel;
            - None: the output is not changed.

        Returns
        -------
        SequenceScaler
            The scaler.

        Raises
        ------
        ValueError
            If `transform` is not one of these.

        See Also
        --------
        sklearn.set_config : Set the output of all estimators, by ``transform_output``.

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
        """Return transformed sequences in the container chosen by `set_output`."""
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
