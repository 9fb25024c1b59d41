"""The denoising of each file, as an object that can be sent to other processes."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from napari_dental_denoise.batch.maps import NO_MAPS, MapFolders, Processed, error_map, in_rows, removed_map
from napari_dental_denoise.config import INFERENCE, EngineName, Precision
from napari_dental_denoise.dicom import Derivation
from napari_dental_denoise.errors import InputError
from napari_dental_denoise.images import take_rows
from napari_dental_denoise.inference import Engine, SelfEnsemble, cached_engine, denoise_steps, error_steps
from napari_dental_denoise.models import PURPOSE
from napari_dental_denoise.pixels import PixelEncoding
from napari_dental_denoise.progress import finish

Image = NDArray[np.generic]
ALL_ROWS = (None, None)


@dataclass(frozen=True)
class DenoiseWork:
    """Denoises images; each process loads the model once."""

    model: Path
    strength: float = INFERENCE.strength
    precision: Precision = INFERENCE.precision
    self_ensemble: bool = INFERENCE.self_ensemble
    # Number of processor threads of each process; None for all.
    threads: int | None = None
    # First and end of the rows to denoise; the others, such as a caption, stay as they are.
    rows: tuple[int | None, int | None] = ALL_ROWS
    maps: MapFolders = NO_MAPS
    engine_name: ClassVar[EngineName] = "openvino"

    def settings(self) -> str:
        """Return all that a result and its maps depend on, in words."""
        # A result without the maps of this run is not done.
        return self._parameters() if self.maps == NO_MAPS else f"{self._parameters()}, maps {self.maps}"

    def _parameters(self) -> str:
        """Return all that the pixels of a result depend on, in words, without names of files or folders."""
        rows = "" if self.rows == ALL_ROWS else f"rows {self.rows[0] or 0}:{self.rows[1] or ''}, "
        return (
            f"{rows}strength {self.strength:g}, precision {self.precision}, engine {self.engine_name}, "
            f"self-ensemble {self.self_ensemble}, weights SHA-256 {self.engine().card.weights_sha256}"
        )

    def derivation(self, *, deidentify: bool) -> Derivation:
        """Return what DICOM results say of their derivation."""
        preset = self.engine().card.preset
        text = f"Denoised by a U-Net ({preset}). {PURPOSE}"
        return Derivation("denoised", text, f"U-Net {preset}", self._parameters(), deidentify=deidentify)

    def __call__(self, stored: Image, encoding: PixelEncoding, _number: int) -> Processed:
        """Return the denoised image or stack, with its maps."""
        rows = slice(*self.rows)
        part = take_rows(stored, rows)
        # A caption in the other rows does not decide white.
        fitted = encoding.fit(part)
        folder = self.maps.error
        processed = self._denoise(part, fitted) if folder is None else self._denoise_with_error(part, fitted, folder)
        if self.maps.removed is not None:
            processed = _with_removed(processed, part, fitted, self.maps.removed, rows.indices(stored.shape[-2])[0])
        result = stored.copy()
        result[..., rows, :] = processed.pixels
        maps = tuple(each._replace(pixels=in_rows(each.pixels, stored.shape, rows)) for each in processed.maps)
        return replace(processed, pixels=result, maps=maps)

    def _denoise(self, part: Image, encoding: PixelEncoding) -> Processed:
        return Processed(finish(denoise_steps(part, self.engine(), strength=self.strength, encoding=encoding)))

    def _denoise_with_error(self, part: Image, encoding: PixelEncoding, folder: Path) -> Processed:
        expected = finish(error_steps(part, self.engine(), encoding=encoding))
        processed = Processed(expected.denoised(part))
        try:
            half_width = expected.half_width(self.maps.share)
        except InputError as error:
            # The denoised image is as good as without a map.
            return replace(processed, notes=(str(error),), without_map=(folder,))
        mean = float(np.nanmean(half_width))
        return replace(processed, maps=(error_map(half_width, self.maps.share, folder),), error_map_mean=mean)

    def engine(self) -> Engine:
        """Return the engine that runs the network."""
        engine = self.plain_engine()
        return SelfEnsemble(engine) if self.self_ensemble else engine

    def plain_engine(self) -> Engine:
        """Return the engine without self-ensemble."""
        return cached_engine(self.model, self.precision, self.threads)


def _with_removed(
    processed: Processed, part: Image, encoding: PixelEncoding, folder: Path, first_row: int
) -> Processed:
    before, after = encoding.to_grey(part), encoding.to_grey(processed.pixels)
    structure, found = removed_map(before, after, folder)
    notes = tuple(str(each.shifted(first_row, 0)) for each in found if each.places)
    return replace(
        processed,
        maps=(*processed.maps, structure),
        removed_structures=sum(len(each.places) for each in found),
        notes=(*processed.notes, *notes),
    )
