"""Changes to the graph of a network before OpenVINO compiles it: the same values, finer or faster."""

from __future__ import annotations

from typing import Any

import numpy as np

from napari_dental_denoise.core.openvino_runtime import openvino


def take_in_both_parts(network: Any) -> bool:
    """Give a network a second input for what its first one leaves of a grey value in bf16.

    Convolution is linear: the same kernel on both parts gives what it gives on their sum. Without the
    rest, half a grey level of rounding would stay in the result as noise; see `split_grey`.

    Parameters
    ----------
    network : openvino.Model
        Of one grey image; changed.

    Returns
    -------
    bool
        False, and nothing changed, where the image does not go straight into one convolution.
    """
    (image,) = network.get_parameters()
    turn = _only_reader(image)
    if turn is None or turn.get_type_name() != "Transpose":
        return False
    convolution = _only_reader(turn)
    if not _has_constant_kernel(convolution):
        return False
    operations = openvino().opset13
    rest = operations.parameter(image.get_partial_shape(), image.get_element_type(), name="rest")
    turned = operations.transpose(rest, turn.input_value(1))
    kernel = convolution.input_value(1).get_node().data
    both = operations.constant(np.concatenate([kernel, kernel], axis=1))
    parts = operations.concat([turn.output(0), turned.output(0)], axis=1)
    convolution.input(0).replace_source_output(parts.output(0))
    convolution.input(1).replace_source_output(both.output(0))
    network.add_parameters([rest])
    network.validate_nodes_and_infer_types()
    return True


def join_by_sums(network: Any) -> None:
    """Convolve each part of a concatenation by itself and add the results, which spares copying the parts together.

    Parameters
    ----------
    network : openvino.Model
        Changed.
    """
    for node in network.get_ordered_ops():
        reader = _only_reader(node)
        if _joins_channels(node) and _has_constant_kernel(reader):
            _sum_of_parts(node, reader)
    network.validate_nodes_and_infer_types()


def _sum_of_parts(joined: Any, convolution: Any) -> None:
    operations = openvino().opset13
    parts = joined.input_values()
    ends = np.cumsum([part.get_partial_shape()[1].get_length() for part in parts])
    kernels = np.split(convolution.input_value(1).get_node().data, ends[:-1], axis=1)
    settings = convolution.get_attributes()
    results = [
        operations.convolution(part, operations.constant(np.ascontiguousarray(kernel)), **settings)
        for part, kernel in zip(parts, kernels, strict=True)
    ]
    total = results[0]
    for result in results[1:]:
        total = operations.add(total, result)
    for reader in list(convolution.output(0).get_target_inputs()):
        reader.replace_source_output(total.output(0))


def _joins_channels(node: Any) -> bool:
    if node.get_type_name() != "Concat" or node.get_axis() != 1:
        return False
    shapes = [part.get_partial_shape() for part in node.input_values()]
    return all(len(shape) == 4 and shape[1].is_static for shape in shapes)


def _has_constant_kernel(node: Any) -> bool:
    if node is None or node.get_type_name() != "Convolution":
        return False
    return node.input_value(1).get_node().get_type_name() == "Constant"


def _only_reader(node: Any) -> Any:
    """The one node that takes in the output of this one; None if there are several."""
    readers = [target.get_node() for output in node.outputs() for target in output.get_target_inputs()]
    return readers[0] if len(readers) == 1 else None
