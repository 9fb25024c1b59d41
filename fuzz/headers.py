"""Fuzz the readers of headers beside pixels: MetaImage of raw pixels, and the metadata of OME-Zarr."""

from __future__ import annotations

import tempfile
from pathlib import Path

import atheris
import numpy as np
import zarr

with atheris.instrument_imports(include=["napari_dental_denoise"]):
    from napari_dental_denoise.errors import ImageReadError
    from napari_dental_denoise.images import probe, read_pages

import harness

PIXELS = (np.arange(3 * 24 * 17, dtype=np.uint16) * 50).reshape(3, 24, 17)
# The headers of an image of each format, of which the first byte of an input chooses one, and the image.
HEADERS = {
    "a.mhd": "a.raw",
    "new.zarr/zarr.json": "new.zarr",
    "new.zarr/0/zarr.json": "new.zarr",
    "old.zarr/.zattrs": "old.zarr",
    "old.zarr/0/.zarray": "old.zarr",
}
FOLDER = Path(tempfile.mkdtemp())


def try_file(path: Path) -> None:
    """Read an image whose header is replaced by the input, but for its first byte."""
    data = path.read_bytes() or b"\0"
    header, image = list(HEADERS.items())[data[0] % len(HEADERS)]
    whole = (FOLDER / header).read_bytes()
    (FOLDER / header).write_bytes(data[1:])
    try:
        for ask in (probe, read_pages):
            try:
                ask(FOLDER / image)
            except ImageReadError:
                continue
    finally:
        (FOLDER / header).write_bytes(whole)


def seeds() -> dict[str, bytes]:
    """Write an image of each format, and return its headers."""
    (FOLDER / "a.raw").write_bytes(PIXELS.tobytes())
    lines = ("ObjectType = Image", "NDims = 3", "DimSize = 17 24 3", "ElementSpacing = 0.1 0.1 0.3")
    (FOLDER / "a.mhd").write_text("\n".join((*lines, "ElementType = MET_USHORT", "ElementDataFile = a.raw", "")))
    axes = [{"name": name, "type": "space", "unit": "millimeter"} for name in "zyx"]
    level = {"path": "0", "coordinateTransformations": [{"type": "scale", "scale": [0.3, 0.1, 0.1]}]}
    image = {"version": "0.4", "axes": axes, "datasets": [level]}
    for name, version in (("old.zarr", 2), ("new.zarr", 3)):
        described = {"multiscales": [image]}
        attributes = described if version == 2 else {"ome": {"version": "0.5", **described}}
        group = zarr.open_group(FOLDER / name, mode="w", zarr_format=version, attributes=attributes)
        group.create_array("0", data=PIXELS, chunks=(1, 24, 17))
    return {
        header.replace("/", "-"): bytes([number]) + (FOLDER / header).read_bytes()
        for number, header in enumerate(HEADERS)
    }


if __name__ == "__main__":
    harness.run(try_file, seeds())
