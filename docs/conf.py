"""Settings of the site: `scripts/docs` builds it with Sphinx into build/site."""

import ast
import importlib.metadata
import re
import shutil
from itertools import groupby
from os.path import relpath
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sphinx.application import Sphinx

DOCS = Path(__file__).parent
ROOT = DOCS.parent
SOURCE = ROOT / "src" / "napari_dental_denoise"
GENERATED = DOCS / "generated"
# Pages of other folders, which the site shows too.
COPIES = {
    ROOT / "CONTRIBUTING.md": GENERATED / "contributing.md",
    ROOT / "CHANGELOG.md": GENERATED / "changelog.md",
    ROOT / "benchmarks" / "README.md": GENERATED / "benchmarks.md",
    SOURCE / "models" / "README.md": GENERATED / "models.md",
}
# Where the site shows what a link of the pages leads to.
PLACES = COPIES | {
    ROOT / "examples" / "README.rst": GENERATED / "gallery" / "index.rst",
    SOURCE / "__init__.pyi": GENERATED / "api.rst",
}
# Names without a docstring.
DESCRIPTIONS = {
    "BASELINES": "Classical denoisers to compare with, by name: functions of an image on [0, 1] and the standard "
    "deviation of its noise. BM3D needs the extra ``bm3d``.",
    "CNN_denoiser": "Another name of :class:`CNNDenoiser`.",
}
GROUPS = {
    "noise": "Noise",
    "inference": "Denoise",
    "unet": "Train",
    "evaluation": "Measure",
    "detail": "Detail",
    "images": "Files",
    "pixels": "Grey values",
    "synthesis": "Synthetic radiographs",
    "config": "Settings",
    "errors": "Errors",
}

project = "napari-dental-denoise"
release = importlib.metadata.version(project)
extensions = ["myst_parser", "numpydoc", "sphinx.ext.autodoc", "sphinx.ext.autosummary", "sphinx_gallery.gen_gallery"]
templates_path = ["templates"]
exclude_patterns = ["templates", "generated/gallery/*.ipynb", "generated/gallery/*.py", "generated/gallery/*.md5"]
html_theme = "pydata_sphinx_theme"
html_static_path = ["static"]
html_css_files = ["site.css"]
html_theme_options = {
    "navigation_with_keys": False,
    "show_toc_level": 2,
    "secondary_sidebar_items": ["page-toc"],
    "footer_start": [],
    "footer_end": [],
}
html_sidebars = {"start": []}
html_title = project
html_copy_source = False
html_show_sphinx = False

myst_heading_anchors = 4
numpydoc_show_class_members = False
autodoc_default_options = {"members": True}
autodoc_typehints = "none"  # the docstrings say the types, in words

sphinx_gallery_conf = {
    "examples_dirs": str(ROOT / "examples"),
    "gallery_dirs": "generated/gallery",
    "download_all_examples": False,
    "show_memory": False,
    "show_signature": False,
    "min_reported_time": 1000,
    "abort_on_example_error": True,
    "write_computation_times": False,
}


def relink(text: str, old: Path, new: Path) -> str:
    """Return a page with links that are right where the site shows it: `old`, the file, becomes `new`."""

    def follow(match: re.Match[str]) -> str:
        target = (old.parent / match[1]).resolve()
        return f"]({relpath(PLACES.get(target, target), new.parent)}{match[2] or ''})"

    return re.sub(r"\]\((?!https?:|#)([^)\s#]+)(#[^)\s]*)?\)", follow, text)


def write_api() -> None:
    """Write the page of the public names, in the groups of `__init__.pyi`."""
    statements = ast.parse((SOURCE / "__init__.pyi").read_text(encoding="utf-8")).body
    names = [
        (node.module or "", alias.name)
        for node in statements
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    ]
    lines = ["API reference", "=============", "", ".. currentmodule:: napari_dental_denoise", ""]
    for module, group in groupby(sorted(names, key=lambda name: list(GROUPS).index(name[0])), key=lambda name: name[0]):
        title = GROUPS[module]
        members = [name for _, name in group]
        listed = [f"   {name}" for name in members if name not in DESCRIPTIONS]
        lines += [title, "-" * len(title), "", ".. autosummary::", "   :toctree: api", "", *listed, ""]
        for name in members:
            if name in DESCRIPTIONS:
                lines += [f".. py:data:: {name}", "", f"   {DESCRIPTIONS[name]}", ""]
    GENERATED.joinpath("api.rst").write_text("\n".join(lines), encoding="utf-8")


def write_pages() -> None:
    """Write what is made from other files: copies of pages, and the page of the public names."""
    GENERATED.mkdir(exist_ok=True)
    shutil.rmtree(GENERATED / "api", ignore_errors=True)  # names may be gone since
    for source, copy in COPIES.items():
        copy.write_text(relink(source.read_text(encoding="utf-8"), source, copy), encoding="utf-8")
    write_api()


def relink_page(app: "Sphinx", name: str, source: list[str]) -> None:
    """Let the links of a page lead to the copies."""
    page = Path(app.env.doc2path(name))
    if page.suffix == ".md" and page.parent != GENERATED:
        source[0] = relink(source[0], page, page)


def setup(app: "Sphinx") -> None:
    """Make the pages before Sphinx looks for them."""
    write_pages()
    app.connect("source-read", relink_page)
