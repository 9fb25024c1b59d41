"""Save layers with their bits, pixel size and DICOM attributes: beside their sources, or where the user says."""

from __future__ import annotations

import os
import re
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_dental_denoise.dicom import Derivation, write_derived
from napari_dental_denoise.errors import ImageReadError, InputError
from napari_dental_denoise.files import free_path, is_name
from napari_dental_denoise.images import DICOM_SUFFIX, PNG_SUFFIX, TIFF_SUFFIXES, name_without_suffix, probe
from napari_dental_denoise.pixels import Planes
from napari_dental_denoise.plugin.files.folders import ask_for_folder
from napari_dental_denoise.plugin.files.lazy_stack import State, file_state
from napari_dental_denoise.plugin.files.writer import (
    SUFFIXES,
    derivation_of,
    is_derivable,
    needs_tiff,
    tell,
    write_layer,
)
from napari_dental_denoise.plugin.shared import SLICES, is_stack, layer_record
from napari_dental_denoise.progress import Progress, finish

if TYPE_CHECKING:
    import napari.viewer
    from napari.layers import Image

# Windows allows none of these in names.
NOT_IN_NAMES = re.compile(r'[\x00-\x1f<>:"/\\|?*]+')
# In characters; file systems allow 255 bytes, with the suffix and a number.
MAX_NAME = 120
KINDS = {
    DICOM_SUFFIX: f"DICOM, derived (*{DICOM_SUFFIX})",
    TIFF_SUFFIXES[0]: f"TIFF ({' '.join(f'*{suffix}' for suffix in TIFF_SUFFIXES)})",
    PNG_SUFFIX: f"PNG (*{PNG_SUFFIX})",
}


@dataclass(frozen=True)
class Job:
    """A file to write: its path, the data and the settings of its layer at the time of the press.

    A path that the user has chosen is taken, and an existing file there replaced; else a free name is found.
    """

    path: Path
    data: Any
    meta: Mapping[str, Any]
    is_chosen: bool = False

    def write(self) -> Path:
        """Write the file and return its path."""
        path = self.path if self.is_chosen else free_path(self.path)
        return write_layer(path, self.data, self.meta, lambda target: self.is_chosen and is_name(target))


@dataclass(frozen=True)
class SliceJob:
    """A derived DICOM file to write, of one slice of a series."""

    path: Path
    images: Planes
    index: int
    source: Path
    # Of the source when it was opened.
    state: State
    # Shared by the slices, whose results are a series too.
    derivation: Derivation

    def write(self) -> Path:
        """Write the file and return its path."""
        if file_state(self.source) != self.state:
            raise ImageReadError(self.source, "was changed or replaced since its pixels were read: open it again")
        path = free_path(self.path)
        left_out = write_derived(path, self.source, self.images[self.index], self.derivation)
        if self.index == 0:
            tell(path, left_out)
        return path


@dataclass(frozen=True)
class Saved:
    """The files that were written, and why others were not."""

    paths: Sequence[Path]
    errors: Sequence[InputError]

    def __str__(self) -> str:
        if len(self.paths) == 1:
            return f"Saved {self.paths[0].name} in {self.paths[0].parent}"
        return f"Saved {len(self.paths)} files in {', '.join(dict.fromkeys(str(path.parent) for path in self.paths))}"


def save_steps(jobs: Sequence[Job | SliceJob]) -> Generator[Progress, None, Saved]:
    """Write one file per step; one that cannot be written does not keep the others from it."""
    paths: list[Path] = []
    errors: list[InputError] = []
    for number, job in enumerate(jobs):
        yield Progress(number, len(jobs))
        try:
            paths.append(job.write())
        except InputError as error:
            errors.append(error)
    return Saved(paths, errors)


def source_of(layer: Image) -> Path | None:
    """Return the file or folder that a layer was opened from, or None if that is unknown."""
    path = layer_record(layer).get("path") or layer.source.path
    return Path(path) if path else None


def jobs_for(layers: Iterable[tuple[Image, Path | None]]) -> list[Job | SliceJob]:
    """Return the files to write for layers and their sources; none for those for which the user cancels the dialog.

    A file is named by its layer and lies beside the source, a file or a folder of files. Where the source is unknown or
    gone, or its folder cannot be written, the user is asked for a place. Of a DICOM series, each slice becomes a file
    in a new folder.
    """
    jobs: list[Job | SliceJob] = []
    homeless = []
    for layer, source in layers:
        if source is not None and is_name(source) and os.access(source.parent, os.W_OK):
            jobs += _jobs(layer, source, source.parent)
        else:
            homeless.append((layer, source))
    return jobs + list(_ask(homeless))


def _jobs(layer: Image, source: Path | None, folder: Path) -> list[Job | SliceJob]:
    return _jobs_at(folder / f"{_file_name(layer)}{_suffixes(layer, source)[0]}", layer)


