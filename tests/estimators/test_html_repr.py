"""What a notebook shows of an estimator: parameters, link, network and losses."""

import copy
import pickle
import subprocess
import sys
from dataclasses import replace
from html.parser import HTMLParser

import keras
import numpy as np
import pandas as pd
import pytest
import sklearn
from sklearn.base import clone
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sklearn_seqae import LSTMAutoencoderTransformer, SequenceScaler
from sklearn_seqae.network.architecture import Architecture
from sklearn_seqae.network.keras_network import build, read_weights
from sklearn_seqae.network.layer_specs import layer_specs, read_layers
from tests.conftest import ARCHITECTURE, TINY

pytestmark = pytest.mark.newest("scikit-learn before 1.9 has no place for the network")
VOID = {"meta", "br", "img", "input", "hr", "link"}
LINK = (
    "https://sklearn-seqae.readthedocs.io/en/stable/generated/"
    "sklearn_seqae.LSTMAutoencoderTransformer.html"
)


class Page(HTMLParser):
    """Reads HTML into links, scripts and tables, and sees to it that every element ends."""

    def __init__(self, text):
        super().__init__()
        self.open, self.links, self.scripts = [], [], 0
        self.tables, self.titles = [], []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attributes):
        if tag not in VOID:
            self.open.append(tag)
        self.scripts += tag == "script"
        if tag == "a":
            self.links.append(dict(attributes).get("href"))
        elif tag == "table":
            self.tables.append([])
        elif tag == "tr":
            self.tables[-1].append([])
        elif tag in ("td", "th") and self.tables:
            self.tables[-1][-1].append("")
        elif tag == "summary":
            self.titles.append("")

    def handle_endtag(self, tag):
        if tag not in VOID:
            assert self.open.pop() == tag

    def handle_data(self, data):
        if {"td", "th"} & set(self.open):
            self.tables[-1][-1][-1] += data
        elif "summary" in self.open:
            self.titles[-1] += data

    def table(self, first):
        """Return the rows of the one table whose first cell is this, without its head."""
        (found,) = [rows for rows in self.tables if rows[0][0] == first]
        return found[1:]


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"decoder": "reshape"},
        {"decoder": "dense", "decodes_length": False},
        {"decoder": "autoregressive", "units": (5, 3), "category_widths": (2,), "n_channels": 3},
        {"units": (5, 3), "bidirectional": False, "pooling": "last"},
        {"cell": "gru", "patch_size": 4, "pooling": "mean"},
        {"patch_size": 4, "indicators": True, "pooling": "max", "activation": "sigmoid"},
        {"n_components": 9, "n_summary": 5, "dilations": (1, 2)},
        {"n_components": 9, "n_summary": 5, "dilations": (1,), "decoder": "reshape"},
        {"category_widths": (2, 3), "n_channels": 5},
    ],
    ids=str,
)
def test_layers_known_without_keras_are_those_of_the_keras_model(changes):
    architecture = Architecture(**ARCHITECTURE | changes)
    model = build(architecture, 0)
    rows = layer_specs(architecture)
    expected = read_layers(model)
    # Keras has other names of kinds and weights; theirs are those of test_layer_specs.
    plain = [replace(row, kind="", weights=()) for row in rows]
    assert plain == [replace(row, kind="", weights=()) for row in expected]
    assert [row.n_parameters for row in rows] == [row.n_parameters for row in expected]
    assert sum(row.n_parameters for row in rows) == model.count_params()


def count(ae):
    """Return the number of parameters, without the decoder's copy of the layer of lengths."""
    return sum(weight.size for weight in read_weights(ae.model_).values())


def test_a_fitted_estimator_shows_its_network(fitted):
    page = Page(fitted._repr_html_())
    assert {"Network", "Training"} <= set(page.titles)
    *rows, total = page.table("Model")
    assert [row[0] for row in rows if row[0]] == ["encoder", "decoder", "length"]
    assert total == ["total", "", "", "", f"{count(fitted):,}"]
    numbers = [int(row[4].replace(",", "")) for row in rows]
    assert sum(numbers) == count(fitted)
    reader = next(row for row in rows if row[1] == "recurrence_0")
    layer = fitted.encoder_.get_layer("recurrence_0")
    assert reader[2] == "LSTM, both directions"
    assert reader[3:] == [str(layer.output.shape), str(layer.count_params())]


def test_a_fitted_estimator_shows_its_last_and_best_losses(fitted):
    page = Page(fitted._repr_html_())
    rows = page.table("Losses")
    best = fitted.best_epoch_
    assert rows == [
        [name, f"{values[-1]:.4g}", f"{values[best]:.4g}"]
        for name, values in fitted.history_.items()
    ]
    assert {"loss", "val_loss"} <= {row[0] for row in rows}


