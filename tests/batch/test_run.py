"""A tree of files becomes a tree of results: mirrored, gone on with, spread over processes; a bad file costs a row."""

import csv
import os
import shutil
import subprocess
import sys

import numpy as np
import pytest
import tifffile

from napari_dental_denoise.cli import main
from napari_dental_denoise.cli.work import KerasWork
from napari_dental_denoise.evaluation.metrics import psnr
from napari_dental_denoise.images.radiograph import read_image, read_pages
from napari_dental_denoise.images.writer import write_image, write_tiff_pages
from napari_dental_denoise.models.pretrained import FAST_STARTER
from napari_dental_denoise.noise.pointwise import add_gaussian_noise
from napari_dental_denoise.pixels.encoding import PLAIN
from napari_dental_denoise.synthesis.scene import phantom


def run(*arguments):
    return main([str(argument) for argument in arguments])


def rows(path):
    with path.open(newline="") as file:
        return {row["file"]: row for row in csv.DictReader(file)}


# The command line, which waits a second for a scheduler.
APART = """
import sys
import napari_dental_denoise.batch.dask as dask
from napari_dental_denoise.cli import main
dask.TIMEOUT = "1s"
sys.exit(main(sys.argv[1:]))
"""


def run_apart(*arguments):
    """In a process of its own: Dask leaves pipes open, of which other tests would hear."""
    command = [sys.executable, "-c", APART, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def tree(folder):
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


@pytest.fixture
def archive(tmp_path):
    """Noisy images in folders, a bad file among them, and their clean twins."""
    clean = np.rint(phantom((96, 128), 0) * 255).astype(np.uint8)
    names = ["2024/a.png", "2024/b/c.tif", "2025/a.png", "d.bmp"]
    for index, name in enumerate(names):
        write_image(tmp_path / "archive" / name, add_gaussian_noise(clean, 0.1, rng=index))
        write_image(tmp_path / "clean" / name, clean)
    (tmp_path / "archive" / "2025" / "bad.png").write_bytes(b"no image")
    return tmp_path / "archive"


@pytest.mark.quick
def test_the_output_mirrors_the_input_and_a_bad_file_costs_a_row(archive, tmp_path, capsys):
    assert run("denoise", archive, "-o", tmp_path / "out", "--clean", tmp_path / "clean") == 1
    assert tree(tmp_path / "out") == ["2024/a.png", "2024/b/c.tif", "2025/a.png", "d.bmp"]
    report = rows(tmp_path / "out.csv")
    assert sorted(report) == tree(archive)
    assert "is not an image" in report["2025/bad.png"]["error"]
    good = report["2024/b/c.tif"]
    assert good["result"] == "2024/b/c.tif"
    assert 0.08 < float(good["noise_before"]) < 0.12
    assert float(good["noise_after"]) < float(good["noise_before"]) / 2
    assert float(good["psnr"]) > 28
    assert 0.7 < float(good["ssim"]) <= 1
    assert "4 images denoised" in capsys.readouterr().out


def test_every_page_counts_beside_its_clean_twin(tmp_path):
    clean = np.stack([np.rint(phantom((96, 128), seed) * 255).astype(np.uint8) for seed in range(2)])
    write_tiff_pages(tmp_path / "clean" / "two.tif", clean, None, overwrite=False)
    write_tiff_pages(tmp_path / "in" / "two.tif", add_gaussian_noise(clean, 0.1, rng=0), None, overwrite=False)
    assert run("denoise", tmp_path / "in", "-o", tmp_path / "out", "--clean", tmp_path / "clean") == 0
    (row,) = rows(tmp_path / "out.csv").values()
    expected = psnr(clean, read_pages(tmp_path / "out" / "two.tif"), data_range=255)
    assert float(row["psnr"]) == pytest.approx(expected, abs=0.01)
    assert 0.5 < float(row["ssim"]) < 1


def test_rows_that_an_image_lacks_are_named(archive, tmp_path):
    assert run("denoise", archive, "-o", tmp_path / "out", "--rows", "600:700") == 2
    error = rows(tmp_path / "out.csv")["d.bmp"]["error"]
    assert "has 96 rows, none of them among those asked for" in error


def test_an_image_in_another_unit_has_the_same_result_in_that_unit(tmp_path, radiographs):
    """Optical densities, and values far below 0: two files of one radiograph."""
    noisy = add_gaussian_noise(radiographs[0] / np.float32(255), 0.1, rng=0)
    for name, image in (("a.tif", noisy), ("b.tif", 3.6 * noisy - 1000)):
        write_image(tmp_path / "in" / name, image.astype(np.float32))
    assert run("denoise", tmp_path / "in", "-o", tmp_path / "out", "--precision", "f32") == 0
    one, other = (read_image(tmp_path / "out" / name) for name in ("a.tif", "b.tif"))
    np.testing.assert_allclose((other + 1000) / 3.6, one, atol=1e-3)
    assert np.abs(one - noisy).max() > 0.1


def test_a_changed_model_is_loaded_again(tmp_path, trained_model):
    image = np.random.default_rng(0).integers(0, 256, (64, 64), dtype=np.uint8)
    results = []
    for number, source in enumerate((trained_model, FAST_STARTER)):
        shutil.copyfile(source, tmp_path / "model.keras")
        os.utime(tmp_path / "model.keras", (number, number))
        results.append(KerasWork(tmp_path / "model.keras")(image, PLAIN, 0).pixels)
    assert not np.array_equal(*results)


def test_a_second_run_does_only_what_is_missing(archive, tmp_path, capsys):
    run("denoise", archive, "-o", tmp_path / "out")
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "out").rglob("*.png")}
    (tmp_path / "out" / "d.bmp").unlink()
    write_image(archive / "new.png", read_image(archive / "d.bmp"))
    capsys.readouterr()
    assert run("denoise", archive, "-o", tmp_path / "out") == 1
    assert "2 images denoised" in (said := capsys.readouterr().out)
    assert "3 done before, 1 left out" in said
    assert all(path.stat().st_mtime_ns == when for path, when in before.items())
    assert sorted(rows(tmp_path / "out.csv")) == tree(archive)


