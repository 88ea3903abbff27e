"""The command line, called as a shell would call it, but in this process."""

import gzip
import io
import json
import subprocess
import sys
import zipfile

import numpy as np
import onnx
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from sklearn_seqae import LSTMAutoencoderTransformer, load
from sklearn_seqae.__main__ import main
from sklearn_seqae.cli import tables

TINY = ["-p", "n_components=4", "-p", "units=6", "-p", "epochs=2", "-p", "random_state=0"]
NAMES = ["--id", "patient", "--time", "day"]


@pytest.fixture(scope="module")
def visits():
    """A long table of 30 sequences with ids that look like numbers, dates and two channels."""
    rng = np.random.default_rng(0)
    parts = []
    for i, n_steps in enumerate(rng.integers(2, 9, size=30)):
        days = pd.date_range("2026-01-01", periods=n_steps, freq="D")
        values = rng.normal(size=(n_steps, 2)).cumsum(axis=0)
        part = pd.DataFrame({"patient": f"{i:03}", "day": days})
        parts.append(part.assign(pulse=values[:, 0], pressure=values[:, 1]))
    return pd.concat(parts, ignore_index=True)


@pytest.fixture(scope="module")
def folder(visits, tmp_path_factory):
    """Files that tests share: the table, and models fitted on it."""
    path = tmp_path_factory.mktemp("files")
    visits.to_csv(path / "visits.csv", index=False)
    visits.to_parquet(path / "visits.parquet", index=False)
    fit = ["fit", str(path / "visits.csv"), "--quiet", *NAMES, *TINY]
    assert main([*fit, str(path / "model.zip")]) == 0
    assert main([*fit, str(path / "detector.zip"), "--detector"]) == 0
    return path


@pytest.fixture(scope="module")
def codes(folder, visits):
    """What `transform` should write."""
    ids = visits["patient"].unique()
    X = visits.set_index(["patient", "day"])
    return pd.DataFrame(load(folder / "model.zip").transform(X), index=ids)


def read_codes(text):
    frame = pd.read_csv(io.StringIO(text), dtype={"patient": str}).set_index("patient")
    return frame.astype(np.float32)


def test_a_model_fitted_by_a_command_is_that_of_python(folder, visits):
    X = visits.set_index(["patient", "day"])
    ae = LSTMAutoencoderTransformer(n_components=4, units=6, epochs=2, random_state=0).fit(X)
    np.testing.assert_array_equal(load(folder / "model.zip").transform(X), ae.transform(X))


@pytest.mark.parametrize("data", ["visits.csv", "visits.parquet"])
def test_codes_have_the_ids_of_their_sequences(run, codes, data):
    written = run("transform", "model.zip", data, "--output-format", "csv").out
    frame = read_codes(written)
    assert frame.index.tolist() == codes.index.tolist()
    np.testing.assert_allclose(frame, codes, rtol=1e-6)


@pytest.mark.parametrize("rows", [1, 2, 7, 50, 10_000])
def test_results_do_not_depend_on_the_chunks_that_are_read(run, codes, monkeypatch, rows):
    monkeypatch.setattr(tables, "CHUNK_ROWS", rows)
    whole = read_codes(run("transform", "model.zip", "visits.csv").out)
    whole = whole.set_axis(codes.columns, axis=1)
    # Company changes a code by at most 1e-5 of its scale.
    pd.testing.assert_frame_equal(whole, codes, check_names=False, atol=1e-6)


def test_a_stream_goes_in_and_comes_out(run, folder, codes):
    data = (folder / "visits.csv").read_bytes()
    frame = read_codes(run("transform", "model.zip", "-", stdin=data).out)
    np.testing.assert_allclose(frame, codes, rtol=1e-6)
    parquet = (folder / "visits.parquet").read_bytes()
    options = ("--format", "parquet", "--output-format", "csv")
    frame = read_codes(run("transform", "model.zip", "-", *options, stdin=parquet).out)
    np.testing.assert_allclose(frame, codes, rtol=1e-6)


