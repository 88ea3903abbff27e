"""What the file of a model says of it."""

from pathlib import Path
from typing import Any

from sklearn_seqae.persistence import versions
from sklearn_seqae.persistence.archive import Archive
from sklearn_seqae.persistence.decoder import INVALID_FILE_ERRORS, invalid


def summary(path: str) -> dict[str, Any]:
    """Return a summary of a model from its manifest, without loading it."""
    manifest = Archive(path).manifest
    versions.check(manifest)
    try:
        estimator = manifest["estimator"]
        # Of a detector of long series the autoencoder is in it.
        inner = estimator.get("estimator_", estimator)
        attributes = inner["attributes"]
        parameters = estimator["parameters"]
        if inner is not estimator:
            parameters = {**parameters, "estimator": inner["parameters"]}
        return {
            "estimator": estimator["path"].rpartition(":")[2],
            "format_version": manifest["format_version"],
            "versions": manifest["versions"],
            "channels": attributes["n_channels_in_"],
            "components": attributes["_n_features_out"],
            "epochs": attributes["n_epochs_"],
            "best_epoch": attributes["best_epoch_"],
            # Last finite values: NaN is written as a dict.
            "losses": {
                name: [value for value in values if not isinstance(value, dict)][-1]
                for name, values in attributes["history_"].items()
            },
            "parameters": parameters,
            "bytes": Path(path).stat().st_size,
        }
    except INVALID_FILE_ERRORS as error:
        raise invalid("its manifest", f"{type(error).__name__}: {error}") from error
