"""The README's code runs, its links lead somewhere, and its first picture is small."""

import re
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).parents[1]
DESIGN = ("docs/design/README.md", "docs/design/measurements.md", "docs/design/rejected.md")
PAGES = ("README.md", "CONTRIBUTING.md", *DESIGN)


def read(page):
    return (ROOT / page).read_text(encoding="utf-8")


def code_blocks(page):
    return re.findall(r"```python\n(.*?)```", read(page), flags=re.DOTALL)


def test_the_first_screen_begins_with_three_lines_of_code():
    title, _, fence, *_ = read("README.md").splitlines()
    assert (title, fence) == ("# sklearn_seqae", "```python")
    imports, lines = code_blocks("README.md")[0].split("\n\n")
    assert imports.startswith("from sklearn_seqae import")
    assert len(lines.splitlines()) == 3


@pytest.mark.long
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_every_code_block_runs(capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # some write files
    rng = np.random.default_rng(0)
    known = {"X": [rng.normal(size=(n_steps, 12)) for n_steps in (3, 9, 0, 5)]}
    blocks = code_blocks("README.md")
    assert len(blocks) == 3
    for block in blocks:
        # As on the page, but for the time that training takes.
        quick = block.replace("Transformer(random", "Transformer(units=8, epochs=1, random")
        exec(compile(quick, "README.md", "exec"), known)
    assert known["Z"].shape == (4, 256)
    assert len(known["X2"]) == 4
    assert known["who"].score(known["X_test"], known["y_test"]) > 1 / 9
    assert set(known["search"].best_params_) == {"n_components", "decoder"}
    printed = capsys.readouterr().out
    assert "encoder" in printed
    assert "decoder" in printed


@pytest.mark.parametrize("page", PAGES)
def test_links_within_the_repository_lead_somewhere(page):
    links = re.findall(r"\]\(([^)#]+)\)", read(page))
    local = [link for link in links if "://" not in link]
    assert not [link for link in local if not (ROOT / page).parent.joinpath(link).exists()]


def test_the_first_picture_is_a_small_png():
    picture = (ROOT / "docs/images/japanese_vowels.png").read_bytes()
    assert picture.startswith(b"\x89PNG\r\n\x1a\n")
    assert len(picture) < 150_000


def test_the_design_page_has_every_room():
    table = read("docs/design/README.md").split("## The rooms")[1].split("\n## ")[0]
    cells = re.findall(r"^\| (`[^|]*`) \|", table, flags=re.MULTILINE)
    rows = re.findall(r"`(\w+)`", " ".join(cells))
    paths = (ROOT / "sklearn_seqae").iterdir()
    rooms = {path.stem for path in paths if path.suffix == ".py" or (path / "__init__.py").exists()}
    assert sorted(rows) == sorted(rooms - {"__init__", "__main__"})


def test_the_design_fits_into_350_lines():
    assert read(DESIGN[0]).count("\n") <= 350


@pytest.mark.parametrize("page", DESIGN)
def test_modules_that_the_design_names_are_there(page):
    package = ROOT / "sklearn_seqae"
    rooms = [path.parent.name for path in package.glob("*/__init__.py")]
    for room, module, name in re.findall(r"`(\w+)/(\w+)(?:\.(\w+))?[`.]", read(page)):
        if room in rooms:
            source = (package / room / f"{module}.py").read_text(encoding="utf-8")
            pattern = rf"^(def |class )?{name}\b" if name else ""
            assert re.search(pattern, source, flags=re.MULTILINE), (room, module, name)


def benchmarks(section):
    """Return the rows of a table of docs/benchmarks.md by their first two cells."""
    text = read("docs/benchmarks.md").partition(f"## {section}\n")[2].partition("\n## ")[0]
    rows = [re.findall(r"[^|]+", line.strip("|")) for line in text.strip().splitlines()[2:]]
    return {(row[0].strip(), row[1].strip()): [cell.strip() for cell in row[2:]] for row in rows}


def test_claims_of_speed_are_those_of_the_defaults():
    ratios = {
        key: [float(cell.removesuffix("x")) if cell != "-" else None for cell in cells]
        for key, cells in benchmarks("Times better than the tutorial").items()
    }
    others = [row for key, row in ratios.items() if key[1] == "defaults" and key[0] != "ragged"]
    fits = [row[0] for row in others]
    encoding = [row[3] for row in others]
    cold, warm, _, encode, _ = ratios["ragged", "defaults"]
    medians = benchmarks("Medians")
    latencies = [float(row[5]) for key, row in medians.items() if key[1] == "defaults"]
    beside = benchmarks("Times faster than PyTorch")
    of_torch = [
        [float(cell.strip("*x")) for cell in cells]
        for key, cells in beside.items()
        if key[1] == "defaults"
    ]
    torch_fits, _, torch_encoding, _ = zip(*of_torch, strict=True)
    claims = read("README.md").partition("## Speed\n")[2].partition("\n## ")[0]
    claimed = r"\d+(?:\.\d+)?(?= to | times| milliseconds)"
    numbers = re.findall(claimed, claims.replace("\n", " "))
    ranges = [fits, encoding, latencies, torch_fits, torch_encoding]
    expected = [cold, warm, encode, *(bound(r) for r in ranges for bound in (min, max))]
    assert [float(number) for number in numbers] == pytest.approx(expected, rel=0.03)


def test_the_table_of_the_page_on_speed_is_that_of_the_benchmarks():
    medians = benchmarks("Medians")
    table = {
        cells[0].strip(): [float(cell.replace(" ", "")) for cell in cells[1:]]
        for line in read("docs/guide/speed.md").splitlines()
        if line.startswith("| ") and (cells := line.strip("|").split("|"))[-1].strip().isdigit()
    }
    contenders = {
        "ours, defaults": "defaults",
        "ours, the tutorials' architecture: one direction, no pooled features": "sklearn_seqae",
        "tutorials' Keras script": "tutorial",
        "the same on JAX": "Keras on JAX",
        "PyTorch, a careful loop": "torch padded",
    }
    assert list(table) == list(contenders)
    for name, contender in contenders.items():
        _, cold, warm, _, encode, one, memory, *_ = medians["ragged", contender]
        expected = [float(cold), float(warm), 1000 * float(encode), float(one), float(memory)]
        assert table[name] == pytest.approx(expected, rel=0.03)
