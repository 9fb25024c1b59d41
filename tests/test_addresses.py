"""The package's metadata has the addresses of the repository that it is built from, and invents none."""

import re

import pytest
from hatchling.metadata.core import ProjectMetadata
from hatchling.plugin.manager import PluginManager

from tests.test_documents import ROOT

pytestmark = pytest.mark.quick


def metadata():
    return ProjectMetadata(str(ROOT), PluginManager()).core


def test_a_workflow_names_its_repository_and_makes_the_readme_whole(monkeypatch):
    monkeypatch.setenv("GITHUB_SERVER_URL", "https://code.example")
    monkeypatch.setenv("GITHUB_REPOSITORY", "someone/dental")
    monkeypatch.setenv("GITHUB_REF_NAME", "v1.2.3")
    made = metadata()
    assert made.urls["Homepage"] == "https://code.example/someone/dental"
    assert made.urls["Changelog"] == "https://code.example/someone/dental/blob/HEAD/CHANGELOG.md"
    links = re.findall(r"(!?)\[[^\]]*\]\(([^)]*)\)", made.readme)
    assert len(links) > 20
    for picture, link in links:
        kind, _, path = link.removeprefix("https://code.example/someone/dental/").partition("/v1.2.3/")
        assert kind == ("raw" if picture else "blob"), link
        assert (ROOT / path.partition("#")[0]).exists(), link


def test_other_builds_name_no_addresses(monkeypatch):
    monkeypatch.delenv("GITHUB_REPOSITORY", raising=False)
    made = metadata()
    assert made.urls == {}
    assert made.readme == (ROOT / "README.md").read_text(encoding="utf-8")
