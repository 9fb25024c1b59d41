"""De-identified results are numbered: no name of a file or folder reaches the results, the report or the screen."""

import csv
import os

import numpy as np
import pytest

from napari_dental_denoise.cli import main
from napari_dental_denoise.images.radiograph import read_image
from napari_dental_denoise.images.writer import write_image
from napari_dental_denoise.synthesis.scene import phantom
from tests.dicom_files import radiograph, save

CLEAN = np.rint(phantom((48, 64), 0) * 255).astype(np.uint8)
NAMES = ("mueller", "juergen", "1970")


def run(*arguments):
    return main(["add-noise", *map(str, arguments), "--deidentify"])


def rows(path):
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def results(folder):
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


@pytest.fixture
def scans(tmp_path):
    """Three files of a patient, in folders named after him, each with grey values of its own."""
    folder = tmp_path / "in"
    save(radiograph(CLEAN.astype(np.uint16), bits=12), folder / "Mueller" / "Mueller_Juergen_19700101.dcm")
    write_image(folder / "Mueller" / "mueller_x.png", CLEAN // 2)
    write_image(folder / "Zoe" / "Juergen.jpg", 255 - CLEAN)
    return folder


def test_no_name_is_seen_again(scans, tmp_path, capsys):
    (scans / "Zoe" / "mueller_juergen.png").write_bytes(b"no image")
    assert run(scans, "-o", tmp_path / "out") == 1
    assert results(tmp_path / "out") == ["image_0001.dcm", "image_0002.png", "image_0003.png"]
    said = "".join(capsys.readouterr()) + (tmp_path / "out.csv").read_text()
    assert not [name for name in NAMES if name in said.lower()]
    assert "image_0004" in said
    assert [row["file"] for row in rows(tmp_path / "out.csv")] == [f"image_{number:04}" for number in range(1, 5)]


def test_numbers_follow_the_order_of_the_inputs(scans, tmp_path, capsys):
    run(scans, "-o", tmp_path / "out", "--sigma", 0)
    np.testing.assert_array_equal(read_image(tmp_path / "out" / "image_0002.png"), CLEAN // 2)
    capsys.readouterr()
    assert run(scans, "-o", tmp_path / "new", "--dry-run") == 0
    assert f"Mueller/mueller_x.png -> {tmp_path / 'new' / 'image_0002.png'}" in capsys.readouterr().out
    assert run(scans, "-o", tmp_path / "out", "--sigma", 0, "--dry-run") == 0
    assert "Mueller/mueller_x.png -> image_0002, done before" in capsys.readouterr().out


def test_a_resumed_run_keeps_the_numbers(scans, tmp_path, capsys):
    run(scans, "-o", tmp_path / "out", "--sigma", 0)
    (tmp_path / "out" / "image_0002.png").unlink()
    capsys.readouterr()
    assert run(scans, "-o", tmp_path / "out", "--sigma", 0) == 0
    assert "1 image with noise" in (said := capsys.readouterr().out)
    assert "2 done before" in said
    np.testing.assert_array_equal(read_image(tmp_path / "out" / "image_0002.png"), CLEAN // 2)


def test_a_number_never_stands_for_another_file(scans, tmp_path):
    out = tmp_path / "out"
    run(scans, "-o", out, "--sigma", 0)
    write_image(scans / "Mueller" / "a.png", CLEAN // 3)
    write_image(scans / "Zoe" / "Juergen.png", CLEAN // 4)
    (scans / "Zoe" / "Juergen.jpg").unlink()
    assert run(scans, "-o", out, "--sigma", 0) == 0
    assert results(out) == ["image_0001.dcm", *(f"image_000{number}.png" for number in range(2, 6))]
    for number, divisor in ((2, 2), (4, 3), (5, 4)):
        np.testing.assert_array_equal(read_image(out / f"image_000{number}.png"), CLEAN // divisor)


def test_files_of_one_size_and_time_are_told_apart(tmp_path):
    for index, name in enumerate("cab"):
        write_image(tmp_path / "in" / f"{name}.bmp", CLEAN // (index + 1))
        os.utime(tmp_path / "in" / f"{name}.bmp", (10**9, 10**9))
    for _ in range(2):
        assert run(tmp_path / "in", "-o", tmp_path / "out", "--sigma", 0) == 0
    assert results(tmp_path / "out") == [f"image_000{number}.bmp" for number in (1, 2, 3)]
    np.testing.assert_array_equal(read_image(tmp_path / "out" / "image_0003.bmp"), CLEAN)


def test_names_are_kept_on_request(scans, tmp_path):
    assert run(scans, "-o", tmp_path / "out", "--keep-names") == 0
    assert results(tmp_path / "out")[0] == "Mueller/Mueller_Juergen_19700101.dcm"
    assert rows(tmp_path / "out.csv")[1]["file"] == "Mueller/mueller_x.png"


def test_a_report_that_names_files_is_not_gone_on_with(scans, tmp_path, capsys):
    main(["add-noise", str(scans), "-o", str(tmp_path / "out")])
    before = (tmp_path / "out.csv").read_bytes()
    assert run(scans, "-o", tmp_path / "out") == 2
    assert "names the files of an earlier run" in capsys.readouterr().err
    assert (tmp_path / "out.csv").read_bytes() == before


def test_the_report_does_not_hold_the_time_of_a_file(scans, tmp_path):
    run(scans, "-o", tmp_path / "out")
    times = {str(path.stat().st_mtime_ns) for path in scans.rglob("*") if path.is_file()}
    assert not [time for time in times if time in (tmp_path / "out.csv").read_text()]


def test_figures_against_a_twin_need_no_name(scans, tmp_path, capsys):
    write_image(tmp_path / "clean" / "Mueller" / "mueller_x.tif", CLEAN[:10])
    arguments = ("-o", tmp_path / "out", "--clean", tmp_path / "clean", "--deidentify")
    assert main(["denoise", str(scans / "Mueller"), *map(str, arguments)]) == 0
    assert "image_0002" in (said := "".join(capsys.readouterr()) + (tmp_path / "out.csv").read_text())
    assert not [name for name in NAMES if name in said.lower()]
