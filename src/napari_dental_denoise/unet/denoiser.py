"""`CNNDenoiser`: one model from training to use, on arrays."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable
from contextlib import closing
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from napari_dental_denoise.config import PRESETS, TRAINING, Precision, TrainingConfig
from napari_dental_denoise.errors import InputError
from napari_dental_denoise.evaluation import accuracy, mean_score, psnr, ssim_or_nan
from napari_dental_denoise.inference import OpenVinoEngine, denoise, denoise_unit, load_engine
from napari_dental_denoise.models import STARTER_NAME, converted, find_model, first_model
from napari_dental_denoise.pixels import to_unit_pair
from napari_dental_denoise.training import EpochDone, ImagePairs, TrainingFinished, TrainingStarted, split_indices
from napari_dental_denoise.unet.job import TrainingJob, check_config
from napari_dental_denoise.unet.scores import Evaluation
from napari_dental_denoise.unet.trainer import train

Image = NDArray[np.generic]
Images = Image | Iterable[Image]


class CNNDenoiser:
    """A U-Net that is trained on pairs of images, evaluated, used, saved and loaded.

    Parameters
    ----------
    batch_size : int
        Patches in one step.
    epochs : int
        Passes over as many random patches as cover the training images.
    validation_split : float
        Share of the images that is kept for validation, between 0 and 1.
    preset : str
        "classic", "fast", "standard" or "best".
    patch_size : int
        Side of a training patch, in pixels; smaller images are used whole.
    learning_rate : float
        Size of the steps, at the start of a cosine decay.
    seed : int
        The same seed gives the same losses on the same machine.
    precision : {"auto", "f32", "bf16"}
        Of the network's body in training.
    start_from : str or Path
        What a training begins with: a model file; "starter", the best model of the package that the
        preset can begin with ("classic" has none); or "nothing", random weights.

    Raises
    ------
    InputError
        If a number cannot be used.

    Examples
    --------
    >>> denoiser = CNNDenoiser(batch_size=16, epochs=10)  # doctest: +SKIP
    >>> denoiser.train(noisy, clean).evaluate(noisy_test, clean_test)  # doctest: +SKIP
    """

    def __init__(
        self,
        batch_size: int = TRAINING.batch_size,
        epochs: int = TRAINING.epochs,
        validation_split: float = TRAINING.validation_split,
        *,
        preset: str = TRAINING.preset,
        patch_size: int = TRAINING.patch_size,
        learning_rate: float = TRAINING.learning_rate,
        seed: int = TRAINING.seed,
        precision: Precision = TRAINING.precision,
        start_from: str | Path = STARTER_NAME,
    ) -> None:
        config = TrainingConfig(
            preset=preset,
            epochs=epochs,
            batch_size=batch_size,
            patch_size=patch_size,
            validation_split=validation_split,
            learning_rate=learning_rate,
            seed=seed,
            precision=precision,
            steps_per_epoch_range=(1, TRAINING.steps_per_epoch_range[1]),
        )
        # Numpy's numbers are no text that a checkpoint could hold.
        plain = {name: value.item() for name, value in asdict(config).items() if isinstance(value, np.generic)}
        self.config = replace(config, **plain)
        check_config(self.config)
        self.start_from = start_from
        self._loaded: tuple[str, bytes] | None = None
        self.history: list[EpochDone] = []
        self._engine: OpenVinoEngine | None = None
        self._file: bytes = b""

    def train(self, noisy: Images, clean: Images) -> CNNDenoiser:
        """Train on noisy images and the clean image of each; prints one line for each epoch.

        Each call begins anew, with `start_from` or the model that was loaded. An interrupted training
        (Ctrl-C, or a notebook's stop) keeps the best model so far.

        Parameters
        ----------
        noisy, clean : (N, H, W) arrays or lists of (H, W) arrays; uint8, uint16 or floating

        Returns
        -------
        CNNDenoiser
            Itself, with the best model of all epochs.

        Raises
        ------
        InputError
            If the numbers or shapes differ, or there are fewer than two images.
        """
        pairs = ImagePairs(_image_list(noisy), _image_list(clean))
        training, validation = split_indices(range(len(pairs.shapes)), self.config.validation_split, self.config.seed)
        self.history = []
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "model.keras"
            first = self._beginning(Path(folder) / "first")
            job = TrainingJob(pairs.select(training), pairs.select(validation), path, self.config, start_from=first)
            try:
                self._follow(job)
            finally:
                if path.exists():
                    self._adopt(path)
        return self

    def _beginning(self, folder: Path) -> Path | None:
        """The model file that a training begins with: one that was loaded, as it was then."""
        if self._loaded is None:
            return first_model(str(self.start_from), self.config.preset)
        name, data = self._loaded
        folder.mkdir()
        (folder / name).write_bytes(data)
        return folder / name

    def _follow(self, job: TrainingJob) -> None:
        # Closed here, a training that is interrupted between two steps writes its best model while the folder is there.
        with closing(train(job)) as reports:
            for report in reports:
                if isinstance(report, TrainingStarted):
                    print(_first_line(report))
                elif isinstance(report, EpochDone):
                    self.history.append(report)
                    print(_epoch_line(report, self.config))
                elif isinstance(report, TrainingFinished):
                    print(f"best: epoch {report.best_epoch}, validation PSNR {report.best_psnr:.2f} dB")

    def evaluate(self, noisy_test: Images, clean_test: Images) -> Evaluation:
        """Denoise test images, print and return mean loss, accuracy, PSNR and SSIM.

        Parameters
        ----------
        noisy_test, clean_test : (N, H, W) arrays or lists of (H, W) arrays

        Returns
        -------
        Evaluation

        Raises
        ------
        InputError
            If there is no model yet, or the numbers or shapes differ.
        """
        pairs = ImagePairs(_image_list(noisy_test), _image_list(clean_test))
        scores = [self._scores(noisy, clean) for noisy, clean in zip(pairs.noisy, pairs.clean, strict=True)]
        shares, decibels, similarities = (mean_score(measure) for measure in zip(*scores, strict=True))
        # The mean of the PSNR is minus the logarithm of this loss.
        result = Evaluation(10 ** (-decibels / 20), shares, decibels, similarities)
        print(result)
        return result

    def _scores(self, noisy: Image, clean: Image) -> tuple[float, float, float]:
        reference, unit = to_unit_pair(clean, noisy)
        denoised = np.clip(denoise_unit(unit, self._ready()), 0, 1)
        return (
            accuracy(reference, denoised, data_range=1.0),
            psnr(reference, denoised, data_range=1.0),
            ssim_or_nan(reference, denoised, data_range=1.0),
        )

    def denoise(self, noisy: Images) -> Image | list[Image]:
        """Denoise an image, a stack or a list of images.

        Parameters
        ----------
        noisy : (H, W) or (N, H, W) array, or list of (H, W) arrays; uint8, uint16 or floating

        Returns
        -------
        As the input: same shapes, same types; a list for a list

        Raises
        ------
        InputError
            If there is no model yet, or the input is no such image.
        """
        engine = self._ready()
        if isinstance(noisy, np.ndarray):
            return denoise(noisy, engine)
        return [denoise(np.asarray(image), engine) for image in noisy]

    def save(self, path: str | Path, *, overwrite: bool = False) -> None:
        """Write the model file.

        Parameters
        ----------
        path : str or Path
            Ends in .keras.
        overwrite : bool
            Replace a file of that name.

        Raises
        ------
        InputError
            If there is no model yet, or the file is there already.
        """
        from napari_dental_denoise.files import write_bytes
        from napari_dental_denoise.unet.export import check_model_name

        self._ready()
        check_model_name(Path(path))
        write_bytes(Path(path), self._file, overwrite=overwrite)

    @classmethod
    def load(cls, path: str | Path) -> CNNDenoiser:
        """Read a model file, to evaluate, to denoise with it, or to train it further.

        Parameters
        ----------
        path : str or Path
            Of a `.keras` file; or "starter" or "starter-fast", the models of the package.

        Raises
        ------
        InputError
            If the file is missing, damaged or foreign.
        """
        denoiser = cls()
        denoiser._adopt(Path(path))
        preset = denoiser._ready().card.preset
        if preset in PRESETS:
            denoiser.config = replace(denoiser.config, preset=preset)
        denoiser._loaded = find_model(path).name, denoiser._file
        return denoiser

    def _adopt(self, path: Path) -> None:
        path = converted(find_model(path))
        self._engine = load_engine(path)
        self._file = path.read_bytes()

    def _ready(self) -> OpenVinoEngine:
        if self._engine is None:
            raise InputError("there is no model yet: call train, or CNNDenoiser.load")
        return self._engine


CNN_denoiser = CNNDenoiser


def _image_list(images: Images) -> list[Image]:
    if isinstance(images, np.ndarray) and images.ndim != 3:
        raise InputError(f"expected images as (N, H, W) or as a list; received shape {images.shape}")
    result = [np.asarray(image) for image in images]
    if not result or any(image.ndim != 2 for image in result):
        raise InputError(f"expected (H, W) images; received shapes {[image.shape for image in result[:5]]}")
    return result


def _first_line(report: TrainingStarted) -> str:
    first = "random weights" if report.started_from is None else f"{report.started_from} ({report.first_psnr:.2f} dB)"
    return f"validation images with noise: {report.noisy_psnr:.2f} dB; starting from {first}"


def _epoch_line(report: EpochDone, config: TrainingConfig) -> str:
    mark = " *" if report.best else ""
    return (
        f"epoch {report.epoch}/{config.epochs}: loss {report.loss:.5f}, "
        f"validation PSNR {report.psnr:.2f} dB, SSIM {report.ssim:.4f}{mark}"
    )
