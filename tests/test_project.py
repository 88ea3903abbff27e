"""What is said of the project in several files is the same in all of them."""

import re
from pathlib import Path

import pytest

import sklearn_seqae

ROOT = Path(__file__).parents[1]
pytestmark = pytest.mark.skipif(
    not (ROOT / ".github").exists(), reason="the source distribution has none of these files"
)


def read(path):
    return (ROOT / path).read_text(encoding="utf-8")


def test_the_workflow_runs_the_targets_of_the_script():
    script = re.search(r"^for target in (.+); do$", read(".ci/run"), flags=re.MULTILINE)[1].split()
    workflow = re.search(r"target: \[(.+)\]", read(".github/workflows/ci.yml"))[1].split(", ")
    assert workflow == script
    for target in workflow:
        assert re.search(rf"^{target}:", read("Makefile"), flags=re.MULTILINE)


def test_the_version_to_cite_is_that_of_the_package():
    assert re.search(r"^version: (.+)$", read("CITATION.cff"), flags=re.MULTILINE)[1] == (
        sklearn_seqae.__version__
    )
