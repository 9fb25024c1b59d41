"""Model files carry what they say; a model from elsewhere is made usable; a hostile one is refused."""

import itertools
import json
import subprocess
import sys
import time
import zipfile

import keras
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from napari_dental_denoise import CNNDenoiser, denoise, unet_model
from napari_dental_denoise.cli import main
from napari_dental_denoise.config import Preset
from napari_dental_denoise.errors import InputError
from napari_dental_denoise.inference.engine import load_engine
from napari_dental_denoise.models.card import ModelCard, parse_card
from napari_dental_denoise.models.file import read_card, read_model_file, sha256
from napari_dental_denoise.pixels.local_mean import seen_by
from napari_dental_denoise.unet.exchange.conversion import convert_model
from napari_dental_denoise.unet.export import load_keras_model, round_weights, save_model
from napari_dental_denoise.unet.keras_engine import KerasEngine


@pytest.fixture
def batch(radiographs):
    return (radiographs[0][np.newaxis, :, :, np.newaxis] / 255).astype(np.float32)


def plain_autoencoder(shape=(64, 64), *, residual=False):
    """A network that a student would train elsewhere: two levels, fixed size, the image as output."""
    image = keras.Input((*shape, 1))
    x = keras.layers.MaxPooling2D(2, padding="same")(image)
    x = keras.layers.UpSampling2D(2)(x)
    model = keras.Model(image, keras.layers.Conv2D(1, 3, padding="same")(x))
    kernel = np.zeros((3, 3, 1, 1), np.float32)
    kernel[1, 1] = 0 if residual else 1
    model.set_weights([kernel, np.zeros(1, np.float32)])
    return model


def test_the_export_equals_keras(trained_model, batch):
    keras_output, squared = map(np.asarray, load_keras_model(trained_model)(batch))
    for engine in (load_engine(trained_model, "f32"), KerasEngine(trained_model, "f32")):
        output, expected = engine.with_error(batch)
        np.testing.assert_allclose(engine(batch), keras_output, atol=1e-5)
        np.testing.assert_allclose(output, keras_output, atol=1e-5)
        assert expected.shape == batch.shape
        # Linear interpolation keeps the middle between four pixels.
        middles = (expected[:, 2:-2:2, 2:-2:2] + expected[:, 3:-2:2, 3:-2:2]) / 2
        np.testing.assert_allclose(middles.mean(), squared[:, 1:-1, 1:-1].mean(), rtol=0.02)
    for engine in (load_engine(trained_model, "bf16"), KerasEngine(trained_model, "bf16")):
        output, expected = engine.with_error(batch)
        assert np.abs(engine(batch) - keras_output).max() < 0.03
        assert np.abs(output - keras_output).max() < 0.03
        np.testing.assert_allclose(expected.mean(), squared.mean(), rtol=0.1)


@given(arrays.arrays(np.float32, st.integers(0, 20), elements=st.floats(-(2.0**100), 2.0**100, width=32)))
def test_rounding_is_near_and_repeatable(weights):
    before = weights.copy()
    rounded = round_weights(weights)
    assert rounded.dtype == np.float32
    np.testing.assert_array_equal(weights, before)
    np.testing.assert_array_equal(round_weights(rounded), rounded)
    np.testing.assert_allclose(rounded, weights, rtol=2.0**-11, atol=np.finfo(np.float32).smallest_subnormal)


def test_rounding_is_that_of_half_precision():
    weights = np.random.default_rng(0).normal(size=10_000).astype(np.float32)
    np.testing.assert_array_equal(round_weights(weights), weights.astype(np.float16).astype(np.float32))
    halves = np.array([1 + 2**-11, 1 + 3 * 2**-11], np.float32)
    np.testing.assert_array_equal(round_weights(halves), [1, 1 + 2**-9])
    # Beyond its range, too.
    np.testing.assert_array_equal(round_weights(halves * 2**20), [2**20, 2**20 + 2**11])


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    """A network, its weights before it was saved, and its file."""
    network = unet_model("fast")
    rng = np.random.default_rng(0)
    network.set_weights([rng.normal(0, 0.05, weights.shape) for weights in network.get_weights()])
    before = network.get_weights()
    path = tmp_path_factory.mktemp("saved") / "model.keras"
    save_model(network, ModelCard("fast", "residual", 8, 48), path, overwrite=False)
    return network, before, path


