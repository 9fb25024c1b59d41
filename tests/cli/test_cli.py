"""The command line as a user meets it: files in, files out, exit codes, one line for each error."""

import csv
import io
import json
import os
import re
import shutil
import signal
import subprocess
import sys
from contextlib import redirect_stdout

import numpy as np
import pytest

from napari_dental_denoise import add_gaussian_noise, denoise, psnr, read_dental, read_image, write_image
from napari_dental_denoise.cli import main
from napari_dental_denoise.cli.console import StopRequest
from napari_dental_denoise.cli.main import build_parser
from napari_dental_denoise.cli.train import prepare
from napari_dental_denoise.config import Limits
from napari_dental_denoise.files.lock import locked
from napari_dental_denoise.images.formats import probe
from napari_dental_denoise.images.radiograph import read_pages
from napari_dental_denoise.images.writer import write_tiff_pages
from napari_dental_denoise.training.patches import batches
from napari_dental_denoise.training.starter import AS_IT_IS, REPEATED, SCALES
from tests.conftest import write_scans
from tests.hostile import write_hostile

COMMANDS = ("add-noise", "train", "denoise", "evaluate", "info", "convert", "export", "raw-header", "workflow")


def run(*arguments):
    return main([str(argument) for argument in arguments])


@pytest.mark.quick
@pytest.mark.parametrize("command", COMMANDS)
def test_help_explains_every_option(command, capsys):
    with pytest.raises(SystemExit) as end:
        main([command, "--help"])
    assert end.value.code == 0
    assert f"usage: napari-dental-denoise {command}" in " ".join(capsys.readouterr().out.split())
    (commands,) = [action for action in build_parser()._actions if action.dest == "command"]
    for option in commands.choices[command]._actions:
        assert len(option.help or "") > 10, option.dest


@pytest.mark.parametrize(
    "arguments",
    [[], ["sharpen"], ["denoise"], ["add-noise", "x.png", "--seed", "-1"], ["add-noise", "x.png", "--sigma", "loud"]],
)
def test_a_wrong_command_line_exits_with_2(arguments, capsys):
    with pytest.raises(SystemExit) as end:
        main(arguments)
    assert end.value.code == 2
    error = capsys.readouterr().err
    assert error.startswith("napari-dental-denoise: ")
    assert error.endswith(" --help\n")
    assert error.count("\n") == 1


@pytest.mark.parametrize("arguments", [("denoise", ""), ("evaluate", "x.png", "--noisy", ""), ("info", "")])
def test_an_unset_variable_is_no_source(arguments, capsys):
    with pytest.raises(SystemExit, match="2"):
        run(*arguments)
    assert "expected a file, folder or pattern; received an empty text" in capsys.readouterr().err


@pytest.mark.parametrize("where", ["/", ".", "", ".."])
@pytest.mark.parametrize(
    "arguments",
    [
        ("add-noise", "x.png", "--report"),
        ("train", "x.png", "-o", "m.keras", "--preview"),
        ("train", "x.png", "-o"),
        ("convert", "m.keras", "-o"),
        ("evaluate", "x.png", "-o"),
        ("workflow", "-o"),
    ],
)
def test_a_result_needs_a_name(arguments, where, capsys):
    with pytest.raises(SystemExit) as end:
        main([*arguments, where])
    assert end.value.code == 2
    error = capsys.readouterr().err
    assert f"expected a path that ends in a name; received {where!r}" in error
    assert error.count("\n") == 1


@pytest.mark.parametrize("command", ["add-noise", "denoise"])
def test_the_root_folder_has_no_place_for_the_report(command, folder, capsys):
    assert run(command, folder, "-o", "/", "--dry-run") == 2
    assert "/: a root folder has no place beside it for the report: name one with --report" in capsys.readouterr().err
    report = folder.with_name("report.csv")
    assert run(command, folder, "-o", "/", "--dry-run", "--report", report) == 0


def test_an_impossible_path_is_one_line(capsys):
    assert run("add-noise", "x" * 300) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert "File name too long" in error or "no such file" in error


def test_a_fault_is_told_from_files_that_were_left_out(monkeypatch, capsys):
    def fail(_options):
        raise MemoryError

    monkeypatch.setattr("napari_dental_denoise.cli.info.run", fail)
    assert run("info", "scan.png") == 70
    assert "napari-dental-denoise: internal error (MemoryError)" in capsys.readouterr().err