def test_where_nothing_was_measured_a_cell_is_empty(fitted):
    ae = copy.copy(fitted)
    ae.history_ = {"loss": [3.0, 2.0, 1.0], "val_loss": [2.5, np.nan, np.nan]}
    ae.n_epochs_, ae.best_epoch_ = 3, 2
    assert Page(ae._repr_html_()).table("Losses") == [["loss", "1", "1"], ["val_loss", "", ""]]


def test_before_a_fit_there_are_parameters_and_a_link_alone():
    page = Page(LSTMAutoencoderTransformer()._repr_html_())
    assert "Network" not in page.titles
    assert LINK in page.links


def test_the_link_leads_to_our_documentation(fitted):
    assert fitted._get_doc_link() == LINK
    page = Page(fitted._repr_html_())
    assert LINK in page.links
    # Those of single parameters and attributes lead to their place on the page.
    assert sum(str(link).startswith(LINK + "#") for link in page.links) > 20
    assert SequenceScaler()._get_doc_link().endswith("/sklearn_seqae.SequenceScaler.html")


class Elsewhere(LSTMAutoencoderTransformer):
    """An estimator of someone else's, which our documentation says nothing about."""


def test_a_subclass_in_another_package_gets_no_link():
    Elsewhere.__module__ = "elsewhere"
    assert Elsewhere()._get_doc_link() == ""


def test_a_pipeline_shows_the_network_in_its_step(fitted, ragged):
    scaled = StandardScaler().fit(fitted.transform(ragged))
    page = Page(make_pipeline(fitted, scaled)._repr_html_())
    assert page.table("Model")[-1][-1] == f"{count(fitted):,}"
    assert LINK in page.links


def test_plain_text_is_untouched(fitted):
    bundle = fitted._repr_mimebundle_()
    assert bundle["text/plain"] == repr(fitted) == repr(clone(fitted))
    assert set(bundle) == {"text/plain", "text/html"}
    with sklearn.config_context(display="text"):
        assert set(fitted._repr_mimebundle_()) == {"text/plain"}


def test_names_of_users_are_escaped_in_html():
    name = "<script>alert(1)</script>"
    X = [pd.DataFrame({name: ["<b>", "</td>"], "b": [1.0, 2.0]})] * 3

    def mean_error(t, p):
        return keras.ops.mean(keras.ops.abs(t - p), axis=-1)

    mean_error.__name__ = name
    ae = LSTMAutoencoderTransformer(**TINY, metrics=[mean_error]).fit(X)
    page = Page(ae._repr_html_())
    assert page.scripts == 1  # scikit-learn's own
    assert any(name in row[0] for row in page.table("Losses"))


def test_showing_an_unpickled_estimator_loads_no_tensorflow(fitted, tmp_path):
    path = tmp_path / "fitted.pickle"
    path.write_bytes(pickle.dumps(fitted))
    program = (
        "import pickle, sys\n"
        f"with open({str(path)!r}, 'rb') as file:\n"
        "    ae = pickle.load(file)\n"
        "from sklearn.pipeline import make_pipeline\n"
        "text = ae._repr_html_()\n"
        "make_pipeline(ae)._repr_html_()\n"
        "print([name for name in ('tensorflow', 'keras', 'scikeras') if name in sys.modules])\n"
        f"known = {count(fitted)!r} == ae._fitted_model.network.n_parameters\n"
        "print(known, 'recurrence_0' in text)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.stdout == "[]\nTrue True\n", done.stderr


def test_models_of_a_users_own_are_shown_as_keras_has_them():
    def read(n_steps, n_channels, n_components):
        inner = keras.Sequential([keras.Input((8,)), keras.layers.Dense(n_components, name="top")])
        steps = keras.Input((None, n_channels))
        return keras.Model(steps, inner(keras.layers.GRU(8, name="mine")(steps)))

    X = np.random.default_rng(0).normal(size=(12, 4, 2)).cumsum(axis=1)
    ae = LSTMAutoencoderTransformer(**TINY | {"epochs": 1}, encoder=read).fit(X)
    *rows, total = Page(ae._repr_html_()).table("Model")
    assert {"mine", "top", "recurrence_0"} <= {row[1] for row in rows}
    assert total[-1] == f"{ae.model_.count_params():,}"
    assert sum(int(row[4].replace(",", "")) for row in rows) == ae.model_.count_params()
    # Without Keras at hand, how many parameters there are is known all the same.
    network = copy.copy(ae._fitted_model.network)
    network._holder = network.weights
    unloaded = copy.copy(ae)
    unloaded._fitted_model = copy.copy(ae._fitted_model)
    unloaded._fitted_model.network = network
    *rows, total = Page(unloaded._repr_html_()).table("Model")
    assert [row[2] for row in rows] == ["not loaded: see model_"] * 2
    assert total[-1] == f"{ae.model_.count_params():,}"