@pytest.mark.parametrize("output", ["codes.csv", "codes.parquet", "codes.npz"])
def test_codes_become_sequences_again_through_every_format(run, folder, visits, codes, output):
    run("transform", "model.zip", "visits.csv", "-o", output)
    run("inverse", "model.zip", output, "-o", "drawn.csv")
    drawn = pd.read_csv(folder / "drawn.csv", dtype={"patient": str})
    expected = load(folder / "model.zip").inverse_transform(codes).reset_index()
    assert drawn.columns.tolist() == ["patient", "day", "pulse", "pressure"]
    assert drawn["patient"].tolist() == expected["patient"].tolist()
    assert drawn["day"].tolist() == expected["day"].astype(str).tolist()
    np.testing.assert_allclose(drawn.iloc[:, 2:], expected.iloc[:, 2:], rtol=1e-5)


def test_lengths_may_be_a_column_of_the_codes(run, folder, codes):
    written = run("transform", "model.zip", "visits.csv").out
    frame = pd.read_csv(io.StringIO(written), dtype={"patient": str}).assign(n=3)
    frame.to_csv(folder / "with_lengths.csv", index=False)
    drawn = run("inverse", "model.zip", "with_lengths.csv", "--lengths", "n").out
    assert pd.read_csv(io.StringIO(drawn)).groupby("patient").size().eq(3).all()
    message = run("inverse", "model.zip", "with_lengths.csv", "--lengths", "m", code=1).err
    assert "Expected a column 'm' of lengths" in message


def test_scores_are_by_sequence_step_or_channel(run, folder, visits):
    ae = load(folder / "model.zip")
    X = visits.set_index(["patient", "day"])
    scores = pd.read_csv(io.StringIO(run("score", "model.zip", "visits.csv").out))
    np.testing.assert_allclose(scores["score"], ae.score_samples(X), rtol=1e-6)
    written = run("score", "model.zip", "visits.csv", "--per", "step").out
    steps = pd.read_csv(io.StringIO(written), dtype={"patient": str})
    assert steps["patient"].tolist() == visits["patient"].tolist()
    errors = np.concatenate(ae.reconstruction_error(X, per="step"))
    # Differences of close numbers, in batches of other shapes.
    np.testing.assert_allclose(steps["error"], errors, rtol=1e-6, atol=1e-6)
    written = run("score", "model.zip", "visits.csv", "--per", "channel").out
    channels = pd.read_csv(io.StringIO(written))
    assert channels.columns.tolist() == ["patient", "pulse", "pressure"]


def test_outliers_are_predicted_and_explained(run, folder, visits):
    detector = load(folder / "detector.zip")
    X = visits.set_index(["patient", "day"])
    written = run("detect", "detector.zip", "visits.csv").out
    found = pd.read_csv(io.StringIO(written), dtype={"patient": str})
    assert found["patient"].tolist() == visits["patient"].unique().tolist()
    assert (found["outlier"] == (detector.predict(X) < 0)).all()
    np.testing.assert_allclose(found["decision"], detector.decision_function(X), rtol=1e-6)
    table = pd.read_csv(io.StringIO(run("detect", "detector.zip", "visits.csv", "--explain").out))
    assert {"patient", "step", "channel", "share"} <= set(table.columns)
    message = run("detect", "model.zip", "visits.csv", code=1).err
    assert "fit one with --detector" in message


def test_list_columns_of_parquet_are_a_sequence_a_row(run, folder, visits, codes):
    rows = visits.groupby("patient")[["pulse", "pressure"]].agg(list).reset_index()
    table = pa.Table.from_pandas(rows, preserve_index=False)
    pq.write_table(table, folder / "lists.parquet", row_group_size=7)
    named = ("transform", "model.zip", "lists.parquet", "--output-format", "csv")
    np.testing.assert_allclose(read_codes(run(*named).out), codes, rtol=1e-6)


