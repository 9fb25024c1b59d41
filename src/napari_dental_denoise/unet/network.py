"""The U-Net: encoder, bottleneck and decoder with skip connections."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from napari_dental_denoise.config import PRESETS, Preset
from napari_dental_denoise.errors import InputError
from napari_dental_denoise.training import TRAINING, check_setting
from napari_dental_denoise.unet.backend import keras
from napari_dental_denoise.validation import is_shape_2d

layers = keras.layers
NAME = "unet"
# Names of the additional layers in a network of fixed sides.
PAD, CROP = "pad", "crop"
FIRST, OUTPUT = "down0_0", "output"
# Beginning of the names of the layers that belong to the error map only.
ERROR = "error"
ERROR_ROOT = f"{ERROR}_root"


def unet_model(
    preset: str | Preset = TRAINING.preset,
    shape: tuple[int | None, int | None] = (None, None),
    *,
    dtype: str = "float32",
) -> keras.Model:
    """Build a U-Net.

    A network that predicts the noise has no biases [2]_: for `a` > 0, its output for `a * image` is `a` times that for
    `image`. It expects the differences of the image from its local mean, the square of 33x33 pixels around each.

    Parameters
    ----------
    preset : str or Preset
        "classic" (textbook: pooling, up-sampling, predicts the image), "fast", "standard" or "best"
        (strided convolutions, predict the noise), or your own design.
    shape : (height, width)
        Image size in pixels, any number. None leaves a side open; images must then have sides that are
        multiples of `Preset.multiple`, to which `denoise` pads them.
    dtype : str
        Keras dtype policy of the body, "float32" or "mixed_bfloat16"; the output is float32.

    Returns
    -------
    keras.Model
        Maps (N, H, W, 1), what `Preset.sees` of images on [0, 1], to (N, H, W, 1): the noise, to be subtracted from
        the image in float32, or the denoised image, as `Preset.predicts` says.

    Raises
    ------
    InputError
        If there is no such preset, or the shape is not (height, width).

    References
    ----------
    .. [1] O. Ronneberger et al., "U-Net: Convolutional networks for biomedical image segmentation",
       MICCAI 2015, doi 10.1007/978-3-319-24574-4_28; the residual output after K. Zhang et al., "Beyond a
       Gaussian denoiser", IEEE Trans. Image Process. 26 (2017), doi 10.1109/TIP.2017.2662206.
    .. [2] S. Mohan et al., "Robust and interpretable blind image denoising via bias-free convolutional neural
       networks", ICLR 2020, arXiv 1906.05478.

    Examples
    --------
    >>> unet_model("fast").output_shape
    (None, None, None, 1)
    """
    design = find_preset(preset)
    given = [1 if side is None else side for side in shape] if isinstance(shape, Sequence) else shape
    if not is_shape_2d(given):
        raise InputError(f"shape must be (height, width), positive whole numbers or None; received {shape}")
    image = keras.Input((*shape, 1), name="noisy")
    padding = tuple((0, -side % design.multiple if side else 0) for side in shape)
    x = layers.ZeroPadding2D(padding, name=PAD)(image) if any(shape) else image
    x = _body(x, design, dtype)
    if any(shape):
        x = layers.Cropping2D(padding, name=CROP, dtype="float32")(x)
    return keras.Model(image, x, name=NAME)


def with_error_map(network: keras.Model) -> keras.Model:
    """Give a U-Net of `unet_model`, of open sides, a second output: the expected squared error, at half the resolution.

    It reads the features of the two finest levels of the decoder. Without biases, it scales with the square of the
    image.
    """
    fine, coarse = (_decoder_layer(network, level) for level in (0, 1))
    width, dtype = fine.filters, fine.dtype_policy.name
    options: dict[str, Any] = {"padding": "same", "use_bias": False, "activation": "relu", "dtype": dtype}
    parts = [
        layers.Conv2D(width, 2, strides=2, name=f"{ERROR}_fine", **options)(fine.output),
        layers.Conv2D(width, 1, name=f"{ERROR}_coarse", **options)(coarse.output),
    ]
    x = layers.Concatenate(name=f"{ERROR}_both", dtype=dtype)(parts)
    x = layers.Conv2D(width, 3, name=f"{ERROR}_0", **options)(x)
    root = layers.Conv2D(1, 1, name=ERROR_ROOT, **{**options, "activation": None, "dtype": "float32"})(x)
    squared = layers.Multiply(name=ERROR, dtype="float32")([root, root])
    return keras.Model(network.input, [network.output, squared], name=NAME)


def _decoder_layer(network: keras.Model, level: int) -> keras.layers.Layer:
    """Return the last layer of a level of the decoder."""
    return [layer for layer in network.layers if layer.name.startswith(f"up{level}_")][-1]


def find_preset(preset: str | Preset) -> Preset:
    """Return a preset by name; the error for an unknown name lists all."""
    if isinstance(preset, Preset):
        return preset
    check_setting("preset", preset)
    return PRESETS[preset]


def _body(x: keras.KerasTensor, design: Preset, dtype: str) -> keras.KerasTensor:
    skips = []
    for level in range(len(design.widths) - 1):
        x = _convolutions(x, level, design, f"down{level}", dtype)
        skips.append(x)
        x = _halve(x, design.widths[level + 1], design, f"halve{level}", dtype)
    x = _convolutions(x, len(skips), design, "bottleneck", dtype)
    for level in reversed(range(len(skips))):
        x = _double(x, design.widths[level], design, f"double{level}", dtype)
        x = layers.Concatenate(name=f"skip{level}", dtype=dtype)([skips[level], x])
        x = _convolutions(x, level, design, f"up{level}", dtype)
    return layers.Conv2D(1, 3, padding="same", use_bias=design.sees == "image", name=OUTPUT, dtype="float32")(x)


def _convolutions(x: keras.KerasTensor, level: int, design: Preset, name: str, dtype: str) -> keras.KerasTensor:
    for index in range(design.convolutions_at(level)):
        layer = f"{name}_{index}"
        x = layers.Conv2D(
            design.widths[level],
            3,
            padding="same",
            activation="relu",
            use_bias=design.sees == "image",
            kernel_initializer="he_normal",
            name=layer,
            # Of the small differences that it reads, bf16 would keep too few digits.
            dtype="float32" if layer == FIRST and design.sees == "differences" else dtype,
        )(x)
    return x


def _halve(x: keras.KerasTensor, width: int, design: Preset, name: str, dtype: str) -> keras.KerasTensor:
    if design.resampling == "pooling":
        return layers.MaxPooling2D(2, name=name, dtype=dtype)(x)
    return layers.Conv2D(width, 2, strides=2, use_bias=design.sees == "image", name=name, dtype=dtype)(x)


def _double(x: keras.KerasTensor, width: int, design: Preset, name: str, dtype: str) -> keras.KerasTensor:
    if design.resampling == "pooling":
        x = layers.UpSampling2D(2, name=f"{name}_repeat", dtype=dtype)(x)
        biases = design.sees == "image"
        return layers.Conv2D(width, 2, padding="same", activation="relu", use_bias=biases, name=name, dtype=dtype)(x)
    return layers.Conv2DTranspose(width, 2, strides=2, use_bias=design.sees == "image", name=name, dtype=dtype)(x)
