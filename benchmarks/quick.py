"""Measures in three minutes, and says what got slower since the figures that are published."""

import argparse
import json
import tempfile
from pathlib import Path
from typing import Any

from . import run
from .report import Figures

WORKLOADS = ["ragged", "small"]
CONTENDERS = ["defaults", "sklearn_seqae"]
COMPARED = {
    "fit_cold": "cold fit, s",
    "fit_warm": "warm fit, s",
    "encode_steps_per_s": "encoding, steps/s",
    "latency_ms": "one sequence, ms",
}
SLOWER = 1.2


def main() -> None:
    """Measure, and print the comparison."""
    with tempfile.TemporaryDirectory() as folder:
        results = Path(folder) / "results.json"
        run.measure(
            argparse.Namespace(
                workloads=WORKLOADS,
                contenders=CONTENDERS,
                repeats=1,
                quick=False,
                no_extras=True,
                results=results,
            )
        )
        now = json.loads(results.read_text(encoding="utf-8"))
    published = json.loads(run.RESULTS.read_text(encoding="utf-8"))
    print("\n".join(compare(now, published)))


def compare(now: dict[str, Any], published: dict[str, Any]) -> list[str]:
    """Return a line for each figure that got slower by more than a fifth, or that none did."""
    here, there = (results["machine"]["cpu"] for results in (now, published))
    if here != there:
        return [f"Nothing to compare with: the published figures are of {there}, these of {here}."]
    new, old = Figures(now), Figures(published)
    lines = []
    for workload in new.workloads:
        for label in set(new.contenders(workload)) & set(old.contenders(workload)):
            for measure, heading in COMPARED.items():
                found, before = (x.median(workload, label, measure) for x in (new, old))
                assert found is not None
                assert before is not None
                times = before / found if measure == "encode_steps_per_s" else found / before
                if times > SLOWER:
                    lines.append(
                        f"{workload}, {label}, {heading}: {found:.3g}, published "
                        f"{before:.3g}, {times:.2f} times as slow"
                    )
    load = max(one["load_before"] for one in now["runs"])
    lines.sort()
    lines = lines or [f"Nothing got slower by more than {SLOWER - 1:.0%}."]
    return [*lines, f"Load before a measurement: at most {load:.1f}."]


if __name__ == "__main__":
    main()
