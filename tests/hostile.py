"""Files that no reader can use, of twenty kinds; each with what its error must say."""

import io
import struct
import zlib

import cv2
import numpy as np
from PIL import Image


def _encoded(suffix, image):
    return cv2.imencode(suffix, image)[1].tobytes()


def _png_claiming(width, height):
    def chunk(name, data):
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(b"\0" * 1000)) + chunk(b"IEND", b"")


def _pillow(image, format_name, mode):
    data = io.BytesIO()
    Image.fromarray(image).convert(mode).save(data, format_name)
    return data.getvalue()


def _damaged_in_the_middle(data):
    middle = len(data) // 2
    return data[:middle] + bytes(64) + data[middle + 64 :]


def contents(rng):
    """Name of each kind that is a plain file: (suffix, bytes, part of the reason)."""
    image = rng.integers(0, 256, (40, 60), dtype=np.uint8)
    wide = rng.integers(0, 65536, (40, 60), dtype=np.uint16)
    png, jpg, tif, bmp, pgm = (_encoded(suffix, image) for suffix in (".png", ".jpg", ".tif", ".bmp", ".pgm"))
    half = len(png) // 2
    webp = _pillow(image, "WEBP", "RGB")
    return {
        "zero_bytes": (".png", b"", "is empty"),
        "one_byte": (".jpg", b"\xff", "is not an image"),
        "text": (".png", b"tooth 36, mesial caries\n" * 20, "is not an image but text"),
        "random": (".tif", rng.bytes(3000), "is not an image"),
        "zip": (".png", b"PK\x03\x04" + rng.bytes(500), "is not an image but a ZIP archive"),
        "gif_header_only": (".png", _pillow(image, "GIF", "L")[:12], "truncated or damaged"),
        "webp_half": (".jpg", webp[: len(webp) // 2], "truncated or damaged"),
        "pdf": (".jpg", b"%PDF-1.7\n" + rng.bytes(3000), "is not an image but a PDF document"),
        "png_header_only": (".png", png[:33], "truncated or damaged"),
        "png_half": (".png", png[:half], "truncated or damaged"),
        "png_16_bit_half": (".png", _encoded(".png", wide)[:half], "truncated or damaged"),
        "png_damaged": (".png", _damaged_in_the_middle(png), "truncated or damaged"),
        "png_bomb": (".png", _png_claiming(60000, 60000), "claims"),
        "png_no_pixels": (".png", _png_claiming(0, 10), "damaged"),
        "jpeg_half": (".jpg", jpg[: len(jpg) // 2], "truncated or damaged"),
        "jpeg_header_only": (".jpg", jpg[:20], "truncated or damaged"),
        "tiff_half": (".tif", tif[: len(tif) // 2], "truncated or damaged"),
        "bmp_half": (".bmp", bmp[: len(bmp) // 2], "truncated or damaged"),
        "pgm_half": (".pgm", pgm[: len(pgm) // 2], "truncated or damaged"),
    }


def write_hostile(folder, copies, seed=0):
    """Write `copies` of each of the twenty kinds; name of each file to a part of its reason."""
    rng = np.random.default_rng(seed)
    expected = {}
    for copy in range(copies):
        for kind, (suffix, data, reason) in contents(rng).items():
            path = folder / f"{kind}_{copy}{suffix}"
            path.write_bytes(data)
            expected[path.name] = reason
        link = folder / f"dangling_link_{copy}.png"
        link.symlink_to(folder / "nowhere.png")
        expected[link.name] = "no such file"
    return expected
