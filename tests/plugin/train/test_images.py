"""Images that cannot work are named before a training starts, in one line with counts."""

import pytest

from napari_dental_denoise import write_image


@pytest.fixture
def pairs(form, tmp_path, radiographs):
    """The form on pairs, and the folder of noisy images, which has none yet."""
    (tmp_path / "noisy").mkdir()
    form.fields.learn_from.value = "noisy and clean pairs"

    def fill(names, crop=(slice(64), slice(40, 120))):
        for name in names:
            write_image(tmp_path / "noisy" / f"{name}.png", radiographs[0][crop])
        form.fields.noisy.value = tmp_path / "noisy"
        return form

    return fill


def says(form, qtbot, text, *, can_start=False):
    qtbot.waitUntil(lambda: text in form.plan.value)
    assert form.start.enabled == can_start
    assert "\n" not in form.plan.value


def test_one_image(form, qtbot, tmp_path, radiographs):
    write_image(tmp_path / "one" / "scan.png", radiographs[0])
    form.fields.clean.value = tmp_path / "one"
    says(form, qtbot, "1 file, 1 usable image: training needs at least 2, one of them for validation")
    form.train(form.fields.request())
    assert form.process is None


def test_files_that_are_no_images(form, qtbot, tmp_path, radiographs):
    write_image(tmp_path / "one" / "scan.png", radiographs[0])
    (tmp_path / "one" / "notes.txt").write_text("no image")
    form.fields.clean.value = tmp_path / "one"
    says(form, qtbot, "2 files, 1 usable image (1 cannot be read): training needs at least 2")
    write_image(tmp_path / "one" / "other.png", radiographs[1])
    form.fields.amount.value = 4
    says(form, qtbot, "left out: 1 cannot be read", can_start=True)
    assert form.plan.value.startswith("2 images, ")


def test_an_empty_folder(form, qtbot, tmp_path):
    (tmp_path / "empty").mkdir()
    form.fields.clean.value = tmp_path / "empty"
    says(form, qtbot, "the folder holds no files")


def test_noisy_images_too_small_to_estimate_their_noise(form, qtbot, tmp_path, radiographs):
    for name in ("one", "two"):
        write_image(tmp_path / "tiny" / f"{name}.png", radiographs[0][:20, :20])
    form.fields.learn_from.value = "only noisy images"
    form.fields.clean.value = tmp_path / "tiny"
    says(form, qtbot, "2 files, 0 usable images (2 below 32 px a side): training needs at least 2")


def test_pairs_of_other_names(pairs, qtbot):
    form = pairs([f"other{index}" for index in range(5)])
    text = "8 clean and 5 noisy files, 0 usable pairs (13 without a partner): training needs at least 2"
    says(form, qtbot, text)


def test_pairs_of_other_sizes(pairs, qtbot):
    form = pairs([f"scan{index}" for index in range(8)], (slice(64), slice(64)))
    text = "8 clean and 8 noisy files, 0 usable pairs (8 of another size than the partner): training needs at least 2"
    says(form, qtbot, text)


def test_pairs_of_which_some_do_not_match_can_be_trained_on(pairs, qtbot):
    pairs(["scan0", "scan1", "scan2", "scan3", "scan4"])
    form = pairs(["scan5", "scan6"], (slice(64), slice(64)))
    says(form, qtbot, "left out: 1 without a partner, 2 of another size than the partner", can_start=True)
    assert form.plan.value.startswith("5 pairs, 100 patches of 32 px per epoch, under 1 MiB of images")


def test_many_images_left_out_are_one_line_and_no_notification(viewer, idle):
    from napari.utils.notifications import notification_manager

    before = len(notification_manager.records)
    for name in ("one.png", "two.png", "three.png"):
        idle.process.complained.emit(f"left out: {name}: has no clean image of its name")
    assert idle.plan.value == "3 images left out: one.png: has no clean image of its name ..."
    assert "three.png" in idle.plan.tooltip
    assert len(notification_manager.records) == before
