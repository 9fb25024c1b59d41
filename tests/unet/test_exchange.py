"""Exported models give in other programs what they give here."""

import json
import resource
import zipfile
from itertools import pairwise

import keras
import numpy as np
import onnx
import onnxruntime
import pytest
import tensorflow as tf
import yaml

from napari_dental_denoise import add_gaussian_noise, denoise, load_engine, phantom, unet_model
from napari_dental_denoise.cli import main
from napari_dental_denoise.config import Preset
from napari_dental_denoise.errors import InputError
from napari_dental_denoise.inference.runtime import openvino
from napari_dental_denoise.models.card import ModelCard
from napari_dental_denoise.unet.exchange.formats import WRITERS, gives
from napari_dental_denoise.unet.export import save_model


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    """Models that predict the noise, with an error map cut off, and the image."""
    folder, rng = tmp_path_factory.mktemp("models"), np.random.default_rng(0)
    for predicts in ("residual", "image"):
        resampling = "learned" if predicts == "residual" else "pooling"
        design = Preset((4, 8), first_convolutions=1, resampling=resampling, predicts=predicts)
        network = unet_model(design)
        network.set_weights([rng.normal(0, 0.1, weights.shape) for weights in network.get_weights()])
        card = ModelCard("own", predicts, design.multiple, design.halo, design.sees)
        save_model(network, card, folder / f"{predicts}.keras", overwrite=False)
    return folder


@pytest.fixture
def noisy():
    return add_gaussian_noise(phantom((64, 90), rng=1000), 0.1, rng=0)


def run_onnx(data, batch):
    session = onnxruntime.InferenceSession(data)
    return session.run(["denoised"], {"image": batch})[0]


def run_everywhere(folder, batch):
    with zipfile.ZipFile(folder / "model.zip") as archive:
        archive.extract("weights.keras", folder)
        packaged = archive.read("weights.onnx")
    compiled = openvino().Core().compile_model(folder / "model.xml", "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    saved = tf.saved_model.load(folder / "saved")
    return {
        "onnx": run_onnx((folder / "model.onnx").read_bytes(), batch),
        "onnx of the package": run_onnx(packaged, batch),
        "keras of the package": np.asarray(keras.models.load_model(folder / "weights.keras", safe_mode=True)(batch)),
        "openvino": compiled(batch)[0],
        "saved-model": np.asarray(saved.serve(batch)),
    }


@pytest.mark.parametrize("predicts", ["residual", "image"])
def test_each_format_gives_the_denoised_image(models, predicts, noisy, tmp_path, capsys):
    source = models / f"{predicts}.keras"
    for kind, name in {
        "onnx": "model.onnx",
        "bioimageio": "model.zip",
        "openvino": "model.xml",
        "saved-model": "saved",
    }.items():
        assert main(["export", str(source), "--format", kind, "-o", str(tmp_path / name)]) == 0
        assert capsys.readouterr().out.startswith("loading TensorFlow ...\n")
        assert main(["export", str(source), "--format", kind, "-o", str(tmp_path / name)]) == 2
        assert capsys.readouterr().out == ""
    batch, engine = noisy[np.newaxis, ..., np.newaxis], load_engine(source, "f32")
    # What a model that gives the image itself makes of it depends on its scale, which `denoise` changes.
    expected = denoise(noisy, engine) if predicts == "residual" else engine(batch)[0, ..., 0]
    for name, result in run_everywhere(tmp_path, batch).items():
        np.testing.assert_allclose(result[0, ..., 0], expected, atol=1e-4, err_msg=name)
    # Any number of images, of any size.
    batch = np.zeros((3, 40, 52, 1), np.float32)
    assert {result.shape for result in run_everywhere(tmp_path, batch).values()} == {batch.shape}


def test_a_full_disk_is_told_and_leaves_nothing(tmp_path, capfd):
    image = keras.Input((None, None, 1))
    network = keras.Model(image, keras.layers.Conv2D(1, 9, padding="same")(image))
    network(np.zeros((1, 16, 16, 1), np.float32))
    target = tmp_path / "new" / "saved"
    least, most = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, most))
    try:
        with pytest.raises(InputError, match=r"/new/saved: cannot be written \(File too large\)$"):
            WRITERS["saved-model"](network, ModelCard("own", "image", 1, 0), target, False)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (least, most))
    assert capfd.readouterr().err == ""
    assert not list(target.parent.iterdir())