@pytest.mark.parametrize("with_ids", [False, True])
def test_arrays_of_npz_are_read_padded_or_under_each_other(run, folder, with_ids):
    rng = np.random.default_rng(0)
    sequences = [rng.normal(size=(n, 2)).astype(np.float32) for n in (3, 5, 0, 8)]
    padded = np.full((4, 8, 2), np.nan, dtype=np.float32)
    for row, sequence in zip(padded, sequences, strict=True):
        row[: len(sequence)] = sequence
    ids = {"ids": np.array(["a", "b", "c", "d"])} if with_ids else {}
    offsets = np.cumsum([0, *map(len, sequences)])
    np.savez(folder / "flat.npz", values=np.concatenate(sequences), offsets=offsets, **ids)
    np.savez(folder / "padded.npz", X=padded, **ids)
    found = {}
    for name in ("flat", "padded"):
        run("fit", f"{name}.npz", "arrays.zip", "--quiet", *TINY)
        run("transform", "arrays.zip", f"{name}.npz", "-o", "out.npz")
        with np.load(folder / "out.npz") as arrays:
            found[name] = arrays["codes"]
            assert arrays["ids"].tolist() == (["a", "b", "c", "d"] if with_ids else [0, 1, 2, 3])
    np.testing.assert_array_equal(found["flat"], found["padded"])
    run("inverse", "arrays.zip", "out.npz", "-o", "drawn.npz")
    with np.load(folder / "drawn.npz") as arrays:
        assert arrays["offsets"][-1] == len(arrays["values"])


def test_text_is_categorical_and_numbers_may_be_selected(run, folder):
    frame = pd.DataFrame(
        {
            "id": np.repeat(np.arange(12), 4),
            "level": np.tile([0.0, 1.0, 2.0, 1.0], 12),
            "word": np.tile(["on", "off", "off", "on"], 12),
            "digit": np.tile(["01", "02", "02", "03"], 12),
        }
    )
    frame.to_csv(folder / "mixed.csv", index=False)
    run("fit", "mixed.csv", "mixed.zip", "--id", "id", "--categorical", "digit", "--quiet", *TINY)
    ae = load(folder / "mixed.zip")
    assert [None if found is None else found.tolist() for found in ae.categories_] == [
        None,
        ["off", "on"],
        ["01", "02", "03"],
    ]
    run("transform", "mixed.zip", "mixed.csv", "-o", "mixed_codes.csv")
    drawn = run("inverse", "mixed.zip", "mixed_codes.csv").out
    assert set(pd.read_csv(io.StringIO(drawn), dtype=str)["digit"]) <= {"01", "02", "03"}


def test_info_is_printed_without_loading_the_model(run, folder):
    summary = json.loads(run("info", "model.zip", "--json").out)
    assert summary["estimator"] == "LSTMAutoencoderTransformer"
    assert (summary["channels"], summary["components"], summary["epochs"]) == (2, 4, 2)
    ae = load(folder / "model.zip")
    assert summary["losses"]["loss"] == pytest.approx(ae.history_["loss"][-1])
    assert "components: 4" in run("info", "model.zip").out


def test_an_encoder_is_exported(run, folder):
    run("export", "model.zip", "encoder.onnx")
    onnx.checker.check_model(onnx.load(folder / "encoder.onnx"))