def test_a_saved_network_is_not_changed_itself(saved):
    network, before, path = saved
    for weights, was, rounded in zip(
        network.get_weights(), before, keras.models.load_model(path).get_weights(), strict=True
    ):
        np.testing.assert_array_equal(weights, was)
        np.testing.assert_array_equal(rounded, round_weights(was))


def test_a_model_takes_five_bytes_for_each_weight(saved):
    network, _, path = saved
    assert read_model_file(path).card.preset == "fast"
    with zipfile.ZipFile(path) as archive:
        assert {member.compress_type for member in archive.infolist()} == {zipfile.ZIP_DEFLATED}
    assert path.stat().st_size < 5.2 * network.count_params()


def failing_export(*_, **__):
    raise NameError("name 'tensorflow' is not defined")


def test_a_failed_export_keeps_the_weights(tmp_path, monkeypatch):
    path, network = tmp_path / "model.keras", unet_model(Preset((4, 8), first_convolutions=1))
    path.write_bytes(b"an older model")
    with monkeypatch.context() as broken:
        # As OpenVINO's converter does on Python 3.13.
        broken.setattr(keras.Model, "export", failing_export)
        with pytest.raises(InputError, match=r"export failed \(NameError.*usable, run .* convert model\.keras"):
            save_model(network, ModelCard("fast", "residual", 2, 8), path, overwrite=True)
        # A conversion has nothing to lose, and must not leave a file that looks converted.
        with pytest.raises(InputError, match="NameError"):
            convert_model(path, tmp_path / "usable.keras", overwrite=False)
    assert [entry.name for entry in tmp_path.iterdir()] == ["model.keras"]
    convert_model(path, tmp_path / "usable.keras", overwrite=False)
    # What a network of random weights predicts, nobody can tell.
    assert read_model_file(tmp_path / "usable.keras").card.multiple == 2
    for kept, weights in zip(load_keras_model(path).get_weights(), network.get_weights(), strict=True):
        np.testing.assert_array_equal(kept, round_weights(weights))


def test_anyone_loads_it_with_keras_alone(trained_model):
    noise, squared_error = keras.models.load_model(trained_model)(np.zeros((1, 16, 24, 1), np.float32))
    assert noise.shape == (1, 16, 24, 1)
    assert squared_error.shape == (1, 8, 12, 1)


def test_the_card_tells_what_it_was_trained_on(trained_model):
    card = read_model_file(trained_model).card
    assert card.noise == {"kind": "gaussian", "sigma": [0.05, 0.15]}
    assert card.data == {"training_images": 6, "validation_images": 2, "megapixels": 0.19}
    assert "never for diagnosis" in card.purpose
    with zipfile.ZipFile(trained_model) as archive:
        assert card.weights_sha256 == sha256(archive.read("model.weights.h5"))


def test_the_card_tells_which_share_of_a_faint_spot_is_kept(trained_model, capsys):
    kept = read_model_file(trained_model).card.metrics["detail_kept"]
    assert 0 <= kept["least"] < kept["median"] < 0.98
    assert kept["radius"] == 4
    assert main(["info", str(trained_model)]) == 0
    told = f"  detail_kept\n    radius: 4\n    contrast_to_noise: 2\n    median: {kept['median']:.4g}\n"
    assert told in capsys.readouterr().out


def test_a_model_from_elsewhere_is_converted(tmp_path, batch):
    plain_autoencoder().save(tmp_path / "plain.keras")
    card = convert_model(tmp_path / "plain.keras", tmp_path / "usable.keras", overwrite=False)
    assert (card.predicts, card.multiple) == ("image", 2)
    image = (batch[0, :90, :101, 0] * 255).astype(np.uint8)
    result = denoise(image, tmp_path / "usable.keras", precision="f32")
    # The network is a maximum over blocks of 2x2 pixels.
    blocks = image[:90, :100].reshape(45, 2, 50, 2).max(axis=(1, 3)).repeat(2, 0).repeat(2, 1)
    np.testing.assert_array_equal(result[:, :100], blocks)


