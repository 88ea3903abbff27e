"""The command line: `seqae`, or `python -m sklearn_seqae`."""

from __future__ import annotations

import argparse
import ast
import os
import sys
import warnings
from collections.abc import Sequence
from importlib.metadata import version
from typing import Any

from ._utils.printing import one_line

DATA = """\
Data are files, or "-" for a stream, in one of three formats, told by the suffix or by --format:

  csv      one row a step, the rows of a sequence under each other; columns for the id of the
           sequence, for time stamps (numbers or ISO dates; optional) and for the channels;
           packed as .csv.gz, .bz2, .xz, .zst or .zip, or not
  parquet  the same, or one row a sequence and a list column for each channel
  npz      a padded array X (n_sequences, n_steps, n_channels); or values (n_steps, n_channels) of
           all sequences and offsets (n_sequences + 1); and ids, if there are any

A model knows the names of the columns that it was fitted on. Results have the format of the data,
or that of the output's name. Rows are read, worked on and written in pieces, but for fit and npz,
which hold all of them. CSV and Parquet need pip install "sklearn-seqae[cli]".
"""
EPILOG = """\
exit codes: 0 done, 1 an error that one line tells, 2 a wrong command line, 130 interrupted,
            141 nobody reads the output any more

  seqae fit visits.csv visits.zip --id patient --time day -p n_components=32 -p random_state=0
  seqae transform visits.zip new_visits.csv -o codes.csv
  seqae inverse visits.zip codes.csv -o drawn.csv
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command.

    Parameters
    ----------
    arguments : sequence of str, default=None
        Those of the command line; None: of this process.

    Returns
    -------
    int
        The exit code.
    """
    options = _parser().parse_args(arguments)
    # Late, since scikit-learn takes seconds to import and --help should not.
    from sklearn_seqae.cli import commands

    with warnings.catch_warnings():
        if options.quiet:
            warnings.simplefilter("ignore")
        warnings.showwarning = lambda message, *_, **__: print(
            f"seqae: warning: {one_line(message)}", file=sys.stderr
        )
        try:
            getattr(commands, options.command)(options)
        except KeyboardInterrupt:
            print("seqae: interrupted", file=sys.stderr)
            return 130
        except BrokenPipeError:  # who reads has seen enough, as `head` has
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return 141
        except Exception as error:  # whatever a library raises, which --debug shows in full
            if options.debug:
                raise
            print(f"seqae: error: {one_line(error) or type(error).__name__}", file=sys.stderr)
            return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="seqae",
        description="Sequences of any length to vectors of one size, and back.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action=_Version, nargs=0, help="print the version")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    def add(name: str, summary: str) -> argparse.ArgumentParser:
        command = commands.add_parser(
            name,
            help=summary,
            description=summary[0].upper() + summary[1:] + ".",
            epilog=DATA,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        command.add_argument("--quiet", action="store_true", help="tell errors only")
        command.add_argument("--debug", action="store_true", help="show where an error comes from")
        return command

    command = add("fit", "train on sequences, and write the model to a file")
    _add_data(command)
    command.add_argument("model", metavar="MODEL", help="file to write, such as model.zip")
    command.add_argument("--detector", action="store_true", help="train an outlier detector")
    command.add_argument(
        "--symbols",
        type=_names,
        default=(),
        metavar="A,B",
        help="channels that hold symbols though they look like numbers",
    )
    command.add_argument(
        "-p",
        "--param",
        action=_Parameter,
        default={},
        metavar="NAME=VALUE",
        help="a parameter of the estimator, such as n_components=32; again for others",
    )
    for name, summary in (
        ("transform", "write the codes of sequences"),
        ("inverse", "write the sequences that codes stand for"),
        ("score", "write how well sequences come back: the higher, the more like training data"),
        ("detect", "write which sequences are outliers"),
    ):
        command = add(name, summary)
        _add_model(command)
        _add_data(command, columns=name != "inverse")
        command.add_argument(
            "-o", "--output", default="-", metavar="FILE", help='file to write (default: "-")'
        )
        command.add_argument(
            "--output-format", choices=("csv", "parquet", "npz"), help="format of the output"
        )
        if name == "inverse":
            command.add_argument("--lengths", metavar="A", help="column with numbers of steps")
        elif name == "score":
            command.add_argument(
                "--per",
                choices=("sequence", "step", "channel"),
                default="sequence",
                help="step and channel: mean squared errors (default: sequence)",
            )
        elif name == "detect":
            command.add_argument(
                "--explain", action="store_true", help="which steps and channels are to blame"
            )
    command = add("info", "print what a model is; nothing of it is loaded")
    command.add_argument("model", metavar="MODEL", help="file that fit wrote")
    command.add_argument("--json", action="store_true", help="print JSON")
    command = add("export", "write the encoder as ONNX, to run without TensorFlow")
    _add_model(command)
    command.add_argument("output", metavar="FILE", help="file to write, such as encoder.onnx")
    return parser


def _add_model(command: argparse.ArgumentParser) -> None:
    command.add_argument("model", metavar="MODEL", help="file that fit wrote")
    command.add_argument(
        "--trust",
        action="append",
        default=[],
        metavar="MODULE:NAME",
        help="a function or class of others that the model may import",
    )


def _add_data(command: argparse.ArgumentParser, columns: bool = True) -> None:
    command.add_argument("data", metavar="DATA", help='file to read; "-" is a stream')
    command.add_argument("--format", choices=("csv", "parquet", "npz"), help="format of DATA")
    command.add_argument(
        "--delimiter",
        type=_delimiter,
        default=",",
        metavar="C",
        help='what stands between columns of CSV, read or written; "tab" is a tab (default: ",")',
    )
    if columns:
        command.add_argument("--id", metavar="A", help="column that names the sequence of a row")
        command.add_argument("--time", metavar="A", help="column of time stamps")
        command.add_argument(
            "--channels", type=_names, metavar="A,B", help="columns of values (default: all others)"
        )


def _names(text: str) -> tuple[str, ...]:
    return tuple(text.split(","))


def _delimiter(text: str) -> str:
    delimiter = {"tab": "\t", "\\t": "\t"}.get(text, text)
    if len(delimiter) != 1 or delimiter in '"\r\n' or not delimiter.isascii():
        raise argparse.ArgumentTypeError(f"expected one character, or 'tab', got {text!r}")
    return delimiter


class _Parameter(argparse.Action):
    """Collects NAME=VALUE; a value is a literal of Python if it can be read as one, else text."""

    def __call__(self, parser: Any, namespace: Any, values: Any, option: Any = None) -> None:
        name, equals, text = str(values).partition("=")
        if not equals or not name.isidentifier():
            parser.error(f"argument {option}: expected NAME=VALUE, got {values!r}")
        try:
            value = ast.literal_eval(text)
        except (SyntaxError, ValueError):
            value = text
        setattr(namespace, self.dest, getattr(namespace, self.dest) | {name: value})


class _Version(argparse.Action):
    def __call__(self, parser: Any, namespace: Any, values: Any, option: Any = None) -> None:
        print(f"seqae {version('sklearn-seqae')}")
        parser.exit()


if __name__ == "__main__":
    sys.exit(main())
