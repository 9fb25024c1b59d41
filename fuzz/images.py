"""Fuzz the readers of image files other than DICOM."""

from __future__ import annotations

import io
from pathlib import Path

import atheris
import cv2
import imagecodecs
import numpy as np
from PIL import Image

with atheris.instrument_imports(include=["napari_dental_denoise", "PIL", "tifffile"]):
    from napari_dental_denoise.errors import ImageReadError
    from napari_dental_denoise.images import find_text, probe, read_image, read_pages

import harness


def try_file(path: Path) -> None:
    """Read a file in every way, and look for text in it."""
    for ask in (probe, read_image, read_pages):
        try:
            found = ask(path)
        except ImageReadError:
            continue
        if ask is read_image:
            find_text(found)


def seeds() -> dict[str, bytes]:
    """Return a small image in each format."""
    grey = np.arange(24 * 17, dtype=np.uint16).reshape(24, 17) * 100
    small, files = (grey >> 8).astype(np.uint8), {}
    for suffix in (".png", ".tif", ".pgm"):
        files[f"wide{suffix}"] = cv2.imencode(suffix, grey)[1].tobytes()
    for suffix in (".png", ".tif", ".bmp", ".pgm", ".jpg"):
        files[f"small{suffix}"] = cv2.imencode(suffix, small)[1].tobytes()
    for mode, name in (("P", "PNG"), ("1", "TIFF"), ("RGBA", "PNG"), ("CMYK", "TIFF"), ("F", "TIFF"), ("LA", "PNG")):
        data = io.BytesIO()
        Image.fromarray(small).convert(mode).save(data, name, dpi=(300, 300))
        files[f"{mode}.{name}"] = data.getvalue()
    for compression in ("tiff_lzw", "tiff_adobe_deflate", "packbits"):
        data = io.BytesIO()
        page = Image.fromarray(small)
        page.save(data, "TIFF", compression=compression, save_all=True, append_images=[page])
        files[compression] = data.getvalue()
    files["a.jls"], files["a.jxl"] = imagecodecs.jpegls_encode(grey), imagecodecs.jpegxl_encode(small, lossless=True)
    files["lossless.jpg"] = imagecodecs.jpeg8_encode(grey, bitspersample=16, lossless=True)
    for suffix in (".jp2", ".gif", ".webp", ".avif", ".pcx", ".tga"):
        data = io.BytesIO()
        Image.fromarray(small).save(data, Image.registered_extensions()[suffix])
        files[f"a{suffix}"] = data.getvalue()
    animation, other = io.BytesIO(), Image.fromarray(255 - small)
    Image.fromarray(small).save(animation, "PNG", save_all=True, append_images=[other], default_image=True)
    files["animation.png"] = animation.getvalue()
    array = io.BytesIO()
    np.save(array, grey)
    files["a.npy"] = array.getvalue()
    return files


if __name__ == "__main__":
    harness.run(try_file, seeds())
