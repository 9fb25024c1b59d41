"""The verbosity of a command, the format of its table, and the words that it completes."""

import json
import os
import subprocess
import sys
from contextlib import contextmanager, redirect_stdout, suppress

import numpy as np
import pytest

from napari_dental_denoise import write_image
from napari_dental_denoise.cli import main
from napari_dental_denoise.cli.train import TrainingDisplay
from napari_dental_denoise.training import StepDone

IMAGE = np.random.default_rng(0).integers(0, 256, (40, 50), np.uint8)


@pytest.fixture
def scan(tmp_path):
    write_image(tmp_path / "scans" / "a.png", IMAGE)
    return tmp_path / "scans"


def denoise(scan, *options):
    return main(["denoise", str(scan), "-m", "starter-fast", "-o", str(scan.parent / "out"), *options])


def in_the_shell(command):
    named = command.replace("PROGRAM", f"{sys.executable} -m napari_dental_denoise")
    return subprocess.run(["/bin/bash", "-c", named], capture_output=True, text=True, check=False)


def test_a_quiet_run_prints_nothing_but_errors(scan, capsys):
    (scan / "b.png").write_text("no image")
    assert denoise(scan, "--deidentify", "--keep-names", "--quiet") == 1
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err.count("\n") == 1
    assert "b.png" in told.err


def test_a_quiet_command_prints_what_was_asked_for(scan, capsys):
    assert main(["info", str(scan), "--quiet"]) == 0
    assert "a.png" in capsys.readouterr().out


def test_a_verbose_run_prints_each_file(scan, capsys):
    assert denoise(scan) == 0
    assert "a.png" not in capsys.readouterr().out
    assert denoise(scan, "--overwrite", "--verbose") == 0
    assert "a.png: a.png, " in capsys.readouterr().out


def test_a_verbose_error_tells_where_it_arose(tmp_path, capsys):
    assert main(["info", str(tmp_path / "none.png"), "--verbose"]) == 2
    assert "Traceback" in capsys.readouterr().err
    assert main(["info", str(tmp_path / "none.png")]) == 2
    assert "Traceback" not in capsys.readouterr().err


@pytest.mark.parametrize(
    ("name", "begins"), [("t.csv", "noise,method,"), ("t.json", "["), ("t.txt", "gaussian, sigma 0.1 (")]
)
def test_the_suffix_of_a_table_is_its_format(scan, name, begins):
    table = scan.parent / name
    assert main(["evaluate", str(scan), "-m", "starter-fast", "--sigma", "0.1", "-o", str(table)]) == 0
    assert table.read_text().startswith(begins)


def test_a_format_that_is_named_counts_more_than_the_suffix(scan):
    table = scan.parent / "t.csv"
    named = ["-o", str(table), "--format", "json"]
    assert main(["evaluate", str(scan), "-m", "starter-fast", "--sigma", "0.1", *named]) == 0
    assert json.loads(table.read_text())


def test_a_strength_in_per_cent_is_asked_about(scan, capsys):
    assert denoise(scan, "--strength", "50") == 2
    assert "received 50.0: did you mean 0.5?" in capsys.readouterr().err
    assert denoise(scan, "--strength", "2") == 2
    assert "did you mean" not in capsys.readouterr().err


@pytest.mark.parametrize(
    ("options", "meant"),
    [
        (["denoise", "--strength", "50%"], "0.5"),
        (["denoise", "--strength", "0,5"], "0.5"),
        (["denoise", "--share", "90 %"], "0.9"),
        (["denoise", "--share", "90"], "0.9"),
        (["add-noise", "--noise", "salt-and-pepper", "--amount", "5"], "0.05"),
        (["add-noise", "--sigma", "10%"], "0.1"),
        (["train", "--validation-split", "20"], "0.2"),
    ],
)
def test_shares_in_per_cent_and_decimal_commas_are_asked_about(scan, options, meant, capsys):
    command = [options[0], str(scan), "-o", str(scan.parent / "out.keras"), *options[1:]]
    with suppress(SystemExit):
        assert main(command) == 2
    error = capsys.readouterr().err
    assert f": did you mean {meant}?" in error
    assert error.count("\n") == 1


