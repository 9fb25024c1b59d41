"""The site has a page for each document and a line for each public name, and its dead links are found."""

import importlib.util
import re
from pathlib import Path

import pytest

import napari_dental_denoise
from tests.test_documents import DOCUMENTS, named

pytestmark = pytest.mark.quick

DOCS = Path(__file__).parents[1] / "docs"


def load(name):
    spec = importlib.util.spec_from_file_location(name, DOCS / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_reference_lists_every_public_name(tmp_path, monkeypatch):
    conf = load("conf")
    monkeypatch.setattr(conf, "GENERATED", tmp_path)
    conf.write_api()
    lines = (tmp_path / "api.rst").read_text(encoding="utf-8").splitlines()
    listed = [line.removeprefix(".. py:data::").strip() for line in lines if re.match(r"   \w+$|.. py:data::", line)]
    assert sorted(listed) == sorted(napari_dental_denoise.__all__)


@pytest.mark.parametrize("document", DOCUMENTS, ids=named)
def test_no_line_of_a_page_is_taken_for_a_comment(document):
    assert not re.search("^%", document.read_text(encoding="utf-8"), re.MULTILINE)


def test_links_to_other_folders_lead_to_their_copies():
    conf = load("conf")
    page = DOCS / "training.md"
    text = "[a](../benchmarks/README.md#models) [b](files.md) [c](https://example.org/x) [d](#noise) ![e](images/f.png)"
    expected = (
        "[a](generated/benchmarks.md#models) [b](files.md) [c](https://example.org/x) [d](#noise) ![e](images/f.png)"
    )
    assert conf.relink(text, page, page) == expected


def test_links_of_a_copy_lead_back_to_the_pages():
    conf = load("conf")
    source = conf.ROOT / "benchmarks" / "README.md"
    assert conf.relink("[q](../docs/quality.md#noise)", source, conf.COPIES[source]) == "[q](../quality.md#noise)"


def test_dead_links_are_named(tmp_path):
    (tmp_path / "a.html").write_text('<a href="b.html#there"></a><a href="b.html#gone"></a><img src="c.png">')
    (tmp_path / "b.html").write_text('<p id="there"></p><a href="https://example.org/nowhere"></a><a href="#gone"></a>')
    assert list(load("check_links").dead_links(tmp_path)) == [
        "a.html: b.html#gone has no such anchor",
        "a.html: c.png does not exist",
        "b.html: #gone has no such anchor",
    ]
