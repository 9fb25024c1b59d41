"""The work of the Add noise form as a command and as Python code."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from napari_dental_denoise.noise import noise_kind
from napari_dental_denoise.plugin.add_noise.recipe import Recipe
from napari_dental_denoise.plugin.shared import Script, ScriptInput, command_line, python_text
from napari_dental_denoise.training import option

if TYPE_CHECKING:
    from napari.layers import Image


def noise_command(layer: Image, recipe: Recipe) -> Script:
    """Return the command that adds the noise to the files of a layer."""
    data = ScriptInput(layer)
    words = ["add-noise", *data.sources, "-o", "noisy", "--noise", recipe.kind, "--seed", str(recipe.seed)]
    for name, level in recipe.levels.items():
        words += [option(name), str(level)]
    return Script(command_line(words), data.note_for_command)


def noise_python(layer: Image, recipe: Recipe) -> Script:
    """Return Python code that adds the noise to a layer, as `noisy`."""
    data = ScriptInput(layer)
    imports = ["import numpy as np", "import napari_dental_denoise as ndd"]
    add, levels = _function(recipe)
    if not data.is_stack:
        lines = [f"rng = np.random.default_rng({recipe.seed})", f"noisy = {add}(image, {levels}, rng=rng)"]
    elif data.is_each_alone:
        number = "number" if data.are_files else "0, number"
        lines = [
            "noisy = []",
            "for number, image in enumerate(images):",
            f"    rng = np.random.default_rng([{recipe.seed}, {number}])",
            f"    noisy.append({add}(np.asarray(image), {levels}, rng=rng))",
            f"noisy = {data.stacked('noisy')}",
        ]
    else:
        imports = ["from functools import partial", *imports, "from napari_dental_denoise.pixels import PLAIN"]
        lines = [
            "# One white for all images of the stack.",
            "encoding = PLAIN.fit(image)",
            "noisy = np.empty_like(image)",
            "for number, place in enumerate(np.ndindex(image.shape[:-2])):",
            f"    rng = np.random.default_rng([{recipe.seed}, 0, number])",
            f"    noisy[place] = encoding.apply(partial({add}, {levels}, rng=rng), image[place])",
        ]
    return Script(python_text(imports, [*data.python, *lines]), data.note_for_python)


def _function(recipe: Recipe) -> tuple[str, str]:
    """Return the function of a kind and its settings, as code."""
    add = noise_kind(recipe.kind).add
    function, fixed = (add.func, add.keywords) if isinstance(add, partial) else (add, {})
    settings = ", ".join(f"{name}={value!r}" for name, value in {**recipe.levels, **fixed}.items())
    return f"ndd.{function.__name__}", settings
