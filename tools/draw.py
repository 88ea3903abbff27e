"""Run an example as the documentation does, and keep its pictures.

python tools/draw.py examples/demo.py build/demo
"""

import runpy
import sys
from pathlib import Path

import matplotlib as mpl
import matplotlib.pyplot as plt

STYLE = Path(__file__).parents[1] / "docs/pictures.mplstyle"


def draw(example: Path, folder: Path) -> list[Path]:
    """Run an example and write its figures, each under its name, as PNG files."""
    mpl.use("agg")
    plt.style.use(STYLE)
    plt.show = lambda: None  # there are no windows
    sys.argv = [str(example)]
    runpy.run_path(str(example), run_name="__main__")
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for number, name in zip(plt.get_fignums(), plt.get_figlabels(), strict=True):
        paths.append(folder / f"{name or f'{example.stem}_{number}'}.png")
        plt.figure(number).savefig(paths[-1], dpi=120)
    return paths


if __name__ == "__main__":
    paths = draw(Path(sys.argv[1]), Path(sys.argv[2]))
    print("pictures:", *paths)
