"""The documents name files, commands and functions that exist."""

import re
import runpy
import shlex
from pathlib import Path

import pytest

from napari_dental_denoise.cli.main import build_parser

pytestmark = pytest.mark.quick

ROOT = Path(__file__).parents[1]
SOURCE = ROOT / "src" / "napari_dental_denoise"
DOCUMENTS = [
    *ROOT.glob("*.md"),
    *(ROOT / "docs").glob("*.md"),
    *(ROOT / "docs" / "tutorials").glob("*.md"),
    ROOT / "benchmarks" / "README.md",
    SOURCE / "models" / "README.md",
]
PROGRAM = "napari-dental-denoise"


def named(document):
    return str(document.relative_to(ROOT))


def blocks(document, language):
    return re.findall(rf"^```{language}\n(.*?)^```", document.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)


def anchors(document):
    """The anchors that a Markdown renderer makes of the headings."""
    headings = re.findall(r"^#+ (.*)$", document.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def commands(document):
    """The arguments of each call of the program, block by block."""
    for block in blocks(document, "bash"):
        calls = re.findall(rf"^{PROGRAM} (.*)$", block.replace("\\\n", " "), re.MULTILINE)
        yield [shlex.split(call, comments=True) for call in calls]


@pytest.mark.parametrize("document", DOCUMENTS, ids=named)
def test_every_link_leads_somewhere(document):
    text = document.read_text(encoding="utf-8")
    for link in re.findall(r"\]\((?!https?:)([^)\s]+)\)", text):
        file, _, anchor = link.partition("#")
        target = document.parent / file if file else document
        assert target.exists(), link
        assert not anchor or anchor in anchors(target), link


@pytest.mark.parametrize("document", DOCUMENTS, ids=named)
def test_every_command_is_understood(document):
    parser = build_parser()
    for block in commands(document):
        writers = set()
        for command in block:
            options = parser.parse_args(command)
            if options.command == "denoise":
                writers.add((options.model, options.output))
        outputs = [output for _, output in writers]
        assert len(outputs) == len(set(outputs)), f"two models write into one folder: {block}"


def test_the_example_in_python_runs(tmp_path, capsys):
    (example,) = blocks(ROOT / "docs" / "python.md", "python")
    script = tmp_path / "example.py"
    script.write_text(example, encoding="utf-8")
    runpy.run_path(str(script))
    estimate, scores = capsys.readouterr().out.strip().splitlines()
    assert "grey levels, uncorrelated" in estimate
    psnr, ssim = map(float, scores.split())
    assert psnr > 30
    assert 0.8 < ssim < 1


def test_the_files_that_the_guide_for_contributors_names_exist():
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    files = re.findall(r"`((?:\w+/)*\w+\.(?:pyi?|ya?ml|toml))`", text)
    assert len(files) > 10
    missing = [file for file in files if not any((folder / file).exists() for folder in (SOURCE, ROOT))]
    assert missing == []


def test_every_command_of_the_table_is_understood():
    table = re.findall(r"^\| `([a-z-]+ .*?)` \|", (ROOT / "docs" / "command-line.md").read_text("utf-8"), re.MULTILINE)
    parser = build_parser()
    (commands,) = [action for action in parser._actions if action.dest == "command"]
    assert {parser.parse_args(shlex.split(row)).command for row in table} == set(commands.choices)
