"""Files are found by one rule, whether a folder is opened, trained from or denoised to its last subfolder."""

import os
import warnings
from pathlib import Path

import numpy as np
import pytest

from napari_dental_denoise import write_image
from napari_dental_denoise.batch.inputs import find_items
from napari_dental_denoise.errors import InputError
from napari_dental_denoise.images.finder import list_files
from tests.dicom_files import radiograph, save


def write(*paths):
    for path in paths:
        write_image(path, np.full((20, 30), 1, np.uint8))


def found_items(sources):
    return [(item.folder / item.path.name).as_posix() for item in find_items(sources)]


def test_files_folders_and_patterns_are_listed_once(tmp_path):
    write(*(tmp_path / name for name in ("b.png", "a10.png", "a9.png", "deep/c.png")))
    names = [path.name for path in list_files([tmp_path / "b.png", tmp_path, f"{tmp_path}/**/*.png"])]
    assert names == ["b.png", "a9.png", "a10.png", "c.png"]
    with pytest.raises(InputError, match="no file matches it as a pattern"):
        list_files([tmp_path / "*.dcm"])


def test_a_name_with_pattern_characters_is_a_file(tmp_path):
    write(tmp_path / "scan[1].png")
    assert list_files([tmp_path / "scan[1].png"]) == [tmp_path / "scan[1].png"]


def test_what_desktops_leave_behind_is_no_image_for_a_pattern_either(tmp_path):
    write(tmp_path / "scans" / "a.png")
    (tmp_path / "scans" / "Thumbs.db").write_bytes(b"what a desktop leaves")
    assert [path.name for path in list_files([tmp_path / "**"])] == ["a.png"]
    assert found_items([tmp_path / "**"]) == ["scans/a.png"]


@pytest.mark.parametrize("folder", ["", "**"])
def test_both_finders_sort_by_name_and_then_by_suffix(tmp_path, folder):
    names = ["scan (10).png", "Scan 3.png", "scan.png", "scan (2).png"]
    write(*(tmp_path / "in" / name for name in names))
    expected = ["scan.png", "Scan 3.png", "scan (2).png", "scan (10).png"]
    assert [path.name for path in list_files([tmp_path / "in" / folder])] == expected
    assert found_items([tmp_path / "in" / folder]) == expected


def test_a_file_that_is_spelled_in_two_ways_is_found_once_and_a_link_by_its_own_name(tmp_path, monkeypatch):
    write(tmp_path / "in" / "a.png")
    (tmp_path / "in" / "link.png").symlink_to("a.png")
    (tmp_path / "same").symlink_to("in")
    monkeypatch.chdir(tmp_path)
    sources = ["in/a.png", tmp_path / "in", "same/*.png"]
    assert list_files(sources) == [Path("in/a.png"), tmp_path / "in" / "link.png"]
    assert found_items(sources) == ["a.png", "link.png"]


def test_hidden_files_and_folders_are_left_out(tmp_path):
    write(*(tmp_path / name for name in ("a.png", ".cache/a.png", "sub/b/a.png", "sub/.a.png")))
    for source in (tmp_path, tmp_path / "**"):
        assert found_items([source]) == ["a.png", "sub/b/a.png"]


def test_folders_are_listed_when_they_are_come_to(tmp_path, monkeypatch):
    write(*(tmp_path / f"{number}" / "a.png" for number in range(5)))
    listed, scandir = [], os.scandir
    monkeypatch.setattr(os, "scandir", lambda path: listed.append(path) or scandir(path))
    items = find_items([tmp_path])
    assert next(items).folder == Path("0")
    assert len(listed) == 2


def dicomdir(folder, *names):
    """A table of contents, and the images that it names."""
    records = [radiograph(np.zeros((8, 9), np.uint8)) for _ in names]
    for record, name in zip(records, names, strict=True):
        record.DirectoryRecordType, record.ReferencedFileID = "IMAGE", name.split("/")
        image = radiograph(np.zeros((8, 9), np.uint8))
        record.ReferencedSOPInstanceUIDInFile = image.SOPInstanceUID
        save(image, folder / name)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return save(radiograph(np.zeros((8, 9), np.uint8), DirectoryRecordSequence=records), folder / "DICOMDIR")


