"""Adapters are there without the packages that they are for, which `make interop` tests."""

import subprocess
import sys

import pytest

from sklearn_seqae import adapters


@pytest.mark.parametrize("package", ["aeon", "sktime"])
def test_an_adapter_names_the_package_that_it_needs(package, monkeypatch):
    monkeypatch.setitem(sys.modules, package, None)  # as if it were not installed
    with pytest.raises(ImportError, match=f"the package {package}.*pip install {package}"):
        getattr(adapters, f"{package.capitalize()}Detector")


def test_importing_adapters_imports_no_other_package():
    shown = "print(dir(a)); print({*sys.modules} & {*sys.argv})"
    program = f"import sys, sklearn_seqae.adapters as a; {shown}"
    command = [sys.executable, "-c", program, "aeon", "sktime", "sklearn"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    names, loaded = done.stdout.splitlines()
    assert "AeonDetector" in names
    assert loaded == "set()"


def test_an_adapter_that_there_is_none_of_is_no_attribute():
    with pytest.raises(AttributeError, match="no attribute 'DartsDetector'"):
        adapters.DartsDetector  # noqa: B018 (which raises)
