"""Files that are damaged, altered or forged are refused in words, and nothing in them is run."""

import contextlib
import copy
import datetime as dt
import decimal
import fractions
import io
import json
import stat
import struct
import sys
import zipfile

import numpy as np
import pandas as pd
import pytest
import sklearn
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_array_equal
from sklearn import decomposition, pipeline, preprocessing
from sklearn.base import clone
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from sklearn_seqae import LSTMAutoencoderTransformer, load
from sklearn_seqae.estimators.save import STRUCTURES
from sklearn_seqae.exceptions import FileFormatError, UntrustedError
from sklearn_seqae.persistence import archive, versions
from sklearn_seqae.persistence.allowlist import Resolver
from sklearn_seqae.persistence.decoder import Decoder
from sklearn_seqae.persistence.encoder import Encoder
from sklearn_seqae.persistence.schema import MAX_DEPTH


@pytest.fixture(scope="module")
def data(fitted):
    """The bytes of a file."""
    file = io.BytesIO()
    fitted.save(file)
    return file.getvalue()


@pytest.fixture
def forge(data):
    """A function that changes what is in a file and puts right the checksums."""

    def forged(change, trusted=()):
        file = archive.Archive(io.BytesIO(data))
        manifest, arrays = copy.deepcopy(file.manifest), file.arrays()
        change(manifest, arrays)
        written = io.BytesIO()
        archive.write(written, manifest, arrays)
        return load(io.BytesIO(written.getvalue()), trusted)

    return forged


def refused(data, text="damaged or altered"):
    with pytest.raises(FileFormatError, match=text):
        load(io.BytesIO(data))


def members(data):
    with zipfile.ZipFile(io.BytesIO(data)) as file:
        return {info.filename: file.read(info) for info in file.infolist()}