def test_a_report_that_was_cut_off_is_gone_on_with(archive, tmp_path, capsys):
    run("denoise", archive, "-o", tmp_path / "out")
    report = tmp_path / "out.csv"
    lines = [line for line in report.read_text().splitlines(keepends=True) if "bad.png" not in line]
    report.write_text("".join(lines)[:-20])
    (tmp_path / "out" / "2025" / "a.png").unlink()
    capsys.readouterr()
    run("denoise", archive, "-o", tmp_path / "out")
    assert "1 image denoised" in capsys.readouterr().out
    assert sorted(rows(report)) == tree(archive)


def test_another_file_is_not_taken_for_a_report(archive, tmp_path, capsys):
    (tmp_path / "out.csv").write_text("tooth,finding\n36,caries\n")
    assert run("denoise", archive, "-o", tmp_path / "out") == 2
    assert "is not a report of this program: choose another one with --report" in capsys.readouterr().err
    assert (tmp_path / "out.csv").read_text() == "tooth,finding\n36,caries\n"


def test_a_dry_run_writes_nothing(archive, tmp_path, capsys):
    assert run("denoise", archive, "-o", tmp_path / "out", "--dry-run") == 0
    assert f"2024/b/c.tif -> {tmp_path / 'out' / '2024' / 'b' / 'c.tif'}" in capsys.readouterr().out
    assert not (tmp_path / "out").exists()
    assert not (tmp_path / "out.csv").exists()


def test_a_dry_run_tells_what_is_done_and_what_would_be_refused(archive, tmp_path, capsys):
    command = ("denoise", archive, "-o", tmp_path / "out")
    run(*command)
    for name in ("new.bmp", "other.bmp"):
        shutil.copy(archive / "d.bmp", archive / name)
    (tmp_path / "out" / "other.bmp").write_bytes(b"of somebody else")
    before = (tmp_path / "out.csv").read_bytes()
    capsys.readouterr()
    assert run(*command, "--dry-run") == 1
    told = capsys.readouterr().out
    assert f"new.bmp -> {tmp_path / 'out' / 'new.bmp'}\n" in told
    assert "other.bmp: left out: its result already exists" in told
    assert "2 images, nothing written, 4 done before, 1 to be left out\n" in told, "the new one and the bad one"
    assert (tmp_path / "out.csv").read_bytes() == before


