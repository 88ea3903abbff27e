"""Tables of the network and its training in scikit-learn's HTML diagram of a fitted estimator."""

from __future__ import annotations

import html
from collections.abc import Iterable, Sequence
from math import isnan
from typing import TYPE_CHECKING, Any

from sklearn.base import BaseEstimator

from sklearn_seqae._utils.doc_links import DocLinkMixin
from sklearn_seqae.network.layer_specs import SUBMODELS

if TYPE_CHECKING:
    from .fitted_model import FittedModel


class HTMLReprMixin(DocLinkMixin, BaseEstimator):
    """Mixin that adds tables of the fitted network and its history to the HTML diagram.

    scikit-learn (from 1.9 on) calls `_get_fitted_attr_html` wherever an estimator is shown, alone
    or in a pipeline. The base implementation reads properties too, and would thus load TensorFlow
    to show a Keras model.
    """

    history_: dict[str, list[float]]
    n_epochs_: int
    best_epoch_: int
    _fitted_model: FittedModel

    def _get_fitted_attr_html(self, doc_link: str = "") -> Any:
        stand_in = BaseEstimator()
        attributes = {name: value for name, value in vars(self).items() if _is_public(name)}
        vars(stand_in).update(attributes)
        table = stand_in._get_fitted_attr_html(doc_link)
        table.estimator_class = type(self)
        return _Tables(table, _network_table(self._fitted_model), _history_table(self))


class _Tables:
    """Several tables below each other, with the methods that scikit-learn calls of one."""

    def __init__(self, attributes: Any, *others: str) -> None:
        self._attributes, self._others = attributes, others

    def __len__(self) -> int:
        return len(self._attributes)

    def _repr_html_inner(self) -> str:
        return "\n".join([self._attributes._repr_html_inner(), *self._others])


def _is_public(name: str) -> bool:
    return name.endswith("_") and not name.startswith("_")


def _network_table(model: FittedModel) -> str:
    rows: list[Sequence[str]] = []
    layers = model.network.layers()
    for submodel in SUBMODELS:
        own = [layer for layer in layers if layer.model == submodel]
        for i, layer in enumerate(own):
            shape = str(layer.output_shape) if layer.output_shape else "not known yet"
            n_parameters = f"{layer.n_parameters:,}" if layer.output_shape else ""
            rows.append((submodel if i == 0 else "", layer.name, layer.kind, shape, n_parameters))
    rows.append(("total", "", "", "", f"{model.network.n_parameters:,}"))
    return _table("Network", ("Model", "Layer", "Kind", "Output shape", "Parameters"), rows)


def _history_table(estimator: HTMLReprMixin) -> str:
    n_epochs, best = estimator.n_epochs_, estimator.best_epoch_
    names = ("Losses", f"Last epoch, {n_epochs}", f"Best epoch, {best + 1}")
    rows = []
    for name, values in estimator.history_.items():
        # NaN where nothing was measured.
        rows.append((name, *("" if isnan(v) else f"{v:.4g}" for v in (values[-1], values[best]))))
    return _table("Training", names, rows)


def _table(title: str, names: Iterable[str], rows: Iterable[Sequence[str]]) -> str:
    """Return an open HTML table with the CSS classes of scikit-learn, which follow the theme."""
    head = "".join(f"<th>{html.escape(name)}</th>" for name in names)
    body = "".join(
        '<tr class="default">' + "".join(f"<td>{html.escape(cell)}</td>" for cell in row) + "</tr>"
        for row in rows
    )
    return (
        '<div class="estimator-table"><details open>'
        f"<summary>{html.escape(title)}</summary>"
        f'<table class="parameters-table"><tbody><tr>{head}</tr>{body}</tbody></table>'
        "</details></div>"
    )
