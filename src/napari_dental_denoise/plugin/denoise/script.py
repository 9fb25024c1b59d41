"""The work of the Denoise form as a command and as Python code."""

from __future__ import annotations

from collections.abc import Sequence

from napari_dental_denoise.config import INFERENCE
from napari_dental_denoise.errors import InputError
from napari_dental_denoise.models import STARTER, starter_models
from napari_dental_denoise.plugin.denoise.classical import is_classical
from napari_dental_denoise.plugin.denoise.layer import Task
from napari_dental_denoise.plugin.shared import Script, ScriptInput, command_line, python_text


def denoise_command(tasks: Sequence[Task]) -> Script:
    """Return the command that denoises the files of all layers."""
    task = tasks[0]
    inputs = [ScriptInput(each.layer) for each in tasks]
    words = ["denoise", *(source for each in inputs for source in each.sources), "-o", "denoised"]
    words += ["-m", _model(task)] * (task.model != STARTER)
    words += ["--strength", str(task.strength)] * (task.strength != INFERENCE.strength)
    words += ["--self-ensemble"] * task.self_ensemble
    if task.error_share is not None:
        words += ["--error-map", "error-maps", "--share", str(task.error_share)]
    words += ["--removed-map", "removed-maps"] * task.removed
    return Script(command_line(words), _note(task, *(each.note_for_command for each in inputs)))


def denoise_python(task: Task) -> Script:
    """Return Python code that denoises a layer, as `denoised`, with its maps where it is a single array."""
    data = ScriptInput(task.layer)
    strength = "" if task.strength == INFERENCE.strength else f", strength={task.strength}"
    model = repr(_model(task))
    lines = [f"model = ndd.SelfEnsemble(ndd.load_engine({model}))" if task.self_ensemble else f"model = {model}"]
    if data.is_each_alone:
        each = f"[ndd.denoise(np.asarray(image), model{strength}) for image in images]"
        lines += [f"denoised = {data.stacked(each)}"]
    elif task.error_share is None:
        lines += [f"denoised = ndd.denoise(image, model{strength})"]
    else:
        lines += [f"denoised, error = ndd.denoise_with_error(image, model, share={task.error_share})"]
    if task.removed and not data.is_stack:
        lines += ["removed = ndd.removed_structure(image, denoised)"]
    imports = ["import numpy as np"] * data.is_each_alone + ["import napari_dental_denoise as ndd"]
    return Script(python_text(imports, [*data.python, *lines]), _note(task, data.note_for_python))


def _model(task: Task) -> str:
    if is_classical(task.model):
        raise InputError(f"{task.model} is a classical method: choose a model to copy what it does")
    return task.model.stem if task.model in starter_models() else str(task.model.absolute())


def _note(task: Task, *notes: str) -> str:
    whole = "It denoises the whole image" if task.window or task.masks is not None else ""
    return ". ".join(filter(None, dict.fromkeys((*notes, whole))))
