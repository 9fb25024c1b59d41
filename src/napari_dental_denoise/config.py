"""Constants and defaults of the project; the command line and the forms read them here."""

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
ExportFormat = Literal["bioimageio", "onnx", "openvino", "saved-model"]
Scale = Literal["linear", "logarithmic", "square root"]
# The image on [0, 1] itself, or less its local mean.
Sees = Literal["image", "differences"]
PRECISIONS: tuple[Precision, ...] = ("auto", "f32", "bf16")
LEARN_FROM: tuple[LearnFrom, ...] = ("clean", "pairs", "noisy")
STRATEGIES: tuple[StrategyName, ...] = ("auto", "single", "mirrored", "multi-worker")
ENGINES: tuple[EngineName, ...] = ("openvino", "keras")

EXPORT_FORMATS: tuple[ExportFormat, ...] = ("bioimageio", "onnx", "openvino", "saved-model")
# Types of raw pixels.
RAW_TYPES = ("uint8", "int8", "uint16", "int16", "uint32", "int32", "float32", "float64")

GREY_LEVELS = 255
PERCENT = 100
# Side in pixels of the squares whose mean a network does not see: the unit and slow trends do not matter to it.
MEAN_SIDE = 33
CONVOLUTIONS = 2
# Shares of the pixels for which an error map can tell an interval, and the usual one.
SHARES = (0.68, 0.9, 0.95)
USUAL_SHARE = 0.9
PROGRAM = "napari-dental-denoise"
PACKAGE = "napari_dental_denoise"
MODEL_SUFFIX = ".keras"