def test_a_package_holds_what_it_names(models, tmp_path):
    assert (
        main(["export", str(models / "residual.keras"), "--format", "bioimageio", "-o", str(tmp_path / "a.zip")]) == 0
    )
    with zipfile.ZipFile(tmp_path / "a.zip") as archive:
        description = yaml.safe_load(archive.read("bioimageio.yaml"))
        card = json.loads(archive.read("card.json"))
        archive.extractall(tmp_path)
    named = [
        *(weights["source"] for weights in description["weights"].values()),
        *(tensor["test_tensor"]["source"] for tensor in description["inputs"] + description["outputs"]),
        *(
            file["source"]
            for file in [*description["covers"], *description["attachments"], description["documentation"]]
        ),
    ]
    assert sorted(named) == sorted({path.name for path in tmp_path.iterdir()} - {"a.zip", "bioimageio.yaml"})
    assert card["preset"] == "own"
    network = keras.models.load_model(tmp_path / "weights.keras")
    expected = np.load(tmp_path / "test_output.npy")
    np.testing.assert_allclose(network(np.load(tmp_path / "test_input.npy")), expected, atol=1e-5)
    opset = description["weights"]["onnx"]["opset_version"]
    assert onnx.load(tmp_path / "weights.onnx").opset_import[0].version == opset


INTERPOLATIONS = ("nearest", "area", "bilinear", "bicubic", "lanczos3", "lanczos5")


@pytest.mark.parametrize("interpolation", INTERPOLATIONS)
def test_up_sampling_of_every_kind_is_converted(interpolation, noisy, tmp_path):
    image = keras.Input((None, None, 1))
    halved = keras.layers.AveragePooling2D(2)(image)
    keras.Model(image, keras.layers.UpSampling2D(2, interpolation=interpolation)(halved)).save(tmp_path / "a.keras")
    assert main(["convert", str(tmp_path / "a.keras"), "-o", str(tmp_path / "b.keras")]) == 0
    engine = load_engine(tmp_path / "b.keras", "f32")
    batch = noisy[np.newaxis, ..., np.newaxis]
    expected = np.asarray(keras.models.load_model(tmp_path / "a.keras")(batch))
    np.testing.assert_allclose(engine(batch), expected, atol=1e-5)


def test_a_conversion_with_another_result_is_known(models, noisy, tmp_path):
    path, batch = tmp_path / "model.onnx", noisy[np.newaxis, ..., np.newaxis]
    assert main(["export", str(models / "residual.keras"), "--format", "onnx", "-o", str(path)]) == 0
    denoised = run_onnx(path.read_bytes(), batch)
    assert gives(path, batch, denoised)
    assert not gives(path, batch, denoised[np.newaxis])
    assert not gives(path, batch, denoised + 0.1)


def test_a_converted_model_is_exported_for_images_of_any_size(noisy, tmp_path):
    """Its reach is large, and Keras's layer of up-sampling cannot be traced for free sides."""
    image = keras.Input((None, None, 1))
    reaching = keras.layers.Conv2D(1, 9, dilation_rate=70, padding="same", kernel_initializer="ones")(image)
    halved = keras.layers.AveragePooling2D(2)(image + 0.01 * reaching)
    path = tmp_path / "theirs.keras"
    keras.Model(image, keras.layers.UpSampling2D(2, interpolation="bilinear")(halved)).save(path)
    assert main(["convert", str(path), "-o", str(tmp_path / "usable.keras")]) == 0
    for kind, name in {"bioimageio": "a.zip", "saved-model": "saved"}.items():
        assert main(["export", str(tmp_path / "usable.keras"), "--format", kind, "-o", str(tmp_path / name)]) == 0
    with zipfile.ZipFile(tmp_path / "a.zip") as archive:
        description = yaml.safe_load(archive.read("bioimageio.yaml"))
        assert list(description["weights"]) == ["onnx"]
        archive.extract("test_input.npy", tmp_path)
        packaged = archive.read("weights.onnx")
    assert np.load(tmp_path / "test_input.npy").shape[1] >= description["inputs"][0]["axes"][1]["size"]["min"] > 512
    saved, network = tf.saved_model.load(tmp_path / "saved"), keras.models.load_model(path)
    for batch in (noisy[np.newaxis, ..., np.newaxis], noisy[np.newaxis, :40, :52, np.newaxis]):
        expected = np.asarray(network(batch))
        np.testing.assert_allclose(run_onnx(packaged, batch), expected, atol=1e-4)
        np.testing.assert_allclose(saved.serve(batch), expected, atol=1e-4)


def test_models_in_other_files_are_converted(models, noisy, tmp_path):
    assert (
        main(["export", str(models / "residual.keras"), "--format", "bioimageio", "-o", str(tmp_path / "a.zip")]) == 0
    )
    with zipfile.ZipFile(tmp_path / "a.zip") as archive:
        archive.extract("weights.keras", tmp_path)
        archive.extractall(tmp_path / "unpacked")
    layers = [keras.layers.Conv2D(1, 3, padding="same", kernel_initializer="ones")]
    called = keras.Sequential(layers)
    called(np.zeros((1, 8, 8, 1), np.float32))
    called.save(tmp_path / "old.h5")
    image = keras.Input((None, None, 1), name="image")
    keras.Model({"image": image}, {"denoised": layers[0](image) + image}).save(tmp_path / "named.keras")
    for name, expected in {
        "a.zip": denoise(noisy, load_engine(models / "residual.keras", "f32")),
        "unpacked": denoise(noisy, load_engine(models / "residual.keras", "f32")),
        "old.h5": np.asarray(called(noisy[np.newaxis, ..., np.newaxis]))[0, ..., 0],
        "named.keras": np.asarray(called(noisy[np.newaxis, ..., np.newaxis]))[0, ..., 0] + noisy,
    }.items():
        assert main(["convert", str(tmp_path / name), "-o", str(tmp_path / "usable.keras"), "--overwrite"]) == 0
        result = load_engine(tmp_path / "usable.keras", "f32")(noisy[np.newaxis, :, :88, np.newaxis])
        np.testing.assert_allclose(result[0, :, :60, 0], expected[:, :60], atol=1e-4, err_msg=name)


