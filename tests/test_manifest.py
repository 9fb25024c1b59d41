"""napari finds the plugin by its manifest."""

from pathlib import Path

import pytest
from npe2 import PluginManifest

import napari_dental_denoise
from napari_dental_denoise.config import PRESETS
from napari_dental_denoise.images.suffixes import READABLE_SUFFIXES
from napari_dental_denoise.noise.registry import NOISE_KINDS

pytestmark = pytest.mark.quick

ROOT = Path(__file__).parents[1]


def test_the_manifest_is_found_and_valid():
    manifest = PluginManifest.from_distribution("napari-dental-denoise")
    assert manifest.display_name == "Dental Denoise"
    manifest.validate_imports()


def test_the_preferences_offer_what_the_forms_do():
    pages = PluginManifest.from_distribution("napari-dental-denoise").contributions.configurations
    assert pages["noise"].properties["kind"].enum == list(NOISE_KINDS)
    assert pages["train"].properties["preset"].enum == list(PRESETS)


def test_the_link_at_the_top_is_the_packaged_file():
    link = ROOT / "napari.yaml"
    assert link.is_symlink()
    packaged = Path(napari_dental_denoise.__file__).with_name("napari.yaml")
    assert link.resolve() == packaged.resolve()


def test_every_suffix_that_is_read_is_offered():
    (reader,) = PluginManifest.from_distribution("napari-dental-denoise").contributions.readers
    assert {f"*{suffix}" for suffix in READABLE_SUFFIXES} <= set(reader.filename_patterns)
