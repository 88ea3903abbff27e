"""The shape of the package: the order of its modules, their size, and what importing it costs."""

import ast
import subprocess
import sys
from importlib.util import resolve_name
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "sklearn_seqae"

# A module imports only modules above it. docs/design says what lives in each.
MODULES = [
    "documentation",
    "importing",
    "files",
    "printing",
    "blas",
    "keys",
    "elements",
    "remedies",
    "layout",
    "exceptions",
    "ambiguity",
    "arrays",
    "clocks",
    "frames",
    "nested",
    "arrow_types",
    "arrow",
    "ragged",
    "archive",
    "formats",
    "names",
    "pandas_values",
    "keras_objects",
    "nodes",
    "states",
    "encoding",
    "decoding",
    "sequences",
    "containers",
    "outputs",
    "moments",
    "scalers",
    "scaling",
    "symbols",
    "errors",
    "density",
    "imputation",
    "oddness",
    "overlap",
    "holdout",
    "blame",
    "batching",
    "filters",
    "architecture",
    "inventory",
    "layer_table",
    "cells",
    "forward",
    "inference",
    "loops",
    "loops_torch",
    "recurrence",
    "layers",
    "writers",
    "networks",
    "likeness",
    "objectives",
    "convergence",
    "optimizers",
    "outcome",
    "routing",
    "backend_tensorflow",
    "backend_jax",
    "backend_torch",
    "program",
    "cache",
    "training",
    "adopted",
    "fitted",
    "persistence",
    "diagram",
    "validation",
    "verdict",
    "reading",
    "base",
    "reconstruction",
    "judging",
    "generation",
    "onnx_graph",
    "onnx_inputs",
    "onnx_network",
    "onnx_export",
    "transformer",
    "detector",
    "loading",
    "datasets",
    "palette",
    "canvas",
    "annotations",
    "panels",
    "drawable",
    "embedding",
    "thumbnails",
    "display_training",
    "display_reconstruction",
    "display_codes",
    "display_errors",
    "display_detection",
    "__init__",
    "table_files",
    "table_csv",
    "table_times",
    "tables",
    "commands",
    "__main__",
]
COMMAND_LINE = ("commands", "__main__")  # which may print
MAX_LINES = 400
HEAVY = ("tensorflow", "keras", "scikeras", "matplotlib")


def read(module):
    return (PACKAGE / f"{module}.py").read_text(encoding="utf-8")


def imports_of(module):
    """Return the modules of the package that a module imports, at its top or in a function."""
    names = []
    for node in ast.walk(ast.parse(read(module))):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            origin = resolve_name("." * node.level + (node.module or ""), PACKAGE.name)
            # `from . import x` names a module, `from .x import y` has it before the import.
            names += [f"{origin}.{alias.name}" for alias in node.names]
    parts = [name.split(".") for name in names]
    return {part[1] for part in parts if part[0] == PACKAGE.name and len(part) > 1}


def run(program):
    """Run a program in a fresh interpreter, with warnings as errors; return what it prints."""
    command = [sys.executable, "-W", "error", "-c", program]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout + done.stderr


def test_every_module_has_its_place_in_the_order():
    assert sorted(MODULES) == sorted(path.stem for path in PACKAGE.rglob("*.py"))


@pytest.mark.parametrize("module", MODULES)
def test_a_module_imports_only_modules_above_it(module):
    above = MODULES[: MODULES.index(module)]
    assert not imports_of(module).difference(above)


@pytest.mark.parametrize("module", MODULES)
def test_a_module_stays_under_400_lines(module):
    n_lines = read(module).count("\n")
    assert n_lines < MAX_LINES


@pytest.mark.parametrize("module", MODULES)
def test_a_module_prints_nothing_and_leaves_nothing_to_do(module):
    source = read(module)
    calls = [node.func for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call)]
    names = [getattr(function, "id", None) for function in calls]
    assert module in COMMAND_LINE or "print" not in names
    assert not [note for note in ("TODO", "FIXME", "XXX") if note in source]


@pytest.mark.parametrize(
    "use",
    [
        pytest.param("", id="import"),
        pytest.param("LSTMAutoencoderTransformer(units=8)", id="construct"),
        pytest.param("clone(sklearn_seqae.LSTMAutoencoderDetector(units=8))", id="detector"),
        pytest.param("clone(LSTMAutoencoderTransformer(units=8))", id="clone"),
        pytest.param("LSTMAutoencoderTransformer().get_params()", id="get_params"),
        pytest.param("LSTMAutoencoderTransformer().set_params(units=8)", id="set_params"),
        pytest.param("repr(LSTMAutoencoderTransformer(units=8))", id="repr"),
    ],
)
def test_keras_and_tensorflow_load_only_when_they_are_needed(use):
    printed = run(
        "import sys\n"
        "import sklearn_seqae\n"
        "from sklearn.base import clone\n"
        "from sklearn_seqae import LSTMAutoencoderTransformer\n"
        f"{use}\n"
        f"print([name for name in {HEAVY!r} if name in sys.modules])\n"
    )
    assert printed == "[]\n"
