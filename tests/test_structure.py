"""The shape of the package: the order of its modules, their size, and what importing it costs."""

import ast
import subprocess
import sys
from importlib.util import resolve_name
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "sklearn_seqae"

# A room imports only rooms above it, and a module of a room only modules above it there.
ROOMS = {
    "exceptions": [],
    "datasets": [],
    "_utils": ["atomic_write", "doc_links", "optional_imports", "printing", "threads"],
    "containers": [
        "numeric",
        "columns",
        "time_index",
        "arrow_types",
        "remedies",
        "spans",
        "sequences",
        "ambiguity",
        "raw_sequences",
        "numpy_arrays",
        "series",
        "windows",
        "pandas_columns",
        "pandas_frames",
        "ragged",
        "arrow_values",
        "arrow",
        "pandas_nested",
        "registry",
        "following",
        "conversion",
    ],
    "windows": [],
    "streaming": ["parquet_files", "parquet_sequences", "parts"],
    "preprocessing": ["moments", "scalers", "set_output", "scaling", "categories"],
    "network": [
        "architecture",
        "batching",
        "numpy_cells",
        "recurrent_loops",
        "block_lstm",
        "recurrent_loops_torch",
        "minirocket",
        "cosines",
        "linear_forecast",
        "layer_specs",
        "recurrence",
        "encoder_layers",
        "inference",
        "numpy_network",
        "decoder_layers",
        "cosine_layers",
        "custom_models",
        "keras_network",
    ],
    "training": [
        "cache_keys",
        "checkpoint",
        "holdout",
        "losses",
        "network_keys",
        "optimizers",
        "program_cache",
        "skill",
        "devices",
        "backend_jax",
        "backend_tensorflow",
        "backend_torch",
        "fit_result",
        "keras_arguments",
        "program",
        "custom_network",
        "training_data",
        "loop",
    ],
    "onnx": ["graph", "inputs", "cosines", "network", "engine", "export"],
    "persistence": [
        "allowlist",
        "archive",
        "keras_objects",
        "pandas_values",
        "versions",
        "schema",
        "states",
        "decoder",
        "encoder",
    ],
    "estimators": [
        "neighbours",
        "anomaly_score",
        "code_density",
        "fit_warnings",
        "imputation",
        "keras_parameters",
        "metrics",
        "overlap",
        "gains",
        "forecasting",
        "intervals",
        "known_runs",
        "labels",
        "validation",
        "streamed",
        "attribution",
        "network_state",
        "fitted_model",
        "resume",
        "html_repr",
        "series_forecasts",
        "save",
        "reading",
        "base",
        "onnx_export",
        "reconstruction",
        "generation",
        "lazy_codes",
        "outlier_scores",
        "window_scores",
        "step_scores",
        "series_reading",
        "series_errors",
        "stream",
        "series_scores",
        "detector",
        "series_detector",
        "transformer",
        "load",
    ],
    "plotting": [
        "inputs",
        "palette",
        "projection",
        "axes",
        "thumbnails",
        "annotations",
        "detection",
        "series",
        "errors",
        "panels",
        "training",
        "codes",
        "reconstruction",
    ],
    "adapters": ["inner", "for_aeon", "for_sktime"],
    "distributed": ["parquet"],
    "cli": [
        "table_files",
        "table_times",
        "table_csv",
        "tables",
        "series",
        "many_files",
        "summary",
        "options",
        "commands",
    ],
}
# Each as the file system has it; a room without modules is one, and a room itself is its __init__.
MODULES = [
    name
    for room, modules in ROOMS.items()
    for name in ([f"{room}/__init__", *(f"{room}/{m}" for m in modules)] if modules else [room])
]
MODULES += ["__init__", "__main__"]
PRINTING = ("cli/commands", "cli/options", "__main__")
MOST_AT_THE_TOP = 16  # modules and rooms that a reader meets first
MAX_LINES = 400
HEAVY = ("tensorflow", "keras", "scikeras", "matplotlib")


def read(module):
    return (PACKAGE / f"{module}.py").read_text(encoding="utf-8")


def imports_of(module):
    """Return the modules of the package that a module imports, at its top or in a function."""
    here = ".".join([PACKAGE.name, *module.split("/")[:-1]])
    names = []
    for node in ast.walk(ast.parse(read(module))):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            origin = resolve_name("." * node.level + (node.module or ""), here)
            # `from . import x` names a module, `from .x import y` has it before the import.
            names += [f"{origin}.{alias.name}" for alias in node.names]
    own = [name.split(".")[1:] for name in names if name.split(".")[0] == PACKAGE.name]
    return {found for parts in own if (found := module_of(parts)) not in (None, module)}


def module_of(parts):
    """Return the module that a dotted name leads to; None for what the package itself holds."""
    for n in range(len(parts), 0, -1):
        path = "/".join(parts[:n])
        for name in (path, f"{path}/__init__"):
            if name in MODULES:
                return name
    return None


def run(program):
    """Run a program in a fresh interpreter, with warnings as errors; return what it prints."""
    command = [sys.executable, "-W", "error", "-c", program]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout + done.stderr


def test_every_module_has_its_place_in_the_order():
    files = [path.relative_to(PACKAGE).with_suffix("").as_posix() for path in PACKAGE.rglob("*.py")]
    assert sorted(MODULES) == sorted(files)


def test_the_top_of_the_package_is_a_table_of_contents():
    assert len(ROOMS) <= MOST_AT_THE_TOP
    for room in (room for room, modules in ROOMS.items() if modules):
        purpose = ast.get_docstring(ast.parse(read(f"{room}/__init__")))
        assert purpose, room
        assert room == "containers" or len(purpose.splitlines()) <= 10


@pytest.mark.parametrize("module", MODULES)
def test_a_module_imports_only_modules_above_it(module):
    above = set(MODULES[: MODULES.index(module)])
    if module.endswith("/__init__"):  # the face of its room
        above |= {name for name in MODULES if name.startswith(module.removesuffix("__init__"))}
    assert not imports_of(module) - above


@pytest.mark.parametrize("module", MODULES)
def test_a_module_stays_under_400_lines(module):
    n_lines = read(module).count("\n")
    assert n_lines < MAX_LINES


@pytest.mark.parametrize("module", MODULES)
def test_a_module_prints_nothing_and_leaves_nothing_to_do(module):
    source = read(module)
    calls = [node.func for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call)]
    names = [getattr(function, "id", None) for function in calls]
    assert module in PRINTING or "print" not in names
    assert not [note for note in ("TODO", "FIXME", "XXX") if note in source]


USES = (
    "from sklearn_seqae import LSTMAutoencoderTransformer",
    "ae = LSTMAutoencoderTransformer(units=8)",
    "clone(sklearn_seqae.LSTMAutoencoderDetector(units=8))",
    "clone(ae)",
    "ae.get_params()",
    "ae.set_params(units=8)",
    "repr(ae)",
)


def test_keras_and_tensorflow_load_only_when_they_are_needed():
    loaded = f"print([name for name in {HEAVY!r} if name in sys.modules])"
    lines = ["import sys, sklearn_seqae", "from sklearn.base import clone", loaded]
    printed = run("\n".join([*lines, *(f"{use}\n{loaded}" for use in USES)]))
    assert printed == "[]\n" * (1 + len(USES))