@dataclass(frozen=True, slots=True)
class Preset:
    """One design of the U-Net.

    Attributes
    ----------
    widths : tuple of int
        Channels of each level, from full resolution down to the bottleneck.
    first_convolutions : int
        3x3 convolutions of the first level, on the way down and again on the way up; each costs four
        times as much as one of the next level, of which there are always two.
    resampling : {"learned", "pooling"}
        Strided and transposed convolutions, or max-pooling and repetition.
    predicts : {"residual", "image"}
        The output is the noise to subtract, or the denoised image itself.

    Examples
    --------
    >>> Preset((8, 16, 32), first_convolutions=1).multiple
    4
    """

    widths: tuple[int, ...]
    first_convolutions: int = CONVOLUTIONS
    resampling: Literal["learned", "pooling"] = "learned"
    predicts: Predicts = "residual"

    @property
    def sees(self) -> Sees:
        """Input of the network: the image, or its differences from the local mean, which its noise follows."""
        return "differences" if self.predicts == "residual" else "image"

    @property
    def multiple(self) -> int:
        """The number of pixels that divides both sides of an image."""
        return 2 ** (len(self.widths) - 1)

    def convolutions_at(self, level: int) -> int:
        """Return the number of 3x3 convolutions of a level, on the way down and again on the way up."""
        return CONVOLUTIONS if level else self.first_convolutions

    def extends(self, other: Preset) -> bool:
        """Return whether `other` is the same design with the same number of channels or fewer."""
        narrower = len(self.widths) == len(other.widths) and all(map(operator.ge, self.widths, other.widths))
        return narrower and replace(self, widths=other.widths) == other

    @property
    def halo(self) -> int:
        """The number of pixels around a tile that its result depends on, rounded up to `multiple`."""
        levels = range(len(self.widths) - 1)
        # After repeating pixels, one more convolution smooths them.
        smoothing = self.resampling == "pooling"
        reach = 1
        for level in levels:
            reach = -(-(reach + self.convolutions_at(level) + smoothing) // 2)
        reach += CONVOLUTIONS
        for level in reversed(levels):
            reach = 2 * reach + self.convolutions_at(level)
        if self.sees == "differences":
            reach += MEAN_SIDE // 2
        return -(-reach // self.multiple) * self.multiple

    @property
    def operations_per_pixel(self) -> float:
        """The number of multiplications and additions of one run, for each pixel of the image."""
        pooling = self.resampling == "pooling"
        total = 2.0 * 9 * self.widths[0]
        for level, width in enumerate(self.widths):
            further = self.convolutions_at(level) - 1
            entering = 0 if level == 0 else self.widths[level - 1] if pooling else width
            total += 9 * width * (entering + further * width) / 4**level
            if level < len(self.widths) - 1:
                decoder = 9 * width * (2 + further) * width
                resampling = 4 * width * self.widths[level + 1] * (1 if pooling else 1 / 2)
                total += (decoder + resampling) / 4**level
        return 2 * total


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
    """Default of a noise level, and the range that training draws it from.

    Levels are spaced evenly by themselves, their logarithms or their square roots.
    """

    default: float
    low: float
    high: float
    scale: Scale = "linear"


# The engine for Keras models in memory, which is made of packages above those that run networks.
KERAS_ENGINE = f"{PACKAGE}.unet.exchange.in_memory:KerasModelEngine"

# Half of the levels are below a quarter of the highest: most radiographs have little noise.
SIGMA = Levels(25 / GREY_LEVELS, 0, 60 / GREY_LEVELS, "square root")
SPECKLE_SIGMA = Levels(0.2, 0.02, 0.5)
PHOTONS = Levels(100, 10, 1000, "logarithmic")
READOUT_SIGMA = Levels(2 / GREY_LEVELS, 0.0, 10 / GREY_LEVELS)
AMOUNT = Levels(0.05, 0.005, 0.3)
BLUR = Levels(1.0, 0.0, 2.0)
QUANTUM_PHOTONS = Levels(5, 1, 100, "logarithmic")
DETECTOR_BLUR = Levels(0.7, 0.0, 1.5)
EXPONENT = Levels(1.0, 0.0, 2.0)
SIGMA_LOW = Levels(5 / GREY_LEVELS, 2 / GREY_LEVELS, 20 / GREY_LEVELS)
SIGMA_HIGH = Levels(40 / GREY_LEVELS, 20 / GREY_LEVELS, 60 / GREY_LEVELS)
LINE_SIGMA = Levels(4 / GREY_LEVELS, 1 / GREY_LEVELS, 15 / GREY_LEVELS)
QUALITY = Levels(75, 50, 95)


@dataclass(frozen=True, slots=True)
class NoiseConfig:
    """Default kinds of noise for images and for the patches of a training, and the default seed."""

    kind: str = "gaussian"
    training_kind: str = "dental-xray"
    seed: int = 0


@dataclass(frozen=True, slots=True)
class InferenceConfig:
    """Defaults of inference."""

    engine: EngineName = "openvino"
    precision: Precision = "auto"
    strength: float = 1.0
    max_strength: float = 1.5
    tile_side: int = 1024
    self_ensemble: bool = False


@dataclass(frozen=True, slots=True)
class Limits:
    """Upper limits, so that no file can exhaust the memory.

    Attributes
    ----------
    pixels : int
        Pixels of one image.
    stack_bytes : int
        Pages of a file that are read at once.
    images_bytes : int
        Training images that are kept in memory; further ones stay in their files.
    dicom_bytes, model_bytes : int
        One DICOM file or model file, decompressed.
    card_bytes : int
        Text members of a model file.
    members : int
        Members of the zip of a model file.
    """

    pixels: int = 2**27
    stack_bytes: int = 2**31
    images_bytes: int = 2**32
    dicom_bytes: int = 2**30
    model_bytes: int = 2**30
    card_bytes: int = 2**24
    members: int = 64


@dataclass(frozen=True, slots=True)
class WorkflowConfig:
    """Defaults of the command `workflow`.

    Attributes
    ----------
    test_split : float
        Share of the images that is kept for the test.
    min_images : int
        One each for training, validation and test.
    phantoms : int
        Number of synthetic images if no folder is given.
    shown : int
        Rows of the figure.
    """

    test_split: float = 0.2
    min_images: int = 3
    phantoms: int = 30
    shown: int = 3


NOISE = NoiseConfig()
INFERENCE = InferenceConfig()
LIMITS = Limits()
WORKFLOW = WorkflowConfig()
ACCURACY_TOLERANCE = 0.05
# Seed of synthetic radiographs for display and tests; the models of the package were trained on lower seeds.
UNSEEN_SEED = 1000
