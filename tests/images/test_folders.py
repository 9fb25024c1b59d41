"""Folders are read in natural order, whole, and without losing a word about what is bad."""

import itertools
import math
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pytest

from napari_dental_denoise import read_all_datasets, read_dental, write_image
from napari_dental_denoise.errors import InputError
from napari_dental_denoise.images.finder import list_files
from napari_dental_denoise.images.loading import leave_out_small, load_images, match_by_name
from napari_dental_denoise.images.writer import write_tiff_pages
from tests.hostile import write_hostile


def grey(level, shape=(20, 30), dtype=np.uint8):
    return np.full(shape, level, dtype)


def test_equal_sizes_become_one_array_in_natural_order(tmp_path):
    for number in (10, 9, 1, 2, 100):
        write_image(tmp_path / f"tooth {number}.png", grey(number))
    images = read_dental(tmp_path)
    assert images.shape == (5, 20, 30)
    assert images.dtype == np.uint8
    assert images[:, 0, 0].tolist() == [1, 2, 9, 10, 100]


def test_mixed_sizes_become_a_list_unless_one_size_is_asked_for(tmp_path):
    write_image(tmp_path / "1.png", grey(10))
    write_image(tmp_path / "2.png", grey(20, (31, 17)))
    images = read_dental(tmp_path)
    assert [image.shape for image in images] == [(20, 30), (31, 17)]
    resized = read_dental(tmp_path, size=(64, 48))
    assert resized.shape == (2, 64, 48)
    assert resized[:, 5, 5].tolist() == [10, 20]
    for size in (64, (64,), (10.0, 20.0), (0, 5)):
        with pytest.raises(InputError, match="size must be two positive whole numbers of pixels, height and width"):
            read_dental(tmp_path, size=size)


def test_an_image_that_grows_along_one_side_stays_smooth(tmp_path):
    write_image(tmp_path / "ramp.png", np.tile(np.arange(0, 250, 25, dtype=np.uint8), (40, 1)))
    (row, *_) = read_dental(tmp_path, size=(20, 40))[0].astype(int)
    # Repeated pixels would make steps of 25.
    assert np.diff(row).max() <= 7


def test_mixed_types_become_a_list(tmp_path):
    write_image(tmp_path / "1.png", grey(10))
    write_image(tmp_path / "2.png", grey(2000, dtype=np.uint16))
    assert [image.dtype for image in read_dental(tmp_path)] == [np.uint8, np.uint16]


def test_bad_files_are_named_and_the_rest_is_read(tmp_path):
    expected = write_hostile(tmp_path, 1)
    write_image(tmp_path / "good.png", grey(7))
    with pytest.warns(UserWarning, match="20 of 21 files were left out") as caught:
        images = read_dental(tmp_path)
    assert images.shape == (1, 20, 30)
    message = str(caught[0].message)
    assert all(name in message for name in expected)


def test_desktop_and_hidden_files_are_not_meant(tmp_path):
    write_image(tmp_path / "good.png", grey(7))
    for name in ("Thumbs.db", ".DS_Store", "desktop.ini"):
        (tmp_path / name).write_bytes(b"x")
    assert read_dental(tmp_path).shape == (1, 20, 30)


def test_a_folder_without_images_says_so(tmp_path):
    with pytest.raises(InputError, match="holds no files"):
        read_dental(tmp_path)
    (tmp_path / "notes.txt").write_text("none")
    with pytest.raises(InputError, match=r"none of its 1 files can be read: notes\.txt: is not an image"):
        read_dental(tmp_path)
    with pytest.raises(InputError, match="expected a folder"):
        read_dental(tmp_path / "nowhere")


def test_datasets_are_the_subfolders_or_the_root(tmp_path):
    write_image(tmp_path / "upper" / "1.png", grey(1))
    write_image(tmp_path / "lower" / "1.png", grey(2))
    write_image(tmp_path / "lower" / "2.png", grey(3, (9, 9)))
    (tmp_path / "empty").mkdir()
    with pytest.warns(UserWarning, match="left out: .*empty: the folder holds no files"):
        datasets = read_all_datasets(tmp_path)
    assert list(datasets) == ["lower", "upper"]
    assert datasets["upper"].shape == (1, 20, 30)
    assert [image.shape for image in datasets["lower"]] == [(20, 30), (9, 9)]
    assert list(read_all_datasets(tmp_path / "upper")) == ["upper"]


def test_rows_are_kept(tmp_path):
    write_image(tmp_path / "a.png", np.arange(20, dtype=np.uint8)[:, np.newaxis].repeat(5, 1))
    loaded = load_images([tmp_path], slice(2, 6))
    assert loaded.images[0][:, 0].tolist() == [2, 3, 4, 5]
    with pytest.raises(InputError, match="has 20 rows, none of them among those asked for"):
        load_images([tmp_path], slice(50, 60))


