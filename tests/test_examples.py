"""The examples have one shape, and the short ones run; that they learn is seen to by `make docs`.

A block that the gallery hides holds what an example says of itself: if that is not so, the site is
not built. Here examples run without these blocks and with little training.
"""

import ast
import re
from pathlib import Path

import matplotlib as mpl
import matplotlib.pyplot as plt
import pytest

ROOT = Path(__file__).parents[1]
EXAMPLES = sorted((ROOT / "examples").glob("*.py"))
# What this project grew from: one short use of the estimator each.
SEEDS = (
    "moving_ones",
    "reshape",
    "dense",
    "stacked",
    "own_models",
    "next_element",
    "float_series",
)
WIDTH = 79  # of a column of code on the site, in characters
MOST_LINES = 32  # of code, without those that draw and import
CHECKS = re.compile(r"# sphinx_gallery_start_ignore\n(.*?)# sphinx_gallery_end_ignore\n", re.DOTALL)


def read(path):
    return path.read_text(encoding="utf-8")


def prose(path):
    """Return the docstring of an example."""
    return ast.get_docstring(ast.parse(read(path)))


by_name = pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)


@by_name
def test_an_example_begins_with_a_title_and_asks_a_question(path):
    title, underline, *rest = prose(path).splitlines()
    assert set(underline) == {"="}
    assert len(underline) == len(title)
    assert "?" in " ".join([title, *rest])


@by_name
def test_an_example_has_a_numbered_plan(path):
    numbers = re.findall(r"^# (\d)\. .*\n# -+$", read(path), flags=re.MULTILINE)
    assert numbers == [str(i) for i in range(1, len(numbers) + 1)]
    assert len(numbers) >= 2
    planned = re.findall(r"^(\d)\. ", prose(path), flags=re.MULTILINE)
    assert planned in ([], numbers)


@by_name
def test_an_example_ends_in_a_picture(path):
    shown = CHECKS.sub("", read(path))
    code = [line for line in shown.splitlines() if line and not line.startswith("#")]
    assert code[-1] == "plt.show()"


@by_name
def test_the_code_of_an_example_fits_its_column(path):
    code = read(path).replace(ast.get_docstring(ast.parse(read(path)), clean=False), "")
    blocks = re.split(r"^# %%\n(?:#.*\n)*", CHECKS.sub("", code), flags=re.MULTILINE)
    lines = [line for block in blocks for line in block.splitlines()]
    assert not [line for line in lines if len(line) > WIDTH]


@by_name
def test_an_example_holds_itself_to_what_it_says(path):
    checks = CHECKS.findall(read(path))
    assert len(checks) == 1
    assert "assert " in checks[0]


@by_name
def test_an_example_is_listed_in_the_gallery(path):
    assert f'    "{path.stem}",\n' in read(ROOT / "docs/conf.py")


@pytest.mark.parametrize("name", SEEDS)
def test_an_example_that_the_project_grew_from_is_short(name):
    tree = ast.parse(CHECKS.sub("", read(ROOT / f"examples/{name}.py")))
    lines = set()
    for node in tree.body[1:]:
        source = ast.unparse(node)
        if not isinstance(node, ast.Import | ast.ImportFrom) and "axes" not in source:
            lines.update(range(node.lineno, node.end_lineno + 1))
    assert len(lines) <= MOST_LINES


@pytest.mark.long
@pytest.mark.parametrize("name", SEEDS)
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.filterwarnings("ignore::sklearn_seqae.exceptions.NothingLearnedWarning")
def test_a_short_example_runs_and_draws(name, monkeypatch):
    from sklearn_seqae import LSTMAutoencoderTransformer

    monkeypatch.setitem(LSTMAutoencoderTransformer.__init__.__kwdefaults__, "epochs", 1)
    source = CHECKS.sub("", read(ROOT / f"examples/{name}.py"))
    source = re.sub(r"epochs=\d+", "epochs=1", source).replace("5000", "300")
    mpl.use("agg")
    try:
        with plt.style.context(ROOT / "docs/pictures.mplstyle"):
            exec(compile(source, f"{name}.py", "exec"), {"__name__": "__main__"})
        assert plt.get_fignums()
    finally:
        plt.close("all")