def test_a_fit_prints_a_summary_unless_quiet(run):
    fit = ("fit", "visits.csv", "again.zip", *NAMES, *TINY)
    assert "30 sequences of 2 to 8 steps, 2 channels; 2 epochs, R2" in run(*fit).err
    assert run(*fit, "--quiet").err == ""


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("transform", "model.zip", "nowhere.csv"), "No such file"),
        (("transform", "nowhere.zip", "visits.csv"), "No such file"),
        (("transform", "visits.csv", "visits.csv"), "Expected a file that save wrote"),
        (("transform", "model.zip", "visits.txt"), "give its format by --format"),
        (("transform", "model.zip", "visits.csv", "-o", "no/where.csv"), "make it first"),
        (("transform", "model.zip", "visits.csv", "--id", "name"), "name the one with the ids"),
        (("transform", "model.zip", "visits.csv", "--time", "hour"), "hour"),
        (("transform", "model.zip", "visits.csv", "--channels", "pulse"), "channels"),
        (("inverse", "model.zip", "visits.csv"), "give what transform wrote"),
        (("fit", "visits.csv", "out.zip"), "give it by --id"),
        (("fit", "visits.csv", "no/out.zip", "--id", "patient"), "make it first"),
        (("fit", "visits.csv", "out.zip", *NAMES, "-p", "unit=3"), "got 'unit': give some of"),
        (("fit", "visits.csv", "out.zip", *NAMES, "-p", "units=none"), "units"),
    ],
)
def test_an_error_is_one_line_and_exit_code_1(run, folder, arguments, message):
    before = sorted(folder.iterdir())
    printed = run(*arguments, code=1)
    assert message in printed.err
    assert printed.err.startswith("seqae: error: ")
    assert printed.err.count("\n") == 1
    assert printed.out == ""
    assert sorted(folder.iterdir()) == before


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda frame: frame.iloc[::-1], "do not rise|rise"),
        (lambda frame: pd.concat([frame, frame.iloc[:1]]), "sort the table by 'patient'"),
        (lambda frame: frame.iloc[:0], "nothing to read"),
        (lambda frame: frame.assign(day="soon"), "Expected numbers or dates"),
        (lambda frame: frame.assign(pulse="high"), "pulse|channel 0"),
    ],
)
def test_tables_that_cannot_be_read_are_refused_by_name(run, visits, change, message):
    data = change(visits).to_csv(index=False).encode()
    printed = run("transform", "model.zip", "-", stdin=data, code=1)
    assert pytest.approx(1) == printed.err.count("\n")
    assert any(part in printed.err for part in message.split("|"))


def test_a_wrong_command_line_is_exit_code_2(run, capsys):
    for arguments in ([], ["train"], ["fit", "visits.csv"], ["fit", "a", "b", "-p", "units"]):
        with pytest.raises(SystemExit, match="2"):
            main(arguments)


def test_an_error_leaves_the_file_that_was_there(run, folder, visits):
    (folder / "old.csv").write_text("old")
    data = pd.concat([visits, visits.iloc[:1]]).to_csv(index=False).encode()
    run("transform", "model.zip", "-", "-o", "old.csv", stdin=data, code=1)
    assert (folder / "old.csv").read_text() == "old"
    assert not list(folder.glob("old.csv.*"))