def test_images_of_exactly_the_smallest_side_are_kept(tmp_path):
    for name, shape in {"a.png": (32, 40), "b.png": (40, 32), "c.png": (31, 40)}.items():
        write_image(tmp_path / name, grey(1, shape))
    kept = leave_out_small(load_images([tmp_path]), 32)
    assert [path.name for path in kept.files] == ["a.png", "b.png"]
    assert [str(error) for error in kept.errors] == ["c.png: is (31, 40); expected sides of at least 32 pixels"]


def test_values_that_are_not_finite_cost_one_file(tmp_path):
    image = np.full((20, 30), 0.5, np.float32)
    write_image(tmp_path / "good.tif", image)
    image[3, 3] = np.nan
    write_image(tmp_path / "bad.tif", image)
    loaded = load_images([tmp_path])
    assert [path.name for path, _ in loaded.places] == ["good.tif"]
    assert [str(error) for error in loaded.errors] == ["bad.tif: holds NaN or infinity; expected finite grey values"]


def test_each_page_of_a_file_is_an_image(tmp_path):
    pages = np.arange(3, dtype=np.uint8)[:, np.newaxis, np.newaxis] * np.ones((1, 20, 30), np.uint8)
    write_tiff_pages(tmp_path / "a.tif", pages, None)
    write_image(tmp_path / "b.png", grey(7))
    np.testing.assert_array_equal(read_dental(tmp_path)[:, 0, 0], [0, 1, 2, 7])
    for memory in (math.inf, 700):
        loaded = load_images([tmp_path], slice(5, 15), memory)
        assert [np.asarray(image).shape for image in loaded.images] == [(10, 30)] * 4
        assert [int(image[0, 0]) for image in loaded.images] == [0, 1, 2, 7]
    assert [(path.name, page) for path, page in loaded.places] == [
        ("a.tif", 0),
        ("a.tif", 1),
        ("a.tif", 2),
        ("b.png", 0),
    ]
    write_tiff_pages(tmp_path / "noisy" / "a.tif", pages + 100, None)
    matched = match_by_name(load_images([tmp_path / "noisy"]), load_images([tmp_path / "a.tif"]))
    pairs = [(one[0, 0], other[0, 0]) for one, other in zip(matched.noisy, matched.clean, strict=True)]
    assert pairs == [(100, 0), (101, 1), (102, 2)]


def test_pairs_are_matched_by_name(tmp_path):
    for name, level in (("b", 2), ("a", 1)):
        write_image(tmp_path / "clean" / f"{name}.png", grey(level))
        write_image(tmp_path / "noisy" / f"{name}.tif", grey(level + 100))
    matched = match_by_name(load_images([tmp_path / "noisy"]), load_images([tmp_path / "clean"]))
    pairs = [(one[0, 0], other[0, 0]) for one, other in zip(matched.noisy, matched.clean, strict=True)]
    assert pairs == [(101, 1), (102, 2)]
    assert matched.errors == []


def test_names_that_several_patients_have_are_told_apart_by_their_folders(tmp_path):
    for level, (patient, side) in enumerate(itertools.product(("p1", "p2"), ("left", "right"))):
        write_image(tmp_path / "clean" / patient / side / "1.png", grey(level))
        write_image(tmp_path / "noisy" / patient / side / "1.png", grey(level + 100))
    noisy, clean = tmp_path / "noisy", tmp_path / "clean"
    # In whatever order the files come.
    turned = load_images([noisy / "p2" / "**", noisy / "p1" / "**"])
    matched = match_by_name(turned, load_images([clean / "**"]))
    pairs = [(one[0, 0], other[0, 0]) for one, other in zip(matched.noisy, matched.clean, strict=True)]
    assert sorted(pairs) == [(100, 0), (101, 1), (102, 2), (103, 3)]


def test_a_partner_is_never_guessed(tmp_path):
    for patient in ("p1", "p2"):
        write_image(tmp_path / "clean" / patient / "1.png", grey(0))
        write_image(tmp_path / "noisy" / patient / "1.png", grey(1))
    write_image(tmp_path / "flat" / "1.png", grey(1))
    several, one = load_images([tmp_path / "clean" / "**"]), load_images([tmp_path / "flat"])
    for noisy, clean in ((one, several), (several, one)):
        with pytest.raises(InputError, match="images of its name, none of which surely belongs to folder"):
            match_by_name(noisy, clean)
    matched = match_by_name(several, load_images([tmp_path / "noisy" / "p2"]))
    assert [path.parent.name for path in matched.files] == ["p2"]
    assert [str(error)[-2:] for error in matched.errors] == ["p1"]


