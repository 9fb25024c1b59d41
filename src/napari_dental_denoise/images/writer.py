"""Write grayscale images with the size of their pixels; never replace an existing file by accident."""

from __future__ import annotations

import io
import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image as PillowImage

from napari_dental_denoise.errors import InputError
from napari_dental_denoise.files import atomic_write, write_bytes
from napari_dental_denoise.images.suffixes import (
    BMP_SUFFIX,
    FLOATING_SUFFIXES,
    JPEG_SUFFIXES,
    PGM_SUFFIX,
    PNG_SUFFIX,
    SIXTEEN_BIT_SUFFIXES,
    TIFF_SUFFIXES,
    WRITABLE_SUFFIXES,
)
from napari_dental_denoise.pixels import MM_PER_INCH, ArrayLike, InputArray, PixelSize, check_pixel_size

# Offsets in classic TIFF have 32 bits; the rest is left for the headers of the pages.
MAX_CLASSIC_TIFF_BYTES = 2**32 - 2**26
# Pillow's name of each format, and options. Run lengths (3) compress radiographs further than its default strategy,
# in an eighth of the time.
ENCODERS: dict[str, tuple[str, dict[str, Any]]] = {
    PNG_SUFFIX: ("PNG", {"compress_level": 1, "compress_type": 3}),
    BMP_SUFFIX: ("BMP", {}),
    PGM_SUFFIX: ("PPM", {}),
    **dict.fromkeys(JPEG_SUFFIXES, ("JPEG", {"quality": 95})),
}


def write_image(
    path: str | Path,
    image: ArrayLike,
    pixel_size_mm: PixelSize | None = None,
    *,
    overwrite: bool = False,
) -> None:
    """Write one grayscale image; the suffix chooses the format.

    TIFF keeps the pixel size exactly, PNG and BMP to 1e-4 of sizes up to 0.2 mm, JPEG to whole pixels per
    inch, and PGM not at all. Sizes that happen to be 72 or 96 dpi are not read back.

    Parameters
    ----------
    path : str or Path
        Ends in .png, .tif, .tiff, .bmp, .pgm, .jpg or .jpeg.
    image : (H, W) array; integers of 8 to 32 bit, or floating
        16 bits need PNG, TIFF or PGM; signed, 32-bit and floating values need TIFF; these become float32.
    pixel_size_mm : (height, width), optional
        0.001 to 10 mm.
    overwrite : bool
        Replace an existing file.

    Raises
    ------
    InputError
        If the suffix is unknown, the format cannot hold the type, the size is impossible, or the file exists.

    Examples
    --------
    >>> import numpy as np
    >>> write_image("tooth.png", np.zeros((480, 640), np.uint8), (0.02, 0.02), overwrite=True)
    """
    path, pixels = Path(path), InputArray(image).pixels
    _check_writable(path, pixels)
    check_pixel_size(pixel_size_mm)
    if path.suffix.lower() in TIFF_SUFFIXES:
        write_tiff_pages(path, pixels[np.newaxis], pixel_size_mm, overwrite=overwrite)
    else:
        write_bytes(path, _encoded(path, pixels, pixel_size_mm), overwrite=overwrite)


def _encoded(path: Path, image: NDArray[np.generic], pixel_size_mm: PixelSize | None) -> bytes:
    name, options = ENCODERS[path.suffix.lower()]
    if pixel_size_mm is not None:
        height, width = pixel_size_mm
        options = {**options, "dpi": (MM_PER_INCH / width, MM_PER_INCH / height)}
    data = io.BytesIO()
    try:
        PillowImage.fromarray(image).save(data, name, **options)
    except (OSError, ValueError) as error:
        raise InputError(f"{path.name}: an image of shape {image.shape} cannot be written in this format") from error
    return data.getvalue()


