"""The version of the file format, and upgrades from older versions.

Whatever a file holds is checked strictly, so any change of what is saved is a change of the format:
a parameter more or less, another field of `Architecture` or `Form`, an attribute of another name.
Whoever makes one after a release

1. raises `VERSION` by one;
2. adds to `UPGRADES`, under the old number, a function that turns a manifest and its arrays of the
   old version, in place, into those of the new one (a new parameter gets the value that acts as the
   package did before);
3. runs `tools/freeze_format.py`, which writes `tests/formats/<version>.zip`, and leaves those of
   the older versions where they are: the tests go on loading them.

Before the first release format 1 may still change: only the third step is needed. Older versions
are read for ever. A newer one is refused, with the version of the package that wrote it.
"""

from collections.abc import Callable
from typing import Any

from sklearn_seqae.exceptions import FileFormatError

VERSION = 2
FORMAT = "sklearn_seqae estimator"


def _to_2(manifest: dict[str, Any], arrays: dict[str, Any]) -> None:
    """Rename the fitted model; add unknown and infrequent categories, and the fields of structs."""
    added: dict[str, dict[str, Any]] = {
        "form": {"fields": {"$": "tuple", "items": []}},
        "labels": {"n_joined": 0},
    }
    kinds = {
        "codec": "fitted_model",
        "norm": "reference_distribution",
        "usual": "log_t_distribution",
    }
    nodes: list[Any] = [manifest]
    while nodes:
        node = nodes.pop()
        if isinstance(node, dict):
            kind, state = node.get("$"), node.get("state")
            if isinstance(kind, str) and isinstance(state, dict):
                state |= added.get(kind, {})
                node["$"] = kinds.get(kind, kind)
        inner = node.values() if isinstance(node, dict) else node
        nodes += [one for one in inner if isinstance(one, dict | list)]
    described = manifest.get("estimator")
    parts = described if isinstance(described, dict) else {}
    parameters, attributes = parts.get("parameters"), parts.get("attributes")
    if not isinstance(parameters, dict) or not isinstance(attributes, dict):
        return  # which is refused where it is read
    parameters |= {"handle_unknown": "error", "min_frequency": None}
    for old, new in (("_codec", "_fitted_model"), ("_norm", "_reference")):
        if old in attributes:
            attributes[new] = attributes.pop(old)
    categories, made_with = attributes.get("categories_"), attributes.get("_made_with")
    if isinstance(categories, list):
        attributes["infrequent_categories_"] = [None] * len(categories)
    if isinstance(made_with, dict):
        made_with["min_frequency"] = None


UPGRADES: dict[int, Callable[[dict[str, Any], dict[str, Any]], None]] = {1: _to_2}


def check(manifest: dict[str, Any]) -> None:
    """Raise unless this is the manifest of a version that can be read."""
    version = manifest.get("format_version")
    if manifest.get("format") != FORMAT or type(version) is not int:
        raise FileFormatError(
            "Expected a file that save wrote, got one whose manifest says format "
            f"{manifest.get('format')!r}, version {version!r}: give the path of such a file."
        )
    if version > VERSION:
        versions = manifest.get("versions")
        writer = versions.get("sklearn_seqae") if isinstance(versions, dict) else None
        raise FileFormatError(
            f"Expected a file of format {VERSION} or older, got format {version}, written by "
            f"sklearn_seqae {writer}: update this package (pip install -U sklearn-seqae)."
        )
    if version != VERSION and version not in UPGRADES:
        raise FileFormatError(
            f"Expected a file of format {min(UPGRADES, default=VERSION)} to {VERSION}, got format "
            f"{version}, which there never was: get the file again from where it came."
        )


def upgrade(manifest: dict[str, Any], arrays: dict[str, Any]) -> None:
    """Turn what an older version wrote into what this one would, in place."""
    while manifest["format_version"] < VERSION:
        version = manifest["format_version"]
        UPGRADES[version](manifest, arrays)
        manifest["format_version"] = version + 1
