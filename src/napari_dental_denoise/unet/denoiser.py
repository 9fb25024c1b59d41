"""`CNNDenoiser`: train, evaluate and use a model on arrays."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from inspect import Parameter, Signature
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tqdm.auto import tqdm

from napari_dental_denoise.config import MODEL_SUFFIX, PRESETS
from napari_dental_denoise.errors import InputError
from napari_dental_denoise.evaluation import accuracy, mean_score, psnr, ssim_or_nan
from napari_dental_denoise.files import write_bytes
from napari_dental_denoise.inference import OpenVinoEngine, denoise, denoise_unit, load_engine
from napari_dental_denoise.models import STARTER_NAME, converted, find_model, first_model
from napari_dental_denoise.pixels import ArrayLike, InputArray, to_unit_pair
from napari_dental_denoise.training import (
    SETTINGS,
    TRAINING,
    EpochDone,
    ImagePairs,
    StepDone,
    config_of,
    split_indices,
)
from napari_dental_denoise.unet.backend import keras
from napari_dental_denoise.unet.export import check_model_name, load_keras_model
from napari_dental_denoise.unet.job import TrainingJob
from napari_dental_denoise.unet.scores import Evaluation
from napari_dental_denoise.unet.trainer import train
from napari_dental_denoise.validation import check_flag

Image = NDArray[np.generic]
Images = ArrayLike | Iterable[ArrayLike]

BAR = "{percentage:3.0f}%|{bar}| {elapsed}, {remaining} more"


def _signature() -> Signature:
    """Return the parameters of `CNNDenoiser` for `help` and notebooks."""
    names = ["batch_size", "epochs", "validation_split", *(name for name in SETTINGS if name != "seed")]
    own = {"start_from": STARTER_NAME, "rng": TRAINING.seed, "progress": True}
    defaults = {name: getattr(TRAINING, name) for name in names} | own
    kinds = [Parameter.POSITIONAL_OR_KEYWORD] * 3 + [Parameter.KEYWORD_ONLY] * len(defaults)
    return Signature(
        [Parameter(name, kind, default=value) for kind, (name, value) in zip(kinds, defaults.items(), strict=False)]
    )


class CNNDenoiser:
    """Train a U-Net on pairs of images, evaluate it, denoise with it, save and load it.

    Parameters
    ----------
    batch_size : int
        Patches in one step.
    epochs : int
        In one epoch, random patches cover the training images once.
    validation_split : float
        Share of the images for validation, in (0, 1).
    start_from : str or Path
        First weights of a training: a model file; "starter", the best model of the package that
        fits the preset ("classic" has none); or "nothing", random weights.
    rng : int or numpy.random.Generator, optional
        Of the split, the patches and the noise; the same seed gives the same model, None a new one each time.
    progress : bool
        Show a progress bar, and print a line for each epoch.
    **settings
        Further settings of a training, such as ``minutes=2``, ``preset="fast"`` or
        ``learning_rate=1e-3``; ``napari-dental-denoise train --help`` explains them.

    Raises
    ------
    InputError
        If there is no such setting, or it has an invalid value.

    Examples
    --------
    >>> denoiser = CNNDenoiser(batch_size=16, epochs=10)  # doctest: +SKIP
    >>> denoiser.train(noisy, clean).evaluate(noisy_test, clean_test)  # doctest: +SKIP
    """

    __signature__ = _signature()

    def __init__(
        self,
        batch_size: int = TRAINING.batch_size,
        epochs: int = TRAINING.epochs,
        validation_split: float = TRAINING.validation_split,
        *,
        start_from: str | Path = STARTER_NAME,
        rng: int | np.random.Generator | None = TRAINING.seed,
        progress: bool = True,
        **settings: Any,
    ) -> None:
        settings |= {"batch_size": batch_size, "epochs": epochs, "validation_split": validation_split}
        check_flag("progress", progress)
        self.config = config_of(settings, rng)
        self.start_from = start_from
        self.progress = progress
        self._loaded: tuple[str, bytes] | None = None
        self.history: list[EpochDone] = []
        self._engine: OpenVinoEngine | None = None
        self._file: bytes = b""

    @property
    def model(self) -> keras.Model:
        """The Keras model, a new object with the weights of the best epoch; InputError if there is none yet."""
        with self._model_file() as path:
            return load_keras_model(path)

    def __getstate__(self) -> dict[str, Any]:
        return self.__dict__ | {"_engine": None}

    def train(self, noisy: Images, clean: Images) -> CNNDenoiser:
        """Train on pairs of images.

        Each call starts again, from `start_from` or from the loaded model. If it is interrupted, by
        Ctrl-C or in a notebook, the best model so far is kept.

        Parameters
        ----------
        noisy, clean : (N, H, W) array or list of (H, W) arrays
            Of integers or floating values.

        Returns
        -------
        CNNDenoiser
            The object itself, with the best model.

        Raises
        ------
        InputError
            If numbers or shapes differ, or there are fewer than two images.
        """
        pairs = ImagePairs(_image_list(noisy), _image_list(clean))
        training, validation = split_indices(range(len(pairs.shapes)), self.config.validation_split, self.config.seed)
        self.history = []
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / f"model{MODEL_SUFFIX}"
            first = self._beginning(Path(folder) / "first")
            job = TrainingJob(pairs.select(training), pairs.select(validation), path, self.config, start_from=first)
            try:
                self._follow(job)
            finally:
                if path.exists():
                    self._adopt(path)
        return self

    def _beginning(self, folder: Path) -> Path | None:
        """Return the file of the first weights; a loaded model is written again as it was read."""
        if self._loaded is None:
            return first_model(str(self.start_from), self.config.preset)
        name, data = self._loaded
        folder.mkdir()
        (folder / name).write_bytes(data)
        return folder / name

    def _follow(self, job: TrainingJob) -> None:
        # On an interrupt between two steps, closing the generator writes the best model.
        bar = tqdm(total=1.0, bar_format=BAR, disable=None if self.progress else True)
        with closing(train(job)) as reports, bar:
            for report in reports:
                if isinstance(report, EpochDone):
                    self.history.append(report)
                if isinstance(report, StepDone):
                    bar.update(report.fraction - bar.n)
                elif self.progress:
                    with bar.external_write_mode():
                        print(report)

    def evaluate(self, noisy_test: Images, clean_test: Images) -> Evaluation:
        """Denoise test images; print and return mean loss, accuracy, PSNR and SSIM.

        Parameters
        ----------
        noisy_test, clean_test : (N, H, W) array or list of (H, W) arrays

        Returns
        -------
        Evaluation
        """
        pairs = ImagePairs(_image_list(noisy_test), _image_list(clean_test))
        scores = [self._scores(noisy, clean) for noisy, clean in zip(pairs.noisy, pairs.clean, strict=True)]
        shares, decibels, similarities = (mean_score(measure) for measure in zip(*scores, strict=True))
        # The geometric mean of the errors follows from the mean of their logarithms.
        result = Evaluation(10 ** (-decibels / 20), shares, decibels, similarities)
        print(result)
        return result

    def _scores(self, noisy: Image, clean: Image) -> tuple[float, ...]:
        reference, unit = to_unit_pair(clean, noisy)
        denoised = np.clip(denoise_unit(unit, self._ready()), 0, 1)
        return tuple(score(reference, denoised, data_range=1.0) for score in (accuracy, psnr, ssim_or_nan))

    def denoise(self, noisy: Images) -> Any:
        """Denoise an image, a stack or a list of images.

        Parameters
        ----------
        noisy : (H, W) or (..., H, W) array, or list of such arrays
            As for the function `denoise`.

        Returns
        -------
        array or list of arrays
            Of the same shape and type as the input; see the function `denoise`.

        Raises
        ------
        InputError
            If there is no model yet, or the input is not such an image.
        """
        engine = self._ready()
        if isinstance(noisy, ArrayLike) or not isinstance(noisy, Iterable):
            return denoise(noisy, engine)
        return [denoise(image, engine) for image in noisy]

    def save(self, path: str | Path, *, overwrite: bool = False) -> None:
        """Write the model file.

        Parameters
        ----------
        path : str or Path
            Its name ends in .keras.
        overwrite : bool
            Replace an existing file.
        """
        self._ready()
        check_model_name(Path(path))
        write_bytes(Path(path), self._file, overwrite=overwrite)

    @classmethod
    def load(cls, path: str | Path) -> CNNDenoiser:
        """Read a model file, to evaluate it, denoise with it or train it further.

        Parameters
        ----------
        path : str or Path
            A `.keras` file; or "starter" or "starter-fast", the models of the package.

        Returns
        -------
        CNNDenoiser

        Raises
        ------
        InputError
            If the file is missing or is not a model file.
        """
        denoiser = cls()
        denoiser._adopt(Path(path))
        preset = denoiser._ready().card.preset
        if preset in PRESETS:
            denoiser.config = replace(denoiser.config, preset=preset)
        denoiser._loaded = find_model(path).name, denoiser._file
        return denoiser

    def _adopt(self, path: Path) -> None:
        self._file, self._engine = converted(find_model(path)).read_bytes(), None

    def _ready(self) -> OpenVinoEngine:
        if self._engine is not None:
            return self._engine
        with self._model_file() as path:
            self._engine = load_engine(path)
            return self._engine

    @contextmanager
    def _model_file(self) -> Iterator[Path]:
        """Provide the model as a file; raise InputError if there is none yet."""
        if not self._file:
            raise InputError("there is no model yet: call train, or CNNDenoiser.load")
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / f"model{MODEL_SUFFIX}"
            path.write_bytes(self._file)
            yield path


CNN_denoiser = CNNDenoiser


def _image_list(images: Images) -> list[Image]:
    if isinstance(images, ArrayLike) or not isinstance(images, Iterable):
        stack = InputArray(images).pixels
        if stack.ndim != 3 or 0 in stack.shape:
            raise InputError(f"expected images as (N, H, W) or as a list; received shape {stack.shape}")
        return list(stack)
    result = [InputArray(image).pixels for image in images]
    if not result or any(image.ndim != 2 for image in result):
        raise InputError(f"expected (H, W) images; received shapes {[image.shape for image in result[:5]]}")
    return result
