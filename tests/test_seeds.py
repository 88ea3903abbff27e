"""The table of what the examples claim for other seeds; `make seeds` measures."""

import importlib.util
import json
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).parents[1]
EXAMPLE = """
import warnings
import numpy as np

x = np.random.default_rng(0).normal()
warnings.warn("that is little", RuntimeWarning)
# sphinx_gallery_start_ignore
assert 0.5 < 1 <= 2
assert [3, 4] == [3]
assert x > 100
# sphinx_gallery_end_ignore
"""


@pytest.fixture(scope="module")
def seeds():
    """The tool as a module."""
    spec = importlib.util.spec_from_file_location("seeds", ROOT / "tools/seeds.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_an_example_runs_with_another_seed_and_its_claims_are_noted(seeds, tmp_path):
    path = tmp_path / "example.py"
    path.write_text(EXAMPLE)
    found = seeds.run(path, 3)
    assert found == {
        "0.5 < 1": [0.5, 1.0],
        "1 <= 2": [1.0, 2.0],
        "[3, 4] == [3]": [False],
        "x > 100": [np.random.default_rng(3).normal(), 100.0],
        "warnings": ["RuntimeWarning"],
    }
    assert list(found)[:-1] == seeds.claims(path)


def test_what_does_not_hold_is_bold(seeds):
    assert seeds.figure("a > 0.9", [0.95, 0.9]) == "0.95"
    assert seeds.figure("a > 0.9", [0.85, 0.9]) == "**0.85**"
    assert seeds.figure("0.1 < a", [0.1, 0.25]) == "0.25"
    assert seeds.figure("a < b", [1.0, 3.0]) == "+2"
    assert seeds.figure("a <= b", [3.0, 3.0]) == "+0"
    assert seeds.figure("a < b", [3.0, 3.0]) == "**+0**"
    assert seeds.figure("a == b", [True]) == "holds"
    assert seeds.figure("a == b", [False]) == "**fails**"


def test_the_table_has_the_claims_that_its_examples_make_now(seeds):
    results = json.loads(seeds.RESULTS.read_text(encoding="utf-8"))
    page = seeds.PAGE.read_text(encoding="utf-8")
    assert list(results) == [path.stem for path in seeds.EXAMPLES]
    for name, columns in results.items():
        known = seeds.claims(ROOT / f"examples/{name}.py")
        for found in columns.values():
            assert [claim for claim in found if claim != "warnings"] == known
        assert all(f"| `{claim}` |" in page for claim in known)


def test_every_claim_holds_for_every_seed(seeds):
    page = seeds.PAGE.read_text(encoding="utf-8")
    assert "**" not in page