def zipped(contents, **attributes):
    """Return a zip file of members, given by name or as ZipInfo."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as file:
        for name, content in contents.items():
            info = name if isinstance(name, zipfile.ZipInfo) else zipfile.ZipInfo(name)
            file.writestr(info, content)
    return stream.getvalue()


def at(manifest, *path):
    node = manifest["estimator"]
    for name in path:
        node = node[name]
    return node


def model(manifest):
    return at(manifest, "attributes", "_fitted_model", "state")


def network(manifest):
    return model(manifest)["network"]["state"]


RECURRENT_KERNEL = "encoder/recurrence_0/forward/recurrent_kernel"


# Damage


@given(st.data())
@settings(max_examples=300)
def test_a_flipped_bit_is_found_or_changes_nothing(data, fitted, ragged, draws):
    changed = bytearray(data)
    position = draws.draw(st.integers(0, len(data) - 1))
    changed[position] ^= 1 << draws.draw(st.integers(0, 7))
    try:
        loaded = load(io.BytesIO(bytes(changed)))
    except FileFormatError:
        return
    assert_array_equal(loaded.transform(ragged[:3]), fitted.transform(ragged[:3]))


def test_a_bit_that_is_flipped_in_the_zips_own_records_is_found_or_changes_nothing(data):
    start = data.index(b"PK\x01\x02")
    for position in [*range(60), *range(start, start + 150), *range(len(data) - 22, len(data))]:
        for bit in (0, 3, 7):
            changed = bytearray(data)
            changed[position] ^= 1 << bit
            with contextlib.suppress(FileFormatError):
                load(io.BytesIO(bytes(changed)))


@given(st.data())
@settings(max_examples=100)
def test_a_truncated_or_extended_file_is_refused(data, draws):
    refused(data[: draws.draw(st.integers(0, len(data) - 1))], "damaged or altered|Expected a file")
    refused(data + draws.draw(st.binary(min_size=1, max_size=30)))


@given(st.binary(max_size=200))
def test_other_files_are_refused(content):
    refused(content, "Expected a file that save wrote|damaged or altered")
    refused(b"PK\x03\x04" + content, "damaged or altered")


def test_an_altered_manifest_or_array_is_found(data):
    contents = members(data)
    for name in contents:
        changed = contents | {name: contents[name][:-2] + b"x\n"}
        refused(zipped(changed), "manifest|checksum")


# Forged zip files


def test_strange_members_are_refused(data):
    contents = members(data)
    for name in (
        "../evil.npy",
        "/etc/passwd",
        "arrays/../../evil.npy",
        "C:\\evil.npy",
        "arrays\\evil.npy",
        "arrays/evil.pkl",
        "arrays/",
        "evil.py",
        "arrays/a/b.npy",
        "arrays/a.npy\n",
    ):
        refused(zipped(contents | {name: b"x"}), "strange name")
    refused(zipped(contents | {"arrays/more.npy": b"x"}), "is not in the manifest")
    del contents[next(name for name in contents if name.endswith(".npy"))]
    refused(zipped(contents), "is not in the file")
    refused(zipped({"manifest.json": b"{}"}), "without the member 'manifest.sha256'")
    refused(zipped({"word/document.xml": b"<w/>"}), "strange name")


def test_a_member_that_is_there_twice_is_refused(data):
    contents = members(data)
    with pytest.warns(UserWarning, match="Duplicate name"):
        doubled = zipped(contents | {zipfile.ZipInfo("manifest.json"): b"{}"})
    refused(doubled, "two members 'manifest.json'")


def test_links_and_folders_are_refused(data):
    for kind in (stat.S_IFLNK, stat.S_IFDIR, stat.S_IFIFO):
        info = zipfile.ZipInfo("arrays/link.npy")
        info.external_attr = (kind | 0o777) << 16
        refused(zipped(members(data) | {info: b"/etc/passwd"}), "not a regular file")


def test_compressed_members_and_with_them_zip_bombs_are_refused(data):
    info = zipfile.ZipInfo("arrays/bomb.npy")
    info.compress_type = zipfile.ZIP_DEFLATED
    refused(zipped(members(data) | {info: bytes(10_000_000)}), "compressed or encrypted")


def test_members_that_share_their_bytes_are_refused(data):
    # A thousand names for one array, as in bombs that need no compression.
    contents = members(data)
    name = max(contents, key=lambda member: len(contents[member]))
    one = zipped({name: contents[name]})
    start, end = one.index(b"PK\x01\x02"), one.index(b"PK\x05\x06")
    entry = one[start:end]
    entries = b"".join(
        entry.replace(name.encode(), f"arrays/{i:0{len(name) - 11}d}.npy".encode())
        for i in range(1000)
    )
    tail = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 1000, 1000, len(entries), start, 0)
    refused(one[:start] + entries + tail, "larger than the file|whole zip file")


def test_a_manifest_that_is_no_plain_json_is_refused(data):
    sums = archive._checksum_line
    for text, reason in (
        (b'{"a": 1, "a": 2}', "a key is there twice"),
        (b'{"a": NaN}', "NaN is no JSON"),
        (b"[]", "no JSON object"),
        (b"[" * 100_000, "cannot be read"),
        (b'{"a":' * 100_000, "cannot be read"),
        (b'{"a": ' + b"1" * 5000 + b"}", "cannot be read"),
        (b"\xff\xfe", "cannot be read"),
        (b"", "cannot be read"),
    ):
        contents = {"manifest.json": text, "manifest.sha256": sums(text)}
        refused(zipped(contents), reason)


def npy(dtype="'<f4'", order="False", shape="(3,)", content=bytes(12), version=b"\x01\x00"):
    header = f"{{'descr': {dtype}, 'fortran_order': {order}, 'shape': {shape}, }}\n".encode()
    return b"\x93NUMPY" + version + struct.pack("<H", len(header)) + header + content


@pytest.mark.parametrize(
    "content",
    [
        npy(shape="(1000000000000,)"),
        npy(shape="(999999999999999999, 999999999999999999, 999999999999999999)"),
        npy(shape="(-3,)"),
        npy(shape="(2,)"),
        npy(shape="(3, " + "1, " * 70 + ")"),
        npy(dtype="'|O'"),
        npy(dtype="'|V12'"),
        npy(dtype="[('a', '<f4')]"),
        npy(dtype="'<f999'"),
        npy(dtype="'<U0'", shape="(1000000000000,)", content=b""),  # as '<U1' it would be 4 TB
        npy(dtype="('<f4', (3,))", shape="(1,)"),
        npy(dtype="'<M8[evil]'"),
        npy(order="exit()"),
        npy(shape="(" * 5000),
        npy(shape="(" * 500),
        npy(shape="-" * 900 + "3"),
        npy(shape="(-1, -3)"),
        npy(version=b"\x03\x00"),
        npy(content=bytes(13)),
        b"\x80\x04K\x01.",
        b"",
    ],
)
def test_an_array_that_contradicts_its_header_is_refused(content):
    assert archive._unpack(npy(), "it").shape == (3,)
    with pytest.raises(FileFormatError, match="is no array that save wrote"):
        archive._unpack(content, "it")


def test_arrays_of_objects_are_never_unpickled(tmp_path):
    stream = io.BytesIO()
    np.save(stream, np.array([Sentinel(tmp_path / "ran")], dtype=object), allow_pickle=True)
    with pytest.raises(FileFormatError, match="is no array that save wrote"):
        archive._unpack(stream.getvalue(), "it")
    assert not (tmp_path / "ran").exists()


class Sentinel:
    """Leaves a file behind where it is unpickled."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return open, (str(self.path), "w")


