"""The commands of `seqae` as functions; `sklearn_seqae.__main__` parses their arguments."""

from __future__ import annotations

import contextlib
import json
import sys
from argparse import Namespace
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from sklearn_seqae._utils.optional_imports import load as load_package
from sklearn_seqae._utils.printing import one_line
from sklearn_seqae.containers import convert
from sklearn_seqae.containers.pandas_frames import LongFrame
from sklearn_seqae.containers.registry import Sequences, as_sequences
from sklearn_seqae.distributed.parquet import Encoding
from sklearn_seqae.estimators.detector import LSTMAutoencoderDetector
from sklearn_seqae.estimators.load import load
from sklearn_seqae.estimators.transformer import LSTMAutoencoderTransformer
from sklearn_seqae.streaming import ParquetSequences

from . import many_files, series
from .summary import summary
from .table_files import STREAM, File
from .tables import Columns, read_rows, read_sequences, writing

if TYPE_CHECKING:
    import pandas as pd


def fit(options: Namespace) -> None:
    """Fit a model to a table, and write it to a file."""
    if options.window_size is not None:
        _check_folder(options.model)
        X, _ = series.read_series(_data(options), options)
        detector = series.make_detector(options).fit(X)
        detector.save(options.model)
        _report(options, f"{series.summary(detector, X)}; wrote {options.model}")
        return
    kind = LSTMAutoencoderDetector if options.detector else LSTMAutoencoderTransformer
    model = kind()
    unknown = [name for name in options.param if name not in model.get_params()]
    if unknown:
        raise ValueError(
            f"Expected parameters of {kind.__name__}, got {unknown[0]!r}: give some of "
            f"{', '.join(model.get_params())}."
        )
    model.set_params(**options.param)
    if options.checkpoint is not None:
        model.set_params(checkpoint=options.checkpoint)
    _check_folder(options.model)
    if many_files.names_many(options.data):
        many_files.check_options(options)
        channels = None if options.channels is None else list(options.channels)
        source = ParquetSequences(options.data, id=options.id, channels=channels, time=options.time)
        _fit(options, model, source)
        _report(
            options,
            f"{len(source)} sequences, {model.n_channels_in_} channels; {model.n_epochs_} epochs; "
            f"wrote {options.model}",
        )
        return
    columns = Columns(options.id, options.time, options.channels, tuple(options.categorical))
    chunks = list(read_sequences(_data(options), columns, is_whole=True))
    X = chunks[0] if len(chunks) == 1 else load_package("pandas").concat(chunks)
    _fit(options, model, X)
    lengths = _read(X).lengths
    skill = f", R2 {model.score(X):.3f}" if hasattr(model, "score") else ""
    _report(
        options,
        f"{len(lengths)} sequences of {lengths.min()} to {lengths.max()} steps, "
        f"{model.n_channels_in_} channels; {model.n_epochs_} epochs{skill}; wrote {options.model}",
    )


def _fit(options: Namespace, model: Any, X: Any) -> None:
    """Fit a model, with a progress bar, and save it."""
    if _is_shown(options):
        model.set_params(verbose=1)
    with contextlib.redirect_stdout(sys.stderr):  # for the progress bar of Keras
        model.fit(X)
    model.set_params(verbose=options.param.get("verbose", 0))
    model.save(options.model)


def transform(options: Namespace) -> None:
    """Encode sequences."""
    model = _load(options, "transform")
    if options.workers is not None or many_files.names_many(options.data):
        _encode_files(options, model)
        return

    def codes(X: Any, ids: Any) -> pd.DataFrame:
        frame = load_package("pandas").DataFrame(
            model.transform(X), columns=model.get_feature_names_out()
        )
        frame.insert(0, _name_of_ids(model), ids)
        return frame

    _for_chunks(options, model, codes, "codes")


def _encode_files(options: Namespace, model: Any) -> None:
    """Encode Parquet files one by one, each to a file of codes."""
    many_files.check_options(options)
    if options.output == STREAM:
        raise ValueError(
            "Expected the folder to write files of codes to, got none: give it by --output."
        )
    columns = _columns(options, model)
    channels = None if columns.channels is None else list(columns.channels)
    identity = columns.id or getattr(model._form, "id_name", None)
    if options.trust and options.workers:
        raise ValueError(
            "Expected a model without code of its own for --workers, got --trust: leave one out."
        )
    job = Encoding(
        options.model if options.workers else model,
        options.data,
        options.output,
        id=identity,
        channels=channels,
        time=columns.time,
    )
    with (
        many_files.workers(options.workers) as client,
        _progress(options, "files", len(job.paths)) as advance,
    ):
        for _ in job.run(client):
            advance(1)
    _report(options, f"{len(job.paths)} files of codes in {options.output}")


