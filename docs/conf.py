"""How the documentation is built: `make docs` does it, with warnings as errors.

Nothing is fetched: no inventories of other projects, no fonts, no scripts from elsewhere.
"""

import contextlib
import inspect
import os
import warnings
from pathlib import Path

# TensorFlow's start-up lines would stand in the output of the first example.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import matplotlib as mpl
from sphinx_gallery.sorting import FunctionSortKey

import sklearn_seqae

HERE = Path(__file__).parent

project = "sklearn_seqae"
author = "sklearn_seqae developers"
project_copyright = f"2026, {author}"
version = release = sklearn_seqae.__version__

extensions = [
    "myst_parser",
    "numpydoc",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx_copybutton",
    "sphinx_design",
    "sphinx_gallery.gen_gallery",
]
exclude_patterns = ["quality_notes.md"]  # a part of quality.md
templates_path = ["templates"]
source_suffix = {".md": "markdown", ".rst": "restructuredtext"}
default_role = "literal"  # in docstrings `X` is a name in the code
# 2026-11, Sphinx 9.0: conf.py hands sphinx-gallery two functions, which Sphinx cannot pickle.
suppress_warnings = ["config.cache"]

myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 3

autosummary_generate = True
# The bases of adapters: these packages hold NumPy and pandas back.
autodoc_mock_imports = ["aeon", "sktime"]
toc_object_entries_show_parents = "hide"
autodoc_typehints = "none"  # docstrings say more than annotations
numpydoc_show_class_members = False  # templates/class.rst lists them
numpydoc_xref_param_type = False

copybutton_prompt_text = ">>> "

html_theme = "pydata_sphinx_theme"
html_title = "sklearn_seqae"
html_static_path = ["static"]
html_css_files = ["site.css"]
html_favicon = "static/favicon.svg"
html_show_sourcelink = False
html_copy_source = False
html_context = {"default_mode": "auto"}  # as the reader's system has it: light or dark
html_theme_options = {
    "logo": {"text": "sklearn_seqae"},
    "header_links_before_dropdown": 5,
    "navbar_end": ["theme-switcher"],
    "show_prev_next": True,
    "secondary_sidebar_items": {
        "**": ["page-toc"],
        "index": [],
        "gallery/index": [],
    },
    "footer_start": ["copyright"],
    "footer_end": ["sphinx-version"],
    "navigation_with_keys": False,
    "pygments_light_style": "a11y-high-contrast-light",
    "pygments_dark_style": "a11y-high-contrast-dark",
}
html_sidebars = {"index": [], "changelog": [], "gallery/**": ["sidebar-nav-bs"]}

# The gallery, from what one wants to see first to what one looks up.
EXAMPLES = [
    "demo",
    "digits",
    "heartbeats",
    "server",
    "missing_values",
    "between_codes",
    "displays",
    "symbols",
    "search",
    "serve_onnx",
    "from_the_tutorials",
    "moving_ones",
    "float_series",
    "next_element",
    "stacked",
    "reshape",
    "dense",
    "own_models",
]


def _place(name):
    """Return where an example stands in the gallery."""
    return EXAMPLES.index(Path(name).stem)


_while_running = contextlib.ExitStack()


def _prepare(gallery_conf, name, when):
    """Draw the pictures of all examples alike, and let a warning of one be an error."""
    _while_running.close()
    if when == "after":
        return
    mpl.style.use(HERE / "pictures.mplstyle")
    _while_running.enter_context(warnings.catch_warnings())
    warnings.simplefilter("error")
    # What sphinx-gallery draws with has no windows.
    warnings.filterwarnings("ignore", message="FigureCanvasAgg is non-interactive")
    # 2026-11, keras 3.15.1: see pyproject.toml.
    warnings.filterwarnings("ignore", message="__array__ implementation doesn't accept a copy")


sphinx_gallery_conf = {
    "examples_dirs": "../examples",
    "gallery_dirs": "gallery",
    "filename_pattern": "/",  # all of them run
    "within_subsection_order": FunctionSortKey(_place),
    "reset_modules": ("matplotlib", _prepare),
    "reset_modules_order": "both",
    "abort_on_example_error": True,
    "backreferences_dir": "gallery/backreferences",
    "doc_module": ("sklearn_seqae",),
    "download_all_examples": False,
    "notebook_extensions": set(),
    "image_srcset": ["2x"],
    "show_memory": False,
    "write_computation_times": False,  # its page loads scripts from elsewhere
    "show_signature": False,
    "remove_config_comments": True,
}


def _skip(app, what, name, member, skip, options):
    """Skip what comes from elsewhere, as `set_output`, and properties, which are attributes."""
    function = inspect.unwrap(member) if callable(member) else None
    ours = (getattr(function, "__module__", None) or "").startswith("sklearn_seqae")
    return skip or (what == "class" and not ours)


def setup(app):
    """Connect the above to Sphinx."""
    app.connect("autodoc-skip-member", _skip)
