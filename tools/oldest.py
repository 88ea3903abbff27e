"""Print pip constraints that hold what users install at the oldest versions that are supported.

They are the lower bounds in pyproject.toml, so that there is no second list to keep: `make oldest`
installs by them and runs the tests. What the tests themselves need is not held.
"""

import re
import tomllib
from pathlib import Path

PROJECT = tomllib.loads((Path(__file__).parents[1] / "pyproject.toml").read_text(encoding="utf-8"))[
    "project"
]
# What an installation may have beside the required; JAX and PyTorch have a run of their own.
EXTRAS = ["plot", "pandas", "polars", "arrow", "awkward", "onnx"]


def constraints() -> list[str]:
    """Return a constraint for each requirement that has a lower bound."""
    requirements = list(PROJECT["dependencies"])
    for extra in EXTRAS:
        requirements += PROJECT["optional-dependencies"][extra]
    found = (re.fullmatch(r"([\w-]+)>=([\d.]+)(,.*)?", one) for one in requirements)
    return sorted({f"{one[1]}=={one[2]}.*" for one in found if one})


if __name__ == "__main__":
    print("\n".join(constraints()))
