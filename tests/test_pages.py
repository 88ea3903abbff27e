"""The code of the guide runs, page by page, in the order of the page."""

import re
from pathlib import Path

import numpy as np
import pytest

import sklearn_seqae
from sklearn_seqae import LSTMAutoencoderDetector, LSTMAutoencoderTransformer, exceptions
from sklearn_seqae.datasets import load_japanese_vowels

GUIDE = Path(__file__).parents[1] / "docs/guide"
PAGES = sorted(path.stem for path in GUIDE.glob("*.md"))
WIDTH = 79  # of a column of code on the site, in characters
# As on the pages, but for the time that training takes.
QUICK = {"units": 4, "epochs": 1, "batch_size": 32}
# One epoch teaches little, and says so.
pytestmark = [
    pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning"),
    pytest.mark.filterwarnings("ignore::sklearn_seqae.exceptions.NothingLearnedWarning"),
]


def code_of(page):
    text = (GUIDE / f"{page}.md").read_text(encoding="utf-8")
    return re.findall(r"^```python\n(.*?)^```", text, flags=re.DOTALL | re.MULTILINE)


@pytest.fixture(scope="module")
def vowels():
    """Return a fifth of the vowels, as the pages name them."""
    X, y = load_japanese_vowels(return_X_y=True)
    X_test, y_test = load_japanese_vowels(subset="test", return_X_y=True)
    return {"X": X[::5], "y": y[::5], "X_test": X_test[::5], "y_test": y_test[::5]}


@pytest.mark.long
@pytest.mark.parametrize("page", [page for page in PAGES if code_of(page)])
def test_the_code_of_a_page_runs(page, vowels, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    for kind in (LSTMAutoencoderTransformer, LSTMAutoencoderDetector):
        for name, value in QUICK.items():
            monkeypatch.setitem(kind.__init__.__kwdefaults__, name, value)
    known = {**vowels, "np": np, "LSTMAutoencoderTransformer": LSTMAutoencoderTransformer}
    for block in code_of(page):
        quick = re.sub(r"epochs=\d+", "epochs=1", block)
        exec(compile(quick, f"{page}.md", "exec"), known)


@pytest.mark.parametrize("page", ["../../README", "../index", *PAGES])
def test_the_code_of_a_page_fits_its_column(page):
    text = (GUIDE / f"{page}.md").read_text(encoding="utf-8")
    blocks = re.findall(r"^```[^\n]*\n(.*?)^```", text, flags=re.DOTALL | re.MULTILINE)
    lines = [line for block in blocks for line in block.splitlines() if line[:1] != ":"]
    assert not [line for line in lines if len(line) > WIDTH]


def test_pages_that_begin_show_what_they_import():
    for page in ("start", "input"):
        assert code_of(page)[0].splitlines()[0].startswith(("from", "import"))


def test_the_api_page_lists_every_public_name():
    listed = re.findall(r"^   (\w+)$", (GUIDE.parent / "api.md").read_text(), flags=re.MULTILINE)
    names = ("adapters", "containers", "datasets", "distributed", "streaming", "windows")
    modules = [getattr(sklearn_seqae, name) for name in names]
    public = {name for module in (sklearn_seqae, *modules) for name in module.__all__}
    public |= {name for name in vars(exceptions) if name.endswith(("Warning", "Error"))}
    public -= {module.__name__.split(".")[-1] for module in (*modules, exceptions)}
    assert sorted(listed) == sorted(public)
