"""Measures everything, alternating between contenders: `python -m benchmarks.run --help`."""

import argparse
import datetime as dt
import itertools
import json
import os
import platform
import subprocess
import sys
import time
from importlib import metadata
from pathlib import Path
from typing import Any

import joblib

from . import report
from .contenders import CONTENDERS
from .workloads import WORKLOADS

RESULTS = Path(__file__).with_name("results.json")
PACKAGES = (
    "tensorflow",
    "keras",
    "jax",
    "torch",
    "numpy",
    "scikit-learn",
    "onnxruntime",
    "aeon",
    "sequitur",
)
TIMEOUT = 1800
N_FITS = 100  # to see memory grow


def main() -> None:
    """Measure, keep the results, and report them."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--workloads", nargs="+", choices=WORKLOADS, default=list(WORKLOADS))
    parser.add_argument("--contenders", nargs="+", choices=CONTENDERS, default=list(CONTENDERS))
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--quick", action="store_true", help="tiny data: does everything run?")
    parser.add_argument("--no-extras", action="store_true", help="leave memory, search and growth")
    parser.add_argument("--results", type=Path, default=RESULTS)
    parser.add_argument("--report", action="store_true", help="only write the page again")
    arguments = parser.parse_args()
    if not arguments.report:
        measure(arguments)
    results = json.loads(arguments.results.read_text(encoding="utf-8"))
    print(report.table(results))
    if arguments.results == RESULTS:
        report.write(results)


def measure(arguments: argparse.Namespace) -> None:
    """Run every measurement in a fresh process, round by round; after each, keep all so far."""
    results: dict[str, Any] = {"machine": machine(), "runs": [], "peak": []}
    start = time.perf_counter()

    def keep() -> None:
        results["machine"]["minutes"] = (time.perf_counter() - start) / 60
        arguments.results.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")

    for repeat in range(arguments.repeats):
        results["peak"].append(_fresh("peak"))
        for name, label in itertools.product(arguments.workloads, arguments.contenders):
            contender = CONTENDERS[label]
            enough = contender.max_repeats is not None and repeat >= contender.max_repeats
            if enough or not contender.applies(contender, WORKLOADS[name]):
                continue
            run = _fresh("compare", name, label, repeat, arguments.quick)
            results["runs"].append({"workload": name, "contender": label, "repeat": repeat} | run)
            keep()
    if not arguments.no_extras:
        results["memory"] = {
            label: _fresh("memory", label, 3 if arguments.quick else N_FITS)
            for label in ("tutorial", "sklearn_seqae")
        }
        results["search"] = _fresh("search")
        results["grid"] = _fresh("grid")
        results["growth"] = {
            label: _fresh("growth", label) for label in ("tutorial", "sklearn_seqae")
        }
    keep()


def machine() -> dict[str, Any]:
    """Return what the figures depend on."""
    return {
        "date": dt.datetime.now(dt.UTC).date().isoformat(),
        "cpu": _cpu(),
        "cores": joblib.cpu_count(),
        "python": platform.python_version(),
        "versions": {name: _version(name) for name in PACKAGES},
    }


def _cpu() -> str:
    info = Path("/proc/cpuinfo")
    lines = info.read_text(encoding="utf-8").splitlines() if info.exists() else []
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


def _version(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def _fresh(kind: str, *words: Any) -> dict[str, Any]:
    """Measure in a process that has done nothing else."""
    load = os.getloadavg()[0]
    command = [sys.executable, "-m", "benchmarks.measure", kind, *map(str, words)]
    environment = os.environ | {
        "TF_CPP_MIN_LOG_LEVEL": "3",
        "KERAS_BACKEND": "tensorflow",
    }
    done = subprocess.run(
        command,
        cwd=Path(__file__).parents[1],
        env=environment,
        capture_output=True,
        text=True,
        timeout=TIMEOUT,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)} failed:\n{done.stderr[-4000:]}")
    result = json.loads(done.stdout.splitlines()[-1])
    shown = {key: round(value, 3) for key, value in result.items() if isinstance(value, float)}
    print(kind, *words, shown, flush=True)
    return result | {"load_before": load}


if __name__ == "__main__":
    main()