def write_tiff_pages(
    path: Path,
    stack: Any,
    pixel_size_mm: PixelSize | None = None,
    *,
    step_mm: float | None = None,
    overwrite: bool = False,
    description: str | None = None,
) -> None:
    """Write a stack (N, H, W) of NumPy or dask, or `Planes` (..., H, W), as the pages of one TIFF file, one by one.

    Pixels are of 8 to 32 bit or floating, which become float32; their size is 0.001 to 10 mm. The description, in
    ASCII, is that of the first page; without one, it tells the shape of more than three axes, as tifffile reads it, or
    the step between the slices of a volume (N, H, W), as OME-TIFF.
    """
    import tifffile

    check_pixel_size(pixel_size_mm)
    resolution = None if pixel_size_mm is None else (10 / pixel_size_mm[1], 10 / pixel_size_mm[0])
    dtype = np.dtype(np.float32) if np.issubdtype(stack.dtype, np.floating) else stack.dtype
    if description is None and len(stack.shape) > 3:
        description = json.dumps({"shape": stack.shape})
    elif description is None and step_mm is not None and pixel_size_mm is not None:
        description = _ome_description(stack.shape, dtype, (step_mm, *pixel_size_mm))
    large = math.prod(stack.shape) * dtype.itemsize > MAX_CLASSIC_TIFF_BYTES
    with atomic_write(path, overwrite=overwrite) as temporary, tifffile.TiffWriter(temporary, bigtiff=large) as writer:
        for index in range(len(stack)):
            writer.write(
                as_stored(path, np.asarray(stack[index])),
                photometric="minisblack",
                resolution=resolution,
                resolutionunit=None if resolution is None else "CENTIMETER",
                metadata=None,
                software=False,
                description=None if index else description,
            )


def as_stored(path: Path, image: NDArray[Any]) -> NDArray[Any]:
    """Return floating values as float32, others as they are; raise InputError for values beyond float32."""
    if image.dtype.kind != "f":
        return image
    if image.dtype.itemsize > 4:
        largest = np.abs(image[np.isfinite(image)]).max(initial=0)
        if largest > np.finfo(np.float32).max:
            raise InputError(
                f"{path.name}: expected values up to 3e+38; received {largest:.0e}: divide the image first"
            )
    return image.astype(np.float32, copy=False)


def _ome_description(shape: Sequence[int], dtype: np.dtype[Any], sizes_mm: Sequence[float]) -> str:
    """Return OME-XML that tells the sizes of the elements of a volume."""
    import tifffile

    count, height, width = shape
    sizes = {f"PhysicalSize{axis}": size for axis, size in zip("ZYX", sizes_mm, strict=True)}
    units = {f"{name}Unit": "mm" for name in sizes}
    ome = tifffile.OmeXml()
    ome.addimage(dtype, (count, height, width), (count, 1, 1, height, width, 1), axes="ZYX", **sizes, **units)
    return ome.tostring()


def _check_writable(path: Path, image: NDArray[np.generic]) -> None:
    """Raise InputError unless `image` is grey and the format of the suffix holds all of its bits."""
    suffix, dtype = path.suffix.lower(), image.dtype
    if image.ndim != 2 or image.size == 0:
        raise InputError(f"{path.name}: expected a grey image (H, W) with pixels; received shape {image.shape}")
    if not ((dtype.kind in "ui" and dtype.itemsize <= 4) or dtype.kind == "f"):
        raise InputError(f"{path.name}: expected integers of 8 to 32 bit or floating values; received {dtype}")
    if suffix not in WRITABLE_SUFFIXES:
        raise InputError(f"{path.name}: expected a name that ends in {', '.join(WRITABLE_SUFFIXES)}")
    if dtype == np.uint16 and suffix not in SIXTEEN_BIT_SUFFIXES:
        raise InputError(f"{path.name}: {suffix} holds 8 bits, the image has 16: write PNG or TIFF")
    if dtype not in (np.uint8, np.uint16) and suffix not in FLOATING_SUFFIXES:
        raise InputError(f"{path.name}: {suffix} cannot hold {dtype} values: write TIFF")