# Forged manifests


def test_a_newer_format_is_refused_with_who_wrote_it(forge):
    def newer(manifest, arrays):
        manifest["format_version"] = 99
        manifest["versions"]["sklearn_seqae"] = "9.9"
        manifest["unheard_of"] = 1

    with pytest.raises(FileFormatError, match=r"got format 99, written by sklearn_seqae 9\.9: upd"):
        forge(newer)


@pytest.mark.parametrize("version", [0, -1, True, "1", 1.0, None])
def test_a_version_that_never_was_is_refused(version, forge):
    with pytest.raises(FileFormatError, match=r"format|version"):
        forge(lambda manifest, arrays: manifest.update(format_version=version))


def test_an_older_format_is_upgraded_step_by_step(forge, fitted, ragged, monkeypatch):
    # As if two versions had gone before: in the first the history was a list of pairs and there was
    # no parameter `multiscale`, in the second variances were deviations.
    def to_0(manifest, arrays):
        attributes = at(manifest, "attributes")
        attributes["history_"] = dict(attributes.pop("losses"))
        at(manifest, "parameters")["multiscale"] = True

    def to_1(manifest, arrays):
        name = model(manifest)["variance"]["member"]
        arrays[name] = arrays[name] ** 2

    def older(manifest, arrays):
        attributes = at(manifest, "attributes")
        attributes["losses"] = [list(pair) for pair in attributes.pop("history_").items()]
        del at(manifest, "parameters")["multiscale"]
        name = model(manifest)["variance"]["member"]
        arrays[name] = np.sqrt(arrays[name])
        manifest["format_version"] = -1

    monkeypatch.setattr(versions, "VERSION", 1)
    monkeypatch.setattr(versions, "UPGRADES", {-1: to_0, 0: to_1})
    loaded = forge(older)
    assert loaded.history_ == fitted.history_
    assert loaded.score(ragged) == pytest.approx(fitted.score(ragged))
    monkeypatch.setattr(versions, "UPGRADES", {0: to_1})
    with pytest.raises(FileFormatError, match="got format -1, which there never was"):
        forge(older)


def test_missing_and_unknown_fields_are_named(forge):
    places = {
        "manifest": lambda m: m,
        "estimator": at,
        "parameters": lambda m: at(m, "parameters"),
        "attributes": lambda m: at(m, "attributes"),
        "fitted_model": model,
        "architecture": lambda m: network(m)["architecture"]["state"],
        "density": lambda m: model(m)["_density"]["state"],
        "scaler": lambda m: at(m, "attributes", "scaler_", "state"),
        "form": lambda m: at(m, "attributes", "_form", "state"),
    }
    for find in places.values():
        names = []
        forge(lambda manifest, arrays, find=find, names=names: names.extend(find(manifest)))
        optional = {"members", "format", "format_version", "_has_columns", "n_features_in_"}
        for name in set(names) - optional:
            with pytest.raises(FileFormatError, match=name):
                forge(lambda manifest, arrays, find=find, name=name: find(manifest).pop(name))
        with pytest.raises(FileFormatError, match="evil"):
            forge(lambda manifest, arrays, find=find: find(manifest).update(evil=1))


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.InconsistentVersionWarning")
@pytest.mark.parametrize(
    "value", [None, True, -1, 10**30, 1e300, "text", [], {}, {"$": "tuple"}, [[1]]]
)
def test_values_of_a_wrong_kind_never_get_past_load_unseen(value, forge, ragged):
    """A file in which one value is another loads, or is refused, in our words."""

    def paths(node, path=()):
        items = node.items() if isinstance(node, dict) else enumerate(node)
        for key, item in list(items):
            yield (*path, key)
            if isinstance(item, dict | list):
                yield from paths(item, (*path, key))

    every = []
    forge(lambda manifest, arrays: every.extend(paths(manifest)))
    rng = np.random.default_rng(0)
    for i in rng.permutation(len(every))[:60]:

        def change(manifest, arrays, path=every[i]):
            node = manifest
            for key in path[:-1]:
                node = node[key]
            node[path[-1]] = value

        with contextlib.suppress(FileFormatError):
            forge(change)


