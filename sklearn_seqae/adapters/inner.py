"""The detector inside an adapter, and small ones for the tests of other packages."""

from typing import Any

from sklearn.base import clone
from sklearn.ensemble import IsolationForest

from sklearn_seqae.estimators.detector import LSTMAutoencoderDetector
from sklearn_seqae.estimators.series_detector import SlidingWindowDetector


def copy_of(detector: Any) -> SlidingWindowDetector:
    """Return a detector that is not fitted, with the parameters of this one; None has defaults."""
    if detector is None:
        return SlidingWindowDetector()
    if not isinstance(detector, SlidingWindowDetector):
        raise TypeError(
            f"detector must be a SlidingWindowDetector or None, got a {type(detector).__name__}: "
            "use for example SlidingWindowDetector(window_size=50), with an outlier detector as "
            "its estimator."
        )
    return clone(detector)


def parameters_for_tests() -> list[dict[str, Any]]:
    """Return parameters of adapters whose fit takes a second."""
    small = LSTMAutoencoderDetector(4, units=4, epochs=1, random_state=0)
    forest = IsolationForest(n_estimators=10, random_state=0)
    return [{"detector": SlidingWindowDetector(x, window_size=5)} for x in (small, forest)]
