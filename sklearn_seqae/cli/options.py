"""What the options of a command stand for: its model, files and columns, and what it prints."""

from __future__ import annotations

import contextlib
import sys
from argparse import Namespace
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sklearn_seqae._utils.printing import one_line
from sklearn_seqae.containers.pandas_frames import LongFrame
from sklearn_seqae.estimators.load import load

from .series import is_series_model
from .table_files import STREAM, File
from .tables import Columns


def load_model(options: Namespace, method: str) -> Any:
    """Return the model of a command, or raise if it lacks a method."""
    model = load(options.model, trusted=options.trust)
    if not hasattr(model, method):
        without = "--window-size" if is_series_model(model) else "--detector"
        remedies = {"predict": "with --detector", "forecast": "with --horizon"}
        raise ValueError(
            f"Expected a model that has {method}, got a {type(model).__name__} in "
            f"{options.model!r}: fit one {remedies.get(method, f'without {without}')}."
        )
    return model


def set_parameters(model: Any, options: Namespace) -> Any:
    """Return a new model with the parameters and the checkpoint of `fit`."""
    names = model.get_params()
    if unknown := [name for name in options.param if name not in names]:
        raise ValueError(
            f"Expected parameters of {type(model).__name__}, got {unknown[0]!r}: give some of "
            f"{', '.join(names)}."
        )
    model.set_params(**options.param)
    if options.checkpoint is not None:
        model.set_params(checkpoint=options.checkpoint)
    return model


def data_file(options: Namespace) -> File:
    """Return the file to read."""
    return File.of(options.data, options.format, options.delimiter)


def output_file(options: Namespace, form: str) -> File:
    """Return the file to write, in the format of its suffix, or else of the input."""
    if options.output != STREAM:
        check_folder(options.output)
    known = options.output_format or (form if options.output == STREAM else None)
    return File.of(options.output, known, options.delimiter)


def check_folder(path: str) -> None:
    """Raise early if a folder does not exist."""
    if path != STREAM and not Path(path).absolute().parent.is_dir():
        raise FileNotFoundError(f"Expected a folder to write {path!r} in, got none: make it first.")


def columns_of(options: Namespace, model: Any) -> Columns:
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


def name_of_ids(model: Any) -> str:
    """Return the name of the column of ids."""
    form = model._form
    named = form.id_name if isinstance(form, LongFrame) else None
    return str(named or "id")


def channels_of(model: Any) -> list[str]:
    """Return the names of a model's channels."""
    names = model._form.channel_names
    return [f"channel{j}" for j in range(model.n_channels_in_)] if names is None else list(names)


def is_shown(options: Namespace) -> bool:
    """Return whether progress is shown."""
    return not options.quiet and sys.stderr.isatty()


@contextlib.contextmanager
def progress(
    options: Namespace, label: str = "sequences", total: int | None = None
) -> Iterator[Any]:
    """Show the number of what is processed on stderr, if that is a terminal."""
    if not is_shown(options):
        yield lambda n: None
        return
    from rich import progress as bars
    from rich.console import Console

    shown = (bars.SpinnerColumn(), "{task.description}", bars.MofNCompleteColumn())
    times = (bars.TimeElapsedColumn(), bars.TimeRemainingColumn())
    with bars.Progress(*shown, *times, console=Console(stderr=True)) as bar:
        task = bar.add_task(label, total=total)
        yield lambda n: bar.advance(task, n)


def report(options: Namespace, text: str) -> None:
    """Print a line on stderr, unless the command is quiet."""
    if not options.quiet:
        print(f"seqae: {one_line(text)}", file=sys.stderr)