def test_weights_of_a_wrong_shape_are_named(forge):
    def change(manifest, arrays):
        name = network(manifest)["_holder"][RECURRENT_KERNEL]["member"]
        arrays[name] = arrays[name][:, :-1]

    def rename(manifest, arrays):
        weights = network(manifest)["_holder"]
        weights["more"] = weights.pop(RECURRENT_KERNEL)

    text = rf"expected {RECURRENT_KERNEL} .* shape \(6, 24\), found .*\(6, 23\)"
    with pytest.raises(FileFormatError, match=text):
        forge(change)
    with pytest.raises(FileFormatError, match=f"{RECURRENT_KERNEL!r} is missing"):
        forge(rename)
    with pytest.raises(FileFormatError, match="expected cell to be one of"):
        forge(
            lambda manifest, arrays: network(manifest)["architecture"]["state"].update(cell="rnn")
        )


@pytest.mark.parametrize("n_channels", [1, 3, 10**30])
def test_channels_are_as_many_as_the_arrays_have(n_channels, forge):
    def of_scaling(manifest, arrays):
        model(manifest)["scaler"]["state"]["n_channels"] = n_channels

    def of_all(manifest, arrays):
        of_scaling(manifest, arrays)
        at(manifest, "attributes")["n_channels_in_"] = n_channels

    for change in (of_scaling, of_all):
        with pytest.raises(FileFormatError, match=f"its scaling is of {n_channels} channels"):
            forge(change)


@pytest.mark.parametrize("encoder", [3, "text", {"$": "import", "path": "keras.optimizers:SGD"}])
def test_an_encoder_that_builds_no_model_is_refused(encoder, forge):
    def change(manifest, arrays):
        network(manifest)["architecture"]["state"]["encoder"] = encoder

    with pytest.raises(FileFormatError, match=r"its encoder is|Expected the encoder and decoder"):
        forge(change)


def test_an_array_that_nothing_needs_is_refused(forge):
    with pytest.raises(FileFormatError, match=r"nothing needs 'arrays/more\.npy'"):
        forge(lambda manifest, arrays: arrays.update({"arrays/more.npy": np.zeros(3)}))


# Code


EVIL = [
    {"$": "import", "path": "os:system"},
    {"$": "import", "path": "builtins:eval"},
    {"$": "import", "path": "sklearn_seqae.persistence.archive:write"},
    {"$": "estimator", "path": "subprocess:Popen", "state": {"args": "ls"}},
    {"$": "estimator", "path": "sklearn.linear_model:LinearRegression", "state": {}},
    {"$": "keras", "path": "keras.layers:Lambda", "arguments": {"function": "eval"}},
    {"$": "keras", "path": "keras.callbacks:CSVLogger", "arguments": {"filename": "/tmp/x"}},
    {"$": "keras", "path": "keras.optimizers:deserialize", "arguments": {"config": {}}},
]


@pytest.mark.parametrize("node", EVIL)
@pytest.mark.parametrize("place", ["encoder", "loss", "callbacks", "scaler", "random_state"])
def test_code_of_others_is_not_even_imported(node, place, forge):
    with pytest.raises(UntrustedError, match="needs") as caught:
        forge(lambda manifest, arrays: at(manifest, "parameters").update({place: [[node]]}))
    assert caught.value.names == [node["path"]]
    assert isinstance(caught.value, FileFormatError)
    assert node["path"] in str(caught.value)


