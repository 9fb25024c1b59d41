"""A run that goes on does what is left, forgets nothing, and replaces nothing of others."""

import csv
import errno
import os
import subprocess
import sys

import numpy as np
import pytest

from napari_dental_denoise.cli import main
from napari_dental_denoise.images.radiograph import read_image
from napari_dental_denoise.images.writer import write_image
from napari_dental_denoise.images.zarr_writer import write_ome_zarr
from napari_dental_denoise.synthesis.scene import phantom
from tests.dicom_files import radiograph, save

GREY = np.rint(phantom((48, 64), 0) * 255).astype(np.uint8)
# Dies where it is told to, as a process does that is killed.
DIES = """
import os, sys
from napari_dental_denoise.cli import main
import napari_dental_denoise.batch.process as batch
place, number, arguments = sys.argv[1], int(sys.argv[2]), sys.argv[3:]
before = getattr(batch, place)
seen = 0
def dies(*arguments, **named):
    global seen
    seen += 1
    if seen == number:
        os._exit(9)
    return before(*arguments, **named)
setattr(batch, place, dies)
sys.exit(main(arguments))
"""
# The worker of a cluster dies behind its writing, and what is said of the file is that workers died.
WORKER_DIES = """
import sys
from napari_dental_denoise.cli import main
import napari_dental_denoise.batch.process as batch
import napari_dental_denoise.batch.run as batch_run
from napari_dental_denoise.batch import process as batch
from napari_dental_denoise.batch import run as batch_run
from napari_dental_denoise.batch.report import UNFINISHED
process_item = batch.process_item
def dies(item, *arguments, **named):
    process_item(item, *arguments, **named)
    return batch.failed(item, "3 workers died while they had it", UNFINISHED)
batch_run.process_item = dies
sys.exit(main(sys.argv[1:]))
"""
READING, MEASURING = "read_radiograph", "_measured"


def run(*arguments):
    return main(["add-noise", *map(str, arguments)])


def killed(place, number, *arguments):
    """A run that is killed when it reads, or has written and measures, the file of that number."""
    command = [sys.executable, "-c", DIES, place, str(number), "add-noise", *map(str, arguments)]
    assert subprocess.run(command, capture_output=True, check=False).returncode == 9


def rows(path):
    with path.open(newline="", encoding="utf-8", errors="surrogateescape") as file:
        return list(csv.DictReader(file))


def fill(folder, *names, image=GREY):
    for name in names:
        write_image(folder / name, image, overwrite=True)
    return folder


@pytest.fixture
def scans(tmp_path):
    return fill(tmp_path / "in", "a.png", "b.png", "c.png")


def test_a_file_of_somebody_else_stays_when_a_killed_run_goes_on(scans, tmp_path, capsys):
    out = tmp_path / "out"
    out.mkdir()
    (out / "a.png").write_bytes(b"another's")
    killed(READING, 2, scans, "-o", out)
    assert run(scans, "-o", out) == 1
    assert "a.png already exists" in capsys.readouterr().err
    assert (out / "a.png").read_bytes() == b"another's"
    assert read_image(out / "b.png").shape == GREY.shape


def test_a_file_of_somebody_else_stays_when_only_its_row_came(scans, tmp_path):
    out = tmp_path / "out"
    killed(READING, 1, scans, "-o", out)
    out.mkdir(exist_ok=True)
    (scans / "a.png").write_bytes(b"no image")
    run(scans, "-o", out)
    (out / "a.png").write_bytes(b"another's")
    fill(scans, "a.png")
    assert run(scans, "-o", out) == 1
    assert (out / "a.png").read_bytes() == b"another's"


def test_a_run_that_is_killed_twice_goes_on(scans, tmp_path):
    out = tmp_path / "out"
    for _ in range(2):
        killed(MEASURING, 1, scans, "-o", out)
    assert run(scans, "-o", out) == 0
    assert [row["error"] for row in rows(tmp_path / "out.csv")] == [""] * 3


def test_other_settings_do_not_forget_what_was_done(scans, tmp_path, capsys):
    out = tmp_path / "out"
    assert run(scans, "-o", out) == 0
    assert run(scans, "-o", out, "--sigma", "0.2") == 2
    assert sum(not row["error"] for row in rows(tmp_path / "out.csv")) == 3
    capsys.readouterr()
    assert run(scans, "-o", out) == 0
    assert "3 done before" in capsys.readouterr().out
    assert [row["error"] for row in rows(tmp_path / "out.csv")] == [""] * 3


def test_what_other_settings_have_replaced_is_not_done_any_more(scans, tmp_path, capsys):
    out = tmp_path / "out"
    run(scans, "-o", out)
    assert run(scans, "-o", out, "--sigma", "0.2", "--overwrite") == 0
    assert len(rows(tmp_path / "out.csv")) == 3
    assert run(scans, "-o", out) == 2
    assert run(scans, "-o", out, "--sigma", "0.2") == 0
    assert "3 done before" in capsys.readouterr().out