def two_inputs(path):
    images = [keras.Input((None, None, 1)) for _ in range(2)]
    keras.Model(images, keras.layers.Add()(images)).save(path)


def unbuilt(path):
    with pytest.warns(UserWarning, match="not yet been built"):
        keras.Sequential([keras.layers.Conv2D(1, 3, padding="same")]).save(path)


def code(path):
    keras.Sequential([keras.Input((8, 8, 1)), keras.layers.Lambda(lambda image: image + 1)]).save(path)


def zoo(path, text="", **description):
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("rdf.yaml", text or yaml.safe_dump(description))


def package_in_a_package(path):
    inner = path.with_name("inner.zip")
    zoo(inner, weights=IN_KERAS)
    zoo(path, weights=IN_KERAS)
    with zipfile.ZipFile(path, "a") as archive:
        archive.write(inner, "no.keras")


def folder(path, outside):
    path.mkdir()
    (path / "rdf.yaml").write_text(yaml.safe_dump({"weights": {"keras_v3": {"source": outside}}}))
    (path.parent / "outside.keras").write_bytes(b"weights")
    (path / "link.keras").symlink_to(path.parent / "outside.keras")


IN_KERAS = {"keras_v3": {"source": "no.keras"}}
# Each line has nine times the entries of the line before.
MERGES = "a: &a {x: 1}\n" + "".join(
    f"{b}: &{b} {{<<: [{', '.join([f'*{a}'] * 9)}]}}\n" for a, b in pairwise("abcdefgh")
)


@pytest.mark.parametrize(
    ("name", "write", "message"),
    [
        ("a.keras", two_inputs, "received 2 input(s) and 1 output(s)"),
        ("a.keras", unbuilt, "the network has no weights"),
        ("a.h5", code, "Lambda, which could run code"),
        ("a.zip", lambda path: zoo(path, weights={"torchscript": {}}), "received torchscript"),
        (
            "a.zip",
            lambda path: zoo(path, weights=IN_KERAS),
            "no.keras, are not in the package",
        ),
        ("a", lambda path: folder(path, "../outside.keras"), "../outside.keras, are not in the package"),
        ("a", lambda path: folder(path, "link.keras"), "link.keras, are not in the package"),
        ("a", lambda path: path.mkdir(), "this is none of them"),
        ("a.h5", lambda path: path.write_text("no model"), "this is none of them"),
        (
            "a.zip",
            lambda path: zoo(path, weights=IN_KERAS, inputs=5),
            "its description of inputs and outputs is damaged",
        ),
        ("a.zip", lambda path: zoo(path, weights=IN_KERAS, inputs=[{"preprocessing": [5]}]), "is damaged"),
        ("a.zip", lambda path: zoo(path, "[" * 9000), "its rdf.yaml is not YAML"),
        ("a.zip", lambda path: zoo(path, MERGES), "its rdf.yaml uses merges (<<), which are not supported"),
        (
            "a.zip",
            lambda path: zoo(path, weights={"keras_v3": {"source": ["no.keras"]}}),
            "its description of weights is damaged",
        ),
        ("a.zip", package_in_a_package, "a zip, but not a Keras model"),
        (
            "a.zip",
            lambda path: zoo(path, weights=IN_KERAS, outputs=[{"postprocessing": [{"id": "sigmoid"}]}]),
            "its postprocessing (sigmoid) is not supported",
        ),
        (
            "a.zip",
            lambda path: zoo(path, weights={"keras_v3": {}}, inputs=[{"preprocessing": [{"id": "scale_range"}]}]),
            "its preprocessing (scale_range) is not supported",
        ),
    ],
)
def test_what_cannot_be_used_is_named_in_one_line(name, write, message, tmp_path, capsys):
    write(tmp_path / name)
    assert main(["convert", str(tmp_path / name), "-o", str(tmp_path / "usable.keras")]) == 2
    error = capsys.readouterr().err
    # Weights in a package have its name, with their own suffix.
    named = "a.keras" if write is package_in_a_package else name
    assert error.startswith(f"napari-dental-denoise: {named}: ")
    assert message in error
    assert error.count("\n") == 1
