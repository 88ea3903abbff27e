"""Measuring one thing after another, so that an interrupted sweep goes on where it stopped."""

import argparse
import datetime as dt
import json
import warnings
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

Measurement = tuple[dict[str, Any], Callable[[], dict[str, Any]]]


def sweep(
    parser: argparse.ArgumentParser,
    known: Path,
    measurements: Callable[[argparse.Namespace], Iterable[Measurement]],
    write: Callable[[dict[str, Any]], None],
) -> None:
    """Measure what is not measured yet, keep the results, and report them.

    Parameters
    ----------
    parser : argparse.ArgumentParser
        Has the arguments of the script's own; those of every sweep are added.
    known : Path
        The file of results; others, by --results, are not reported.
    measurements : callable
        Gives, for the arguments, what is measured: a key that tells it from others, and a function
        that returns its figures.
    write : callable
        Writes the page of all results.
    """
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2])
    parser.add_argument("--results", type=Path, default=known)
    parser.add_argument("--afresh", action="store_true", help="measure again what was measured")
    parser.add_argument("--report", action="store_true", help="only write the page again")
    arguments = parser.parse_args()
    results: dict[str, Any] = {"runs": []}
    if arguments.results.exists() and not arguments.afresh:
        results = json.loads(arguments.results.read_text(encoding="utf-8"))
    if not arguments.report:
        results["date"] = dt.datetime.now(dt.UTC).date().isoformat()
        for key, measure in measurements(arguments):
            if any(key.items() <= run.items() for run in results["runs"]):
                continue
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                figures = measure()
            results["runs"].append(key | figures)
            shown = {k: round(v, 3) for k, v in figures.items() if isinstance(v, float)}
            print(*key.values(), shown, flush=True)
            text = json.dumps(results, indent=1) + "\n"
            arguments.results.write_text(text, encoding="utf-8")
    if arguments.results == known:
        write(results)