def test_a_dicomdir_stands_for_its_images_wherever_it_is_found(tmp_path):
    names = ["IMAGES/IM2", "IMAGES/IM1"]
    table = dicomdir(tmp_path / "disc", *names)
    assert list_files([tmp_path / "disc"]) == list_files([table]) == [tmp_path / "disc" / name for name in names]
    for source, expected in ((table, names), (tmp_path / "disc" / "D*", names), (tmp_path / "disc", sorted(names))):
        assert found_items([source]) == expected
    assert found_items([tmp_path / "**" / "*"]) == [f"disc/{name}" for name in names]


def test_a_dicomdir_finds_its_images_where_a_copy_has_small_letters(tmp_path):
    disc = tmp_path / "disc"
    table = dicomdir(disc, "IMAGES/IM1")
    (disc / "IMAGES" / "IM1").rename(disc / "IMAGES" / "im1")
    (disc / "IMAGES").rename(disc / "images")
    assert list_files([table]) == [disc / "images" / "im1"]


@pytest.mark.parametrize("table", ["DICOMDIR", "DICOMDIR.dcm", "dicomdir", "DICOMDIR;1"])
@pytest.mark.parametrize("copies", [["IM1;1", "IM2;1"], ["im1.dcm", "im2.dcm"], ["IM1.", "IM2."]])
def test_a_dicomdir_finds_its_images_however_a_copy_of_a_disc_is_spelled(tmp_path, table, copies):
    path = dicomdir(tmp_path / "disc", "IMAGES/IM1", "IMAGES/IM2").rename(tmp_path / "disc" / table)
    folder = tmp_path / "disc" / "IMAGES"
    for name, copy in zip(["IM1", "IM2"], copies, strict=True):
        (folder / name).rename(folder / copy)
    assert list_files([path]) == [folder / copy for copy in copies]


def test_a_dicomdir_finds_renamed_images_by_their_identity(tmp_path):
    table = dicomdir(tmp_path, "IMAGES/IM2", "IMAGES/IM1")
    (tmp_path / "IMAGES" / "notes.txt").write_text("no image")
    (tmp_path / "IMAGES" / "IM2").rename(tmp_path / "patient, left")
    (tmp_path / "IMAGES" / "IM1").rename(tmp_path / "IMAGES" / "patient, right")
    assert list_files([table]) == [tmp_path / "patient, left", tmp_path / "IMAGES" / "patient, right"]


def test_a_damaged_dicomdir_costs_one_file_unless_it_is_all_that_is_asked_for(tmp_path):
    table = save(radiograph(np.zeros((8, 9), np.uint8)), tmp_path / "DICOMDIR")
    write(tmp_path / "a.png")
    assert [path.name for path in list_files([tmp_path])] == ["a.png", "DICOMDIR"]
    assert found_items([tmp_path / "*"]) == ["a.png", "DICOMDIR"]
    with pytest.raises(InputError, match="is a truncated or damaged DICOMDIR"):
        list_files([table])


@pytest.mark.parametrize("name", ["x" * 300, "a\0b"])
def test_a_name_that_no_file_can_have_is_an_error_of_the_input(tmp_path, name):
    for find in (list_files, lambda sources: list(find_items(sources))):
        with pytest.raises(InputError, match="cannot be read"):
            find([tmp_path / name])


def test_a_source_without_files_says_so_in_both(tmp_path):
    (tmp_path / "sub").mkdir()
    with pytest.raises(InputError, match=r"holds no files; it has 1 subfolders: name one of them, or use .*\*\*"):
        list_files([tmp_path])
    for source, message in ((tmp_path, "holds no files$"), (tmp_path / "*.dcm", "no file matches it as a pattern")):
        with pytest.raises(InputError, match=message):
            list(find_items([source]))
