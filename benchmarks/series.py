"""How well anomalies in long series are found: `python -m benchmarks.series --help`.

Every model is fitted with its defaults on the first part of a series, and scores the rest. Labels
set no threshold and choose no parameter, and points are never adjusted by them.
"""

import argparse
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from . import series_report
from .series_data import WHERE, LongSeries, asd, generated, nab
from .series_metrics import count_events, figures
from .series_models import PYOD, QUICK, SLOW, scores
from .sweep import sweep

RESULTS = Path(__file__).with_name("series.json")
OURS = series_report.OURS
# Each so manieth series with anomalies is given to the slow models, too.
EVERY = 10


def detect(series: LongSeries) -> dict[str, Any]:
    """Fit the detector, and measure what it finds and what it costs."""
    from sklearn_seqae import SlidingWindowDetector

    start = time.perf_counter()
    detector = SlidingWindowDetector().fit(series.train)
    fitted = time.perf_counter()
    found = detector.score_samples(series.test)
    scored = time.perf_counter()
    inlier = detector.predict(series.test) == 1
    table = detector.find_anomalies(series.test)
    events = count_events(series.labels, zip(table["start"], table["end"] + 1, strict=True))
    return {
        **_figures(series, -np.nan_to_num(found)),
        "seconds": fitted - start,
        "score_seconds": scored - fitted,
        "false_alarms": float(np.mean(~inlier[~series.labels])),
        "events": events,
    }


def compare(series: LongSeries, model: Callable, seed: int) -> dict[str, Any]:
    """Fit another model, and measure what its scores are worth."""
    start = time.perf_counter()
    found = scores(model, series.train, series.test, seed)
    return _figures(series, found) | {"seconds": time.perf_counter() - start}


def _figures(series: LongSeries, found: Any) -> dict[str, float]:
    return figures(series.labels, found) if series.labels.any() else {}


def measurements(arguments: argparse.Namespace) -> Iterator[tuple[dict[str, Any], Callable]]:
    """Yield what identifies each measurement, and what makes it."""
    for series, is_slow in _collections(arguments):
        key = {name: getattr(series, name) for name in ("collection", "group", "name")}
        key["size"] = f"{len(series.train)} + {len(series.test)} x {series.test.shape[1]}"
        yield key | {"model": OURS}, lambda s=series: detect(s)
        if not series.labels.any():
            continue
        for name, model in {**QUICK, **PYOD, **(SLOW if is_slow else {})}.items():
            yield key | {"model": name}, lambda s=series, m=model: compare(s, m, 0)


def _collections(arguments: argparse.Namespace) -> Iterator[tuple[LongSeries, bool]]:
    """Yield all series, and whether the slow models get each."""
    collections = [generated()]
    if arguments.nab is not None:
        collections.append(nab(arguments.nab))
    if arguments.asd is not None:
        collections.append(asd(arguments.asd))
    for collection in collections:
        labelled = 0
        for series in collection:
            labelled += series.labels.any()
            yield series, bool(series.labels.any()) and labelled % EVERY == 1


def main() -> None:
    """Measure, keep the results, and report them."""
    parser = argparse.ArgumentParser(
        description=__doc__.splitlines()[0],
        epilog=WHERE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--nab", type=Path, help="folder of the Numenta Anomaly Benchmark")
    parser.add_argument("--asd", type=Path, help="folder of the Application Server Dataset")
    sweep(parser, RESULTS, measurements, series_report.write)


if __name__ == "__main__":
    main()
