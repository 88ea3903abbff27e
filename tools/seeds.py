"""What the claims of the examples come to with other seeds, and with other kernels of OpenBLAS.

python tools/seeds.py                        all examples; an hour
python tools/seeds.py heartbeats digits      these, anew; the others stay in the table
"""

import argparse
import ast
import contextlib
import json
import os
import subprocess
import sys
import warnings
from pathlib import Path

ROOT = Path(__file__).parents[1]
EXAMPLES = sorted((ROOT / "examples").glob("*.py"))
RESULTS = ROOT / "tools/seeds.json"
PAGE = ROOT / "docs/seeds.md"
SEEDS = (0, 1, 2, 3, 4)
# Kernels of OpenBLAS, and the seeds that are run with them. Haswell's are those of processors with
# AVX2 alone; without a name they are those that suit the processor.
COLUMNS = {"": SEEDS, "Haswell": (0,)}
ORDER = {ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">="}
INTRODUCTION = """# What the examples claim, for other seeds

Every [example](gallery/index) asserts its claims. `make seeds` wrote this page: each example was
run with its seeds increased by 0 to 4 (those of weights, splits and generated data), and once more
with the seeds of the gallery and OpenBLAS' kernels for processors with AVX2 only (Haswell), which
round differently. For a comparison of two figures the table has their difference, positive if the
claim holds. Claims that do not hold are bold, and warnings are named.
"""


class Reseeded(ast.NodeTransformer):
    """Moves the seeds of an example, and has its assertions recorded in place of raised."""

    def __init__(self, shift: int) -> None:
        self.shift = shift

    def visit_Call(self, node: ast.Call) -> ast.Call:
        """Move `random_state=0`, `default_rng(0)` and `set_random_seed(0)`."""
        self.generic_visit(node)
        seeds = [keyword.value for keyword in node.keywords if keyword.arg == "random_state"]
        if ast.unparse(node.func).rpartition(".")[2] in ("default_rng", "set_random_seed"):
            seeds += node.args
        for seed in seeds:
            if isinstance(seed, ast.Constant):
                seed.value += self.shift
        return node

    def visit_Assert(self, node: ast.Assert) -> ast.Expr:
        """Record each link of a comparison, or whether the condition holds."""
        test = node.test
        operands = [test]
        if isinstance(test, ast.Compare) and all(type(op) in ORDER for op in test.ops):
            operands = [test.left, *test.comparators]
        arguments = [ast.Constant(tuple(claims_of(test))), ast.List(operands, ast.Load())]
        return ast.Expr(ast.Call(ast.Name("record_claims", ast.Load()), arguments, []))


def claims_of(test: ast.expr) -> list[str]:
    """Return what an assertion claims: one text for each link of a comparison."""
    if not (isinstance(test, ast.Compare) and all(type(op) in ORDER for op in test.ops)):
        return [ast.unparse(test)]
    sides = [ast.unparse(side) for side in [test.left, *test.comparators]]
    return [f"{sides[i]} {ORDER[type(op)]} {sides[i + 1]}" for i, op in enumerate(test.ops)]


def claims(example: Path) -> list[str]:
    """Return all claims of an example, in their order."""
    tree = ast.parse(example.read_text(encoding="utf-8"))
    return [
        text
        for node in ast.walk(tree)
        if isinstance(node, ast.Assert)
        for text in claims_of(node.test)
    ]