def test_a_network_of_fixed_sides_works_on_images_of_any(tmp_path, batch, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    fixed = unet_model(Preset((4, 8), first_convolutions=1), (101, 97))
    fixed.set_weights([0.1 * np.random.default_rng(0).standard_normal(weight.shape) for weight in fixed.get_weights()])
    fixed.save(tmp_path / "fixed.keras")
    image = batch[0, :101, :97, 0]
    noise = np.asarray(fixed(seen_by("differences", image[None, :, :, None])))[0, :, :, 0]
    engine = load_engine(tmp_path / "fixed.keras", "f32")
    assert engine.card.sees == "differences"
    # What is beyond the border is zero there, and the image mirrored here.
    np.testing.assert_allclose(denoise(image, engine)[:70, :70], (image - noise)[:70, :70], atol=1e-4)
    assert denoise(batch[0, :90, :64, 0], tmp_path / "fixed.keras").shape == (90, 64)


def test_a_model_of_elsewhere_may_have_our_names(tmp_path):
    image = keras.Input((None, None, 1))
    x = keras.layers.ZeroPadding2D(1, name="pad")(image)
    keras.Model(image, keras.layers.Conv2D(1, 3, name="crop")(x), name="unet").save(tmp_path / "theirs.keras")
    assert convert_model(tmp_path / "theirs.keras", tmp_path / "usable.keras", overwrite=False).multiple == 1


def test_a_model_that_gives_the_image_itself_keeps_16_bit(tmp_path):
    plain_autoencoder().save(tmp_path / "plain.keras")
    convert_model(tmp_path / "plain.keras", tmp_path / "usable.keras", overwrite=False)
    image = np.linspace(0, 65535, 64 * 64).astype(np.uint16).reshape(64, 64).repeat(2, 0).repeat(2, 1)
    np.testing.assert_array_equal(denoise(image, tmp_path / "usable.keras"), image)


def test_a_model_that_looks_at_the_whole_image_is_refused(tmp_path):
    image = keras.Input((None, None, 1))
    mean = keras.layers.GlobalAveragePooling2D(keepdims=True)(image)
    model = keras.Model(image, keras.layers.Add()([keras.layers.Conv2D(1, 1)(image), mean]))
    model.save(tmp_path / "whole.keras")
    with pytest.raises(InputError, match="receptive field reaches more than 384 pixels"):
        convert_model(tmp_path / "whole.keras", tmp_path / "usable.keras", overwrite=False)


def test_a_model_that_looks_far_gets_a_wider_margin(tmp_path):
    image = keras.Input((None, None, 1))
    shifted = keras.layers.Conv2D(1, 3, dilation_rate=150, padding="same", use_bias=False)(image)
    model = keras.Model(image, shifted)
    model.set_weights([np.full((3, 3, 1, 1), 1 / 9, np.float32)])
    model.save(tmp_path / "far.keras")
    assert convert_model(tmp_path / "far.keras", tmp_path / "usable.keras", overwrite=False).halo == 192


def test_whether_it_predicts_the_noise_is_found_out(tmp_path):
    plain_autoencoder(residual=True).save(tmp_path / "plain.keras")
    assert convert_model(tmp_path / "plain.keras", tmp_path / "usable.keras", overwrite=False).predicts == "residual"


def test_a_model_of_elsewhere_that_is_saved_again_is_converted(tmp_path):
    plain_autoencoder().save(tmp_path / "plain.keras")
    CNNDenoiser.load(tmp_path / "plain.keras").save(tmp_path / "saved.keras")
    assert read_card(tmp_path / "saved.keras").preset == "foreign"


def test_a_model_without_an_export_is_converted_by_itself(tmp_path, batch, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    plain_autoencoder().save(tmp_path / "plain.keras")
    before = (tmp_path / "plain.keras").read_bytes()
    assert denoise(batch[0, :, :, 0], tmp_path / "plain.keras").shape == (160, 200)
    assert (tmp_path / "plain.keras").read_bytes() == before
    assert len(list((tmp_path / "cache").rglob("*.keras"))) == 1


def rewritten(source, target, changes):
    """A copy of a model file with some members changed, or left out where the change is None."""
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w") as new:
        for name in old.namelist():
            data = changes.get(name, old.read(name))
            if data is not None:
                new.writestr(name, data)
    return target


def test_changed_weights_and_cards_are_refused(trained_model, tmp_path):
    with zipfile.ZipFile(trained_model) as archive:
        weights, card = archive.read("openvino.bin"), json.loads(archive.read("card.json"))
    cases = {
        "export does not match the model's card": {"openvino.bin": weights[:-4] + b"abcd"},
        "weights do not match the model's card": {"model.weights.h5": b"other"},
        "is not a model card": {"card.json": b"[1, 2]"},
        "its card.json is not": {"card.json": b"{" * 100_000},
        "holds invalid values": {"card.json": json.dumps({**card, "multiple": -1}).encode()},
        "it has no config.json": {"config.json": None},
    }
    for message, changes in cases.items():
        with pytest.raises(InputError, match=message):
            read_model_file(rewritten(trained_model, tmp_path / "bad.keras", changes))


def test_what_is_no_model_is_refused(tmp_path, trained_model):
    cases = {
        "text.keras": (b"not a zip", "expected a .keras model file, which is a zip"),
        "empty.keras": (b"", "expected a .keras model file"),
        "half.keras": (trained_model.read_bytes()[:100_000], "expected a .keras model file"),
    }
    for name, (data, message) in cases.items():
        (tmp_path / name).write_bytes(data)
        with pytest.raises(InputError, match=message):
            read_model_file(tmp_path / name)
    with pytest.raises(InputError, match="no such model file"):
        read_model_file(tmp_path / "nowhere.keras")


def test_a_zip_bomb_is_refused_by_its_directory(tmp_path, monkeypatch, trained_model):
    path = tmp_path / "bomb.keras"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("config.json", bytes(2**24 + 1))
        archive.writestr("card.json", "{}")
    assert path.stat().st_size < 100_000
    with pytest.raises(InputError, match=r"its config\.json is larger than 16 MiB"):
        read_model_file(path)


def packed_as(source, target, method, lie):
    """A copy of a model file, its weights compressed in another way, their length in the directory a lie."""
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w") as new:
        for name in old.namelist():
            weights = name == "model.weights.h5"
            new.writestr(name, bytes(2**26) if weights else old.read(name), method if weights else zipfile.ZIP_STORED)
    data = bytearray(target.read_bytes())
    # In the directory at the end, a name stands 22 bytes behind the length of its member.
    length = data.rindex(b"model.weights.h5") - 22
    assert data[length : length + 4] == (2**26).to_bytes(4, "little")
    data[length : length + 4] = lie.to_bytes(4, "little")
    target.write_bytes(data)
    return target


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_a_directory_that_lies_does_not_unpack_more(tmp_path, trained_model, method):
    bad = packed_as(trained_model, tmp_path / "bad.keras", method, lie=1000)
    for read in (read_model_file, lambda path: convert_model(path, tmp_path / "out.keras", overwrite=False)):
        with pytest.raises(InputError, match=r"model\.weights\.h5 is compressed in a way that Keras does not use"):
            read(bad)
    bad = packed_as(trained_model, tmp_path / "bad.keras", zipfile.ZIP_DEFLATED, lie=1000)
    with pytest.raises(InputError, match="is damaged"):
        read_model_file(bad)


@pytest.mark.parametrize(
    "values",
    [
        '"multiple": Infinity',
        '"multiple": "8"',
        '"multiple": 2.5',
        '"multiple": true',
        '"halo": "48"',
        '"halo": NaN',
        '"predicts": ["image"]',
        '"preset": 5',
        '"versions": []',
        '"weights_sha256": 7',
    ],
)
def test_cards_with_values_of_another_type_are_refused(values):
    good = {"preset": "fast", "predicts": "residual", "multiple": 8, "halo": 48}
    assert parse_card(json.dumps(good).encode(), "a.keras").halo == 48
    with pytest.raises(InputError, match=r"a\.keras: its card\.json holds invalid values"):
        parse_card(f"{json.dumps(good)[:-1]}, {values}}}".encode(), "a.keras")


def test_a_card_that_cannot_be_looked_at_says_why(tmp_path):
    (tmp_path / "circle.keras").symlink_to("circle.keras")
    for name, reason in (
        ("x" * 300, "File name too long"),
        ("a\0b", "embedded null"),
        ("circle.keras", "symbolic links"),
    ):
        for read in (read_card, lambda path: denoise(np.zeros((9, 9), np.uint8), path)):
            with pytest.raises(InputError, match=rf"cannot be read \(.*{reason}"):
                read(tmp_path / name)


def test_layers_beyond_measure_are_refused(tmp_path):
    image = keras.Input((None, None, 1))
    keras.Model(image, keras.layers.ZeroPadding2D(200_000)(image)).save(tmp_path / "bad.keras")
    with pytest.raises(InputError, match=r"bad\.keras: .* has a padding of 200000; at most 4096 is accepted"):
        convert_model(tmp_path / "bad.keras", tmp_path / "out.keras", overwrite=False)


def test_a_lambda_layer_is_not_run(tmp_path):
    image = keras.Input((None, None, 1))
    evil = keras.Model(image, keras.layers.Lambda(lambda x: x + 1)(image))
    evil.save(tmp_path / "evil.keras")
    with pytest.raises(InputError, match=r"evil\.keras: Keras refuses to load this model"):
        convert_model(tmp_path / "evil.keras", tmp_path / "out.keras", overwrite=False)
    assert not (tmp_path / "out.keras").exists()


def test_a_classifier_is_refused(tmp_path):
    image = keras.Input((32, 32, 1))
    keras.Model(image, keras.layers.Dense(2)(keras.layers.Flatten()(image))).save(tmp_path / "classes.keras")
    with pytest.raises(InputError, match="expected a network from one grey image to another"):
        convert_model(tmp_path / "classes.keras", tmp_path / "out.keras", overwrite=False)


def small_network():
    image = keras.Input((None, None, 1))
    return keras.Model(image, keras.layers.Conv2D(1, 3, padding="same", name="only")(image))


def hostile_configs(config):
    text = json.dumps(config)
    return {
        "module": text.replace('"keras.layers"', '"subprocess"'),
        "function": text.replace('"GlorotUniform"', '"Lambda"'),
        "no name": text.replace('"class_name": "Conv2D"', '"class_name": ["Conv2D"]'),
        "registered": text.replace('"registered_name": null', '"registered_name": "Mine>Popen"'),
    }


@pytest.mark.parametrize("kind", ["module", "function", "no name", "registered"])
def test_a_configuration_that_names_code_is_refused(tmp_path, kind):
    small_network().save(tmp_path / "good.keras")
    with zipfile.ZipFile(tmp_path / "good.keras") as archive:
        config = json.loads(archive.read("config.json"))
    changed = hostile_configs(config)[kind]
    assert changed != json.dumps(config)
    bad = rewritten(tmp_path / "good.keras", tmp_path / "bad.keras", {"config.json": changed.encode()})
    with pytest.raises(InputError, match="which could run code"):
        convert_model(bad, tmp_path / "out.keras", overwrite=False)


@pytest.mark.parametrize("name", ["../evil.py", "/etc/evil", "a/../../b", "C:\\evil", "\\\\host\\evil"])
def test_members_that_lead_out_of_the_folder_are_refused(tmp_path, trained_model, name):
    path = tmp_path / "bad.keras"
    path.write_bytes(trained_model.read_bytes())
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr(name, "x")
    for read in (read_model_file, lambda bad: convert_model(bad, tmp_path / "out.keras", overwrite=False)):
        with pytest.raises(InputError, match="outside its folder"):
            read(path)


def weights_with(change):
    import io

    import h5py

    data = io.BytesIO()
    with h5py.File(data, "w") as file:
        change(file)
    return data.getvalue()


def test_weights_that_point_out_of_the_file_or_are_huge_are_refused(tmp_path):
    import h5py

    small_network().save(tmp_path / "good.keras")
    cases = {
        "refer to another file": [
            lambda file: file.__setitem__("layers", h5py.ExternalLink("/etc/passwd", "/")),
            lambda file: file.create_dataset("layers/0", (4,), "u1", external=[("/etc/passwd", 0, 4)]),
        ],
        "unpack to more than 1024 MiB": [
            lambda file: file.create_dataset("layers/0", (2**29,), "f4", chunks=(2**20,), compression="gzip"),
        ],
    }
    for message, changes in cases.items():
        for change in changes:
            bad = rewritten(tmp_path / "good.keras", tmp_path / "bad.keras", {"model.weights.h5": weights_with(change)})
            with pytest.raises(InputError, match=message):
                convert_model(bad, tmp_path / "out.keras", overwrite=False)


def test_weights_whose_links_branch_without_end_are_looked_at_once(tmp_path):
    def tangle(file):
        groups = [file.create_group(f"g{number}") for number in range(60)]
        for group, following in itertools.pairwise(groups):
            group["a"] = group["b"] = following
        groups[-1]["back"] = groups[0]

    small_network().save(tmp_path / "good.keras")
    bad = rewritten(tmp_path / "good.keras", tmp_path / "bad.keras", {"model.weights.h5": weights_with(tangle)})
    with pytest.raises(InputError, match="Keras refuses to load this model"):
        convert_model(bad, tmp_path / "out.keras", overwrite=False)


def test_weights_that_are_no_numbers_or_of_another_shape_are_refused(tmp_path):
    network = small_network()
    network.save(tmp_path / "good.keras")
    network.set_weights([np.full_like(weights, np.nan) for weights in network.get_weights()])
    network.save(tmp_path / "nan.keras")
    with pytest.raises(InputError, match="NaN or infinity"):
        convert_model(tmp_path / "nan.keras", tmp_path / "out.keras", overwrite=False)
    image = keras.Input((None, None, 1))
    keras.Model(image, keras.layers.Conv2D(1, 5, padding="same", name="only")(image)).save(tmp_path / "other.keras")
    with zipfile.ZipFile(tmp_path / "other.keras") as archive:
        changes = {"model.weights.h5": archive.read("model.weights.h5")}
    bad = rewritten(tmp_path / "good.keras", tmp_path / "bad.keras", changes)
    with pytest.raises(InputError, match="Keras refuses to load this model"):
        convert_model(bad, tmp_path / "out.keras", overwrite=False)
    assert not (tmp_path / "out.keras").exists()


def test_a_model_of_a_newer_keras_is_told_with_the_reason(tmp_path):
    small_network().save(tmp_path / "good.keras")
    with zipfile.ZipFile(tmp_path / "good.keras") as archive:
        config = archive.read("config.json").replace(
            b'"GlorotUniform", "config": {', b'"GlorotUniform", "config": {"new": 1, '
        )
    changes = {"config.json": config, "metadata.json": b'{"keras_version": "99.1"}'}
    bad = rewritten(tmp_path / "good.keras", tmp_path / "bad.keras", changes)
    told = rf"unexpected keyword argument 'new' \(saved by Keras 99.1; installed: {keras.__version__}\)"
    with pytest.raises(InputError, match=told):
        convert_model(bad, tmp_path / "out.keras", overwrite=False)


KILLED = """
import sys
from pathlib import Path
from napari_dental_denoise.models.card import ModelCard
from napari_dental_denoise.unet.export import save_model
from napari_dental_denoise.unet.network import unet_model
model = unet_model("fast")
while True:
    save_model(model, ModelCard("fast", "residual", 8, 48), Path(sys.argv[1]), overwrite=True)
    print("written", flush=True)
    model.set_weights([weights + 1 for weights in model.get_weights()])
"""


@pytest.mark.skipif(sys.platform == "win32", reason="kill -9 is of POSIX")
def test_killed_at_any_moment_a_model_is_the_old_one_or_the_new_one(tmp_path):
    path = tmp_path / "model.keras"
    child = subprocess.Popen([sys.executable, "-c", KILLED, str(path)], stdout=subprocess.PIPE, text=True)
    for moment in (0.05, 0.3, 0.8):
        assert child.stdout.readline() == "written\n"
        time.sleep(moment)
    child.kill()
    child.wait()
    child.stdout.close()
    assert read_model_file(path).card.preset == "fast"
    assert keras.models.load_model(path).count_params() == unet_model("fast").count_params()
    # The next program that writes there sweeps up.
    save_model(unet_model("fast"), ModelCard("fast", "residual", 8, 48), path, overwrite=True)
    assert [entry.name for entry in tmp_path.iterdir()] == [path.name]


# A file may grow to 400 kB: writing fails in the middle, as on a full disk.
FULL = """
import resource, signal
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (400_000, 400_000))
"""


@pytest.mark.skipif(sys.platform == "win32", reason="limits of processes are of POSIX")
def test_a_full_disk_leaves_the_old_model(tmp_path):
    path = tmp_path / "model.keras"
    path.write_bytes(b"the old file")
    program = KILLED.replace("while True", f"{FULL}if True")
    done = subprocess.run([sys.executable, "-c", program, str(path)], capture_output=True, text=True, check=False)
    assert "InputError" in done.stderr
    assert "cannot be written (File too large)" in done.stderr
    assert path.read_bytes() == b"the old file"
    assert [entry.name for entry in tmp_path.iterdir()] == [path.name]