class TestAddNoise:
    @pytest.mark.quick
    def test_level_seed_and_names(self, folder, tmp_path, radiographs):
        assert run("add-noise", folder, "-o", tmp_path / "noisy", "--sigma", "25/255", "--seed", 3) == 0
        noisy = read_dental(tmp_path / "noisy")
        assert noisy.shape == (8, 160, 200)
        middle = [image.astype(float) - clean for image, clean in zip(noisy, radiographs, strict=True)]
        inside = [noise[(clean > 100) & (clean < 150)] for noise, clean in zip(middle, radiographs, strict=True)]
        assert np.concatenate(inside).std() == pytest.approx(25, rel=0.03)
        assert run("add-noise", folder, "-o", tmp_path / "again", "--sigma", "25gl", "--seed", 3) == 0
        np.testing.assert_array_equal(read_dental(tmp_path / "again"), noisy)

    def test_each_image_has_noise_of_its_own(self, tmp_path):
        for name in ("a.png", "b.png"):
            write_image(tmp_path / "flat" / name, np.full((50, 50), 128, np.uint8))
        assert run("add-noise", tmp_path / "flat", "-o", tmp_path / "noisy") == 0
        one, other = read_dental(tmp_path / "noisy")
        assert abs(np.corrcoef(one.ravel(), other.ravel())[0, 1]) < 0.1

    def test_16_bit_stays_16_bit(self, tmp_path):
        write_image(tmp_path / "deep.png", np.full((50, 50), 30_000, np.uint16))
        assert run("add-noise", tmp_path / "deep.png", "-o", tmp_path / "out.png", "--noise", "poisson") == 0
        noisy = read_image(tmp_path / "out.png")
        assert noisy.dtype == np.uint16
        assert len(np.unique(noisy)) > 30

    def test_a_level_of_another_noise_is_refused(self, folder, capsys):
        assert run("add-noise", folder, "--photons", 5) == 2
        assert (
            capsys.readouterr().err == "napari-dental-denoise: gaussian noise has the levels sigma; received photons\n"
        )

    @pytest.mark.parametrize("more", [(), ("--dry-run",)])
    @pytest.mark.parametrize(
        "levels", [("--sigma", 25), ("--noise", "varying", "--sigma-low", "0.5", "--sigma-high", "0.1")]
    )
    def test_a_level_that_cannot_be_is_told_once(self, folder, tmp_path, capsys, levels, more):
        assert run("add-noise", folder, "-o", tmp_path / "noisy", *levels, *more) == 2
        assert capsys.readouterr().err.count("\n") == 1
        assert not (tmp_path / "noisy").exists()
        assert not (tmp_path / "noisy.csv").exists()


