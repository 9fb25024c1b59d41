"""Networks of other programs are measured like models: grey values in and out, of any size; others are refused."""

import json
import zipfile
from functools import reduce

import numpy as np
import onnxruntime
import pytest
import yaml
from onnx import TensorProto, helper, numpy_helper

from napari_dental_denoise import add_gaussian_noise, phantom, write_image
from napari_dental_denoise.cli import main
from napari_dental_denoise.errors import InputError
from napari_dental_denoise.evaluation.peers import Peer

BLUR = np.outer([1, 2, 1], [1, 2, 1]).astype(np.float32)[np.newaxis, np.newaxis] / 16


# Written out, 10**9 numbers; a package has it in a few lines, by aliases.
NESTED = reduce(lambda inner, _: [inner] * 10, range(9), 0)


def network(shape=(1, 1, None, None), *, channel_last=False, channels=1, inputs=1, weights=BLUR):
    """An ONNX file that blurs an image; its sides are free where the shape has None."""
    names = [f"image{number}" for number in range(inputs)]
    nodes = [helper.make_node("Conv", ["front", "weights"], ["blurred"], pads=[1, 1, 1, 1])]
    if channel_last:
        nodes.insert(0, helper.make_node("Transpose", names, ["front"], perm=[0, 3, 1, 2]))
        nodes.append(helper.make_node("Transpose", ["blurred"], ["out"], perm=[0, 2, 3, 1]))
    else:
        nodes.insert(0, helper.make_node("Sum", names, ["front"]))
        nodes.append(helper.make_node("Identity", ["blurred"], ["out"]))
    graph = helper.make_graph(
        nodes,
        "blur",
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name in names],
        [helper.make_tensor_value_info("out", TensorProto.FLOAT, [None] * 4)],
        [numpy_helper.from_array(np.repeat(weights, channels, axis=1), "weights")],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8).SerializeToString()


def saved(folder, data, name="blur.onnx"):
    (folder / name).write_bytes(data)
    return folder / name


def package(folder, data, axes="bcyx", tensors=1, **entry):
    description = {"inputs": [{"axes": axes, **entry}] * tensors, "weights": {"onnx": {"source": "weights.onnx"}}}
    with zipfile.ZipFile(folder / "blur.zip", "w") as archive:
        archive.writestr("bioimageio.yaml", yaml.safe_dump(description))
        archive.writestr("weights.onnx", data)
    return folder / "blur.zip"


@pytest.fixture
def noisy():
    return add_gaussian_noise(phantom((50, 70), rng=1000), 0.1, rng=0).astype(np.float32)


@pytest.fixture
def expected(noisy):
    """The result of another runtime for the image with its mirror image beside it."""
    padded = np.pad(noisy, ((0, 14), (0, 26)), mode="symmetric")
    (output,) = onnxruntime.InferenceSession(network()).run(None, {"image0": padded[np.newaxis, np.newaxis]})
    return output[0, 0, :50, :70]


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"shape": (None, 1, 64, 64)},
        {"shape": (1, None, None, 1), "channel_last": True},
        {"shape": (4, 32, 32, 1), "channel_last": True},
    ],
)
def test_an_image_of_any_size_goes_through_whatever_size_the_file_was_made_for(tmp_path, noisy, expected, options):
    peer = Peer(saved(tmp_path, network(**options)))
    np.testing.assert_allclose(peer(noisy, 0.1), expected, atol=1e-5)
    stack = np.stack([noisy, noisy[::-1]])
    np.testing.assert_allclose(peer(stack)[0], expected, atol=1e-5)
    assert peer(stack).shape == stack.shape


NEWER_AXES = [{"type": "batch"}, {"type": "channel"}, {"type": "space", "id": "y"}, {"type": "space", "id": "x"}]


@pytest.mark.parametrize("axes", ["bcyx", NEWER_AXES])
def test_a_package_of_the_zoo_has_the_same_network(tmp_path, noisy, expected, axes):
    path = package(tmp_path, network(), axes, preprocessing=[{"id": "ensure_dtype"}])
    np.testing.assert_allclose(Peer(path)(noisy), expected, atol=1e-5)
    with zipfile.ZipFile(path) as archive:
        archive.extractall(tmp_path / "unpacked")
    np.testing.assert_allclose(Peer(tmp_path / "unpacked")(noisy), expected, atol=1e-5)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "is no ONNX file, or is damaged"),
        (b"no network", "is no ONNX file, or is damaged"),
        (network()[:150], "is no ONNX file, or is damaged"),
        (network(inputs=2), "expected a network from one grey image to another; received 2 inputs and 1 outputs"),
        (network((1, 3, None, None), channels=3), "expected a network .* of one channel; received the axes"),
        (network(weights=BLUR * np.nan), "its output contains NaN"),
        (network(weights=np.repeat(BLUR, 2, axis=0)), "its output has the shape"),
    ],
)
def test_others_are_refused_in_one_line(tmp_path, noisy, data, reason):
    with pytest.raises(InputError, match=reason) as error:
        Peer(saved(tmp_path, data))(noisy)
    assert "\n" not in str(error.value)


def test_packages_with_other_axes_or_preprocessing_are_refused(tmp_path):
    with pytest.raises(InputError, match="of one channel; received the axes byxc"):
        Peer(package(tmp_path, network(), "byxc"))
    with pytest.raises(InputError, match=r"its preprocessing \(scale_range\) is not supported"):
        Peer(package(tmp_path, network(), preprocessing=[{"name": "scale_range"}]))
    with pytest.raises(InputError, match="a folder that is no package"):
        Peer(tmp_path)
    for axis in (7, {"id": NESTED}):
        with pytest.raises(InputError, match="its description names no axes"):
            Peer(package(tmp_path, network(), [axis]))
    with pytest.raises(InputError, match="its description of inputs and outputs is damaged"):
        Peer(package(tmp_path, network(), preprocessing=[{"id": NESTED}]))
    with pytest.raises(InputError, match="its description has more than 64 inputs and outputs"):
        Peer(package(tmp_path, network(), tensors=2000, preprocessing=[{"id": "ensure_dtype"}] * 2000))
    with pytest.raises(InputError, match=r"received the axes y{100}$"):
        Peer(package(tmp_path, network(), "y" * 2000))


def test_the_command_measures_peers_beside_models(tmp_path, capsys):
    write_image(tmp_path / "clean" / "a.png", (phantom((64, 96), rng=1) * 255).astype(np.uint8))
    path = saved(tmp_path, network())
    command = ["evaluate", str(tmp_path / "clean"), "--sigma", "25gl", "--format", "json", "--peers"]
    assert main([*command, str(path), "-m", "starter-fast"]) == 0
    rows = {row["method"]: row["psnr"] for row in json.loads(capsys.readouterr().out)}
    assert list(rows) == ["noisy", "starter-fast", "blur"]
    assert rows["noisy"] < rows["blur"] < rows["starter-fast"]
    assert main([*command, str(tmp_path / "none.onnx")]) == 2
    assert "no such model file" in capsys.readouterr().err
