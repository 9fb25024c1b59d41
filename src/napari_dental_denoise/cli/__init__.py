"""The command line: one module for each command; the only place that prints, except for `CNNDenoiser`.

May import everything but `plugin`.
"""

from napari_dental_denoise.cli.main import main

__all__ = ["main"]