class TestDenoise:
    def test_an_unseen_image_gets_better(self, tmp_path, trained_model, radiographs):
        noisy = add_gaussian_noise(radiographs[7], 0.1, rng=0)
        write_image(tmp_path / "noisy.png", noisy)
        assert run("denoise", tmp_path / "noisy.png", "-m", trained_model, "-o", tmp_path / "out") == 0
        denoised = read_image(tmp_path / "out" / "noisy.png")
        assert denoised.dtype == np.uint8
        gain = psnr(radiographs[7], denoised, data_range=255) - psnr(radiographs[7], noisy, data_range=255)
        assert gain > 6
        np.testing.assert_array_equal(read_image(tmp_path / "noisy.png"), noisy)

    @pytest.mark.quick
    @pytest.mark.parametrize("model", ["starter", "starter-fast"])
    def test_the_models_of_the_package_have_names(self, model, tmp_path, radiographs):
        noisy = add_gaussian_noise(radiographs[7], 0.1, rng=0)
        write_image(tmp_path / "noisy.png", noisy)
        assert run("denoise", tmp_path / "noisy.png", "-m", model, "-o", tmp_path / "out") == 0
        denoised = read_image(tmp_path / "out" / "noisy.png")
        np.testing.assert_array_equal(denoised, denoise(noisy, model))
        assert psnr(radiographs[7], denoised, data_range=255) > psnr(radiographs[7], noisy, data_range=255) + 8

    @pytest.mark.parametrize("rows", ["0:120", ":-40"])
    def test_other_rows_stay_as_they_are(self, folder, tmp_path, radiographs, rows):
        assert run("denoise", folder, "-o", tmp_path / "out", "--rows", rows) == 0
        denoised = read_dental(tmp_path / "out")
        np.testing.assert_array_equal(denoised[:, 120:], np.stack(radiographs)[:, 120:])
        np.testing.assert_array_equal(denoised[0, :120], denoise(radiographs[0][:120]))

    def test_strength(self, folder, tmp_path, trained_model, radiographs):
        for strength in (0, 0.5, 1):
            output = tmp_path / str(strength)
            assert run("denoise", folder, "-m", trained_model, "-o", output, "--strength", strength) == 0
        none, half, full = (read_dental(tmp_path / str(strength)).astype(float) for strength in (0, 0.5, 1))
        np.testing.assert_array_equal(none, radiographs)
        # What is cut at the lowest or highest value of its image at full strength is nearer to it at half of it.
        low, high = (bound(none, axis=(1, 2), keepdims=True) for bound in (np.min, np.max))
        assert np.abs((none + full) / 2 - half)[(full > low) & (full < high)].max() <= 0.5
        assert run("denoise", folder, "-m", trained_model, "-o", tmp_path / "minus", "--strength", -1) == 2

    def test_engines_agree(self, folder, tmp_path, trained_model):
        for engine in ("openvino", "keras"):
            options = ("--engine", engine, "--precision", "f32", "-o", tmp_path / engine)
            assert run("denoise", folder, "-m", trained_model, *options) == 0
        difference = read_dental(tmp_path / "openvino").astype(int) - read_dental(tmp_path / "keras")
        assert np.abs(difference).max() <= 1

    def test_turns_are_averaged_where_asked(self, tmp_path, trained_model, radiographs):
        write_image(tmp_path / "noisy.png", add_gaussian_noise(radiographs[7], 0.1, rng=0))
        for name, options in (("plain", ()), ("turned", ("--self-ensemble",))):
            assert run("denoise", tmp_path / "noisy.png", "-m", trained_model, "-o", tmp_path / name, *options) == 0
        results = [read_image(tmp_path / name / "noisy.png") for name in ("plain", "turned")]
        scores = [psnr(radiographs[7], result, data_range=255) for result in results]
        assert scores[1] > scores[0]

    def test_formats(self, tmp_path, trained_model, radiographs):
        for name in ("a.png", "b.jpg", "c.tif", "d.bmp", "e.pgm"):
            write_image(tmp_path / "in" / name, radiographs[0])
        write_image(tmp_path / "in" / "f.tif", (radiographs[0] / 255).astype(np.float32))
        assert run("denoise", tmp_path / "in", "-m", trained_model, "-o", tmp_path / "own") == 0
        names = sorted(path.name for path in (tmp_path / "own").iterdir())
        assert names == ["a.png", "b.png", "c.tif", "d.bmp", "e.pgm", "f.tif"]
        assert read_image(tmp_path / "own" / "f.tif").dtype == np.float32
        assert (
            run("denoise", tmp_path / "in" / "a.png", "-m", trained_model, "-o", tmp_path / "x", "--format", "tif") == 0
        )
        assert (tmp_path / "x" / "a.tif").exists()

    def test_hostile_files_are_listed_and_the_good_ones_denoised(self, folder, tmp_path, trained_model, capsys):
        expected = write_hostile(folder, 2)
        assert len(expected) == 40
        assert run("denoise", folder, "-m", trained_model, "-o", tmp_path / "out") == 1
        assert len(list((tmp_path / "out").iterdir())) == 8
        captured = capsys.readouterr()
        lines = [line for line in captured.err.splitlines() if line.startswith("napari-dental-denoise: left out: ")]
        assert len(lines) == 40
        for name, reason in expected.items():
            assert any(f"left out: {name}: " in line and reason in line for line in lines), name
        assert "8 images denoised" in captured.out
        assert "40 left out" in captured.out

    def test_nothing_is_replaced_unasked(self, folder, tmp_path, trained_model, capsys):
        assert run("denoise", folder, "-m", trained_model, "-o", tmp_path / "out") == 0
        before = (tmp_path / "out" / "scan0.png").stat().st_mtime_ns
        other = ("--strength", 0.5)
        assert run("denoise", folder, "-m", trained_model, "-o", tmp_path / "out", *other) == 2
        assert capsys.readouterr().err.count("already exists") == 8
        assert (tmp_path / "out" / "scan0.png").stat().st_mtime_ns == before
        assert run("denoise", folder, "-m", trained_model, "-o", tmp_path / "out", "--overwrite") == 0

    def test_the_input_is_never_replaced(self, folder, trained_model, radiographs, capsys):
        assert run("denoise", folder, "-m", trained_model, "-o", folder, "--overwrite") == 2
        assert f"{folder}: lies in the input folder" in capsys.readouterr().err
        assert sorted(path.name for path in folder.iterdir()) == [f"scan{index}.png" for index in range(8)]
        np.testing.assert_array_equal(read_dental(folder), radiographs)

    def test_two_inputs_of_one_name(self, tmp_path, trained_model, radiographs, capsys):
        write_image(tmp_path / "in" / "scan.png", radiographs[0])
        write_image(tmp_path / "in" / "scan.jpg", radiographs[1])
        for options in ((), ("--overwrite",)):
            assert run("denoise", tmp_path / "in", "-m", trained_model, "-o", tmp_path / "out", *options) == 1
        assert "its result would replace" in capsys.readouterr().err

    def test_the_result_of_one_input_never_replaces_another(self, tmp_path, trained_model, radiographs, capsys):
        write_image(tmp_path / "in" / "in" / "scan.jpg", radiographs[0])
        write_image(tmp_path / "in" / "scan.png", radiographs[1])
        run("denoise", tmp_path / "in", "-m", trained_model, "-o", tmp_path, "--overwrite")
        assert capsys.readouterr().err.count("its result would replace") == 1
        np.testing.assert_array_equal(read_image(tmp_path / "in" / "scan.png"), radiographs[1])

    def test_the_pixel_size_is_kept(self, tmp_path, trained_model, radiographs):
        for suffix in (".png", ".tif"):
            write_image(tmp_path / f"scan{suffix}", radiographs[0], (0.05, 0.05))
        assert run("denoise", tmp_path / "scan.*", "-m", trained_model, "-o", tmp_path / "out") == 0
        for path in (tmp_path / "out" / "scan.png", tmp_path / "out" / "scan.tif"):
            assert probe(path).pixel_size == pytest.approx((0.05, 0.05), rel=1e-4)

    def test_a_volume_stays_one(self, tmp_path, radiographs):
        write_tiff_pages(tmp_path / "a.tif", np.stack(radiographs[:2]), (0.1, 0.1), step_mm=0.3)
        assert run("denoise", tmp_path / "a.tif", "-m", "starter-fast", "-o", tmp_path / "out") == 0
        result = probe(tmp_path / "out" / "a.tif")
        assert (result.pages, result.pixel_size, result.step) == (2, pytest.approx((0.1, 0.1)), 0.3)

    def test_pages_stay_pages(self, tmp_path, trained_model, radiographs):
        write_tiff_pages(tmp_path / "series.tif", np.stack(radiographs[:3]), None)
        assert run("denoise", tmp_path / "series.tif", "-m", trained_model, "-o", tmp_path / "out") == 0
        pages = read_pages(tmp_path / "out" / "series.tif")
        assert pages.shape == (3, 160, 200)
        assert not np.array_equal(pages, radiographs[:3])

    @pytest.mark.parametrize(
        ("options", "message"),
        [
            (("-o", "x.png"), "expected a folder for 8 inputs; received a file name"),
            (("--strength", "-1"), "strength must be a number in [0, 1.5]"),
        ],
    )
    def test_options_that_contradict_are_refused(self, folder, trained_model, options, message, capsys):
        assert run("denoise", folder, "-m", trained_model, *options) == 2
        assert message in capsys.readouterr().err

    def test_the_name_of_a_result_and_the_format_must_agree(self, folder, tmp_path, capsys):
        one = ("denoise", folder / "scan0.png", "--rows", "0:64", "--format", "png", "-o")
        assert run(*one, tmp_path / "a.tif") == 2
        assert "a.tif: the name and --format png differ: leave out --format" in capsys.readouterr().err
        assert run(*one, tmp_path / "a.PNG") == 0
        assert probe(tmp_path / "a.PNG").format == "PNG"

    def test_without_a_model_the_one_of_the_package_is_used(self, tmp_path, radiographs):
        noisy = add_gaussian_noise(radiographs[0], 0.1, rng=0)
        write_image(tmp_path / "noisy.png", noisy)
        assert run("denoise", tmp_path / "noisy.png", "-o", tmp_path / "out") == 0
        denoised = read_image(tmp_path / "out" / "noisy.png")
        assert psnr(radiographs[0], denoised, data_range=255) > psnr(radiographs[0], noisy, data_range=255) + 8

    def test_bad_models_and_sources_are_one_line(self, folder, tmp_path, trained_model, capsys):
        for name in ("bad.keras", "their.h5"):
            (tmp_path / name).write_bytes(b"x")
        for arguments, message in (
            ((folder, "-m", tmp_path / "none.keras"), "no such model file"),
            ((folder, "-m", folder), "expected a model file; received a folder"),
            ((folder, "-m", tmp_path / "their.h5"), "; make one of it with: napari-dental-denoise convert their.h5 -o"),
            ((folder, "-m", tmp_path / "bad.keras"), "expected a .keras model file"),
            ((tmp_path / "none", "-m", trained_model), "no such file or folder"),
        ):
            assert run("denoise", *arguments) == 2
            lines = capsys.readouterr().err.splitlines()
            assert len(lines) == 1
            assert message in lines[0]


