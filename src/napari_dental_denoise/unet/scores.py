"""Scores that `CNNDenoiser.evaluate` returns."""

from __future__ import annotations

from dataclasses import dataclass

from napari_dental_denoise.config import ACCURACY_TOLERANCE


@dataclass(frozen=True, slots=True)
class Evaluation:
    """Mean scores of the denoised test images; `psnr` is in dB.

    Attributes
    ----------
    loss : float
        Geometric mean of the root mean square errors of the images on [0, 1], as in training.
    accuracy : float
        Share of the pixels within 0.05 of the clean image on [0, 1]; not the accuracy of Keras, which compares classes.

    Examples
    --------
    >>> print(Evaluation(loss=0.01, accuracy=0.998, psnr=40.0, ssim=0.97))
    loss 0.01000, accuracy 0.9980 (within 0.05), PSNR 40.00 dB, SSIM 0.9700
    """

    loss: float
    accuracy: float
    psnr: float
    ssim: float

    def __str__(self) -> str:
        return (
            f"loss {self.loss:.5f}, accuracy {self.accuracy:.4f} (within {ACCURACY_TOLERANCE:g}), "
            f"PSNR {self.psnr:.2f} dB, SSIM {self.ssim:.4f}"
        )