def test_a_module_that_is_not_trusted_does_not_run(forge, tmp_path, monkeypatch):
    (tmp_path / "seqae_evil.py").write_text(
        "from pathlib import Path\nPath(__file__).with_name('ran').touch()\n"
        "def encoder(**sizes):\n    raise RuntimeError\n",
        encoding="utf-8",
    )
    monkeypatch.syspath_prepend(tmp_path)

    def change(manifest, arrays):
        at(manifest, "parameters")["loss"] = {"$": "import", "path": "seqae_evil:encoder"}

    for trusted in ([], ["seqae_evil:other"], ["seqae_evil:encode"], ["os:system"]):
        with pytest.raises(UntrustedError, match=r"trusted=.'seqae_evil:encoder'"):
            forge(change, trusted)
    assert "seqae_evil" not in sys.modules
    assert not (tmp_path / "ran").exists()
    assert forge(change, ["seqae_evil:encoder"]).loss.__name__ == "encoder"
    assert (tmp_path / "ran").exists()


@pytest.mark.parametrize("trusted", ["seqae_evil", ["encoder"], [":encoder"], [3], [print]])
def test_trusted_must_have_full_import_paths(trusted):
    with pytest.raises(TypeError, match="Expected trusted to be a list of import paths"):
        load("no file is looked at", trusted)


@pytest.mark.parametrize(
    ("path", "text"), [("seqae_none:f", "No module named"), ("os:none", "has no such name")]
)
def test_trusted_names_that_do_not_exist_are_named(path, text, forge):
    def change(manifest, arrays):
        at(manifest, "parameters")["loss"] = {"$": "import", "path": path}

    with pytest.raises(ImportError, match=text) as caught:
        forge(change, [path])
    assert path in str(caught.value)


@pytest.mark.parametrize(
    "node",
    [
        # What Keras' own loading would make objects of, or import.
        {"class_name": "Lambda", "module": "keras.layers", "config": {}},
        {"module": "os", "class_name": "system", "config": "ls", "registered_name": None},
        {"$": "keras", "path": "keras.losses:Huber", "arguments": {"delta": {"class_name": "f"}}},
        {"$": "keras", "path": "keras.losses:huber", "arguments": {}},
        {"$": "keras", "path": "keras.losses:Huber", "arguments": {"fn": 1}},
        {"$": "keras", "path": "sklearn.preprocessing:StandardScaler", "arguments": {}},
        {"$": "estimator", "path": "keras.losses:Huber", "state": {}},
        {"$": "estimator", "path": "sklearn.preprocessing:StandardScaler", "state": {"copy": 1}},
    ],
)
@pytest.mark.parametrize("place", ["loss", "scaler", "optimizer"])
def test_objects_are_made_of_plain_arguments_only(node, place, forge):
    with pytest.raises(FileFormatError, match=r"is invalid"):
        forge(lambda manifest, arrays: at(manifest, "parameters").update({place: node}))


LINK = 'x"><script>alert(1)</script>'
FITTED = {"mean_": 1, "var_": 1, "scale_": 1, "n_samples_seen_": 3, "n_features_in_": 1}


@pytest.mark.parametrize(
    "state",
    [
        {"fit": 1},
        {"__class__": 1},
        {"memory": "/tmp/pickles"},
        {"a b_": 1},
        {"evil_": 1},
        {"_doc_link_template": LINK},
        {"__doc_link_template": LINK},
        {"_doc_link_module": "sklearn_seqae"},
        {"_repr_html_": 1},
        {"_sklearn_output_config": {"transform": LINK}},
        {"_sklearn_version": 1},
        {"mean_": None},
        FITTED | {"mean_": "text"},
        FITTED | {"n_features_in_": "text"},
        dict.fromkeys(FITTED) | {"n_features_in_": 2, "feature_names_in_": None},
    ],
    ids=str,
)
def test_states_of_estimators_have_no_more_than_theirs(state, forge):
    scaler = vars(StandardScaler()) | state
    node = {"$": "estimator", "path": "sklearn.preprocessing:StandardScaler", "state": scaler}
    with pytest.raises(FileFormatError, match=r"StandardScaler (has|is fitted)"):
        forge(lambda manifest, arrays: at(manifest, "parameters").update(scaler=node))


def test_arrays_of_a_scaler_have_its_number_of_features():
    scaler = StandardScaler().fit(np.eye(3))
    scaler.mean_ = np.zeros(2)
    with pytest.raises(TypeError, match=r"'mean_' of shape \(2,\), not 3"):
        recoded(scaler)


