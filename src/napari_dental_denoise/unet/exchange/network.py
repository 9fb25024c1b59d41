"""A network for other programs: from a grey image to the denoised image, in layers of Keras alone."""

from __future__ import annotations

from napari_dental_denoise.config import MEAN_SIDE
from napari_dental_denoise.models import ModelCard
from napari_dental_denoise.unet import keras

NAME = "denoiser"
# Names of the input and the output.
IMAGE, DENOISED = "image", "denoised"


def denoiser_network(network: keras.Model, card: ModelCard) -> keras.Model:
    """Return a network from images (N, H, W, 1) to denoised images, of the network of a model file.

    It holds what the program does around that network: the differences from the local mean, and the subtraction of the
    noise. Not in it are the padding to multiples of `card.multiple`, and the grey value of clipped areas.
    """
    image = keras.Input((None, None, 1), name=IMAGE)
    output = keras.Model(network.input, network.outputs[0], name=network.name)(
        _differences(image) if card.sees == "differences" else image
    )
    if card.predicts == "residual":
        denoised = keras.layers.Subtract(name=DENOISED)([image, output])
    else:
        denoised = keras.layers.Identity(name=DENOISED)(output)
    return keras.Model(image, denoised, name=NAME)


def _differences(image: keras.KerasTensor) -> keras.KerasTensor:
    """Subtract the mean of the square around each pixel, mirrored at the border, as `seen_by` does."""
    rim = (MEAN_SIDE // 2, MEAN_SIDE // 2)
    mean = keras.ops.pad(image, ((0, 0), rim, rim, (0, 0)), mode="symmetric")
    for side in ((MEAN_SIDE, 1), (1, MEAN_SIDE)):
        mean = keras.layers.AveragePooling2D(side, strides=1)(mean)
    return keras.layers.Subtract()([image, mean])