def test_a_killed_run_that_replaces_all_is_gone_on_with(scans, tmp_path, capsys):
    out = tmp_path / "out"
    run(scans, "-o", out)
    killed(READING, 3, scans, "-o", out, "--overwrite")
    capsys.readouterr()
    assert run(scans, "-o", out, "--overwrite") == 0
    assert "1 image with noise" in (said := capsys.readouterr().out)
    assert "2 done before" in said
    assert run(scans, "-o", out, "--overwrite") == 0
    assert "3 images with noise" in capsys.readouterr().out
    assert [row["file"] for row in rows(tmp_path / "out.csv")] == ["a.png", "b.png", "c.png"]


def test_a_changed_input_is_done_again(scans, tmp_path, capsys):
    out = tmp_path / "out"
    run(scans, "-o", out)
    fill(scans, "b.png", image=255 - GREY)
    capsys.readouterr()
    assert run(scans, "-o", out) == 0
    assert "1 image with noise" in (said := capsys.readouterr().out)
    assert "2 done before" in said
    assert np.abs(read_image(out / "b.png").astype(float) - (255 - GREY)).mean() < 40
    assert len(rows(tmp_path / "out.csv")) == 3


def test_a_changed_part_of_an_image_that_is_a_folder_is_a_changed_input(tmp_path, capsys):
    source, out = tmp_path / "in" / "a.zarr", tmp_path / "out"
    write_ome_zarr(source, np.stack([GREY, GREY]), (None, None, None))
    assert run(source.parent, "-o", out) == 0
    assert run(source.parent, "-o", out) == 0
    assert "1 done before" in capsys.readouterr().out
    os.utime(next(each for each in (source / "0").rglob("*") if each.is_file()), (1, 1))
    assert run(source.parent, "-o", out) == 0
    assert "1 image with noise" in capsys.readouterr().out