@pytest.mark.parametrize(
    "name",
    [
        "transform",
        "__class__",
        "_fitted_model.x",
        "save",
        "evil_",
        "_doc_link_template",
        "__doc_link_template",
        "_doc_link_url_param_generator",
        "_fitted_types",
        "_get_doc_link",
    ],
)
def test_no_attribute_is_more_than_fit_sets(name, forge, fitted):
    with pytest.raises(FileFormatError, match=f"the list of attributes is invalid.*{name}"):
        forge(lambda manifest, arrays: at(manifest, "attributes").update({name: LINK}))
    changed = copy.copy(fitted)
    changed.__dict__[name] = LINK
    with pytest.raises(TypeError, match=f"attributes that fit sets, but .*{name}"):
        LSTMAutoencoderTransformer.save(changed, io.BytesIO())


class Derived(LSTMAutoencoderTransformer):
    """An estimator of a user's, which learns more."""

    def fit(self, X, y=None):
        """Fit, and count sequences."""
        self.n_seen_ = len(X)
        return super().fit(X)


class OwnScaler(StandardScaler):
    """A scaler of a user's."""

    def fit(self, X, y=None, sample_weight=None):
        """Fit, and set an attribute more."""
        self.note_ = "mine"
        return super().fit(X)


def test_a_trusted_class_has_attributes_of_its_own_but_hides_none_of_its_class(ragged):
    trusted = [f"{__name__}:Derived", f"{__name__}:OwnScaler"]
    derived = Derived(4, units=6, epochs=1, scaler=OwnScaler(), random_state=0).fit(ragged)
    file = io.BytesIO()
    derived.save(file)
    data = file.getvalue()
    loaded = load(io.BytesIO(data), trusted)
    assert loaded.n_seen_ == len(ragged)
    assert loaded.scaler_.scaler_.note_ == "mine"
    for where in ((), ("scaler_", "state", "scaler_", "state")):
        for name in ("_doc_link_template", "__doc_link_template", "_repr_html_", "transform"):
            archived = archive.Archive(io.BytesIO(data))
            at(archived.manifest, "attributes", *where)[name] = LINK
            file = io.BytesIO()
            archive.write(file, archived.manifest, archived.arrays())
            with pytest.raises(FileFormatError, match=name):
                load(io.BytesIO(file.getvalue()), trusted)


def test_metadata_requests_are_kept(fitted, forge):
    with sklearn.config_context(enable_metadata_routing=True):
        asking = copy.copy(fitted).set_inverse_transform_request(lengths="n")
        scaler = StandardScaler().set_fit_request(sample_weight=True)
    file = io.BytesIO()
    asking.save(file)
    loaded = load(io.BytesIO(file.getvalue()))
    assert str(loaded.get_metadata_routing()) == str(asking.get_metadata_routing())
    assert str(clone(loaded).get_metadata_routing()) == str(asking.get_metadata_routing())
    assert str(recoded(scaler).get_metadata_routing()) == str(scaler.get_metadata_routing())
    for requests in (
        LINK,
        {"inverse_transform": LINK},
        {"inverse_transform": {"lengths": LINK}},
        {"inverse_transform": {"lengths": 3}},
        {"inverse_transform": {LINK: True}},
        {LINK: {"lengths": True}},
        {"owner": {"lengths": True}},
    ):
        with pytest.raises(FileFormatError, match="the list of attributes is invalid"):
            forge(lambda m, arrays, x=requests: at(m, "attributes").update(_metadata_request=x))


def test_losses_are_numbers(forge):
    for losses in (["text"], "text", [None]):
        with pytest.raises(FileFormatError, match="'history_' has"):
            forge(lambda m, arrays, x=losses: at(m, "attributes")["history_"].update(loss=x))


def test_a_class_that_is_no_estimator_is_refused(forge):
    for path in ("sklearn.preprocessing:StandardScaler", "sklearn_seqae:SequenceScaler"):
        with pytest.raises(FileFormatError, match="no estimator of this package"):
            forge(lambda manifest, arrays, path=path: manifest["estimator"].update(path=path))
    with pytest.raises(UntrustedError):
        forge(lambda manifest, arrays: manifest["estimator"].update(path="subprocess:Popen"))


# Values