def test_a_dry_run_tells_what_cannot_become_dicom(archive, tmp_path, capsys):
    assert run("denoise", archive / "d.bmp", "-o", tmp_path / "out", "--format", "dcm", "--dry-run") == 2
    assert "d.bmp: left out: is not a DICOM file" in capsys.readouterr().out


def test_twins_are_known_by_their_names_whatever_their_suffixes(tmp_path, capsys):
    clean = np.rint(phantom((96, 128), 0) * 255).astype(np.uint8)
    twins = {"a.png": "a.PNG", "b.png": "b.TIF", "1.2.840.1.png": "1.2.840.1", "c.png": None}
    (tmp_path / "clean").mkdir()
    for index, (name, twin) in enumerate(twins.items()):
        write_image(tmp_path / "in" / name, add_gaussian_noise(clean, 0.1, rng=index))
        if twin:
            suffix = ".tif" if twin.endswith("TIF") else ".png"
            write_image(tmp_path / f"x{suffix}", clean, overwrite=True)
            (tmp_path / f"x{suffix}").rename(tmp_path / "clean" / twin)
    assert run("denoise", tmp_path / "in", "-o", tmp_path / "out", "--clean", tmp_path / "clean") == 0
    found = rows(tmp_path / "out.csv")
    assert {name for name, row in found.items() if row["psnr"]} == {"a.png", "b.png", "1.2.840.1.png"}
    assert "4 images denoised" in (told := capsys.readouterr().out)
    assert "1 with no clean twin" in told


def test_scores_that_are_asked_for_later_are_made(archive, tmp_path, capsys):
    (archive / "2025" / "bad.png").unlink()
    command = ("denoise", archive, "-o", tmp_path / "out")
    assert run(*command) == 0
    for expected in ("4 images denoised", "4 done before"):
        capsys.readouterr()
        assert run(*command, "--clean", tmp_path / "clean") == 0
        assert expected in capsys.readouterr().out
    assert all(float(row["psnr"]) > 28 for row in rows(tmp_path / "out.csv").values())


def test_scores_of_one_file_need_a_place(archive, tmp_path, capsys):
    command = ("denoise", archive / "d.bmp", "-o", tmp_path / "one.png", "--clean", tmp_path / "clean")
    assert run(*command) == 2
    assert "--clean needs a report for its scores: name one with --report" in capsys.readouterr().err
    assert run(*command, "--report", tmp_path / "one.csv") == 0
    assert float(rows(tmp_path / "one.csv")["d.bmp"]["psnr"]) > 28


INSIDE = "lies in the input folder"


@pytest.mark.parametrize("command", ["denoise", "add-noise"])
@pytest.mark.parametrize(
    ("source", "output"),
    [
        ("in", "in"),
        ("in", "in/denoised"),
        ("in", "in/2024/../denoised"),
        ("in", "link"),
        ("link", "in/deep/denoised"),
        ("in", "linked/denoised"),
        ("in", "in/one.png"),
        ("in/**/*.png", "in/denoised"),
        ("in/*.png", "in"),
        ("in/*.png", "in/one.png"),
        ("in/x.png", "in"),
        (".", "denoised"),
    ],
)
def test_results_that_a_later_run_would_take_for_inputs_are_refused(
    tmp_path, monkeypatch, capsys, command, source, output
):
    fill(tmp_path / "in", "x.png")
    (tmp_path / "in" / "2024").mkdir()
    (tmp_path / "link").symlink_to("in")
    (tmp_path / "linked").symlink_to("in/2024")
    monkeypatch.chdir(tmp_path)
    before = tree(tmp_path)
    assert run(command, source, "-o", output, "--overwrite") == 2
    told = capsys.readouterr().err
    assert f"{output}: {INSIDE}" in told
    assert "choose a place outside" in told
    assert tree(tmp_path) == before