def inverse(options: Namespace) -> None:
    """Decode sequences from codes."""
    model = _load(options, "inverse_transform")
    names = list(model.get_feature_names_out())
    data = _data(options)
    output = _output(options, data.form)
    numbers = [*names, *filter(None, [options.lengths])]
    with writing(output, "values") as writer, _progress(options) as advance:
        first = 0
        for rows in read_rows(data, numbers):
            if data.form == "npz":
                rows.columns = [*list(rows)[: -len(names)], *names][-rows.shape[1] :]
            missing = [name for name in names if name not in rows]
            if missing:
                raise ValueError(
                    f"Expected the {len(names)} columns that transform writes, got a table without "
                    f"{missing[0]!r}; its columns are {list(rows)[:4]} ...: give what transform "
                    "wrote for this model."
                )
            ids = next((rows[name] for name in (_name_of_ids(model), "id") if name in rows), None)
            codes = rows[names].set_axis(
                np.arange(first, first + len(rows)) if ids is None else ids.to_numpy()
            )
            lengths = None if options.lengths is None else _column(rows, options.lengths)
            writer.write(_long(model.inverse_transform(codes, lengths), model, codes.index))
            first += len(rows)
            advance(len(rows))


def score(options: Namespace) -> None:
    """Write how well sequences are reconstructed, by sequence, step or channel."""
    model = _load(options, "score_samples")
    if series.is_series_model(model):
        X, name = series.read_series(_data(options), options, model._names)
        _write(options, series.time_scores(model, X, name))
        return

    def scores(X: Any, ids: Any) -> pd.DataFrame:
        pd = load_package("pandas")
        frame = pd.DataFrame({_name_of_ids(model): ids})
        if options.per == "sequence":
            return frame.assign(score=model.score_samples(X))
        errors = model.reconstruction_error(X, per=options.per)
        if options.per == "channel":
            values = np.asarray(errors)
            return pd.concat([frame, pd.DataFrame(values, columns=_channels(model))], axis=1)
        lengths = [len(error) for error in errors]
        steps = [np.arange(length) for length in lengths]
        return (
            frame.loc[frame.index.repeat(lengths)]
            .reset_index(drop=True)
            .assign(step=np.concatenate(steps), error=np.concatenate(errors))
        )

    _for_chunks(options, model, scores)


def detect(options: Namespace) -> None:
    """Write predictions of outliers or, with --explain, attributions of their scores.

    Of long series these are abnormal intervals.
    """
    if options.window_size is not None:
        X, name = series.read_series(_data(options), options)
        detector = series.make_detector(options).fit(X)
        _report(options, series.summary(detector, X))
        _write(options, series.anomalies(detector, X, name, options.explain))
        return
    if options.param:
        raise ValueError(
            "Expected parameters of a detector that is fitted here, got them for a model: give "
            "--window-size and no model, or leave out --param."
        )
    model = _load(options, "predict")
    if series.is_series_model(model):
        X, name = series.read_series(_data(options), options, model._names)
        _write(options, series.anomalies(model, X, name, options.explain))
        return

    def predictions(X: Any, ids: Any) -> pd.DataFrame:
        pd = load_package("pandas")
        if options.explain:
            table = model.explain(X)
            if _ids(X) is None:  # positions within this chunk
                table["sequence"] = np.asarray(ids)[table["sequence"]]
            return table.rename(columns={"sequence": _name_of_ids(model)})
        decision = model.decision_function(X)
        return pd.DataFrame(
            {
                _name_of_ids(model): ids,
                "outlier": np.where(model.predict(X) < 0, 1, 0),
                "decision": decision,
            }
        )

    _for_chunks(options, model, predictions)


def info(options: Namespace) -> None:
    """Print a summary of a model from its manifest, without loading it."""
    found = summary(options.model)
    if options.json:
        print(json.dumps(found, indent=2))
        return
    for name, value in found.items():
        if isinstance(value, dict):
            print(f"{name}:")
            for key, inner in value.items():
                print(f"  {one_line(key)}: {one_line(inner)}")
        else:
            print(f"{name}: {one_line(value)}")


def export(options: Namespace) -> None:
    """Export the encoder to ONNX."""
    _load(options, "export_onnx").export_onnx(options.output)
    _report(options, f"wrote {options.output}")


def _load(options: Namespace, method: str) -> Any:
    model = load(options.model, trusted=options.trust)
    if not hasattr(model, method):
        raise ValueError(
            f"Expected a model that has {method}, got a {type(model).__name__} in "
            f"{options.model!r}: fit one {'with' if method == 'predict' else 'without'} --detector."
        )
    return model