def recoded(value, trusted=()):
    encoder = Encoder(STRUCTURES)
    node = json.loads(json.dumps(encoder.encode(value, "it"), allow_nan=False))
    resolver = Resolver(trusted)
    resolver.check(node)
    decoder = Decoder(STRUCTURES, encoder.arrays, resolver)
    made = decoder.decode(node, "it")
    decoder.finish()
    return made


def assert_equal(made, given):
    assert type(made) is type(given)
    if isinstance(given, dict):
        assert list(made) == list(given)
        assert_equal(list(made.values()), list(given.values()))
    elif isinstance(given, list | tuple):
        assert len(made) == len(given)
        for one, other in zip(made, given, strict=True):
            assert_equal(one, other)
    elif isinstance(given, np.ndarray):
        assert made.dtype == given.dtype
        assert made.shape == given.shape
        assert_equal(made.tolist(), given.tolist())
    else:
        assert repr(made) == repr(given)


keys = st.text(max_size=5) | st.just("$")
scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(st.characters(exclude_categories=()), max_size=9)
    | st.dates()
    | st.datetimes().filter(lambda moment: not moment.fold)
    | st.fractions()
    | st.decimals()
    | st.floats(width=32).map(np.float32)
    | st.integers(-128, 127).map(np.int8)
    | st.integers().map(lambda x: np.array([x], dtype=object))
    | st.lists(st.floats(), max_size=4).map(np.array)
    | st.lists(st.text(max_size=3), max_size=4).map(lambda x: np.array(x, dtype="U3"))
)
values = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.lists(inner, max_size=3).map(tuple)
        | st.dictionaries(keys, inner, max_size=3)
        | st.dictionaries(st.integers() | st.tuples(st.integers(), st.text()), inner, max_size=3)
    ),
    max_leaves=12,
)


@given(values)
def test_any_value_is_restored(value):
    assert_equal(recoded(value), value)


@pytest.mark.parametrize(
    "value",
    [
        np.float16(np.nan),
        np.datetime64("2026-11-24"),
        np.timedelta64(3, "D"),
        np.str_("a"),
        np.bool_(True),
        np.array(3),
        np.array(["2026-11"], dtype="M8[M]"),
        np.array([[1, "a"], [None, 2.5]], dtype=object),
        np.zeros((0, 3)),
        np.asfortranarray(np.arange(6.0).reshape(2, 3)),
        np.dtype("<f4"),
        np.float64,
        float,
        decimal.Decimal("1.10"),
        fractions.Fraction(1, 3),
        dt.datetime(2026, 11, 24, tzinfo=dt.UTC),
        pd.NA,
        pd.NaT,
        pd.Timestamp("2026-11-24 10:00", tz="Europe/Berlin"),
        pd.Timestamp("2026-11-24 10:00:00.123456789"),
        pd.Timestamp("2026-11-24T10:00+02:00"),
        pd.Timedelta("3h"),
        pd.Interval(0, 1.5, closed="both"),
        pd.CategoricalDtype(["b", "a"], ordered=True),
        pd.CategoricalDtype([3, 1]),
        pd.CategoricalDtype(pd.date_range("2026", periods=2, tz="UTC")),
        pd.CategoricalDtype(pd.timedelta_range("1h", periods=2)),
        pd.cut([1, 2, 3], 2).dtype,
        pd.StringDtype("python"),
        pd.StringDtype("pyarrow", na_value=np.nan),
        pd.Int64Dtype(),
        pd.BooleanDtype(),
        pd.ArrowDtype(__import__("pyarrow").string()),
        pd.Index(["a", "b"], name="c"),
        pd.RangeIndex(3),
        FunctionTransformer(),
    ],
    ids=str,
)
def test_values_of_numpy_and_pandas_are_restored(value):
    made = recoded(value)
    assert_equal(made, value)
    if isinstance(value, pd.CategoricalDtype | pd.StringDtype):
        assert made == value
    if isinstance(value, np.ndarray) and value.ndim == 2:
        assert made.flags.f_contiguous == value.flags.f_contiguous