def test_a_comma_between_thousands_is_not_asked_about(scan, capsys):
    with suppress(SystemExit):
        assert main(["add-noise", str(scan), "--noise", "poisson", "--photons", "10,000"]) == 2
    assert "received '10,000'; see" in capsys.readouterr().err


def test_no_more_processes_are_started_than_there_are_files(scan, capsys):
    assert main(["add-noise", str(scan), "-o", str(scan.parent / "out"), "--workers", "100000"]) == 0
    assert "1 image with noise" in capsys.readouterr().out


def test_a_scheduler_that_is_not_there_leaves_no_report(scan):
    assert denoise(scan, "--scheduler", "tcp://127.0.0.1:9") == 2
    assert not (scan.parent / "out.csv").exists()


def test_the_help_tells_the_level_of_each_kind_of_noise(capsys):
    with pytest.raises(SystemExit):
        main(["add-noise", "--help"])
    told = " ".join(capsys.readouterr().out.split())
    assert "default 25/255; 2/255 for poisson-gaussian" in told
    assert "0.2 for speckle; 4/255 for lines" in told
    with pytest.raises(SystemExit):
        main(["train", "--help"])
    assert "default 0 60/255; 0 10/255 for poisson-gaussian" in " ".join(capsys.readouterr().out.split())


def test_a_reader_that_has_seen_enough_ends_the_command_quietly(scan):
    for number in range(40):
        write_image(scan / f"{number}.png", IMAGE)
    ended = in_the_shell(f"set -o pipefail; PROGRAM info {scan} | head -1")
    assert (ended.returncode, ended.stderr) == (0, "")
    assert ended.stdout.count("\n") == 1


def test_work_goes_on_without_a_reader_of_what_it_tells(scan):
    for number in range(4):
        write_image(scan / f"{number}.png", IMAGE)
    (scan / "bad.png").write_text("no image")
    ended = in_the_shell(f"PROGRAM add-noise {scan} -o {scan.parent / 'out'} --verbose | true; exit ${{PIPESTATUS[0]}}")
    assert ended.returncode == 1
    assert [line.partition(": ")[2][:18] for line in ended.stderr.splitlines()] == ["left out: bad.png:"]
    assert len(list((scan.parent / "out").iterdir())) == 5


@contextmanager
def without_a_reader():
    """Let stdout be a pipe whose reader has ended."""
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "w") as stream, redirect_stdout(stream):
        yield


def test_the_exit_code_holds_without_a_reader_of_the_last_lines(scan):
    (scan / "bad.png").write_text("no image")
    with without_a_reader():
        assert denoise(scan, "--deidentify") == 1


def test_a_training_goes_on_without_a_reader_of_its_reports():
    show = TrainingDisplay("jsonl")
    with without_a_reader():
        for epoch in (1, 2):
            show(StepDone(epoch, 1, 2, 0.1, 0.5, 1.0, 1.0))


@pytest.mark.parametrize("closed", [">&-", "2>&-", "2>/dev/full"])
def test_the_exit_code_holds_without_a_place_to_print(scan, closed):
    assert in_the_shell(f"PROGRAM info {scan / 'a.png'} {closed}").returncode == 0
    assert in_the_shell(f"PROGRAM info {scan / 'none.png'} {closed}").returncode == 2


@pytest.mark.parametrize(
    ("typed", "completed"), [("ev", "evaluate"), ("denoise --stre", "--strength"), ("info s", "scans")]
)
def test_a_shell_completes_commands_options_and_files(scan, typed, completed):
    words = ["napari-dental-denoise", *typed.split()]
    script = subprocess.run(
        [sys.executable, "-m", "napari_dental_denoise", "--print-completion", "bash"],
        capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    script += f"\nCOMP_WORDS=({' '.join(words)}); COMP_CWORD={len(words) - 1}; _shtab_napari_dental_denoise\n"
    script += 'echo "${COMPREPLY[@]}"\n'
    shown = subprocess.run(
        ["/bin/bash", "-c", script], capture_output=True, text=True, check=True, cwd=scan.parent
    ).stdout
    assert completed in shown.split()
