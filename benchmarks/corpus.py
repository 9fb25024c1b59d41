"""Small files of many kinds, written by several libraries, with the pixels that a reader must give.

Pixels are those that were written; where the format loses some, those that an independent reader gives.
"""

from __future__ import annotations

import io
import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import imagecodecs
import numpy as np
import pydicom
import tifffile
from PIL import Image, ImageOps
from pydicom.encaps import encapsulate
from pydicom.uid import (
    JPEG2000,
    MPEG4HP41,
    UID,
    DeflatedExplicitVRLittleEndian,
    DigitalXRayImageStorageForPresentation,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    JPEGLosslessSV1,
    JPEGLSLossless,
    RLELossless,
    generate_uid,
)

from napari_dental_denoise import phantom

PATIENT = "ZQXPATIENT"
WEIGHTS = (0.299, 0.587, 0.114)
NATIVE = (ExplicitVRLittleEndian, ImplicitVRLittleEndian, DeflatedExplicitVRLittleEndian)
ENCODERS: dict[UID, Callable[[np.ndarray], bytes]] = {
    JPEG2000Lossless: lambda pixels: imagecodecs.jpeg2k_encode(pixels, level=0, codecformat="j2k", reversible=True),
    JPEGLSLossless: imagecodecs.jpegls_encode,
    JPEGLosslessSV1: lambda pixels: imagecodecs.jpeg8_encode(
        pixels, lossless=True, predictor=1, bitspersample=8 if pixels.dtype == np.uint8 else 12
    ),
}
CLEAN = phantom((37, 53), 3)
GREY = np.rint(CLEAN * 255).astype(np.uint8)
DEEP = np.rint(CLEAN * 4095).astype(np.uint16)
COLOUR = np.dstack([GREY, 255 - GREY, GREY // 2])
PILLOW_FORMATS = ("PNG", "TIFF", "BMP", "GIF", "WEBP", "JPEG", "JPEG2000", "AVIF", "PCX", "TGA", "PPM")
TIFF_COMPRESSIONS = (None, "zlib", "lzw", "zstd", "lzma", "packbits", "png", "webp", "jpegxl", "lerc")


@dataclass(frozen=True)
class Case:
    """A file of a kind, and its pixels (H, W) or (N, H, W), or a word of the reason for which it must be refused."""

    kind: str
    path: Path
    expected: np.ndarray | str
    # Largest difference of a grey value that is right.
    tolerance: float = 0.0


def corpus(folder: Path) -> Iterator[Case]:
    """Write the files into an empty folder, and yield each once it is there."""
    for write in (*RASTERS, *DICOM, misnamed, bad):
        (place := folder / write.__name__).mkdir()
        yield from write(place)


def luminance(pixels: np.ndarray) -> np.ndarray:
    """Return the grey of colour (H, W, 3)."""
    return pixels[..., :3].astype(float) @ WEIGHTS


def pillow_files(folder: Path) -> Iterator[Case]:
    """Yield files of all modes and formats that Pillow writes."""
    grey, colour = Image.fromarray(GREY), Image.fromarray(COLOUR)
    modes = [grey.convert("1"), grey, grey.convert("P"), colour, Image.merge("RGBA", (*colour.split(), grey))]
    modes += [Image.merge("LA", (grey, grey)), colour.convert("CMYK"), Image.fromarray(DEEP)]
    for image, kind in itertools.product(modes, PILLOW_FORMATS):
        variants = [{"quality": quality, "progressive": scans} for quality in (50, 95) for scans in (False, True)]
        options = {"JPEG": variants, "WEBP": [{"lossless": True}], "GIF": [{"interlace": 0}, {"interlace": 1}]}
        for number, option in enumerate(options.get(kind, [{}])):
            path = folder / f"{image.mode.replace(';', '')}-{number}.{kind.lower()}"
            try:
                image.save(path, kind, **option)
            except (OSError, KeyError, ValueError):
                continue  # a format without this mode
            yield Case(f"{kind} by Pillow", path, pixels_by_pillow(path), 1.01)


def pixels_by_pillow(path: Path) -> np.ndarray:
    """Return the grey values of a file as Pillow gives them."""
    with Image.open(path) as opened:
        image = ImageOps.exif_transpose(opened)
        if image.mode.startswith("I"):
            return np.asarray(image)
        if image.mode in ("1", "L", "LA"):
            return np.asarray(image.convert("L"))
        return luminance(np.asarray(image.convert("RGB")))


def odd_jpegs(folder: Path) -> Iterator[Case]:
    """Yield JPEG files with what decoders complain of in front of their pixels, which cost none."""
    data = io.BytesIO()
    Image.fromarray(GREY).save(data, "JPEG", quality=95)
    stream, start = data.getvalue(), data.getvalue().index(b"\xff\xdb")
    oddities = {"junk": b"junk", "stuffed": b"\xff\0", "profile": b"\xff\xe2\0\x12ICC_PROFILE\0\7\1??"}
    for name, oddity in oddities.items():
        (folder / f"{name}.jpg").write_bytes(stream[:start] + oddity + stream[start:])
        yield Case("JPEG with oddities", folder / f"{name}.jpg", np.asarray(Image.open(data)))


def orientations(folder: Path) -> Iterator[Case]:
    """Yield files that EXIF turns or mirrors."""
    for orientation, kind in itertools.product(range(1, 9), ("PNG", "JPEG", "WEBP", "AVIF")):
        exif = Image.Exif()
        exif[274] = orientation
        path = folder / f"{orientation}.{kind.lower()}"
        Image.fromarray(COLOUR).save(path, kind, exif=exif.tobytes())
        yield Case("turned by EXIF", path, pixels_by_pillow(path), 1.01)


def tiff_files(folder: Path) -> Iterator[Case]:
    """Yield TIFF files of all types, compressions, layouts and byte orders that tifffile writes."""
    layouts = itertools.product(("u1", "u2", "u4", "i1", "i2", "i4", "f4"), TIFF_COMPRESSIONS, (None, (16, 16)), "<>")
    for number, (kind, compression, tile, order) in enumerate(layouts):
        pixels = (DEEP % 100 if kind[1] == "1" else DEEP).astype(kind)
        if kind[0] == "i":
            pixels -= 50
        path = folder / f"{number}.tif"
        options = {"compression": compression, "tile": tile, "byteorder": order, "metadata": None}
        try:
            tifffile.imwrite(path, pixels, photometric="minisblack", **options)
        except (ValueError, RuntimeError, NotImplementedError):
            continue  # a compression without this type
        yield Case("TIFF by tifffile", path, pixels)
    extras = [{"imagej": True}, {"ome": True}, {"bigtiff": True}, {"predictor": True, "compression": "lzw"}]
    for number, option in enumerate([*extras, {"rowsperstrip": 7}]):
        path = folder / f"option{number}.tif"
        tifffile.imwrite(path, DEEP, **option)
        yield Case("TIFF by tifffile", path, DEEP)
    tifffile.imwrite(folder / "white.tif", 255 - GREY, photometric="miniswhite", metadata=None)
    yield Case("TIFF by tifffile", folder / "white.tif", GREY)
    with tifffile.TiffWriter(folder / "thumbnail.tif") as file:
        file.write(GREY[::4, ::4], subfiletype=1, photometric="minisblack", metadata=None)
        file.write(DEEP, photometric="minisblack", metadata=None)
    yield Case("TIFF by tifffile", folder / "thumbnail.tif", DEEP)
    tifffile.imwrite(folder / "pages.tif", np.stack([DEEP, DEEP // 2]), metadata=None, photometric="minisblack")
    yield Case("TIFF by tifffile", folder / "pages.tif", np.stack([DEEP, DEEP // 2]))


def codec_files(folder: Path) -> Iterator[Case]:
    """Yield bare codestreams of imagecodecs."""
    for name, pixels, bits in (("8", GREY, 8), ("12", DEEP, 12), ("16", DEEP * 16, 16)):
        streams = {
            "jp2": imagecodecs.jpeg2k_encode(pixels, level=0, reversible=True),
            "j2k": imagecodecs.jpeg2k_encode(pixels, level=0, reversible=True, codecformat="j2k"),
            "jxl": imagecodecs.jpegxl_encode(pixels, lossless=True),
            "jls": imagecodecs.jpegls_encode(pixels),
            "jpg": imagecodecs.jpeg8_encode(pixels, lossless=True, bitspersample=bits),
            "png": imagecodecs.png_encode(pixels),
            "webp": imagecodecs.webp_encode(np.dstack([GREY] * 3), lossless=True),
        }
        for suffix, stream in streams.items():
            path = folder / f"{name}.{suffix}"
            path.write_bytes(stream)
            yield Case("codestream by imagecodecs", path, GREY if suffix == "webp" else pixels)


def arrays(folder: Path) -> Iterator[Case]:
    """Yield NumPy files, and raw values with a MetaImage header."""
    words = {"u1": "MET_UCHAR", "i2": "MET_SHORT", "u2": "MET_USHORT", "i4": "MET_INT", "f4": "MET_FLOAT"}
    for kind, word in words.items():
        for shape in (DEEP.shape, (1, *DEEP.shape), (2, *DEEP.shape)):
            pixels = np.broadcast_to(DEEP if kind != "u1" else GREY, shape).astype(kind)
            name = f"{kind}-{len(shape)}-{shape[0]}"
            np.save(folder / f"{name}.npy", pixels)
            yield Case("NumPy", folder / f"{name}.npy", pixels if shape[0] != 1 else pixels[0])
            if len(shape) == 2:
                (folder / f"{name}.raw").write_bytes(pixels.tobytes())
                size = f"NDims = 2\nDimSize = {shape[1]} {shape[0]}\nElementType = {word}\n"
                (folder / f"{name}.mhd").write_text(f"ObjectType = Image\n{size}ElementDataFile = {name}.raw\n")
                yield Case("raw", folder / f"{name}.raw", pixels)


def dicom_dataset(pixels: np.ndarray, syntax: UID, **attributes: object) -> pydicom.Dataset:
    """Return a radiograph of an invented patient in a transfer syntax, 8 or 12 bits or those of `attributes`."""
    dataset = pydicom.Dataset()
    dataset.file_meta = pydicom.dataset.FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian if syntax == RLELossless else syntax
    dataset.SOPClassUID, dataset.SOPInstanceUID = DigitalXRayImageStorageForPresentation, generate_uid()
    dataset.Modality, dataset.PatientName, dataset.PatientID = "DX", f"{PATIENT}^Ada", PATIENT
    dataset.Rows, dataset.Columns = pixels.shape[-2:]
    dataset.SamplesPerPixel, dataset.PhotometricInterpretation, dataset.PixelRepresentation = 1, "MONOCHROME2", 0
    dataset.BitsAllocated = 8 * pixels.dtype.itemsize
    dataset.BitsStored = {8: 8, 16: 12}.get(dataset.BitsAllocated, dataset.BitsAllocated)
    if pixels.ndim > 2:
        dataset.NumberOfFrames = len(pixels)
    for name, value in attributes.items():
        setattr(dataset, name, value)
    dataset.HighBit = dataset.BitsStored - 1
    encode = ENCODERS.get(syntax)
    frames = pixels.reshape(-1, *pixels.shape[-2:])
    stored = pixels.astype(pixels.dtype.newbyteorder(">" if syntax == ExplicitVRBigEndian else "<")).tobytes()
    dataset.PixelData = encapsulate(list(map(encode, frames))) if encode else stored + b"\0" * (len(stored) % 2)
    dataset["PixelData"].VR = "OB" if encode or pixels.dtype.itemsize == 1 else "OW"
    dataset["PixelData"].is_undefined_length = encode is not None
    if syntax == RLELossless:
        dataset.compress(RLELossless, encoding_plugin="pydicom")
    return dataset


def save(dataset: pydicom.Dataset, path: Path) -> Path:
    """Write a dataset in its own transfer syntax, and return the path."""
    syntax = dataset.file_meta.TransferSyntaxUID
    dataset.save_as(
        path,
        enforce_file_format=True,
        implicit_vr=syntax == ImplicitVRLittleEndian,
        little_endian=syntax != ExplicitVRBigEndian,
    )
    return path


def dicom_files(folder: Path) -> Iterator[Case]:
    """Yield DICOM files of all transfer syntaxes, polarities, types and numbers of frames."""
    types = ((GREY, {}), (DEEP, {}), (DEEP.view(np.int16) - 1000, {"PixelRepresentation": 1, "BitsStored": 13}))
    syntaxes = (*NATIVE, ExplicitVRBigEndian, RLELossless, *ENCODERS)
    polarities, counts = ("MONOCHROME1", "MONOCHROME2"), (1, 3)
    for number, case in enumerate(itertools.product(types, syntaxes, polarities, counts)):
        (pixels, attributes), syntax, polarity, count = case
        if pixels.dtype == np.int16 and syntax in ENCODERS:
            continue  # these codecs hold unsigned values
        frames = pixels if count == 1 else np.stack([pixels // (frame + 1) for frame in range(count)])
        dataset = dicom_dataset(frames, syntax, PhotometricInterpretation=polarity, **attributes)
        yield Case(f"DICOM, {syntax.keyword}", save(dataset, folder / f"{number}.dcm"), frames)


def lossy_dicom(folder: Path) -> Iterator[Case]:
    """Yield DICOM files of lossy codestreams, whatever colours the header names."""
    for grey, polarities in ((True, ("MONOCHROME2",)), (False, ("RGB", "YBR_FULL", "YBR_FULL_422"))):
        for quality, polarity in itertools.product((60, 95), polarities):
            data = io.BytesIO()
            Image.fromarray(GREY if grey else COLOUR).save(data, "JPEG", quality=quality)
            path = folder / f"{polarity}-{quality}.dcm"
            path.with_suffix(".jpg").write_bytes(data.getvalue())
            attributes = {} if grey else {"SamplesPerPixel": 3, "PlanarConfiguration": 0}
            dataset = dicom_dataset(GREY, ExplicitVRLittleEndian, PhotometricInterpretation=polarity, **attributes)
            save(encapsulated(dataset, JPEGBaseline8Bit, data.getvalue()), path)
            yield Case("DICOM, JPEG Baseline", path, pixels_by_pillow(path.with_suffix(".jpg")), 1.01)
    # Ringing beyond white must not wrap round to black.
    sharp = np.where(np.median(DEEP) < DEEP, 4095, 0).astype(np.uint16)
    for level in (20, 30, 40):
        stream = imagecodecs.jpeg2k_encode(sharp, level=level, codecformat="j2k", reversible=False)
        dataset = encapsulated(dicom_dataset(sharp, ExplicitVRLittleEndian), JPEG2000, stream)
        expected = np.clip(imagecodecs.jpeg2k_decode(stream), 0, 4095)
        yield Case("DICOM, JPEG 2000 lossy", save(dataset, folder / f"{level}.dcm"), expected)


def encapsulated(dataset: pydicom.Dataset, syntax: UID, stream: bytes) -> pydicom.Dataset:
    """Return the dataset with a codestream as its pixels."""
    dataset.file_meta.TransferSyntaxUID = syntax
    dataset.PixelData = encapsulate([stream])
    dataset["PixelData"].VR, dataset["PixelData"].is_undefined_length = "OB", True
    return dataset


def odd_dicom(folder: Path) -> Iterator[Case]:
    """Yield DICOM files that break the standard, with pixels that leave no doubt."""
    for name in ("PhotometricInterpretation", "BitsStored", "SamplesPerPixel", "PixelRepresentation", "HighBit"):
        for syntax in (ExplicitVRLittleEndian, JPEG2000Lossless, JPEGLSLossless):
            dataset = dicom_dataset(GREY, syntax)
            del dataset[name]
            yield Case("DICOM without an attribute", save(dataset, folder / f"{name}-{syntax[-2:]}.dcm"), GREY)
    for name in ("IM000001", "1.2.840.113.7", "scan.IMA", "CT.1.2.840.5", "scan.png", "scan.dcm;1"):
        yield Case("DICOM, other names", save(dicom_dataset(DEEP, ExplicitVRLittleEndian), folder / name), DEEP)
    whole = save(dicom_dataset(DEEP, ExplicitVRLittleEndian), folder / "whole.dcm").read_bytes()
    for name, data in {"bare": whole[132:], "longer": whole + b"\0" * 10}.items():
        (folder / f"{name}.dcm").write_bytes(data)
        yield Case("DICOM, bytes lost or added", folder / f"{name}.dcm", DEEP)
    packed = save(dicom_dataset(GREY, JPEGLSLossless), folder / "packed.dcm").read_bytes()
    (folder / "open.dcm").write_bytes(packed[:-8])
    yield Case("DICOM, bytes lost or added", folder / "open.dcm", GREY)
    for stated, real in itertools.permutations(ENCODERS, 2):
        dataset = dicom_dataset(GREY, real)
        dataset.file_meta.TransferSyntaxUID = stated
        yield Case("DICOM, wrong transfer syntax", save(dataset, folder / f"{stated[-2:]}{real[-2:]}.dcm"), GREY)


def misnamed(folder: Path) -> Iterator[Case]:
    """Yield files whose names tell another format."""
    writers = {"PNG": {}, "TIFF": {}, "BMP": {}, "GIF": {}, "WEBP": {"lossless": True}, "PPM": {}}
    suffixes = (".dcm", ".png", ".tif", ".jpg", ".bmp", "")
    for (kind, options), suffix in itertools.product(writers.items(), suffixes):
        path = folder / f"{kind}{suffix}"
        Image.fromarray(GREY).save(path, kind, **options)
        yield Case("named otherwise", path, GREY)


def bad(folder: Path) -> Iterator[Case]:
    """Yield files that cannot be read, and what the reason must say."""
    whole = save(dicom_dataset(DEEP, ExplicitVRLittleEndian), folder / "whole.dcm").read_bytes()
    Image.fromarray(GREY).save(folder / "whole.png")
    picture = (folder / "whole.png").read_bytes()
    icon = io.BytesIO()
    Image.fromarray(GREY).save(icon, "ICO")
    contents = {
        ("text", "text"): b"Dear colleague,\nplease find enclosed\n",
        ("empty", "empty"): b"",
        ("cut DICOM", "truncated"): whole[: len(whole) // 2],
        ("cut PNG", "truncated"): picture[: len(picture) // 2],
        ("PDF", "PDF"): b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n" + b"1 0 obj\n" * 9,
        ("ZIP", "ZIP"): b"PK\x03\x04" + b"\0" * 60,
        ("icon", "Windows Icon"): icon.getvalue(),
    }
    for ((name, word), data), suffix in itertools.product(contents.items(), (".dcm", ".png", ".tif", "")):
        path = folder / f"{name}{suffix}"
        path.write_bytes(data)
        yield Case(f"no image: {name}", path, word)
    video = encapsulated(dicom_dataset(GREY, JPEG2000Lossless), MPEG4HP41, b"\0\0\0\1" * 9)
    yield Case("no image: DICOM video", save(video, folder / "video.dcm"), "MPEG")


RASTERS = (pillow_files, odd_jpegs, orientations, tiff_files, codec_files, arrays)
DICOM = (dicom_files, lossy_dicom, odd_dicom)