@pytest.mark.parametrize(
    "scaler",
    [
        preprocessing.StandardScaler(),
        preprocessing.MinMaxScaler((-1, 1), clip=True),
        preprocessing.MaxAbsScaler(),
        preprocessing.RobustScaler(),
        preprocessing.PowerTransformer(),
        preprocessing.QuantileTransformer(n_quantiles=10, random_state=0),
        preprocessing.KBinsDiscretizer(
            4, encode="ordinal", quantile_method="averaged_inverted_cdf"
        ),
        preprocessing.FunctionTransformer(),
        decomposition.PCA(),
        decomposition.IncrementalPCA(),
        decomposition.FastICA(random_state=0),
        pipeline.make_pipeline(preprocessing.RobustScaler(), decomposition.PCA()),
        preprocessing.StandardScaler().set_output(transform="pandas"),
    ],
    ids=str,
)
def test_scalers_of_scikit_learn_come_back_to_the_bit(scaler):
    X = np.random.default_rng(0).normal(size=(50, 2))
    made = recoded(scaler.fit(X))
    assert_array_equal(made.transform(X), scaler.transform(X))
    codes = np.asarray(scaler.transform(X))
    assert_array_equal(made.inverse_transform(codes), scaler.inverse_transform(codes))
    assert repr(made) == repr(scaler)


@pytest.mark.parametrize("kind", [np.random.MT19937, np.random.PCG64, np.random.Philox])
def test_a_random_state_draws_on_where_it_was(kind):
    given = np.random.RandomState(kind(3))
    given.normal(size=3)  # leaves one behind
    made = recoded(given)
    assert_array_equal(made.normal(size=5), given.normal(size=5))


def test_a_function_of_numpy_is_named(ragged):
    scaler = FunctionTransformer(np.log1p, np.expm1)
    with pytest.raises(UntrustedError, match="numpy:expm1, numpy:log1p"):
        recoded(scaler)
    assert recoded(scaler, ["numpy:log1p", "numpy:expm1"]).func is np.log1p


def test_the_identity_of_objects_is_kept():
    array, scaler = np.arange(3.0), StandardScaler()
    made = recoded([array, array, scaler, {"a": scaler}])
    assert made[0] is made[1]
    assert made[2] is made[3]["a"]


def test_cyclic_and_infinite_values_are_refused():
    endless = []
    endless.append(endless)
    array = np.empty(1, dtype=object)
    array[0] = array
    for value in (endless, array):
        with pytest.raises(TypeError, match=r"one in another|hold themselves"):
            recoded(value)
    nested = node = []
    for _ in range(MAX_DEPTH + 10):
        node.append([])
        node = node[0]
    with pytest.raises(FileFormatError, match="one in another"):
        Decoder(STRUCTURES, {}, Resolver()).decode(nested, "it")


@pytest.mark.parametrize(
    "node",
    [
        {"$": "unheard of"},
        {"$": []},
        {"$": "same", "same": 7},
        {"$": "array", "member": "arrays/none.npy"},
        {"$": "objects", "shape": [10**12], "items": []},
        {"$": "objects", "shape": [-1, -1], "items": [1]},
        {"$": "scalar", "dtype": "O", "value": 1},
        {"$": "scalar", "dtype": "evil", "value": 1},
        {"$": "scalar", "dtype": "<i1", "value": 1000},
        {"$": "dtype", "value": "f4,f4"},
        {"$": "float", "value": [1]},
        {"$": "type", "name": "eval"},
        {"$": "mapping", "items": [[[1], 2]]},
        {"$": "tuple", "items": 3},
        {"$": "random_state", "state": {"bit_generator": "__import__", "state": {}}},
        {"$": "random_state", "state": {"bit_generator": "MT19937", "state": {}}},
        {"$": "pandas.dtype", "name": "evil"},
        {"$": "pandas.timestamp", "value": "now", "unit": "x", "zone": None},
        {"$": "categories", "state": {"values": 1, "dtype": None}},
        {"$": "import", "path": "keras.losses:Huber", "more": 1},
        {"$": "import"},
        1e999,
    ],
    ids=str,
)
def test_nodes_that_no_value_has_are_refused(node):
    with pytest.raises(FileFormatError, match="is invalid"):
        Decoder(STRUCTURES, {}, Resolver()).decode([node], "it")


def test_two_values_of_one_id_are_refused():
    node = {"$": "tuple", "items": [], "id": 1}
    with pytest.raises(FileFormatError, match="two values with the id 1"):
        Decoder(STRUCTURES, {}, Resolver()).decode([node, node], "it")