def _for_chunks(options: Namespace, model: Any, make: Any, matrix: str = "") -> None:
    """Write the result of `make` for each chunk of the data."""
    data = _data(options)
    output = _output(options, data.form)
    with writing(output, matrix) as writer, _progress(options) as advance:
        first = 0
        for X in read_sequences(data, _columns(options, model)):
            n = len(_read(X))
            ids = _ids(X)
            writer.write(make(X, np.arange(first, first + n) if ids is None else ids))
            first += n
            advance(n)


def _write(options: Namespace, table: pd.DataFrame) -> None:
    """Write a whole table."""
    with writing(_output(options, _data(options).form)) as writer:
        writer.write(table)


def _read(X: Any) -> Sequences:
    """Read sequences; channels of text are categorical, as by default of the estimators."""
    return as_sequences(X, "from_dtype")


def _ids(X: Any) -> Any:
    """Return the ids of sequences; None if there are none."""
    index = _read(X).index
    return None if index is None else index.ids


def _columns(options: Namespace, model: Any) -> Columns:
    """Return the columns that a model was fitted on, unless the options name others."""
    form = model._form
    is_long = isinstance(form, LongFrame)
    channels = form.channel_names
    known = zip(channels or (), model.categories_, strict=channels is not None)
    kinds = {name: found if found is None else next(iter(found), "") for name, found in known}
    identity, time = (form.id_name, form.time_name) if is_long else (None, None)
    return Columns(
        options.id or identity,
        options.time or time,
        options.channels or channels,
        text=tuple(name for name, category in kinds.items() if isinstance(category, str)),
        numbers=tuple(name for name, category in kinds.items() if category is None),
    )


def _name_of_ids(model: Any) -> str:
    form = model._form
    named = form.id_name if isinstance(form, LongFrame) else None
    return str(named or "id")


def _channels(model: Any) -> list[str]:
    names = model._form.channel_names
    return [f"channel{j}" for j in range(model.n_channels_in_)] if names is None else list(names)


def _long(X: Any, model: Any, ids: Any) -> pd.DataFrame:
    """Return sequences as a table with one row per step."""
    pd = load_package("pandas")
    if isinstance(model._form, LongFrame):
        frame = X
    else:
        frame = convert(X, "long")
        lengths = _read(X).lengths
        steps = frame.index.get_level_values(1)
        frame.index = pd.MultiIndex.from_arrays([np.repeat(ids, lengths), steps])
    identity, time = frame.index.names
    frame.index = frame.index.set_names([identity or _name_of_ids(model), time or "step"])
    frame.columns = _channels(model)
    return frame.reset_index()


def _column(rows: Any, name: str) -> Any:
    if name not in rows:
        raise ValueError(
            f"Expected a column {name!r} of lengths, got a table without it: add it, or leave out "
            "--lengths to have them decoded."
        )
    lengths = rows[name].to_numpy()
    is_whole = lengths.dtype.kind == "f" and (lengths % 1 == 0).all()  # as CSV has them
    return lengths.astype(np.int64) if is_whole else lengths


def _data(options: Namespace) -> File:
    return File.of(options.data, options.format, options.delimiter)


def _output(options: Namespace, form: str) -> File:
    """Return the file to write, in the format of its suffix, or else of the input."""
    if options.output != STREAM:
        _check_folder(options.output)
    known = options.output_format or (form if options.output == STREAM else None)
    return File.of(options.output, known, options.delimiter)


def _check_folder(path: str) -> None:
    """Raise early if a folder does not exist."""
    if path != STREAM and not Path(path).absolute().parent.is_dir():
        raise FileNotFoundError(f"Expected a folder to write {path!r} in, got none: make it first.")


def _is_shown(options: Namespace) -> bool:
    return not options.quiet and sys.stderr.isatty()


@contextlib.contextmanager
def _progress(
    options: Namespace, label: str = "sequences", total: int | None = None
) -> Iterator[Any]:
    """Show the number of what is processed on stderr, if that is a terminal."""
    if not _is_shown(options):
        yield lambda n: None
        return
    from rich import progress as bars
    from rich.console import Console

    shown = (bars.SpinnerColumn(), "{task.description}", bars.MofNCompleteColumn())
    times = (bars.TimeElapsedColumn(), bars.TimeRemainingColumn())
    with bars.Progress(*shown, *times, console=Console(stderr=True)) as progress:
        task = progress.add_task(label, total=total)
        yield lambda n: progress.advance(task, n)


def _report(options: Namespace, text: str) -> None:
    if not options.quiet:
        print(f"seqae: {one_line(text)}", file=sys.stderr)