SHORT = ("--preset", "fast", "--steps-per-epoch", 3, "--batch-size", 2, "--patch-size", 32)


@pytest.fixture(scope="module")
def one_epoch(tmp_path_factory, radiographs):
    """The folder of scans and of a model that had one epoch, and what was reported of it."""
    folder = tmp_path_factory.mktemp("one-epoch")
    train = ("train", write_scans(folder, radiographs), "-o", folder / "model.keras", *SHORT, "--progress", "jsonl")
    with redirect_stdout(io.StringIO()) as lines:
        assert run(*train, "--epochs", 1) == 0
    return folder, [json.loads(line) for line in lines.getvalue().splitlines()]


class TestTrain:
    # More than its reports fit into a pipe: it cannot end before the test stops it.
    ENDLESS = ("--epochs", 100_000, "--progress", "jsonl")

    @pytest.fixture
    def trained(self, one_epoch, tmp_path):
        """The command that trained the model in a folder of this test."""
        shutil.copytree(one_epoch[0], tmp_path, dirs_exist_ok=True)
        return ("train", tmp_path / "scans", "-o", tmp_path / "model.keras", *SHORT, "--progress", "jsonl")

    def test_json_lines_and_a_model_to_go_on_from(self, one_epoch):
        _, reports = one_epoch
        assert [report["event"] for report in reports] == ["started", "step", "step", "step", "epoch", "finished"]
        # The model of the package removes most of the noise.
        assert reports[-1]["best_psnr"] > reports[0]["noisy_psnr"] + 3

    def test_a_model_is_replaced_or_continued_where_asked_only(self, trained, tmp_path, capsys):
        assert run(*trained, "--epochs", 1) == 2
        assert "already exists" in capsys.readouterr().err
        assert run(*trained, "--epochs", 2, "--resume") == 0
        first = json.loads(capsys.readouterr().out.splitlines()[0])
        assert first["epoch"] == 1
        assert run("info", tmp_path / "model.keras", "--format", "json") == 0
        assert json.loads(capsys.readouterr().out)[0]["training"]["started_from"] == "starter-fast.keras"

    def test_two_trainings_do_not_write_one_model(self, folder, tmp_path, capsys):
        with locked(tmp_path / "model.keras", ""):
            assert run("train", folder, "-o", tmp_path / "model.keras", *SHORT, "--epochs", 1) == 2
        assert "another training is writing this model: wait until it ends" in capsys.readouterr().err
        assert list(tmp_path.glob("model*")) == []

    @pytest.mark.parametrize(("name", "setting"), [("there.keras", ()), ("x.h5", ()), ("m.keras", ("--minutes", 0))])
    def test_what_cannot_be_is_told_before_images_are_read(self, tmp_path, capsys, name, setting):
        (tmp_path / "there.keras").write_bytes(b"of somebody else")
        assert run("train", tmp_path / "nowhere", "-o", tmp_path / name, *setting) == 2
        assert "nowhere" not in capsys.readouterr().err

    @pytest.mark.parametrize("learn_from", ["clean", "noisy"])
    def test_images_that_do_not_fit_into_memory_are_read_as_they_are_needed(
        self, folder, tmp_path, monkeypatch, learn_from
    ):
        command = ("train", folder, "-o", tmp_path / "m.keras", *SHORT, "--learn-from", learn_from)
        options = build_parser().parse_args([str(argument) for argument in command])
        # Eight images of 32,000 bytes, of which none or two are held.
        drawn = []
        for limit in (2**32, 70_000):
            monkeypatch.setattr("napari_dental_denoise.cli.train.LIMITS", Limits(images_bytes=limit))
            job, _ = prepare(options)
            drawn.append(list(batches(job.training, 32, 2, 8, np.random.default_rng(0))))
        for held, read in zip(*drawn, strict=True):
            for one, other in zip(held, read, strict=True):
                np.testing.assert_array_equal(one, other)

    def test_pairs_of_which_the_bad_ones_are_listed(self, folder, tmp_path, capsys):
        assert run("add-noise", folder, "-o", tmp_path / "noisy") == 0
        (folder / "scan3.png").write_bytes(b"damaged")
        (tmp_path / "noisy" / "scan5.png").unlink()
        model = tmp_path / "model.keras"
        train = ("train", folder, "--noisy", tmp_path / "noisy", "-o", model, *SHORT)
        assert run(*train, "--epochs", 1, "--start-from", "nothing") == 1
        error = capsys.readouterr().err
        for line in ("scan3.png: is not an image", "scan3.png: has no clean image", "scan5.png: has no noisy image"):
            assert line in error
        assert run("info", model, "--format", "json") == 0
        assert json.loads(capsys.readouterr().out)[0]["noise"] == {"kind": "pairs of noisy and clean images"}

    def test_only_noisy_images_of_which_the_bad_ones_are_listed(self, folder, tmp_path, radiographs, capsys):
        assert run("add-noise", folder, "-o", tmp_path / "noisy") == 0
        write_image(tmp_path / "noisy" / "small.png", radiographs[0][:30, :30])
        (tmp_path / "noisy" / "notes.txt").write_text("none")
        train = ("train", tmp_path / "noisy", "--learn-from", "noisy", "-o", tmp_path / "model.keras", *SHORT)
        assert run(*train, "--epochs", 1, "--start-from", "nothing") == 1
        told = capsys.readouterr()
        assert "the references are noisy themselves" in told.out
        assert "small.png: is (30, 30); expected sides of at least 32 pixels" in told.err
        assert "left out: notes.txt: is not an image" in told.err
        assert run("info", tmp_path / "model.keras", "--format", "json") == 0
        noise = json.loads(capsys.readouterr().out)[0]["noise"]
        assert noise["kind"] == "that of noisy images alone"
        assert noise["median sigma"] == pytest.approx(25 / 255, rel=0.2)

    def test_images_too_small_for_ssim_leave_a_card_that_other_programs_can_read(self, tmp_path, radiographs, capsys):
        for index in range(4):
            write_image(tmp_path / "tiny" / f"{index}.png", radiographs[index][:8, :8])
        course = ("--epochs", 1, "--learning-rate", 1e-9, "--start-from", "nothing")
        assert run("train", tmp_path / "tiny", "-o", tmp_path / "m.keras", *SHORT, *course) == 0
        capsys.readouterr()
        assert run("info", tmp_path / "m.keras", "--format", "json") == 0
        (card,) = json.loads(capsys.readouterr().out, parse_constant=lambda name: pytest.fail(f"{name} is no JSON"))
        assert card["training"]["started_from"] is None
        assert card["metrics"]["validation_ssim"] is None
        # Random weights that learn next to nothing remove nothing.
        assert card["metrics"]["validation_psnr"] == pytest.approx(card["metrics"]["noisy_psnr"], abs=0.1)

    def test_the_model_of_the_package_can_be_made_again(self, folder, tmp_path, capsys, monkeypatch):
        for name in ("PHANTOMS_OF_EACH_SHAPE", "LEAVES", "COLLAGES"):
            monkeypatch.setattr(f"napari_dental_denoise.training.starter.{name}", 2)
        for name, smaller in (("SHAPES", ((122, 187), (160, 120), (75, 170))), ("SQUARE", (128, 128))):
            monkeypatch.setattr(f"napari_dental_denoise.training.starter.{name}", smaller)
        model = tmp_path / "starter.keras"
        course = ("--epochs", 1, "--steps-per-epoch", 1, "--batch-size", 1, "--patch-size", 32)
        assert run("train", folder, "--starter", "-o", model, *course) == 0
        assert "starting from random weights" in capsys.readouterr().out
        assert run("info", model, "--format", "json") == 0
        card = json.loads(capsys.readouterr().out)[0]
        assert card["noise"]["kind"] == "dental-xray"
        assert card["sees"] == "differences"
        # Two phantoms of each of three shapes, leaves, collages, and six of eight radiographs; two to validate with.
        assert card["data"]["training_images"] == 6 + 2 + 2 + 6 * (AS_IT_IS + REPEATED * len(SCALES))
        assert card["data"]["validation_images"] == 6 + 2 + 2 + 2 * 2

    def test_each_preset_starts_from_the_model_of_the_package_that_fits(self, folder, tmp_path, capsys):
        course = ("--epochs", 1, "--steps-per-epoch", 1, "--batch-size", 1, "--patch-size", 32, "--learning-rate", 1e-9)
        train = ("train", folder, "-o", tmp_path / "m.keras", "--preset", "standard", *course)
        assert run(*train, "--start-from", "starter", "--progress", "jsonl") == 0
        reports = {line["event"]: line for line in map(json.loads, capsys.readouterr().out.splitlines())}
        assert run("info", tmp_path / "m.keras", "--format", "json") == 0
        assert json.loads(capsys.readouterr().out)[0]["training"]["started_from"] == "starter.keras"
        assert reports["epoch"]["psnr"] > reports["started"]["noisy_psnr"] + 3

    def test_other_noise_and_other_images_cannot_resume(self, trained, tmp_path, capsys):
        assert run(*trained, "--epochs", 2, "--sigma", 0.3, 0.4, "--resume") == 2
        assert "has other images or other noise" in capsys.readouterr().err
        scan = tmp_path / "scans" / "scan3.png"
        write_image(scan, 255 - read_image(scan), overwrite=True)
        assert run(*trained, "--epochs", 2, "--resume") == 2
        assert "has other images or other noise" in capsys.readouterr().err

    def test_a_training_that_diverges_says_so(self, folder, tmp_path, capsys):
        train = ("train", folder, "-o", tmp_path / "model.keras", *SHORT)
        assert run(*train, "--epochs", 9, "--learning-rate", 1e6) == 2
        assert "the training diverged in epoch" in capsys.readouterr().err

    def start(self, folder, model, *options):
        """Start a training in a process of its own."""
        arguments = ["train", folder, "-o", model, *SHORT, *self.ENDLESS, *options]
        command = [sys.executable, "-m", "napari_dental_denoise", *map(str, arguments)]
        pipes = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
        return subprocess.Popen(command, text=True, **pipes)

    def test_stopping_with_standard_input(self, folder, tmp_path):
        with self.start(folder, tmp_path / "model.keras", "--stop-with-stdin") as child:
            lines = [child.stdout.readline() for _ in range(6)]
            child.communicate()
        assert child.returncode == 130
        assert json.loads(lines[4])["event"] == "epoch"
        assert (tmp_path / "model.keras").exists()

    @pytest.mark.parametrize(
        ("options", "message"),
        [
            (("-o", "model.h5"), "the name of a model must end in .keras"),
            (("-o", "m.keras", "--validation-split", 2), "validation_split must be a number in (0, 1); received 2.0"),
            (("-o", "m.keras", "--sigma", 0.2, 0.1), "sigma must be a range with 0 <= low <= high"),
            (("-o", "m.keras", "--rows", "900:"), "none of 8 files can be used"),
            (("-o", "m.keras", "--learn-from", "pairs"), "learning from pairs needs the clean images"),
            (("-o", "m.keras", "--learn-from", "noisy", "--noisy", "x"), "learning from pairs needs the clean images"),
            (("-o", "m.keras", "--learn-from", "noisy", "--sigma", 0.1, 0.2), "noise is added to clean images only"),
            (("-o", "m.keras", "--learn-from", "noisy", "--noise", "quantum"), "leave out --noise and its levels"),
            (("-o", "m.keras", "--learn-from", "noisy", "--photons", 5, 9), "leave out --noise and its levels"),
            (("-o", "m.keras", "--noise", "varying", "--sigma-low", 0.3, 0.4), "sigma_high must be a number in [0.3"),
            (("-o", "m.keras", "--start-from", "none.keras"), "none.keras: no such model file"),
            (("-o", "m.keras", "--preview", "scans/scan0.png/p.npy"), ".npy: cannot be written"),
            (("-o", "m.keras", "--starter", "--noise", "quantum"), "--starter has its own data"),
            (("-o", "m.keras", "--starter", "--rows", "0:0"), "none of 8 files can be used"),
        ],
    )
    def test_bad_settings_are_one_line(self, folder, options, message, capsys, monkeypatch, tmp_path):
        monkeypatch.chdir(tmp_path)
        assert run("train", folder, *options) == 2
        error = capsys.readouterr().err
        assert message in error
        assert error.count("\n") == 1
        assert not list(tmp_path.glob("*.keras"))

    def test_stopped_before_it_learned_anything_it_does_not_claim_the_model_that_was_there(
        self, folder, tmp_path, capsys, monkeypatch
    ):
        class Asked(StopRequest):
            def __init__(self):
                super().__init__()
                self.asked = True

        monkeypatch.setattr("napari_dental_denoise.cli.train.StopRequest", Asked)
        model = tmp_path / "model.keras"
        model.write_bytes(b"of an earlier training")
        options = ("-o", model, "--overwrite", "--start-from", "nothing", "--preset", "fast")
        assert run("train", folder, *options) == 130
        assert "stopped before the first step; no model was written" in capsys.readouterr().out
        assert model.read_bytes() == b"of an earlier training"

    @pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGINT for another process")
    def test_ctrl_c_keeps_the_best_model(self, folder, tmp_path):
        model = tmp_path / "model.keras"
        with self.start(folder, model) as child:
            lines = [child.stdout.readline() for _ in range(7)]
            child.send_signal(signal.SIGINT)
            rest, errors = child.communicate()
        assert child.returncode == 130
        assert "Traceback" not in errors
        events = [json.loads(line)["event"] for line in [*lines, *rest.splitlines()]]
        assert events[:7].count("epoch") == 1
        assert run("info", model) == 0
        further = events.count("epoch") + 1
        assert run("train", folder, "-o", model, *SHORT, "--resume", "--epochs", further) == 0


