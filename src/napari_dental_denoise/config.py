"""Every default of the project, once: the command line and the forms read it here."""

from __future__ import annotations

import operator
from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Literal

Predicts = Literal["residual", "image"]
Precision = Literal["auto", "f32", "bf16"]
EngineName = Literal["openvino", "keras"]
StrategyName = Literal["auto", "single", "mirrored", "multi-worker"]
LearnFrom = Literal["clean", "pairs", "noisy"]
PRECISIONS: tuple[Precision, ...] = ("auto", "f32", "bf16")
LEARN_FROM: tuple[LearnFrom, ...] = ("clean", "pairs", "noisy")
STRATEGIES: tuple[StrategyName, ...] = ("auto", "single", "mirrored", "multi-worker")
ENGINES: tuple[EngineName, ...] = ("openvino", "keras")

GREY_LEVELS = 255


@dataclass(frozen=True, slots=True)
class Preset:
    """One design of the U-Net.

    Attributes
    ----------
    widths : tuple of int
        Channels of each level, from full resolution down to the bottleneck.
    stem : int
        Pixels on each side that the first convolution gathers into one; 1 keeps full resolution.
    convolutions : int
        3x3 convolutions of each level, on the way down and again on the way up.
    first_convolutions : int
        The same of the first level, where each costs four times as much as one of the next.
    resampling : {"learned", "pooling"}
        Strided convolutions down and transposed ones up, or max-pooling down and repetition up.
    predicts : {"residual", "image"}
        Whether the output is the noise to subtract or the denoised image itself.
    """

    widths: tuple[int, ...]
    stem: int = 1
    convolutions: int = 2
    first_convolutions: int = 2
    resampling: Literal["learned", "pooling"] = "learned"
    predicts: Predicts = "residual"

    @property
    def multiple(self) -> int:
        """The image's sides must be multiples of this, in pixels."""
        return self.stem * 2 ** (len(self.widths) - 1)

    def convolutions_at(self, level: int) -> int:
        """3x3 convolutions of that level, on the way down and again on the way up."""
        return self.convolutions if level else self.first_convolutions

    def extends(self, other: Preset) -> bool:
        """Whether it is the other one, or the same with more channels: then it can begin with what that one learned."""
        narrower = len(self.widths) == len(other.widths) and all(map(operator.ge, self.widths, other.widths))
        return narrower and replace(self, widths=other.widths) == other

    @property
    def halo(self) -> int:
        """Pixels around a tile that its result depends on, rounded up to `multiple`."""
        levels = range(len(self.widths) - 1)
        # Pooling presets repeat pixels and then smooth them with one more convolution.
        smoothing = self.resampling == "pooling"
        reach = 1
        for level in levels:
            reach = -(-(reach + self.convolutions_at(level) + smoothing) // 2)
        reach += self.convolutions
        for level in reversed(levels):
            reach = 2 * reach + self.convolutions_at(level)
        return -(-reach * self.stem // self.multiple) * self.multiple

    @property
    def operations_per_pixel(self) -> float:
        """Multiplications and additions of one run, for each pixel of the image."""
        pooling = self.resampling == "pooling"
        total = 2.0 * 9 * self.widths[0] * self.stem**2
        for level, width in enumerate(self.widths):
            further = self.convolutions_at(level) - 1
            entering = 0 if level == 0 else self.widths[level - 1] if pooling else width
            total += 9 * width * (entering + further * width) / 4**level
            if level < len(self.widths) - 1:
                decoder = 9 * width * (2 + further) * width
                resampling = 4 * width * self.widths[level + 1] * (1 if pooling else 1 / 2)
                total += (decoder + resampling) / 4**level
        return 2 * total / self.stem**2


PRESETS: Mapping[str, Preset] = MappingProxyType(
    {
        "classic": Preset((32, 64, 128, 256), resampling="pooling", predicts="image"),
        "fast": Preset((8, 16, 32, 96), first_convolutions=1),
        "standard": Preset((16, 32, 96, 192), first_convolutions=1),
        "best": Preset((16, 80, 160, 320), first_convolutions=1),
    }
)


@dataclass(frozen=True, slots=True)
class Levels:
    """A noise level's default and the range that training draws it from."""

    default: float
    low: float
    high: float
    logarithmic: bool = False


SIGMA = Levels(25 / GREY_LEVELS, 3 / GREY_LEVELS, 60 / GREY_LEVELS)
SPECKLE_SIGMA = Levels(0.2, 0.02, 0.5)
PHOTONS = Levels(100, 10, 1000, logarithmic=True)
READOUT_SIGMA = Levels(2 / GREY_LEVELS, 0.0, 10 / GREY_LEVELS)
AMOUNT = Levels(0.05, 0.005, 0.3)
BLUR = Levels(1.0, 0.0, 2.0)
QUANTUM_PHOTONS = Levels(5, 1, 100, logarithmic=True)
DETECTOR_BLUR = Levels(0.7, 0.0, 1.5)
EXPONENT = Levels(1.0, 0.0, 2.0)
SIGMA_LOW = Levels(5 / GREY_LEVELS, 2 / GREY_LEVELS, 20 / GREY_LEVELS)
SIGMA_HIGH = Levels(40 / GREY_LEVELS, 20 / GREY_LEVELS, 60 / GREY_LEVELS)
LINE_SIGMA = Levels(4 / GREY_LEVELS, 1 / GREY_LEVELS, 15 / GREY_LEVELS)
QUALITY = Levels(75, 50, 95)


@dataclass(frozen=True, slots=True)
class NoiseConfig:
    """What noise is added where nothing else is said: to images, and to the patches of a training."""

    kind: str = "gaussian"
    training_kind: str = "dental-xray"
    seed: int = 0


@dataclass(frozen=True, slots=True)
class TrainingConfig:
    """How a model is trained where nothing else is said.

    Attributes
    ----------
    preset : str
        A key of `PRESETS`.
    epochs : int
        Passes; in one, as many random patches are drawn as cover the training images once, within
        `steps_per_epoch_range` batches.
    minutes : float, optional
        Train for this long instead of a number of epochs.
    steps_per_epoch : int, optional
        Batches in one epoch, instead of as many as cover the images.
    batch_size : int
        Patches in one step.
    patch_size : int
        Side of a patch, in pixels.
    validation_split : float
        Share of the files that is kept for validation.
    learning_rate : float
        Size of the steps, at the start of a cosine decay to zero.
    seed : int
        Of the split, the weights, the patches and the noise.
    precision : {"auto", "f32", "bf16"}
        Of the network's body; "auto" takes bf16 where the processor has it.
    averaging : float
        Momentum of the moving average of the weights, which is what is validated and saved.
    steps_per_epoch_range : (int, int)
        So that an epoch is neither over at once nor hours long.
    validation_images, validation_side : int
        At most this many images, and the middle of each up to this side in pixels.
    """

    preset: str = "standard"
    epochs: int = 100
    minutes: float | None = None
    steps_per_epoch: int | None = None
    batch_size: int = 16
    patch_size: int = 96
    validation_split: float = 0.1
    learning_rate: float = 2e-3
    seed: int = 0
    precision: Precision = "auto"
    averaging: float = 0.999
    steps_per_epoch_range: tuple[int, int] = (50, 500)
    validation_images: int = 16
    validation_side: int = 320


@dataclass(frozen=True, slots=True)
class InferenceConfig:
    """How a model is run where nothing else is said."""

    engine: EngineName = "openvino"
    precision: Precision = "auto"
    strength: float = 1.0
    tile_side: int = 1024
    self_ensemble: bool = False


@dataclass(frozen=True, slots=True)
class Limits:
    """What is refused, so that a hostile file cannot take the memory.

    Attributes
    ----------
    pixels : int
        Of one image.
    images_bytes : int
        Of all images of a training that are held in memory; more stay in their files.
    dicom_bytes : int
        Of one DICOM file, unpacked.
    model_bytes : int
        Of one model file, unpacked.
    card_bytes : int
        Of the text members of a model file.
    members : int
        Of the zip that a model file is.
    """

    pixels: int = 2**27
    images_bytes: int = 2**32
    dicom_bytes: int = 2**30
    model_bytes: int = 2**30
    card_bytes: int = 2**24
    members: int = 64


@dataclass(frozen=True, slots=True)
class WorkflowConfig:
    """The whole job on one folder.

    Attributes
    ----------
    minutes : float
        Of training.
    test_split : float
        Share of the images that is kept apart to test with.
    fewest_images : int
        One to learn from, one to validate with and one to test with, at the least.
    phantoms : int
        Synthetic images where no folder is given.
    shown : int
        Rows of the figure.
    """

    minutes: float = 3.0
    test_split: float = 0.2
    fewest_images: int = 3
    phantoms: int = 30
    shown: int = 3


NOISE = NoiseConfig()
TRAINING = TrainingConfig()
STARTER_TRAINING = TrainingConfig(epochs=24, steps_per_epoch=500)
INFERENCE = InferenceConfig()
LIMITS = Limits()
WORKFLOW = WorkflowConfig()
ACCURACY_TOLERANCE = 0.05
# Of synthetic radiographs to show and to test with: the models of the package learned from those of the first seeds.
UNSEEN_SEED = 1000