def test_an_interruption_has_an_exit_code(run, monkeypatch):
    def stop(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("sklearn_seqae.cli.commands.read_sequences", stop)
    assert "interrupted" in run("transform", "model.zip", "visits.csv", code=130).err


def test_a_reader_that_goes_away_ends_a_command_in_silence(folder):
    command = f"{sys.executable} -m sklearn_seqae transform model.zip visits.csv"
    script = command + " | true; exit ${PIPESTATUS[0]}"
    done = subprocess.run(["bash", "-c", script], cwd=folder, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (141, "")


def test_help_and_version_load_neither_scikit_learn_nor_numpy():
    program = (
        "import sys\n"
        "from sklearn_seqae.__main__ import main\n"
        "try:\n    main(sys.argv[1:])\n"
        "except SystemExit as end:\n    assert not end.code\n"
        "heavy = {'numpy', 'sklearn', 'pandas', 'keras'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )
    for arguments in (["--help"], ["fit", "--help"], ["--version"]):
        command = [sys.executable, "-c", program, *arguments]
        done = subprocess.run(command, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        assert done.stdout


def fit_and_write(run, folder, frame, name="own", options=(), **written):
    """Fit a model on a table of columns id and time, and return the codes that it writes."""
    path = f"{name}.csv"
    frame.to_csv(folder / path, index=False, **written)
    named = ["--id", "id", "--time", "time"] if "time" in frame else ["--id", "id"]
    run("fit", path, f"{name}.zip", "--quiet", *named, *TINY, *options)
    return run("transform", f"{name}.zip", path, *options).out


def steps(n_sequences=6, **columns):
    """Return a table of sequences of four steps.

    Tests with a column of categories have three of them, so that one network is traced for all.
    """
    ids = np.repeat([f"s{i}" for i in range(n_sequences)], 4)
    values = np.random.default_rng(0).normal(size=len(ids)).cumsum()
    return pd.DataFrame({"id": ids, "x": values} | columns)


def test_row_labels_that_pandas_wrote_are_no_channel(run, folder):
    steps().to_csv(folder / "labelled.csv")
    fit = ("fit", "labelled.csv", "labelled.zip", "--id", "id", "--quiet", *TINY)
    assert "Expected a name for every column of 'labelled.csv'" in run(*fit, code=1).err
    run(*fit, "--channels", "x")
    assert load(folder / "labelled.zip").n_channels_in_ == 1


def test_dates_in_no_column_of_time_are_refused_unless_they_are_categories(run, folder):
    days = ["2024-01-01", "2024-01-02", "2024-01-03"]
    steps(day=days * 8).to_csv(folder / "dated.csv", index=False)
    fit = ("fit", "dated.csv", "dated.zip", "--id", "id", "--quiet", *TINY)
    assert "name the column of time stamps by --time" in run(*fit, code=1).err
    run(*fit, "--categorical", "day")
    assert load(folder / "dated.zip").categories_[1].tolist() == days


def test_na_is_a_text_where_text_is_and_a_missing_number_elsewhere(run, folder):
    ids = np.repeat(["NA", "null", "nan", "None", "007", "1"], 4)
    frame = steps(id=ids, gene=np.tile(["NA", "BRCA", "NA", "null"], 6))
    text = frame.to_csv(index=False).replace("BRCA", "", 1)
    (folder / "genes.csv").write_text(text.replace(f",{frame['x'][2]}", ",NA", 1))
    run("fit", "genes.csv", "genes.zip", "--id", "id", "--quiet", *TINY)
    ae = load(folder / "genes.zip")
    assert ae.categories_[0] is None
    assert ae.categories_[1].tolist() == ["BRCA", "NA", "null"]
    run("transform", "genes.zip", "genes.csv", "-o", "genes_codes.csv")
    written = pd.read_csv(folder / "genes_codes.csv", dtype=str, keep_default_na=False)
    assert written["id"].tolist() == list(dict.fromkeys(ids))
    drawn = run("inverse", "genes.zip", "genes_codes.csv").out
    found = pd.read_csv(io.StringIO(drawn), dtype=str, keep_default_na=False)
    assert list(dict.fromkeys(found["id"])) == list(dict.fromkeys(ids))
    assert set(found["gene"]) <= {"NA", "BRCA", "null"}


@pytest.mark.parametrize("rows", [1, 100_000])
def test_numbers_and_text_in_a_column_are_text_wherever_the_text_begins(
    run, folder, monkeypatch, rows
):
    monkeypatch.setattr(tables, "CHUNK_ROWS", rows)
    frame = steps(code=["1", "2"] * 11 + ["A1", "007"], level=[1, 0, 1, 0] * 6)
    fit_and_write(run, folder, frame, "mixture")
    ae = load(folder / "mixture.zip")
    assert [None if found is None else found.tolist() for found in ae.categories_] == [
        None,
        ["007", "1", "2", "A1"],
        None,
    ]
    whole = frame.assign(level=[0.5] * 24)
    whole.to_csv(folder / "mixture_halves.csv", index=False)
    expected = ae.transform(whole.set_index(["id", whole.groupby("id").cumcount()]))
    written = run("transform", "mixture.zip", "mixture_halves.csv").out
    found = pd.read_csv(io.StringIO(written)).iloc[:, 1:]
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-6)


def test_numbers_and_categories_together_are_refused_for_npz_files(run, folder):
    fit_and_write(run, folder, steps(word=["on", "off", "idle"] * 8), "words")
    run("transform", "words.zip", "words.csv", "-o", "words_codes.csv")
    command = ("inverse", "words.zip", "words_codes.csv", "-o", "words.npz")
    assert "write CSV or Parquet" in run(*command, code=1).err
    run("inverse", "words.zip", "words_codes.csv", "-o", "words.parquet")
    assert pd.read_parquet(folder / "words.parquet").columns.tolist() == ["id", "step", "x", "word"]


@pytest.mark.parametrize("suffix", ["gz", "bz2", "xz", "zip"])
def test_csv_is_read_and_written_packed(run, folder, visits, codes, suffix):
    visits.to_csv(folder / f"visits.csv.{suffix}", index=False)
    run("transform", "model.zip", f"visits.csv.{suffix}", "-o", f"packed.csv.{suffix}")
    again = pd.read_csv(folder / f"packed.csv.{suffix}", dtype={"patient": str})
    np.testing.assert_allclose(again.set_index("patient"), codes, rtol=1e-6)
    drawn = run("inverse", "model.zip", f"packed.csv.{suffix}").out
    run("transform", "model.zip", "visits.csv", "-o", "unpacked.csv")
    assert drawn == run("inverse", "model.zip", "unpacked.csv").out
    message = run("transform", "model.zip", f"visits.parquet.{suffix}", code=1).err
    assert "unpack it first" in message


def test_csv_packed_by_zstandard_is_read(run, folder, visits):
    with pa.CompressedOutputStream(str(folder / "visits.csv.zst"), "zstd") as packed:
        packed.write(visits.to_csv(index=False).encode())
    written = run("transform", "model.zip", "visits.csv.zst").out
    assert written == run("transform", "model.zip", "visits.csv").out
    assert "only read" in run("transform", "model.zip", "visits.csv", "-o", "a.csv.zst", code=1).err


@pytest.mark.parametrize(
    ("named", "delimiter"), [(";", ";"), ("tab", "\t"), ("\\t", "\t"), ("|", "|")]
)
def test_columns_may_be_delimited_by_any_character(run, folder, visits, codes, named, delimiter):
    data = visits.to_csv(index=False, sep=delimiter).encode()
    written = run("transform", "model.zip", "-", "--delimiter", named, stdin=data).out
    found = pd.read_csv(io.StringIO(written), sep=delimiter, dtype={"patient": str})
    np.testing.assert_allclose(found.set_index("patient"), codes, rtol=1e-6)
    assert "--delimiter" in run("transform", "model.zip", "-", stdin=data, code=1).err


def test_a_delimiter_is_one_character(run):
    for text in (";;", "", '"', "\u00e9"):
        with pytest.raises(SystemExit, match="2"):
            main(["transform", "model.zip", "visits.csv", "--delimiter", text])


def damaged(folder):
    """Return names of files that cannot be read."""
    rng = np.random.default_rng(0)
    garbage = rng.integers(0, 256, size=2000, dtype=np.uint8).tobytes()
    csv = (folder / "visits.csv").read_bytes()
    parquet = (folder / "visits.parquet").read_bytes()
    stream = io.BytesIO()
    np.savez_compressed(stream, X=rng.normal(size=(5, 4, 2)))
    npz = stream.getvalue()
    stream = io.BytesIO()
    np.savez(stream, X=np.array([{}], dtype=object))
    objects = stream.getvalue()
    stream = io.BytesIO()
    np.save(stream, np.zeros(3))
    several = io.BytesIO()
    with zipfile.ZipFile(several, "w") as file:
        file.writestr("a.csv", csv)
        file.writestr("b.csv", csv)
    alien = io.BytesIO()
    with zipfile.ZipFile(alien, "w") as file:
        file.writestr("X", b"text")
    header = csv.splitlines()[0]
    return {
        "empty.csv": b"",
        "blank.csv": b"\n\n",
        "header.csv": header + b"\n",
        "garbage.csv": garbage,
        "cut.csv": csv[: csv.rindex(b",")],
        "long_row.csv": csv + b"1,2,3,4,5,6\n",
        "quote.csv": header + b'\n"001,2026-01-01,1,2\n',
        "latin.csv": csv.replace(b"001", b"\xe4\xf6"),
        "latin_header.csv": csv.replace(b"pulse", b"p\xfclse"),
        "utf16.csv": csv.decode().encode("utf-16"),
        "twice.csv": csv.replace(b"pressure", b"pulse", 1),
        "wrong.csv": csv.replace(b"pulse", b"puls", 1),
        "text.csv": csv.replace(b"2026-01-01,", b"2026-01-01,high", 1),
        "empty.csv.gz": b"",
        "cut.csv.gz": gzip.compress(csv)[:-200],
        "garbage.csv.gz": garbage,
        "inner.csv.gz": gzip.compress(garbage),
        "garbage.csv.bz2": garbage,
        "garbage.csv.xz": garbage,
        "garbage.csv.zst": garbage,
        "garbage.csv.zip": garbage,
        "several.csv.zip": several.getvalue(),
        "empty.parquet": b"",
        "garbage.parquet": garbage,
        "cut.parquet": parquet[: len(parquet) // 2],
        "torn.parquet": parquet[:100] + garbage + parquet[2100:],
        "empty.npz": b"",
        "garbage.npz": garbage,
        "cut.npz": npz[: len(npz) // 2],
        "torn.npz": npz[:100] + bytes(100) + npz[200:],
        "objects.npz": objects,
        "single.npz": stream.getvalue(),
        "alien.npz": alien.getvalue(),
    }


def test_every_damaged_file_is_an_error_of_one_line(run, folder):
    for name, content in damaged(folder).items():
        (folder / name).write_bytes(content)
        for command in (
            ("transform", "model.zip", name),
            ("inverse", "model.zip", name, "-o", "none.csv"),
            ("fit", name, "none.zip", *NAMES),
        ):
            if command[0] == "fit" and name in ("wrong.csv", "text.csv"):  # a model of their own
                continue
            printed = run(*command, code=1)
            assert printed.err.startswith("seqae: error: "), (name, command)
            assert printed.err.count("\n") == 1, (name, command)
            assert len(printed.err) < 700, (name, command)
            assert printed.out == ""
            if command[0] == "transform":
                assert name in printed.err or "Expected" in printed.err, printed.err
    assert not (folder / "none.csv").exists()
    assert not (folder / "none.zip").exists()


def hours(zone, start, n_sequences=3, n_steps=8):
    """Return a table of hourly steps, as clocks of a time zone show them."""
    times = pd.date_range(start, periods=n_steps, freq="h", tz="UTC").tz_convert(zone)
    frame = pd.concat([steps(1).head(1)] * n_sequences * n_steps, ignore_index=True)
    rng = np.random.default_rng(0)
    text = [time.isoformat() for time in times] * n_sequences
    return frame.assign(
        id=np.repeat([f"s{i}" for i in range(n_sequences)], n_steps),
        x=rng.normal(size=len(frame)),
        time=text,
    )


@pytest.mark.parametrize("start", ["2024-03-30T20:00", "2024-10-26T20:00"])
@pytest.mark.parametrize("rows", [3, 100_000])
def test_hours_around_a_change_of_summer_time_are_read_and_written(
    run, folder, monkeypatch, start, rows
):
    monkeypatch.setattr(tables, "CHUNK_ROWS", rows)
    frame = hours("Europe/Berlin", start)
    assert frame["time"].str[-6:].nunique() == 2
    (folder / "summer_codes.csv").write_text(fit_and_write(run, folder, frame, "summer"))
    ae = load(folder / "summer.zip")
    times = pd.to_datetime(frame["time"], utc=True)
    expected = ae.transform(frame.assign(time=times).set_index(["id", "time"]))
    found = pd.read_csv(folder / "summer_codes.csv").iloc[:, 1:]
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-6)
    drawn = pd.read_csv(io.StringIO(run("inverse", "summer.zip", "summer_codes.csv").out))
    own = drawn[drawn["id"] == "s0"]
    assert pd.to_datetime(own["time"], utc=True).tolist() == times[: len(own)].tolist()
    back = frame.assign(time=frame["time"].iloc[::-1].to_numpy())
    message = run(
        "transform", "summer.zip", "-", stdin=back.to_csv(index=False).encode(), code=1
    ).err
    assert "rise within each sequence" in message


def test_one_offset_of_a_whole_table_stays(run, folder):
    frame = hours("+05:30", "2024-03-30T20:00")
    (folder / "india_codes.csv").write_text(fit_and_write(run, folder, frame, "india"))
    drawn = pd.read_csv(io.StringIO(run("inverse", "india.zip", "india_codes.csv").out))
    assert drawn["time"].str.endswith("+05:30").all()


def test_stamps_with_and_without_an_offset_do_not_mix(run, folder):
    frame = hours("Europe/Berlin", "2024-03-30T20:00")
    frame.loc[3, "time"] = "2024-03-31T00:00:00"
    frame.to_csv(folder / "naive.csv", index=False)
    printed = run("fit", "naive.csv", "naive.zip", "--id", "id", "--time", "time", *TINY, code=1)
    assert "Expected an offset to UTC" in printed.err


@pytest.fixture(scope="module")
def many(visits, tmp_path_factory):
    """Return a folder with the table in three files, cut within sequences."""
    path = tmp_path_factory.mktemp("many")
    table = pa.Table.from_pandas(visits, preserve_index=False)
    for i, (start, stop) in enumerate([(0, 61), (61, 100), (100, len(table))]):
        pq.write_table(table.slice(start, stop - start), path / f"{i}.parquet")
    return path


def test_a_pattern_of_parquet_files_is_fitted_and_encoded_file_by_file(
    run, many, visits, folder, tmp_path
):
    pattern, model = str(many / "*.parquet"), str(tmp_path / "many.zip")
    fit = ["fit", pattern, model, *NAMES, *TINY, "--checkpoint", str(tmp_path / "epochs")]
    assert "30 sequences, 2 channels; 2 epochs" in run(*fit).err
    assert len(list((tmp_path / "epochs").glob("epoch-*"))) == 2
    codes = tmp_path / "codes"
    assert "3 files of codes" in run("transform", model, pattern, "-o", str(codes)).err
    found = pd.concat(map(pd.read_parquet, sorted(codes.glob("*.parquet"))))
    assert found["patient"].tolist() == visits["patient"].unique().tolist()
    run("transform", model, "visits.parquet", "-o", str(tmp_path / "codes.parquet"))
    expected = pd.read_parquet(tmp_path / "codes.parquet")
    np.testing.assert_allclose(found.iloc[:, 1:], expected.iloc[:, 1:], atol=1e-6)


def test_a_detector_is_fitted_to_a_pattern_of_parquet_files(run, many, tmp_path):
    pattern, model = str(many / "*.parquet"), str(tmp_path / "alarms.zip")
    assert "30 sequences, 2 channels" in run("fit", pattern, model, *NAMES, *TINY, "--detector").err
    found = pd.read_csv(io.StringIO(run("detect", model, "visits.csv").out))
    assert len(found) <= 30


def test_what_needs_all_data_in_memory_refuses_a_pattern(run, many, tmp_path):
    pattern = str(many / "*.parquet")
    for arguments, words in (
        (["fit", pattern, "x.zip", *NAMES, "--categorical", "pulse"], "--categorical"),
        (["fit", pattern, "x.zip", *NAMES, "--format", "csv"], "--format csv"),
        (["transform", "model.zip", pattern], "--output"),
        (["transform", "model.zip", pattern, "-o", "x", "--workers", "0"], "--workers of 1"),
        (["fit", str(tmp_path), "x.zip", *NAMES], "without any"),
    ):
        assert words in run(*arguments, code=1).err


@pytest.mark.long
def test_workers_encode_files(run, many, tmp_path):
    arguments = ["transform", "model.zip", str(many), "-o", str(tmp_path), "--workers", "2"]
    assert "3 files of codes" in run(*arguments).err
    assert sorted(path.name for path in tmp_path.iterdir()) == [f"{i}.parquet" for i in range(3)]
