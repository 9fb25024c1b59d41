"""Inputs are known again when they have not changed, and no result takes the place of one."""

import os

import numpy as np
import pytest

from napari_dental_denoise.batch.inputs import Item, find_items, may_be_input, source_folders, state_of
from napari_dental_denoise.batch.report import run_settings
from napari_dental_denoise.images import write_image


@pytest.fixture
def item(tmp_path):
    write_image(tmp_path / "in" / "a.png", np.zeros((8, 8), np.uint8))
    (item,) = find_items([tmp_path / "in"])
    return item


def test_the_state_of_a_file_changes_with_its_time_its_size_and_its_folder(item, tmp_path):
    os.utime(item.path, ns=(0, 1_000_000_000))
    before = state_of(item)
    assert state_of(item) == before
    os.utime(item.path, ns=(0, 2_000_000_000))
    later = state_of(item)
    item.path.write_bytes(item.path.read_bytes() + b"x")
    os.utime(item.path, ns=(0, 1_000_000_000))
    longer = state_of(item)
    (tmp_path / "in").rename(tmp_path / "moved")
    moved = state_of(Item(tmp_path / "moved" / "a.png", item.folder, 0))
    assert len({before, later, longer, moved}) == 4
    assert str(tmp_path) not in before


def test_a_file_in_an_output_folder_within_the_inputs_is_no_input(tmp_path):
    scans, results = tmp_path / "scans", tmp_path / "scans" / "denoised"
    results.mkdir(parents=True)
    folders = source_folders([scans])
    assert may_be_input(scans / "a.png", folders, results)
    assert may_be_input(scans / "more" / "a.png", folders, results)
    assert not may_be_input(results / "a.png", folders, results)
    assert not may_be_input(results / "more" / "a.png", folders, results)
    assert not may_be_input(tmp_path / "elsewhere" / "a.png", folders, results)


def test_results_of_other_settings_are_told_apart():
    settings = [
        run_settings(work, suffix, deidentify=deidentify)
        for work in ("one", "other")
        for suffix in (None, "png")
        for deidentify in (False, True)
    ]
    assert len(set(settings)) == len(settings)