class TestEvaluate:
    def test_text(self, folder, trained_model, capsys):
        images = [folder / f"scan{index}.png" for index in range(2)]
        assert run("evaluate", *images, "-m", trained_model, "--sigma", 0.05, 0.1, "--baselines", "--size", 64, 80) == 0
        text = capsys.readouterr().out
        for name in ("noisy", "median", "non-local means", "wavelets", "total variation", "BM3D", "model"):
            assert text.count(f"  {name} ") == 2
        assert "gaussian, sigma 0.05 (2 images)" in text

    def test_without_a_level_white_noise_from_none_to_strong_is_added(self, folder, trained_model, capsys):
        options = ("--detail", "--format", "json")
        assert run("evaluate", folder / "scan0.png", "-m", trained_model, "--size", 64, 80, *options) == 0
        rows = json.loads(capsys.readouterr().out)
        assert [row["noise"] for row in rows if row["method"] == "noisy"] == [
            f"gaussian, sigma {level / 255:.4g}" for level in (0, 2, 5, 10, 25, 50)
        ]
        assert [row["kept"] for row in rows if row["method"] == "noisy"] == pytest.approx([1] * 6, abs=1e-4)
        assert all(0 < row["kept"] < 1.2 for row in rows)

    def test_csv_and_json_agree_and_the_model_wins(self, folder, tmp_path, trained_model, capsys):
        options = ("evaluate", folder, "-m", trained_model, "--sigma", 0.1)
        assert run(*options, "--format", "json") == 0
        rows = {row["method"]: row for row in json.loads(capsys.readouterr().out)}
        assert rows["model"]["psnr"] > rows["noisy"]["psnr"] + 6
        assert rows["noisy"]["psnr"] == pytest.approx(20.5, abs=0.6)
        assert run(*options, "--format", "csv", "-o", tmp_path / "table.csv") == 0
        table = list(csv.DictReader(io.StringIO((tmp_path / "table.csv").read_text())))
        assert [row["method"] for row in table] == ["noisy", "model"]
        assert float(table[1]["psnr"]) == pytest.approx(rows["model"]["psnr"], abs=1e-6)

    def test_a_model_of_any_name_has_a_row_of_its_own(self, folder, tmp_path, trained_model, capsys):
        shutil.copyfile(trained_model, tmp_path / "noisy.keras")
        assert run("evaluate", folder, "-m", tmp_path / "noisy.keras", "--sigma", 0.1, "--format", "json") == 0
        noisy, model = json.loads(capsys.readouterr().out)
        assert model["psnr"] > noisy["psnr"] + 6

    @pytest.mark.parametrize("given", [("--noise", "poisson"), ("--photons", 30), ("--size", 64, 64)])
    def test_recorded_noise_has_no_kind_and_no_level(self, folder, given, capsys):
        assert run("evaluate", folder, "--noisy", folder, *given) == 2
        assert "leave out --noise, its level and --size" in capsys.readouterr().err

    def test_a_place_for_the_table_that_cannot_be_is_refused_before_the_work(self, folder, tmp_path, capsys):
        (tmp_path / "file").touch()
        assert run("evaluate", folder, "-o", tmp_path / "file" / "table.txt", "--overwrite") == 2
        told = capsys.readouterr()
        assert "cannot be written" in told.err
        assert "noise" not in told.out

    @pytest.mark.parametrize(
        ("name", "message"),
        [
            ("scans/scan0.png", "is an input or another output: choose another name"),
            ("noisy/scan0.png", "is an input or another output: choose another name"),
            ("scans/../scans/table.txt", "lies in the input folder"),
            ("noisy/table.txt", "lies in the input folder"),
        ],
    )
    def test_a_table_never_replaces_an_input_or_lies_among_them(self, folder, tmp_path, name, message, capsys):
        shutil.copytree(folder, tmp_path / "noisy")
        before = {path: path.read_bytes() for path in tmp_path.rglob("*.png")}
        assert run("evaluate", folder, "--noisy", tmp_path / "noisy", "-o", tmp_path / name, "--overwrite") == 2
        assert message in capsys.readouterr().err
        assert {path: path.read_bytes() for path in tmp_path.rglob("*.*")} == before

    def test_the_model_of_the_package_is_measured_where_nothing_is_named(self, folder, capsys):
        assert run("evaluate", folder, "--sigma", 0.1, "--format", "json") == 0
        noisy, starter = json.loads(capsys.readouterr().out)
        assert starter["method"] == "starter"
        assert starter["psnr"] > noisy["psnr"] + 8

    def test_a_small_image_has_no_part_in_the_mean_of_ssim(self, folder, tmp_path, radiographs, capsys):
        write_image(tmp_path / "small.png", radiographs[0][:5, :5])
        assert run("evaluate", folder, tmp_path / "small.png", "--sigma", 0.1, "--format", "json") == 0
        rows = json.loads(capsys.readouterr().out)
        assert all(row["images"] == 9 and 0 < row["ssim"] < 1 for row in rows)

    def test_recorded_pairs(self, folder, tmp_path, capsys):
        assert run("add-noise", folder, "-o", tmp_path / "noisy", "--sigma", 0.1) == 0
        capsys.readouterr()
        assert run("evaluate", folder, "--noisy", tmp_path / "noisy", "--format", "json") == 0
        row, _ = json.loads(capsys.readouterr().out)
        assert row["images"] == 8
        assert row["psnr"] == pytest.approx(20.5, abs=0.6)

    def test_levels_that_do_not_fit(self, folder, capsys):
        options = ("--noise", "poisson-gaussian", "--photons", 10, 20, 30, "--sigma", 0.1, 0.2)
        assert run("evaluate", folder, *options) == 2
        assert "expected one sigma or 3 of them; received 2" in capsys.readouterr().err


