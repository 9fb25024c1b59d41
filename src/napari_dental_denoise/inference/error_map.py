"""Denoise images, and tell for each pixel how far the truth may be."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path
from reprlib import repr as shortened
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_dental_denoise.config import INFERENCE, SHARES, USUAL_SHARE, Precision
from napari_dental_denoise.errors import InputError
from napari_dental_denoise.inference.denoising import as_images, engine_of, noise_in_tiles
from napari_dental_denoise.inference.engine import Engine
from napari_dental_denoise.models import STARTER_NAME, ModelCard, interval_factor
from napari_dental_denoise.pixels import PLAIN, ArrayLike, InputArray, PixelEncoding, Unit
from napari_dental_denoise.progress import Progress, finish
from napari_dental_denoise.validation import is_number, per_cent_question

NO_ERROR_MAP = "this model has no error map: train it again on clean images, or take a model of the package"


@dataclass(frozen=True, slots=True)
class ExpectedError:
    """The noise of an image (H, W) or of a stack (N, H, W), and the error that the network expects of it.

    Both are on the scale of the encoding; where `counts` is false, the pixel is padding, which stays as it is. Results
    of whole numbers are rounded. See `error_steps`.
    """

    noise: Unit
    error: Unit
    counts: NDArray[np.bool_]
    is_rounded: bool
    encoding: PixelEncoding
    card: ModelCard

    def denoised(self, image: NDArray[np.generic]) -> NDArray[np.generic]:
        """Return the image less its noise."""
        return self.encoding.subtract(image, self.noise, 1.0)

    def half_width(self, share: float = USUAL_SHARE) -> Unit:
        """Return the error map in grey values of the image, for a share of `SHARES` of the pixels.

        It is NaN in padding, and in images of a stack with noise that the model was not calibrated for; raise
        InputError if that is all of them.
        """
        check_share(share)
        noise = np.where(self.counts, self.noise, np.float32(np.nan))
        planes, errors = (part.reshape(-1, *noise.shape[-2:]) for part in (noise, self.error))
        factors = np.full(len(planes), np.nan, np.float32)
        refused: InputError | None = None
        for number, plane in enumerate(planes):
            try:
                factors[number] = interval_factor(self.card.calibration, plane, share)
            except InputError as error:
                refused = error
        if refused is not None and np.isnan(factors).all():
            raise refused
        black, white = self.encoding.ends or (0.0, 1.0)
        widths = (white - black) * factors[:, np.newaxis, np.newaxis] * errors
        # Rounding moves a value by half of one at most, evenly.
        widths = np.hypot(widths, share / 2) if self.is_rounded else widths
        return np.where(self.counts, widths.reshape(noise.shape), np.nan).astype(np.float32)


def denoise_with_error(
    image: ArrayLike,
    model: str | Path | Engine = STARTER_NAME,
    *,
    share: float = USUAL_SHARE,
    precision: Precision = INFERENCE.precision,
) -> tuple[Any, Any]:
    """Denoise an image, or each image of a stack, and tell how far the truth may be from each pixel.

    For the given share of the pixels, on average over images like those that the model was validated with, the true
    grey value lies within the denoised one plus or minus the error [1]_. This says nothing about a single pixel or a
    single detail, and nothing about images of another kind.

    Parameters
    ----------
    image : (H, W), (..., H, W) or (..., H, W, 1) array; integers or floating
        Of NumPy or any library that NumPy can read.
    model : str, Path or engine
        See `denoise`; its card needs a calibration, which every training on clean images makes.
    share : {0.68, 0.9, 0.95}
    precision : {"auto", "f32", "bf16"}
        Precision of the network's body; ignored if `model` is an engine.

    Returns
    -------
    denoised : array of the same shape and type
    error : float32 array of the same shape
        In grey values of the image, 0 or more; for whole numbers with what rounding adds. NaN in images of a stack
        with noise that the model was not calibrated for.
        Both are of NumPy, but with the mask of a masked array and the coordinates of an xarray.

    Raises
    ------
    InputError
        If the image, the model or the share cannot be used; the model has no error map; or it was not calibrated for
        the noise of the image.

    References
    ----------
    .. [1] A. N. Angelopoulos et al., "Image-to-image regression with distribution-free uncertainty quantification and
       applications in imaging", ICML 2022.

    Examples
    --------
    >>> import numpy as np
    >>> import napari_dental_denoise as ndd
    >>> clean = ndd.phantom((96, 128), rng=0)
    >>> denoised, error = denoise_with_error(ndd.add_gaussian_noise(clean, 0.1, rng=1), "starter-fast")
    >>> bool(np.mean(np.abs(denoised - clean) <= error) > 0.8)
    True
    """
    source = InputArray(image)
    pixels = source.pixels
    as_images(pixels)
    check_share(share)
    expected = finish(error_steps(pixels, engine_of(model, precision), encoding=PLAIN.fit(pixels)))
    return source.like(expected.denoised(pixels)), source.like(expected.half_width(share))


def error_steps(
    image: NDArray[np.generic], engine: Engine, *, tile_side: int = INFERENCE.tile_side, encoding: PixelEncoding
) -> Generator[Progress, None, ExpectedError]:
    """Estimate the noise of stored values and its expected error, one tile per step, with a fitted encoding."""
    check_error_map(engine.card)
    images = as_images(image)
    noise, error = np.empty((2, len(images), *images.shape[-2:]), np.float32)
    for seen in noise_in_tiles(images, engine, tile_side, encoding, engine.with_error):
        noise[seen.place] = seen.noise
        error[seen.place] = np.sqrt(seen.others[0])
        yield seen.progress
    shaped = noise.reshape(images.shape), error.reshape(images.shape)
    is_rounded = np.issubdtype(image.dtype, np.integer)
    return ExpectedError(*shaped, ~encoding.is_padding(np.asarray(image)), is_rounded, encoding, engine.card)


def check_error_map(card: ModelCard) -> None:
    """Raise InputError if a model has no error map."""
    if not card.calibration:
        raise InputError(NO_ERROR_MAP)


def check_share(share: float) -> None:
    """Raise InputError unless there is an interval for this share of the pixels."""
    if not is_number(share) or share not in SHARES:
        asked = per_cent_question(share, SHARES.__contains__)
        raise InputError(
            f"share must be a number among {', '.join(map(str, SHARES))}; received {shortened(share)}{asked}"
        )
