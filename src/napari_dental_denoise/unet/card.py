"""Model cards of a training."""

from __future__ import annotations

from dataclasses import asdict, replace

from napari_dental_denoise.models import ModelCard
from napari_dental_denoise.training import Checkpoint
from napari_dental_denoise.unet.job import TrainingJob
from napari_dental_denoise.unet.network import find_preset
from napari_dental_denoise.unet.validation import Validation

LOSS = "mean logarithm of the patches' mean square errors and grain, and the weighted share of details that is lost"


def training_card(
    job: TrainingJob, state: Checkpoint, validation: Validation, side: int, seconds: float, *, mixed: bool
) -> ModelCard:
    """Return the card of the best epoch so far, whose scores are in `state`; `side` is that of a patch in pixels.

    `seconds` is the duration of the training so far; with `mixed`, the body was computed in bf16.
    """
    preset = find_preset(job.config.preset)
    shapes = job.training.shapes
    return ModelCard(
        preset=job.config.preset,
        predicts=preset.predicts,
        sees=preset.sees,
        multiple=preset.multiple,
        halo=preset.halo,
        noise=job.training.describe_noise(),
        data={
            "training_images": len(shapes),
            "validation_images": len(job.validation.shapes),
            "megapixels": round(sum(height * width for height, width in shapes) / 1e6, 2),
        },
        training={
            **asdict(job.config),
            "epochs": job.config.epochs if job.config.minutes is None else None,
            "patch_size": side,
            "precision": "bf16" if mixed else "f32",
            "epoch": state.best_epoch,
            "seconds": round(seconds, 1),
            "loss": LOSS,
            "started_from": state.settings.get("started_from"),
        },
        metrics={
            "validation_psnr": state.best_psnr,
            "validation_ssim": state.best_ssim,
            "noisy_psnr": validation.noisy_psnr,
            "noisy_ssim": validation.noisy_ssim,
            "reference": job.validation.reference,
        },
    )


def unchanged_card(first: ModelCard, name: str, preset: str) -> ModelCard:
    """Return the card of a training whose best weights are still the first ones, given their card and file name."""
    design = find_preset(preset)
    training = {**first.training, "started_from": name}
    return replace(first, preset=preset, multiple=design.multiple, halo=design.halo, training=training)