class TestInfo:
    def test_image(self, folder, tmp_path, capsys):
        assert run("add-noise", folder / "scan0.png", "-o", tmp_path / "noisy.png", "--sigma", "20/255") == 0
        capsys.readouterr()
        assert run("info", tmp_path / "noisy.png") == 0
        text = capsys.readouterr().out
        assert "pages: 1\nheight: 160\nwidth: 200\ntype: uint8\n" in text
        level, correlation = re.search(r"noise: about ([\d.]+) grey levels, (.*)", text).groups()
        assert float(level) == pytest.approx(20, rel=0.1)
        assert correlation.startswith("uncorrelated")

    def test_model(self, trained_model, capsys):
        assert run("info", trained_model) == 0
        text = capsys.readouterr().out
        assert "preset: fast" in text
        assert "never for diagnosis" in text

    def test_the_models_of_the_package_have_names(self, capsys):
        assert run("info", "starter-fast") == 0
        assert "preset: fast" in capsys.readouterr().out

    def test_bad_files_are_named(self, folder, tmp_path, capsys):
        (folder / "notes.txt").write_text("none")
        assert run("info", folder) == 1
        assert "notes.txt: is not an image" in capsys.readouterr().err
        assert run("info", tmp_path / "none.png") == 2


class TestWorkflow:
    def test_on_a_folder_beside_earlier_results(self, folder, tmp_path, capsys):
        (tmp_path / "results").mkdir()
        (tmp_path / "results" / "table.txt").write_text("of an earlier run")
        assert run("workflow", folder, "-o", tmp_path / "results", "--minutes", 0.05, "--preset", "fast") == 0
        text = capsys.readouterr().out
        assert [path.name for path in (tmp_path / "results").iterdir()] == ["table.txt"]
        results = tmp_path / "results-2"
        assert str(results / "figure.png") in text
        assert "starting from starter-fast.keras" in text
        files = {path.name for path in results.iterdir()}
        assert files >= {"model.keras", "table.txt", "table.csv", "figure.png"}
        assert (results / "figure.png").read_bytes().startswith(b"\x89PNG")
        with (results / "table.csv").open() as table:
            scores = {row["method"]: float(row["psnr"]) for row in csv.DictReader(table)}
        assert scores["U-Net, fast"] > scores["non-local means"] + 1, "seconds are enough to go on from a model"

    @pytest.mark.parametrize("setting", [("--sigma", 25), ("--minutes", 0)])
    def test_a_setting_that_cannot_be_is_told_before_anything_is_drawn(self, tmp_path, capsys, setting):
        assert run("workflow", "-o", tmp_path / "out", *setting) == 2
        assert "received" in capsys.readouterr().err
        assert not (tmp_path / "out").exists()

    def test_images_too_small_for_ssim_have_a_figure(self, folder, tmp_path, capsys):
        rows = ("--rows", "0:10")
        assert run("workflow", folder, "-o", tmp_path / "out", "--minutes", 0.01, "--preset", "fast", *rows) == 0
        assert (tmp_path / "out" / "figure.png").read_bytes().startswith(b"\x89PNG")

    def test_too_few_images(self, tmp_path, radiographs, capsys):
        write_image(tmp_path / "in" / "a.png", radiographs[0])
        assert run("workflow", tmp_path / "in", "-o", tmp_path / "out") == 2
        assert "expected at least 3 images" in capsys.readouterr().err
        assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("output", ["scans", "scans/results", "link/results"])
def test_the_results_of_a_workflow_are_not_among_its_images(folder, tmp_path, output, capsys):
    (tmp_path / "link").symlink_to("scans")
    before = sorted(tmp_path.rglob("*"))
    assert run("workflow", folder, "-o", tmp_path / output) == 2
    assert f"{output}: lies in the input folder" in capsys.readouterr().err
    assert sorted(tmp_path.rglob("*")) == before


def test_a_converted_model_never_replaces_its_source(trained_model, tmp_path, capsys):
    shutil.copyfile(trained_model, tmp_path / "m.keras")
    assert run("convert", tmp_path / "m.keras", "-o", tmp_path / "." / "m.keras", "--overwrite") == 2
    assert "m.keras: is the model to convert: choose another name" in capsys.readouterr().err
    assert (tmp_path / "m.keras").read_bytes() == trained_model.read_bytes()