@pytest.mark.parametrize(
    ("sources", "output"),
    [
        (["x.png"], "noisy"),
        (["x.png", "y.png"], "noisy"),
        (["*.png"], "noisy"),
        (["x.png"], "x-noisy.png"),
        (["."], "../noisy"),
    ],
)
def test_results_that_no_later_run_would_take_for_inputs_are_not(tmp_path, monkeypatch, sources, output):
    monkeypatch.chdir(fill(tmp_path / "in", "x.png", "y.png"))
    results = []
    for _ in range(2):
        assert run("add-noise", *sources, "-o", output, "--overwrite") == 0
        results.append(tree(tmp_path))
    assert results[0] == results[1]


def test_links_that_lead_round_and_pipes_cost_nothing_or_a_row(archive, tmp_path, capsys):
    (archive / "loop").symlink_to(archive)
    (archive / "nowhere.png").symlink_to("nowhere.png")
    os.mkfifo(archive / "pipe.png")
    assert run("denoise", archive, "-o", tmp_path / "out") == 1
    errors = {name: row["error"] for name, row in rows(tmp_path / "out.csv").items() if row["error"]}
    assert sorted(errors) == ["2025/bad.png", "nowhere.png", "pipe.png"]
    assert errors["pipe.png"] == "is not a regular file"


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="nothing is closed to the administrator")
def test_a_folder_that_cannot_be_read_costs_a_row(archive, tmp_path):
    (archive / "2024" / "b").chmod(0)
    try:
        assert run("denoise", archive, "-o", tmp_path / "out") == 1
    finally:
        (archive / "2024" / "b").chmod(0o755)
    assert rows(tmp_path / "out.csv")["2024/b"]["error"] == "is a folder that cannot be read"


def test_patterns_are_mirrored_and_name_each_file_once(archive, tmp_path):
    (archive / "loop").symlink_to(archive)
    assert run("denoise", archive / "**" / "a.png", archive / "2024" / "a.png", "-o", tmp_path / "out") == 0
    assert tree(tmp_path / "out") == ["2024/a.png", "2025/a.png"]


def test_processes_give_the_same_as_one(archive, tmp_path):
    assert run("denoise", archive, "-o", tmp_path / "one", "--precision", "f32") == 1
    done = run_apart("denoise", archive, "-o", tmp_path / "two", "--precision", "f32", "--workers", 2)
    assert done.returncode == 1
    assert "dashboard: http" in done.stdout
    assert len(done.stderr.splitlines()) == 1
    assert tree(tmp_path / "one") == tree(tmp_path / "two")
    for name in tree(tmp_path / "one"):
        one, two = read_image(tmp_path / "one" / name), read_image(tmp_path / "two" / name)
        assert np.abs(one.astype(int) - two).max() <= 1
    assert sorted(rows(tmp_path / "two.csv")) == tree(archive)


def test_noise_is_the_same_on_processes(archive, tmp_path):
    assert run("add-noise", archive, "-o", tmp_path / "one", "--seed", 3) == 1
    assert run_apart("add-noise", archive, "-o", tmp_path / "two", "--seed", 3, "--workers", 2).returncode == 1
    for name in tree(tmp_path / "one"):
        np.testing.assert_array_equal(read_image(tmp_path / "one" / name), read_image(tmp_path / "two" / name))


def test_a_scheduler_that_does_not_answer_is_named(archive, tmp_path):
    done = run_apart("denoise", archive, "-o", tmp_path / "out", "--scheduler", "tcp://127.0.0.1:9")
    assert done.returncode == 2
    assert "tcp://127.0.0.1:9: no Dask scheduler answers there" in done.stderr.splitlines()[-1]


# The command line, which says that it has come to the fifth file and then waits for what never comes.
WAITS = """
import sys
import napari_dental_denoise.batch.run as run
from napari_dental_denoise.cli import main
process_item = run.process_item
def waits(item, *arguments, **named):
    if item.number == 4:
        print("waiting", flush=True)
        sys.stdin.read()
    return process_item(item, *arguments, **named)
run.process_item = waits
main(sys.argv[1:])
"""


