"""Settings of the documentation."""

import sys
from pathlib import Path

HERE = Path(__file__).parent
FOLDERS = (HERE / "_ext", HERE.parent, HERE.parent / "examples/semiconductor")
sys.path[:0] = [str(folder) for folder in FOLDERS]

import inventories  # noqa: E402

import sgsolve  # noqa: E402

project = "sgsolve"
author = "The sgsolve developers"
copyright = author
version = release = sgsolve.__version__

extensions = [
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.intersphinx",
    "sphinx.ext.mathjax",
    "numpydoc",
    "myst_parser",
    "sphinx_gallery.gen_gallery",
    "sphinx_design",
    "sphinx_copybutton",
    "api_pages",
    "supported_functions",
]
exclude_patterns = ["_build", "_static/mathjax", "gallery/**/*.py", "gallery/**/*.ipynb"]
templates_path = ["_templates"]
default_role = "py:obj"
smartquotes = False
nitpicky = True

# Reference: docstrings of numpydoc; types stand in the docstring.
autosummary_generate = True
autosummary_imported_members = False
autodoc_typehints = "none"
autodoc_member_order = "bysource"
numpydoc_show_class_members = False
numpydoc_xref_param_type = True
numpydoc_xref_ignore = "all"
intersphinx_mapping = inventories.write(HERE / "inventories")

# Pages in Markdown.
myst_enable_extensions = ["colon_fence", "deflist", "dollarmath", "amsmath"]
myst_heading_anchors = 3

# Copy buttons copy the input of an example, without prompts and output.
copybutton_prompt_text = r">>> |\.\.\. "
copybutton_prompt_is_regexp = True

# Gallery: the programs of examples/, run at every build. Modules that programs import, and the
# program that runs the others, are left out.
MODULES = ["gallery.py"] + [
    path.name
    for path in (HERE.parent / "examples").rglob("*.py")
    if '__name__ == "__main__"' not in path.read_text(encoding="utf-8")
]
sphinx_gallery_conf = {
    "examples_dirs": ["../examples"],
    "gallery_dirs": ["gallery"],
    "filename_pattern": r".*\.py",
    "ignore_pattern": rf"({'|'.join(MODULES)})",
    "within_subsection_order": "FileNameSortKey",
    "reset_argv": "gallery.arguments",
    "image_scrapers": ("gallery.scrape",),
    "abort_on_example_error": True,
    "write_computation_times": False,
    "show_memory": False,
    "download_all_examples": False,
    "remove_config_comments": True,
    "thumbnail_size": (400, 300),
    "reference_url": {"sgsolve": None},
    "doc_module": ("sgsolve",),
}

# Site.
html_theme = "pydata_sphinx_theme"
html_title = "sgsolve"
html_static_path = ["_static"]
html_favicon = "_static/favicon.svg"
html_css_files = ["site.css"]
html_context = {"default_mode": "auto"}
html_show_sourcelink = False
mathjax_path = "mathjax/tex-chtml.js"
html_theme_options = {
    "header_links_before_dropdown": 7,
    "navbar_align": "left",
    "show_prev_next": False,
    "secondary_sidebar_items": ["page-toc"],
    "footer_start": ["copyright"],
    "footer_end": ["sphinx-version"],
}
