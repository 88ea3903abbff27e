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
from sklearn_seqae.network.architecture import Architecture
from sklearn_seqae.network.layer_specs import weight_specs

VERSION = 2
FORMAT = "sklearn_seqae estimator"
_TUPLES = ("units", "dilations", "category_widths")  # among the fields of an `Architecture`


_FRAME = "columns dtypes column_names"
_FORMS_OF_2 = {
    "list": "dtype masked",
    "list_1d": "dtype masked",
    "object": "dtype masked is_column",
    "object_1d": "dtype masked is_column",
    "3d": "width dtype masked",
    "2d": "width dtype masked",
    "frame": f"{_FRAME} id_name",
    "frames": f"{_FRAME} time_name clock",
    "long": f"{_FRAME} id_name time_name clock",
    "nested": f"{_FRAME} id_name clock cell",
    "nested_series": f"{_FRAME} id_name clock cell",
    **dict.fromkeys(("arrow_table", "arrow_batch", "arrow_array"), "schema columns fields"),
    **dict.fromkeys(("arrow_chunks", "polars_frame", "polars_series"), "schema columns fields"),
    "arrow_frame": "schema columns fields id_name column_names",
    "arrow_series": "schema columns fields id_name column_names",
    "awkward": "datashape fields",
    "ragged": "dtype splits steps",
}


def _form_of_2(state: dict[str, Any]) -> dict[str, Any]:
    """Return the fields that a container has, out of those that all had in format 1."""
    kind, layout, names = state["kind"], state["layout"], [*state["names"]["items"]]
    dtypes = state["dtypes"]["items"] or ["float32"]
    steps, splits = (*layout.split(" "), "")[:2]  # of ragged tensors
    n_levels = 2 if kind == "long" else 1  # of the index, whose names are the first
    every = {
        **{name: state[name] for name in ("columns", "masked", "clock")},
        "width": state["width"] or 0,
        "dtype": dtypes[0],
        "dtypes": {"$": "tuple", "items": dtypes},
        "id_name": (*names, None)[0],
        "time_name": (*names[n_levels - 1 :], None)[0],
        "column_names": {"$": "tuple", "items": names[n_levels:]},
        "is_column": layout == "column",
        "cell": layout or "array",
        "schema": layout,
        "datashape": layout,
        "fields": state["columns"] if kind == "awkward" else {"$": "tuple", "items": []},
        "splits": splits,
        "steps": "vectors" if steps == "tensor" else steps,
    }
    return {name: every[name] for name in _FORMS_OF_2[kind].split()}


def _to_2(manifest: dict[str, Any], arrays: dict[str, Any]) -> None:
    """Name weights and structures; add unknown categories; give each container a class."""
    added: dict[str, dict[str, Any]] = {"labels": {"n_joined": 0}}
    kinds = {
        "codec": "fitted_model",
        "labels": "categories",
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
                if kind == "mixed_scaler":
                    state["categories"] = state.pop("labels")
                if kind == "form":
                    node["$"], node["state"] = f"form.{state['kind']}", _form_of_2(state)
        inner = node.values() if isinstance(node, dict) else node
        nodes += [one for one in inner if isinstance(one, dict | list)]
    described = manifest.get("estimator")
    parts = described if isinstance(described, dict) else {}
    parameters, attributes = parts.get("parameters"), parts.get("attributes")
    if not isinstance(parameters, dict) or not isinstance(attributes, dict):
        return  # which is refused where it is read
    parameters |= {"handle_unknown": "error", "min_frequency": None, "shortcut": None}
    parameters |= {"checkpoint": None}
    if parts.get("path") == "sklearn_seqae:LSTMAutoencoderTransformer":
        parameters["horizon"] = 0
    for old, new in (("_codec", "_fitted_model"), ("_norm", "_reference")):
        if old in attributes:
            attributes[new] = attributes.pop(old)
    categories, made_with = attributes.get("categories_"), attributes.get("_made_with")
    if isinstance(categories, list):
        attributes["infrequent_categories_"] = [None] * len(categories)
    if isinstance(made_with, dict):
        made_with |= {"min_frequency": None, "shortcut": None, "horizon": 0}
    fitted = attributes.get("_fitted_model")
    if isinstance(fitted, dict) and isinstance(fitted.get("state"), dict):
        _gather_network(fitted["state"])


def _gather_network(state: dict[str, Any]) -> None:
    """Weights were a list in the order of the Keras model: encoder, decoder, length."""
    node, weights = state.pop("architecture"), state.pop("_weights")
    node["state"]["category_widths"] = node["state"].pop("symbols")
    node["state"] |= {"n_linear": 0, "n_frequencies": 0, "soft_step": "tanh", "horizon": 0}
    fields: dict[str, Any] = {
        k: tuple(v["items"]) if k in _TUPLES else v for k, v in node["state"].items()
    }
    if not isinstance(fields["decoder"], str):  # the name of a builder
        fields["decoder"] = len
    names = list(weight_specs(Architecture(**fields)))
    n_own = len(weights) - len(names)
    n_before = 0
    if fields["encoder"] is None:
        n_before = sum(name.startswith("encoder/") for name in names)
    names[n_before:n_before] = [f"own/{i}" for i in range(n_own)]
    state["_forecaster"] = None
    state["network"] = {
        "$": "network",
        "state": {
            "architecture": node,
            "_seed": state["_seed"],
            "_holder": dict(zip(names, weights, strict=True)),
        },
    }


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
        try:
            UPGRADES[version](manifest, arrays)
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise FileFormatError(
                f"Expected a file of format {version} as save wrote it, but its manifest is not "
                f"({error!r}): get the file again from where it came."
            ) from error
        manifest["format_version"] = version + 1