def run(example: Path, seed: int) -> dict[str, list]:
    """Return the two sides of each claim (of others, whether it holds), and the warnings."""
    import matplotlib as mpl
    import matplotlib.pyplot as plt

    mpl.use("agg")
    plt.show = lambda: None
    found: dict[str, list] = {}

    def record_claims(texts: tuple[str, ...], values: list) -> None:
        if len(values) == 1:
            found[texts[0]] = [bool(values[0])]
        else:
            found.update(
                {text: [float(v) for v in values[i : i + 2]] for i, text in enumerate(texts)}
            )

    tree = Reseeded(seed).visit(ast.parse(example.read_text(encoding="utf-8")))
    code = compile(ast.fix_missing_locations(tree), str(example), "exec")
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        warnings.filterwarnings("ignore", message="__array__ implementation doesn't accept a copy")
        exec(
            code, {"__name__": "__main__", "__file__": str(example), "record_claims": record_claims}
        )
    plt.close("all")
    found["warnings"] = sorted({warning.category.__name__ for warning in caught})
    return found


def measure(example: Path) -> dict[str, dict[str, list]]:
    """Return what `run` does for every column, from processes of their own."""
    found = {}
    for kernels, seeds in COLUMNS.items():
        environment = os.environ | ({"OPENBLAS_CORETYPE": kernels} if kernels else {})
        command = [sys.executable, __file__, "--here", example.stem, "--seeds", *map(str, seeds)]
        finished = subprocess.run(command, env=environment, stdout=subprocess.PIPE, check=True)
        for seed, runs in zip(seeds, json.loads(finished.stdout), strict=True):
            found[f"{seed}, {kernels}".rstrip(", ")] = runs
    return found


def write_page(results: dict[str, dict[str, dict[str, list]]]) -> None:
    """Write the table of all claims."""
    lines = [INTRODUCTION]
    for name, columns in results.items():
        lines += [f"## {name}", "", f"| claim | {' | '.join(columns)} |"]
        lines.append("| --- |" + " --- |" * len(columns))
        for claim in [claim for claim in columns["0"] if claim != "warnings"]:
            cells = [figure(claim, found[claim]) for found in columns.values()]
            lines.append(f"| `{claim}` | {' | '.join(cells)} |")
        for column, found in columns.items():
            if found["warnings"]:
                lines += ["", f"**Seed {column}: {', '.join(found['warnings'])}.**"]
        lines.append("")
    PAGE.write_text("\n".join(lines).rstrip() + "\n", encoding="utf-8")


def figure(claim: str, sides: list) -> str:
    """Return what a claim came to, as text."""
    if len(sides) == 1:
        return "holds" if sides[0] else "**fails**"
    test = ast.parse(claim, mode="eval").body
    assert isinstance(test, ast.Compare)
    left, right = sides
    ahead = left - right if isinstance(test.ops[0], (ast.Gt, ast.GtE)) else right - left
    if is_number(test.comparators[0]):
        text = f"{left:.3g}"
    elif is_number(test.left):
        text = f"{right:.3g}"
    else:
        text = f"{ahead:+.2g}"
    holds = ahead > 0 or (ahead == 0 and isinstance(test.ops[0], (ast.LtE, ast.GtE)))
    return text if holds else f"**{text}**"


def is_number(node: ast.expr) -> bool:
    """Return whether this is a number as it is written."""
    try:
        ast.literal_eval(node)
    except ValueError:
        return False
    return True


def main() -> None:
    """Measure the examples that are named, or all, and write the page."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("examples", nargs="*", default=[path.stem for path in EXAMPLES])
    parser.add_argument("--here", action="store_true", help="in this process, as JSON")
    parser.add_argument("--seeds", nargs="+", type=int, help="with --here")
    arguments = parser.parse_args()
    if arguments.here:
        (name,) = arguments.examples
        with contextlib.redirect_stdout(sys.stderr):
            runs = [run(ROOT / f"examples/{name}.py", seed) for seed in arguments.seeds]
        json.dump(runs, sys.stdout)
        return
    for name in arguments.examples:
        found = measure(ROOT / f"examples/{name}.py")
        known = json.loads(RESULTS.read_text(encoding="utf-8")) if RESULTS.exists() else {}
        results = dict(sorted((known | {name: found}).items()))
        RESULTS.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
        write_page(results)
        print(name, "measured", flush=True)


if __name__ == "__main__":
    main()
