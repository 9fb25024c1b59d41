"""The command line: one file for each command, and, with CNNDenoiser, the only place that prints."""

from napari_dental_denoise.cli.main import main

__all__ = ["main"]
