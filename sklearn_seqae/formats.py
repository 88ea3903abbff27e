"""The version of the format of saved files, and the way from older ones to it.

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

from .exceptions import FileFormatError

VERSION = 1
FORMAT = "sklearn_seqae estimator"

UPGRADES: dict[int, Callable[[dict[str, Any], dict[str, Any]], None]] = {}


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