def test_two_runs_at_once_do_not_spoil_each_other_s_report(scans, tmp_path, capsys):
    lock = tmp_path / ".out.csv.lock"
    code = "import sys; from pathlib import Path; from napari_dental_denoise.files.lock import locked\n"
    code += "with locked(Path(sys.argv[1]), ''): print(flush=True); sys.stdin.read()"
    with subprocess.Popen(
        [sys.executable, "-c", code, tmp_path / "out.csv"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as other:
        other.stdout.readline()
        assert run(scans, "-o", tmp_path / "out") == 2
        assert (
            "out.csv: another run is writing this report: wait until it ends, or choose another one with --report"
            in (capsys.readouterr().err)
        )
        assert not (tmp_path / "out.csv").exists()
        # What a killed one leaves is taken over.
        other.kill()
    assert lock.exists()
    assert run(scans, "-o", tmp_path / "out") == 0
    assert not lock.exists()


@pytest.mark.parametrize("more", [(), ("--overwrite",)])
def test_a_misnamed_file_does_not_take_the_place_of_another(tmp_path, more):
    scans = fill(tmp_path / "in", "a.tif")
    write_image(tmp_path / "float.tif", (GREY / 255).astype(np.float32))
    (tmp_path / "float.tif").rename(scans / "a.png")
    assert run(scans, "-o", tmp_path / "out", *more) == 0
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["a.png.tif", "a.tif"]
    assert read_image(tmp_path / "out" / "a.png.tif").dtype == np.float32
    assert read_image(tmp_path / "out" / "a.tif").dtype == np.uint8
    assert run(scans, "-o", tmp_path / "out") == 0
    # Nor where the other one bears the very name; where it is not misnamed, both are done.
    fill(scans, "a.png.tif")
    assert run(scans, "-o", tmp_path / "more", *more) == 1
    fill(scans, "a.png")
    assert run(scans, "-o", tmp_path / "both", *more) == 0
    assert len(list((tmp_path / "both").iterdir())) == 3


@pytest.mark.parametrize("more", [(), ("--overwrite",)])
def test_two_folders_with_the_same_names_are_not_confused(tmp_path, capsys, more):
    one, two = fill(tmp_path / "one", "x.png", "y.png"), fill(tmp_path / "two", "x.png", image=255 - GREY)
    out = tmp_path / "out"
    for count in range(2):
        assert run(one, two, "-o", out, *more) == 1
        told = capsys.readouterr()
        assert "x.png: its result would replace that of x.png of another source: choose another output" in told.err
        assert "2 done before" in told.out or more or count == 0
        assert np.abs(read_image(out / "x.png").astype(float) - GREY).mean() < 40
        assert sorted((row["file"], bool(row["error"])) for row in rows(tmp_path / "out.csv")) == [
            ("x.png", False),
            ("x.png", True),
            ("y.png", False),
        ]
    # The result of the one folder is no result of the other.
    assert run(two, "-o", out) == 2
    assert "x.png already exists" in capsys.readouterr().err


@pytest.fixture
def dicom_archive(tmp_path):
    """Files that are named by their UIDs, and a radiograph as DICOM and as PNG."""
    scans = fill(tmp_path / "in", "a.png")
    for name in ("1.2.840.113.1", "1.2.840.113.2", "1.2.840.113.3", "a.dcm"):
        save(radiograph(GREY), scans / name)
    return scans


def test_files_named_by_numbers_and_files_of_two_types_do_not_clash(tmp_path, capsys, dicom_archive):
    assert run(dicom_archive, "-o", tmp_path / "out", "--dry-run") == 0
    told = capsys.readouterr().out
    assert run(dicom_archive, "-o", tmp_path / "out") == 0
    expected = ["1.2.840.113.1.dcm", "1.2.840.113.2.dcm", "1.2.840.113.3.dcm", "a.dcm", "a.png"]
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == expected
    assert all(f"-> {tmp_path / 'out' / name}\n" in told for name in expected)


def test_large_and_small_letters_are_two_files_where_the_disk_says_so(tmp_path):
    scans = fill(tmp_path / "in", "a.png", "A.PNG")
    if len(list(scans.iterdir())) == 1:
        pytest.skip("this disk takes them for one")
    assert run(scans, "-o", tmp_path / "out") == 0
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["A.png", "a.png"]


def test_a_clean_twin_that_cannot_be_read_is_named_and_costs_only_its_scores(scans, tmp_path, capsys):
    clean = fill(tmp_path / "clean", "a.png", "b.png", image=GREY + 3)
    (clean / "b.png").write_bytes(b"no image")
    command = ["denoise", scans, "-o", tmp_path / "out", "--clean"]
    assert main([*map(str, command), str(clean)]) == 0
    first, second, third = rows(tmp_path / "out.csv")
    assert float(first["psnr"]) > 20
    assert (second["error"], second["psnr"]) == ("", "")
    assert second["note"].startswith("clean twin b.png: is not an image")
    assert third["note"] == "no clean twin"
    assert main([*map(str, command), str(clean)]) == 0
    assert "0 images denoised, 3 done before\n" in capsys.readouterr().out
    assert main([*map(str, command), str(tmp_path / "nowhere")]) == 2
    assert f"--clean {tmp_path / 'nowhere'}: no such folder" in capsys.readouterr().err


@pytest.mark.skipif(sys.platform in ("win32", "darwin"), reason="names of files are text there")
def test_names_that_are_no_text_or_steer_the_terminal(tmp_path, capsys):
    scans = tmp_path / "in"
    fill(scans, "a.png", "red\x1b[31m.png")
    (scans / "a.png").rename(scans / os.fsdecode(b"b\xff.png"))
    (scans / "bad\x1b[2J.png").write_bytes(b"no image")
    assert run(scans, "-o", tmp_path / "out", "--dry-run") == 0
    assert run(scans, "-o", tmp_path / "out") == 1
    told = capsys.readouterr()
    assert "\x1b" not in told.out + told.err
    assert "bad\\x1b[2J.png" in told.err
    assert "b\\udcff.png" in told.out
    assert (os.fsencode(tmp_path / "out") + b"/b\xff.png") in [
        os.fsencode(path) for path in (tmp_path / "out").iterdir()
    ]
    assert run(scans, "-o", tmp_path / "out") == 1
    assert "2 done before" in capsys.readouterr().out


def test_whatever_goes_wrong_with_a_file_costs_one_row(scans, tmp_path, monkeypatch):
    from napari_dental_denoise.cli.work import NoiseWork

    add = NoiseWork.__call__

    def fails(self, stored, encoding, number):
        if number == 1:
            raise MemoryError("Doe^Jane")
        return add(self, stored, encoding, number)

    monkeypatch.setattr(NoiseWork, "__call__", fails)
    assert run(scans, "-o", tmp_path / "out") == 1
    assert [row["error"] for row in rows(tmp_path / "out.csv")] == ["", "internal error (MemoryError)", ""]


def test_the_report_within_the_archive_is_no_input(scans, tmp_path, capsys):
    for _ in range(2):
        assert run(scans, "-o", tmp_path / "noisy", "--report", scans / "noisy.csv") == 0
    assert "3 done before" in capsys.readouterr().out


@pytest.mark.parametrize("cut", [0, 3, None], ids=["empty", "in the head", "in a letter"])
def test_a_report_that_was_cut_anywhere_is_gone_on_with(tmp_path, cut):
    scans = fill(tmp_path / "in", "a.png", "zähne.png")
    run(scans, "-o", tmp_path / "out")
    report = tmp_path / "out.csv"
    data = report.read_bytes()
    report.write_bytes(data[: data.rindex("ä".encode()) + 1 if cut is None else cut])
    assert run(scans, "-o", tmp_path / "out", "--overwrite") == 0
    assert sorted(row["file"] for row in rows(report)) == ["a.png", "zähne.png"]


def test_what_keeps_a_result_from_being_measured_is_noted(scans, tmp_path, monkeypatch):
    from napari_dental_denoise.batch import process as batch

    read = batch.read_image

    def fails(path):
        if path.name == "b.png":
            raise MemoryError("Doe^Jane")
        return read(path)

    monkeypatch.setattr(batch, "read_image", fails)
    assert run(scans, "-o", tmp_path / "out") == 0
    command = ["denoise", scans, "-o", tmp_path / "clean", "--clean", scans]
    assert main([*map(str, command)]) == 0
    notes = [(row["error"], row["note"]) for row in rows(tmp_path / "clean.csv")]
    assert notes == [("", ""), ("", "could not be measured (MemoryError)"), ("", "")]


def test_a_long_name_costs_at_most_its_own_row(tmp_path):
    # With another suffix, as that of a twin or of a misnamed file, it would be too long.
    long = "a" * 251 + ".png"
    scans = fill(tmp_path / "in", "b.png", "c.png")
    (scans / "b.png").rename(scans / long)
    clean = fill(tmp_path / "clean", "other.png")
    assert main(["denoise", str(scans), "-o", str(tmp_path / "out"), "--clean", str(clean)]) == 0
    assert [(row["file"], row["note"]) for row in rows(tmp_path / "out.csv")] == [
        (long, "no clean twin"),
        ("c.png", "no clean twin"),
    ]


@pytest.mark.parametrize("others", [False, True])
def test_a_result_whose_worker_died_is_finished_by_the_next_run(scans, tmp_path, others):
    out = tmp_path / "out"
    out.mkdir()
    (out / "c.png").write_bytes(b"another's")
    command = [sys.executable, "-c", WORKER_DIES, "add-noise", scans, "-o", out]
    assert subprocess.run(command, capture_output=True, check=False).returncode == 2
    assert read_image(out / "a.png").shape == GREY.shape
    if others:
        # Of other settings: what they may not replace stays what it was.
        assert run(scans, "-o", out, "--sigma", "0.2") == 2
    assert run(scans, "-o", out) == 1
    assert [row["file"] for row in rows(tmp_path / "out.csv") if not row["error"]] == ["a.png", "b.png"]
    assert (out / "c.png").read_bytes() == b"another's"


def test_what_is_done_before_is_told_before_the_rest_is_done(scans, tmp_path):
    from napari_dental_denoise.batch.inputs import find_items
    from napari_dental_denoise.batch.maps import Processed
    from napari_dental_denoise.batch.process import Destination
    from napari_dental_denoise.batch.report import Run, open_report
    from napari_dental_denoise.batch.run import DoneBefore, on_this_process, run_files
    from napari_dental_denoise.dicom.provenance import Derivation

    destination = Destination(tmp_path / "out", None, Derivation("kept", ""))
    process = on_this_process(destination, lambda stored, _encoding, _number: Processed(stored), measure=False)

    def outcomes():
        with open_report(tmp_path / "out.csv", Run("kept", destination.output)) as report:
            yield from run_files(find_items([scans]), destination, process, report)

    list(outcomes())
    (tmp_path / "out" / "c.png").unlink()
    running = outcomes()
    assert next(running) == DoneBefore("a.png", "a.png")
    assert not (tmp_path / "out" / "c.png").exists()
    assert [outcome.file for outcome in running] == ["b.png", "c.png"]


def test_folders_that_differ_in_case_clash_where_the_disk_of_the_results_ignores_it(tmp_path, monkeypatch, capsys):
    from napari_dental_denoise.batch import run as batch_run

    scans = fill(tmp_path / "in", "jaw/a.png", "JAW/A.png")
    if len(list(scans.iterdir())) == 1:
        pytest.skip("this disk takes them for one")
    monkeypatch.setattr(batch_run, "ignores_case", lambda folder: True)
    assert run(scans, "-o", tmp_path / "out") == 1
    assert len(list((tmp_path / "out").rglob("*.png"))) == 1
    assert "its result would replace that of " in (error := capsys.readouterr().err)
    assert str(scans) not in error


def test_a_disk_without_permissions_and_locks_is_written_to(scans, tmp_path, monkeypatch):
    def refuses(*_arguments, **_named):
        raise OSError(errno.ENOTSUP, "Operation not supported")

    monkeypatch.setattr(os, "chmod", refuses)
    if sys.platform != "win32":
        monkeypatch.setattr("fcntl.flock", refuses)
    for seed in (1, 2):
        assert run(scans, "-o", tmp_path / "out", "--overwrite", "--seed", seed) == 0