def _jobs_at(path: Path, layer: Image, *, is_chosen: bool = False) -> list[Job | SliceJob]:
    """Return the file to write, or those of the slices of a series in a folder of its name."""
    slices = _slices(layer)
    if path.suffix.lower() != DICOM_SUFFIX or not slices:
        return [Job(path, *_contents(layer), is_chosen=is_chosen)]
    folder, derivation = free_path(path.with_suffix("")), derivation_of(layer_record(layer))
    return [
        SliceJob(
            folder / f"{name_without_suffix(source)}{DICOM_SUFFIX}",
            Planes(layer.data),
            index,
            source,
            state,
            derivation,
        )
        for index, (source, state) in enumerate(slices)
    ]


def _slices(layer: Image) -> list[tuple[Path, State]]:
    """Return the file of each slice of a series, and its state when it was opened, of results that are series too."""
    record = layer_record(layer)
    found = record.get("dicom", {}).get(SLICES, ()) if "operation" in record else ()
    slices = [(Path(each["path"]), each["state"] and tuple(each["state"])) for each in found]
    return slices if is_stack(layer) and layer.ndim == 3 and len(slices) == len(layer.data) else []


def _contents(layer: Image) -> tuple[Any, Mapping[str, Any]]:
    data, meta, _ = layer.as_layer_data_tuple()
    return data, meta


def _file_name(layer: Image) -> str:
    # The layers of a folder are named by their paths in it.
    name = NOT_IN_NAMES.sub("_", layer.name.rpartition("/")[2])
    return name.strip(" .")[:MAX_NAME] or "image"


def _suffixes(layer: Image, source: Path | None) -> list[str]:
    """Return the suffixes of the formats that can hold a layer, first that of its source."""
    tiff, png = TIFF_SUFFIXES[0], PNG_SUFFIX
    if needs_tiff(layer.dtype, is_stack=is_stack(layer)):
        suffixes = [tiff]
    else:
        was_tiff = source is not None and source.suffix.lower() in TIFF_SUFFIXES
        suffixes = [tiff, png] if was_tiff else [png, tiff]
    return [DICOM_SUFFIX, *suffixes] if _fits_dicom(layer) else suffixes


def _fits_dicom(layer: Image) -> bool:
    """Return whether a layer can be a derived image of its source, which a part of one cannot."""
    record = layer_record(layer)
    if slices := _slices(layer):
        source = slices[0][0]
        if not is_name(source):
            return False
        info = probe(source)
        return layer.data.shape[1:] == info.shape and layer.dtype == info.dtype
    if not is_derivable(record) or not is_name(Path(record["path"])):
        return False
    info = probe(record["path"])
    return layer.data.shape in {info.shape, (info.pages, *info.shape)} and layer.dtype == info.dtype


def _ask(layers: Sequence[tuple[Image, Path | None]]) -> Iterator[Job | SliceJob]:
    """Ask for a file name or, for several layers, for a folder."""
    if len(layers) == 1:
        yield from _ask_for_file(*layers[0])
    elif layers:
        folder = ask_for_folder(f"Choose the folder for {len(layers)} images")
        if folder is not None:
            for layer, source in layers:
                yield from _jobs(layer, source, folder)


def _ask_for_file(layer: Image, source: Path | None) -> Iterator[Job | SliceJob]:
    from napari.utils.history import get_save_history, update_save_history
    from qtpy.QtWidgets import QApplication, QFileDialog

    suffixes = _suffixes(layer, source)
    wanted = Path(get_save_history()[0]) / f"{_file_name(layer)}{suffixes[0]}"
    kinds = ";;".join(KINDS[suffix] for suffix in suffixes)
    name, kind = QFileDialog.getSaveFileName(QApplication.activeWindow(), f"Save {layer.name}", str(wanted), kinds)
    if not name:
        return
    update_save_history(name)
    path = Path(name)
    # The dialog has asked whether to replace a file of the name as it was typed.
    is_whole = path.suffix.lower() in SUFFIXES
    if not is_whole:
        suffix = next((each for each in suffixes if KINDS[each] == kind), suffixes[0])
        path = path.with_name(path.name + suffix)
    if source is not None and is_name(source) and is_name(path) and path.samefile(source):
        raise InputError(f"{path.name} is the image that was opened: choose another name")
    yield from _jobs_at(path, layer, is_chosen=is_whole)


def save_selected(viewer: napari.viewer.Viewer) -> None:
    """Ask where to save the selected image layers, and save them with the writer of this plugin."""
    from napari.layers import Image
    from napari.utils.notifications import show_error, show_info

    layers = [layer for layer in viewer.layers if layer in viewer.layers.selection and isinstance(layer, Image)]
    if not layers:
        show_error("Select an image layer first")
        return
    try:
        jobs = list(_ask([(layer, source_of(layer)) for layer in layers]))
        saved = finish(save_steps(jobs))
    except InputError as error:
        show_error(str(error))
        return
    for problem in saved.errors:
        show_error(str(problem))
    if saved.paths:
        show_info(str(saved))
