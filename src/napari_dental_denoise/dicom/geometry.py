"""Pixel size, planes of the frames, and the place of an image in its series."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

from napari_dental_denoise.dicom.values import first_number, numbers, optional
from napari_dental_denoise.pixels import PixelSize, Plane, Spacing, is_plausible, plane_of

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

# What slices of one scan have in common, where nothing names their series.
SHARED_BY_SLICES = [
    *("StudyInstanceUID", "FrameOfReferenceUID", "Modality", "SeriesNumber", "Rows", "Columns", "PixelSpacing"),
    "ImageOrientationPatient",
]


def pixel_size(dataset: Dataset) -> tuple[PixelSize | None, Spacing | None]:
    """Return (height, width) in mm by the first attribute that has a plausible one, and where it holds."""
    sources: Sequence[tuple[str, Spacing]] = (
        ("PixelSpacing", "calibrated"),
        ("ImagerPixelSpacing", "at the detector"),
        ("NominalScannedPixelSpacing", "of the film scanner"),
    )
    for name, spacing in sources:
        sides = numbers(dataset, name)
        # Some devices write the side of a square once.
        sides = sides * 2 if len(sides) == 1 else sides
        if len(sides) == 2 and all(is_plausible(side) for side in sides):
            return (sides[0], sides[1]), spacing
    return None, None


def aspect_ratio(dataset: Dataset) -> float | None:
    """Return the height of a pixel divided by its width, where only that is known."""
    sides = numbers(dataset, "PixelAspectRatio")
    return sides[0] / sides[1] if len(sides) == 2 and min(sides) > 0 and sides[0] != sides[1] else None


def planes_of(dataset: Dataset, frames: Sequence[Dataset], count: int) -> tuple[Plane, ...]:
    """Return the plane of each frame, or none if one is not known."""
    places = [_plane([frame, dataset]) for frame in frames] or [_plane([dataset])]
    known = [place for place in places if place is not None]
    return tuple(known) if len(known) == count else ()


def _plane(sources: Sequence[Dataset]) -> Plane | None:
    """Return the plane by the first source of each attribute."""
    found = (
        next((values for source in sources if (values := numbers(source, name))), [])
        for name in ("ImagePositionPatient", "ImageOrientationPatient")
    )
    return plane_of(*found)


def series_digest(path: Path, dataset: Dataset, planes: Sequence[Plane]) -> str:
    """Return a digest that is equal for the images of a series, from which nothing of it can be read.

    Images without a series are one each, since they may be of any patient. Slices are put together by what they share:
    those of a study or a frame of reference or, without, those in one folder.
    """
    study, series = (str(optional(dataset, name) or "") for name in ("StudyInstanceUID", "SeriesInstanceUID"))
    together = f"{study}\n{series}" if series else f"\n{path}"
    if not series and planes:
        is_named = any(optional(dataset, name) for name in SHARED_BY_SLICES[:2])
        shared = [str(optional(dataset, name)) for name in SHARED_BY_SLICES]
        together = "\n".join(["slices", "" if is_named else str(path.parent), *shared])
    # A UID may contain place and time, and whatever else was put there.
    return sha256(together.encode(errors="backslashreplace")).hexdigest()


def acquisition_order(dataset: Dataset) -> tuple[int, int, str]:
    """Return what sorts images without positions: never the time of their content, which is that of a computation."""
    acquisition, instance = (int(first_number(dataset, name) or 0) for name in ("AcquisitionNumber", "InstanceNumber"))
    date, time = (str(optional(dataset, name) or "") for name in ("AcquisitionDate", "AcquisitionTime"))
    return acquisition, instance, str(optional(dataset, "AcquisitionDateTime") or "") or date + time