@pytest.mark.skipif(sys.platform == "win32", reason="kill -9 is of POSIX")
def test_a_run_that_was_killed_is_resumed(tmp_path):
    clean = np.rint(phantom((64, 64), 0) * 255).astype(np.uint8)
    for index in range(8):
        write_image(tmp_path / "in" / f"{index}.png", clean)
    command = ["denoise", tmp_path / "in", "-o", tmp_path / "out", "--precision", "f32"]
    killed = [sys.executable, "-c", WAITS, *map(str, command)]
    with subprocess.Popen(killed, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "waiting\n"
        process.kill()
    assert tree(tmp_path / "out") == [f"{index}.png" for index in range(4)]
    # Not of that run: it stays.
    (tmp_path / "out" / "5.png").write_bytes(b"another's file")
    done = run_apart(*command)
    assert done.returncode == 1
    assert "5.png already exists" in done.stderr
    assert (tmp_path / "out" / "5.png").read_bytes() == b"another's file"
    (tmp_path / "out" / "5.png").unlink()
    assert run(*command) == 0
    assert len({read_image(tmp_path / "out" / name).tobytes() for name in tree(tmp_path / "out")}) == 1
    assert sorted(rows(tmp_path / "out.csv")) == tree(tmp_path / "out")


def fill(folder, *names, level=100):
    for name in names:
        write_image(folder / name, np.full((48, 64), level, np.uint8))
    return folder


@pytest.mark.parametrize("pattern", ["", "*.png", "x.png"])
def test_no_input_is_replaced_by_the_result_of_another(tmp_path, capsys, pattern):
    one, two = fill(tmp_path / "one", "x.png", level=10), fill(tmp_path / "two", "x.png", level=200)
    assert run("add-noise", one, two / pattern, "-o", two, "--overwrite") == 2
    assert f"{two}: {INSIDE} {two}" in capsys.readouterr().err
    assert (read_image(two / "x.png") == 200).all()


def test_no_input_is_replaced_through_links_and_folders_of_the_same_name(tmp_path):
    one, two = fill(tmp_path / "one", "x.png"), fill(tmp_path / "two", "two/x.png", "x.png", level=200)
    # The results of two/two would be those files of two that are inputs.
    assert run("add-noise", two, "-o", tmp_path, "--overwrite") == 1
    (tmp_path / "link").symlink_to(two)
    assert run("add-noise", one, two, "-o", tmp_path / "link", "--overwrite") == 2
    assert (read_image(two / "x.png") == 200).all()
    assert (read_image(two / "two" / "x.png") == 200).all()


def test_a_file_that_is_named_is_replaced_when_asked(tmp_path, capsys):
    scans = fill(tmp_path / "in", "a.png")
    for _ in range(2):
        assert run("add-noise", scans / "a.png", "-o", scans / "b.png", "--overwrite") == 0
    capsys.readouterr()
    assert run("add-noise", scans / "a.png", "-o", scans / "a.png", "--overwrite") == 2
    assert "its result would replace" in capsys.readouterr().err
    assert (read_image(scans / "a.png") == 100).all()


@pytest.mark.parametrize("dtype", [np.int16, np.uint32, np.float32])
def test_a_tiff_keeps_its_type_and_its_unit(tmp_path, dtype):
    clean = phantom((96, 128), 0)
    noisy = (1000 * add_gaussian_noise(clean, 0.1, rng=0) + (-500 if dtype == np.int16 else 500)).astype(dtype)
    (tmp_path / "scans").mkdir()
    tifffile.imwrite(tmp_path / "scans" / "a.tif", noisy)
    assert run("denoise", tmp_path / "scans", "-o", tmp_path / "out", "--model", "starter-fast") == 0
    result = tifffile.imread(tmp_path / "out" / "a.tif")
    assert result.dtype == dtype
    truth = 1000 * clean + (-500 if dtype == np.int16 else 500)
    assert np.std(result - truth) < 0.6 * np.std(noisy - truth)
    assert abs(np.mean(result - truth)) < 10
