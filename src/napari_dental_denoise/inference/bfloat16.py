"""Give a network in bf16, which has 8 significant bits, grey values in full precision."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_dental_denoise.inference.runtime import openvino

# A bf16 number is the upper half of a float32 one.
UPPER_HALF = np.uint32(0xFFFF0000)
HALF_OF_LOWER_HALF = np.uint32(0x8000)


def split_grey(grey: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Split grey values into the nearest bf16 numbers and the remainders, float32 arrays whose sum is exactly `grey`.

    The remainders are within 1/512 of the values: of an image on [0, 1], half a grey level of 8 bit.
    """
    bits = grey.view(np.uint32) + HALF_OF_LOWER_HALF
    bits &= UPPER_HALF
    coarse = bits.view(np.float32)
    return coarse, grey - coarse


def take_in_both_parts(network: Any) -> bool:
    """Give a network a second input for the remainders of `split_grey`, in place.

    Convolution is linear: the first layer applies the same kernel to both parts, as it would to their sum.
    Without the remainders, rounding errors of half a grey level would appear in the result as noise. Return
    False, and change nothing, unless one convolution alone reads the input.
    """
    (image,) = network.get_parameters()
    turn = _only_reader(image)
    if turn is None or turn.get_type_name() != "Transpose":
        return False
    convolution = _only_reader(turn)
    if convolution is None or convolution.get_type_name() != "Convolution":
        return False
    constant = convolution.input_value(1).get_node()
    if constant.get_type_name() != "Constant":
        return False
    operations = openvino().opset13
    rest = operations.parameter(image.get_partial_shape(), image.get_element_type(), name="rest")
    turned = operations.transpose(rest, turn.input_value(1))
    both = operations.constant(np.concatenate([constant.data, constant.data], axis=1))
    parts = operations.concat([turn.output(0), turned.output(0)], axis=1)
    convolution.input(0).replace_source_output(parts.output(0))
    convolution.input(1).replace_source_output(both.output(0))
    network.add_parameters([rest])
    network.validate_nodes_and_infer_types()
    return True


def _only_reader(node: Any) -> Any:
    """Return the only node that reads the output of this one, or None if there are several."""
    readers = [target.get_node() for output in node.outputs() for target in output.get_target_inputs()]
    return readers[0] if len(readers) == 1 else None
