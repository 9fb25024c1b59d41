"""The denoising of each file, as an object that can be sent to other processes."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from napari_dental_denoise.config import INFERENCE, EngineName, Precision
from napari_dental_denoise.dicom import Derivation
from napari_dental_denoise.images import take_rows
from napari_dental_denoise.inference import Engine, SelfEnsemble, cached_engine, denoise_steps
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
    engine_name: ClassVar[EngineName] = "openvino"

    def settings(self) -> str:
        """Return all that the pixels of a result depend on, in words."""
        rows = "" if self.rows == ALL_ROWS else f"rows {self.rows[0] or 0}:{self.rows[1] or ''}, "
        return (
            f"{rows}strength {self.strength:g}, precision {self.precision}, engine {self.engine_name}, "
            f"self-ensemble {self.self_ensemble}, weights SHA-256 {self.engine().card.weights_sha256}"
        )

    def derivation(self, *, deidentify: bool) -> Derivation:
        """Return what DICOM results say of their derivation."""
        preset = self.engine().card.preset
        text = f"Denoised by a U-Net ({preset}). {PURPOSE}"
        return Derivation("denoised", text, f"U-Net {preset}", self.settings(), deidentify=deidentify)

    def __call__(self, stored: Image, encoding: PixelEncoding, _number: int) -> Image:
        """Return the denoised image or stack."""
        rows = slice(*self.rows)
        part = take_rows(stored, rows)
        result = stored.copy()
        # A caption in the other rows does not decide white.
        steps = denoise_steps(part, self.engine(), strength=self.strength, encoding=encoding.fit(part))
        result[..., rows, :] = finish(steps)
        return result

    def engine(self) -> Engine:
        """Return the engine that runs the network."""
        engine = self.plain_engine()
        return SelfEnsemble(engine) if self.self_ensemble else engine

    def plain_engine(self) -> Engine:
        """Return the engine without self-ensemble."""
        return cached_engine(self.model, self.precision, self.threads)
