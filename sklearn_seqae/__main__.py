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
Data are files, or "-" for a stream, in one of three formats, given by the suffix or --format:

  csv      one row per step, rows of a sequence consecutive; columns for the id of the sequence,
           for time stamps (numbers or ISO dates; optional) and for the channels; optionally
           compressed as .csv.gz, .bz2, .xz, .zst or .zip
  parquet  the same, or one row per sequence and one list column per channel
  npz      a padded array X (n_sequences, n_steps, n_channels); or values (n_steps, n_channels) of
           all sequences and offsets (n_sequences + 1); and optionally ids

A folder of Parquet files, or a pattern such as 'data/*.parquet', is read part by part by fit, and
transform writes one file of codes for each of them to the output folder; both go on where they
were interrupted (fit with --checkpoint).

A model stores the names of the columns that it was fitted on. Results have the format of the data,
or that of the output's suffix. Rows are read, processed and written in chunks, except by fit,
forecast and for npz, which need all of them in memory. CSV and Parquet need
pip install "sklearn-seqae[cli]".
"""
EPILOG = """\
exit codes: 0 success, 1 error (one line on stderr), 2 invalid command line, 130 interrupted,
            141 output closed by its reader

  seqae fit visits.csv visits.zip --id patient --time day -p n_components=32 -p random_state=0
  seqae transform visits.zip new_visits.csv -o codes.csv
  seqae inverse visits.zip codes.csv -o drawn.csv
  seqae detect --window-size 100 series.csv
  seqae fit --window-size 96 --horizon 24 series.csv load.zip
  seqae forecast load.zip series.csv -o next.csv
  seqae fit 'visits/*.parquet' visits.zip --id patient --checkpoint epochs
  seqae transform visits.zip 'visits/*.parquet' -o codes --workers 2
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command.

    Parameters
    ----------
    arguments : sequence of str, default=None
        Arguments of the command line; if None, those of this process.

    Returns
    -------
    int
        The exit code.
    """
    given = sys.argv[1:] if arguments is None else list(arguments)
    options = _parser(given).parse_args(given)
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
        except BrokenPipeError:  # the reader of the output, such as `head`, has closed it
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return 141
        except Exception as error:  # any error of a library; --debug shows its traceback
            if options.debug:
                raise
            print(f"seqae: error: {one_line(error) or type(error).__name__}", file=sys.stderr)
            return 1
    return 0


def _parser(arguments: Sequence[str]) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="seqae",
        description="Encode sequences of any length as vectors of fixed size, and decode them.",
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
        command.add_argument("--quiet", action="store_true", help="print errors only")
        command.add_argument("--debug", action="store_true", help="show where an error comes from")
        return command

    command = add("fit", "fit a model to sequences, and write it to a file")
    _add_data(command)
    command.add_argument("model", metavar="MODEL", help="file to write, such as model.zip")
    command.add_argument("--detector", action="store_true", help="fit an outlier detector")
    command.add_argument(
        "--categorical",
        type=_names,
        default=(),
        metavar="A,B",
        help="categorical channels whose values look like numbers",
    )
    command.add_argument(
        "--horizon",
        type=int,
        metavar="N",
        help="learn to forecast N steps; with --window-size, the time stamps after a long series",
    )
    command.add_argument(
        "--checkpoint",
        metavar="FOLDER",
        help="folder to write each epoch to; an interrupted fit goes on from there",
    )
    _add_windows(command, "fit a detector, or with --horizon an autoencoder, to the series in DATA")
    for name, summary in (
        ("transform", "encode sequences"),
        ("inverse", "decode sequences from codes"),
        ("forecast", "write the steps after the end of sequences, or of a long series"),
        ("score", "write scores of sequences: the lower, the more abnormal"),
        ("detect", "predict which sequences, or time stamps of a long series, are outliers"),
    ):
        command = add(name, summary)
        # To the series itself: there is no model. argparse has no positional that depends on this.
        if name != "detect" or not any(one.startswith("--window-size") for one in arguments):
            _add_model(command)
        _add_data(command, columns=name != "inverse")
        command.add_argument(
            "-o", "--output", default="-", metavar="FILE", help='file to write (default: "-")'
        )
        command.add_argument(
            "--output-format", choices=("csv", "parquet", "npz"), help="format of the output"
        )
        if name == "transform":
            command.add_argument(
                "--workers",
                type=int,
                metavar="N",
                help="encode Parquet files in N processes, each file to one in the output folder",
            )
        elif name == "inverse":
            command.add_argument("--lengths", metavar="A", help="column with lengths of sequences")
        elif name == "forecast":
            command.add_argument(
                "--steps", type=int, metavar="N", help="steps to forecast (default: those of fit)"
            )
        elif name == "score":
            command.add_argument(
                "--per",
                choices=("sequence", "step", "channel"),
                default="sequence",
                help="step and channel: mean squared errors (default: sequence)",
            )
        elif name == "detect":
            command.add_argument(
                "--explain", action="store_true", help="attribute scores to steps and channels"
            )
            _add_windows(command, "without MODEL: fit a detector to the long series in DATA itself")
    command = add("info", "print a summary of a model without loading it")
    command.add_argument("model", metavar="MODEL", help="file that fit wrote")
    command.add_argument("--json", action="store_true", help="print JSON")
    command = add("export", "write the encoder as ONNX, to run without TensorFlow")
    _add_model(command)
    command.add_argument("output", metavar="FILE", help="file to write, such as encoder.onnx")
    return parser


def _add_windows(command: argparse.ArgumentParser, summary: str) -> None:
    command.add_argument(
        "--window-size",
        type=int,
        metavar="N",
        help=f"{summary}, with a row per time stamp, by windows of N; --id if there are several",
    )
    command.add_argument(
        "-p",
        "--param",
        action=_Parameter,
        default={},
        metavar="NAME=VALUE",
        help="a parameter of the estimator, such as n_components=32; may be repeated",
    )


def _add_model(command: argparse.ArgumentParser) -> None:
    command.add_argument("model", metavar="MODEL", help="file that fit wrote")
    command.add_argument(
        "--trust",
        action="append",
        default=[],
        metavar="MODULE:NAME",
        help="a function or class that the model may import",
    )


def _add_data(command: argparse.ArgumentParser, columns: bool = True) -> None:
    command.add_argument("data", metavar="DATA", help='file to read; "-" is a stream')
    command.add_argument("--format", choices=("csv", "parquet", "npz"), help="format of DATA")
    command.add_argument(
        "--delimiter",
        type=_delimiter,
        default=",",
        metavar="C",
        help='delimiter of CSV, read or written; "tab" is a tab (default: ",")',
    )
    if columns:
        command.add_argument("--id", metavar="A", help="column with ids of sequences")
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
    """Collects NAME=VALUE; values are parsed as Python literals if possible, otherwise text."""

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