def test_files_that_are_named_by_numbers_have_partners(tmp_path):
    for number in (1, 2):
        write_image(tmp_path / "noisy" / f"1.2.840.{number}.png", grey(number))
        write_image(tmp_path / "x.png", grey(number + 100), overwrite=True)
        (tmp_path / "clean").mkdir(exist_ok=True)
        (tmp_path / "x.png").rename(tmp_path / "clean" / f"1.2.840.{number}")
    matched = match_by_name(load_images([tmp_path / "noisy"]), load_images([tmp_path / "clean"]))
    pairs = [(one[0, 0], other[0, 0]) for one, other in zip(matched.noisy, matched.clean, strict=True)]
    assert pairs == [(1, 101), (2, 102)]


def test_what_has_no_partner_is_named_and_the_rest_goes_on(tmp_path):
    write_image(tmp_path / "noisy" / "a.png", grey(1))
    write_image(tmp_path / "noisy" / "a.tif", grey(1))
    write_image(tmp_path / "noisy" / "b.png", grey(1, (9, 9)))
    for name in ("a", "b", "c"):
        write_image(tmp_path / "clean" / f"{name}.png", grey(3))
    matched = match_by_name(load_images([tmp_path / "noisy"]), load_images([tmp_path / "clean"]))
    assert len(matched.noisy) == 1
    assert [str(error) for error in matched.errors] == [
        "a.tif: has several clean images of its name, none of which surely belongs to folder noisy",
        "b.png: is (9, 9), its clean image (20, 30)",
        "c.png: has no noisy image of its name",
    ]
    with pytest.raises(InputError, match="no noisy image has a clean one of its name and size"):
        match_by_name(load_images([tmp_path / "noisy" / "b.png"]), load_images([tmp_path / "clean" / "a.png"]))


def test_real_radiographs_have_one_size(dental_data):
    assert read_dental(dental_data / "periapical" / "test").shape == (20, 512, 748)
    assert set(read_all_datasets(dental_data / "periapical")) == {"test", "train"}


@pytest.fixture
def circle(tmp_path):
    """A link that leads to itself: looking at it fails, and not because nothing is there."""
    (tmp_path / "circle").symlink_to(tmp_path / "circle")
    return tmp_path / "circle"


@pytest.mark.parametrize("name", ["x" * 300, "a\0b", "circle/a"])
@pytest.mark.parametrize("read", [read_dental, read_all_datasets, lambda path: list_files([path])])
def test_a_name_that_cannot_be_looked_at_says_why(tmp_path, circle, name, read):
    with pytest.raises(InputError, match=r"cannot be read \((File name too long|.*embedded null|.*symbolic links)"):
        read(tmp_path / name)


def test_a_link_to_itself_costs_one_file(tmp_path, circle):
    write_image(tmp_path / "good.png", grey(7))
    assert list_files([tmp_path]) == [circle, tmp_path / "good.png"]
    assert list_files([circle]) == [circle]
    with pytest.warns(UserWarning, match="circle: "):
        assert read_dental(tmp_path).shape == (1, 20, 30)


AS_NOBODY = """
import os, sys
from pathlib import Path
from napari_dental_denoise import read_dental
from napari_dental_denoise.errors import InputError
from napari_dental_denoise.images.finder import list_files
from napari_dental_denoise.images.writer import write_image
from napari_dental_denoise.models.file import read_card
import numpy as np
folder = Path(sys.argv[1])
# Loads what is imported on first use, which nobody may not be allowed to read.
read_dental(folder)
if os.getuid() == 0:
    os.setuid(65534)
for work in (
    lambda: read_dental(folder),
    lambda: list_files([folder / "a.png"]),
    lambda: read_card(folder / "model.keras"),
    lambda: write_image(folder / "new.png", np.zeros((9, 9), np.uint8)),
):
    try:
        work()
    except InputError as error:
        print(error)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="permissions are of POSIX")
def test_a_folder_with_names_that_nobody_may_follow_says_so():
    # Not in pytest's own folder, which others may not enter in any case.
    with tempfile.TemporaryDirectory() as name:
        outer, folder = Path(name), Path(name) / "locked"
        write_image(folder / "a.png", grey(7))
        outer.chmod(0o755)
        folder.chmod(0o744)
        command = [sys.executable, "-c", AS_NOBODY, str(folder)]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
    read, listed, card, written = done.stdout.splitlines()
    assert "none of its 1 files can be read: a.png: cannot be read (Permission denied)" in read
    assert "a.png: cannot be read (Permission denied)" in listed
    assert "model.keras: cannot be read (Permission denied)" in card
    assert "new.png: cannot be written (Permission denied)" in written
