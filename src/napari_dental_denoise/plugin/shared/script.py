"""Commands and Python code that repeat what a form does, to copy."""

from __future__ import annotations

import itertools
import shlex
import subprocess
import sys
from collections.abc import Callable, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from magicgui.widgets import Container, Label, PushButton

from napari_dental_denoise.config import PROGRAM
from napari_dental_denoise.errors import InputError
from napari_dental_denoise.images import find_files
from napari_dental_denoise.pixels import PLAIN
from napari_dental_denoise.plugin.shared.form import report_error, row, show_text
from napari_dental_denoise.plugin.shared.layer_images import LayerImages
from napari_dental_denoise.plugin.shared.metadata import layer_encoding, layer_record

if TYPE_CHECKING:
    from napari.layers import Image

# Stands for a layer without a file.
STAND_IN = "image.tif"


class Script(NamedTuple):
    """A command or Python code, and what a user must know before running it."""

    text: str
    note: str = ""


class ScriptInput:
    """Source of a layer's images for a command and for Python code."""

    def __init__(self, layer: Image) -> None:
        self._layer = layer
        record = layer_record(layer)
        # Each image is one.
        self.are_files = "files" in record and "operation" not in record

    @cached_property
    def _files(self) -> list[Path]:
        return layer_files(self._layer)

    @cached_property
    def _images(self) -> LayerImages:
        return LayerImages(self._layer)

    @property
    def is_stack(self) -> bool:
        """True if the layer holds several images."""
        return len(self._images.shape) > 2

    @property
    def is_each_alone(self) -> bool:
        """True if each image decides its own black and white: a stack of files or a lazy one."""
        return self.is_stack and not self._images.is_in_memory

    @property
    def sources(self) -> list[str]:
        """The sources of a command: the files, or their folder if it holds no others."""
        if not self._files:
            return [STAND_IN]
        folder = Path(layer_record(self._layer).get("path", self._files[0]))
        if self.are_files and _is_same(self._files, folder):
            return [str(folder)]
        return [str(file) for file in self._files]

    @property
    def note_for_command(self) -> str:
        """Steps to take before running the command."""
        return "" if self._files else f"{self._layer.name} has no file: save it as {STAND_IN} first"

    @property
    def note_for_python(self) -> str:
        """Place where the code can run."""
        return "" if self._files else f"{self._layer.name} has no file: run this in napari's console"

    @property
    def python(self) -> list[str]:
        """Lines of code that define `image`, an image or stack, or `images`, one after the other."""
        name = "images" if self.is_each_alone else "image"
        if self.are_files:
            return [
                f"files = {[str(file) for file in self._files]}",
                f"{name} = (ndd.read_image(file) for file in files)",
            ]
        if self._files:
            function = "read_pages" if self.is_stack else "read_image"
            return [f"{name} = ndd.{function}({str(self._files[0])!r})"]
        *lines, data = self._python_data
        if self.is_each_alone and len(self._images.shape) > 3:
            return [*lines, f"data = {data}", "images = (data[place] for place in np.ndindex(data.shape[:-2]))"]
        return [*lines, f"{name} = {data}"]

    @property
    def _python_data(self) -> list[str]:
        """Lines of code, of which the last one is the grey pixels of the layer, of any kind."""
        layer, is_wide = self._layer, self._layer.rgb or self._images.has_channel
        data = f"viewer.layers[{layer.name!r}].data{'[0]' * layer.multiscale}{'[..., 0]' * is_wide}"
        if layer_encoding(layer) is PLAIN:
            return [data]
        return [
            "from napari_dental_denoise.plugin.shared import layer_encoding, to_grey",
            f"encoding = layer_encoding(viewer.layers[{layer.name!r}])",
            f"to_grey({data}, encoding)",
        ]

    def stacked(self, each: str) -> str:
        """Return code that makes one array, of the shape of the layer, of the results of all images."""
        shape = self._images.shape
        return f"np.stack({each})" + f".reshape({shape})" * (len(shape) > 3)


def layer_files(layer: Image) -> list[Path]:
    """Return the files whose images a layer shows, in their order; none if it was computed."""
    record = layer_record(layer)
    if "operation" in record:
        return []
    if "path" in record:
        path = Path(record["path"])
        return [path / name for name in record["files"]] if "files" in record else [path]
    # Another reader may have opened it.
    opened = layer.source.path
    return [Path(opened)] if opened is not None and Path(opened).is_file() else []


def _is_same(files: Sequence[Path], folder: Path) -> bool:
    try:
        found = [each.path for each in itertools.islice(find_files([folder]), len(files) + 1)]
    except InputError:
        return False
    return found == list(files)


def command_line(arguments: Sequence[str]) -> str:
    """Return a command line of the program, quoted for the shell."""
    words = [PROGRAM, *arguments]
    return subprocess.list2cmdline(words) if sys.platform == "win32" else shlex.join(words)


def python_text(imports: Sequence[str], lines: Sequence[str]) -> str:
    """Return Python code."""
    return "\n".join([*imports, "", *lines, ""])


def copy_buttons(command: Callable[[], Script], python: Callable[[], Script], status: Label) -> Container:
    """Return a row with two buttons that copy what these functions return, and tell it in `status`."""
    return row(_copy_button("command", command, status), _copy_button("Python", python, status))


def _copy_button(title: str, script: Callable[[], Script], status: Label) -> PushButton:
    button = PushButton(text=f"Copy as {title}", tooltip="Copy what this form does, to repeat it elsewhere")
    # After the form has cleared the problem before, which it does at every press of a button.
    button.native.clicked.connect(lambda *_: _copy(script, status))
    return button


def _copy(script: Callable[[], Script], status: Label) -> None:
    from qtpy.QtWidgets import QApplication

    try:
        text, note = script()
    except InputError as error:
        report_error(status, error)
        return
    QApplication.clipboard().setText(text)
    show_text(status, f"Copied. {note}".rstrip())
