"""The map of the packages in CONTRIBUTING.md shows the imports that the code has."""

import importlib.util
from pathlib import Path

import pytest

pytestmark = pytest.mark.quick

DOCS = Path(__file__).parents[1] / "docs"


@pytest.fixture(scope="module")
def make_structure():
    spec = importlib.util.spec_from_file_location("make_structure", DOCS / "make_structure.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_picture_is_up_to_date(make_structure):
    picture = (DOCS / "images" / "structure.svg").read_text(encoding="utf-8")
    assert picture == make_structure.draw(), "the packages have changed: run python docs/make_structure.py"


def test_only_arrows_that_a_chain_implies_are_left_out(make_structure):
    pairs = {("a", "b"), ("b", "c"), ("c", "d"), ("a", "c"), ("a", "d"), ("b", "e"), ("a", "f")}
    assert make_structure.without_implied(pairs) == [("a", "b"), ("a", "f"), ("b", "c"), ("b", "e"), ("c", "d")]


def test_a_new_import_changes_the_picture(make_structure, monkeypatch):
    before = make_structure.draw()
    imports = make_structure.read_imports()
    assert ("images", "dicom") in imports
    monkeypatch.setattr(make_structure, "read_imports", lambda: imports | {("synthesis", "models")})
    assert make_structure.draw() != before


def test_a_docstring_that_does_not_fit_is_named(make_structure, monkeypatch):
    monkeypatch.setattr(make_structure, "read_summary", lambda package: "word " * 60)
    with pytest.raises(ValueError, match="docstring of cli does not fit"):
        make_structure.draw()
