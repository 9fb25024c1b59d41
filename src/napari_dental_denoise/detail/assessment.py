"""Assess denoisers by what they leave of faint details, on equal samples."""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence

import numpy as np

from napari_dental_denoise.detail.bench import ASSESSMENT, AssessmentPlan, Bench, StackDenoiser
from napari_dental_denoise.detail.results import Assessment
from napari_dental_denoise.detail.samples import Noise, draw_backgrounds
from napari_dental_denoise.evaluation import NOISY, Denoiser
from napari_dental_denoise.pixels import Unit
from napari_dental_denoise.progress import Progress


def on_stacks(denoiser: Denoiser) -> StackDenoiser:
    """Return a denoiser of one image as one of many."""
    return lambda noisy, sigma: np.stack([denoiser(image, sigma) for image in noisy])


def assess_steps(
    images: Sequence[Unit],
    methods: Mapping[str, StackDenoiser],
    noises: Sequence[Noise],
    plan: AssessmentPlan = ASSESSMENT,
) -> Generator[Progress, None, Assessment]:
    """Assess methods, one denoised stack a step.

    Parameters
    ----------
    images : sequence of (H, W) float32 arrays on [0, 1]
        Clean references, from which backgrounds are drawn.
    methods : mapping
        From names to denoisers; the noisy images are assessed besides.
    noises : sequence of Noise
    plan : AssessmentPlan

    Yields
    ------
    Progress

    Returns
    -------
    Assessment
    """
    backgrounds = draw_backgrounds(images, plan.samples, np.random.default_rng(plan.seed))
    result = Assessment()
    total = len(noises) * (1 + len(methods)) * plan.steps()
    done = 0
    for number, noise in enumerate(noises):
        bench = Bench(noise, backgrounds, plan, number)
        for name, denoise in {NOISY: lambda noisy, _sigma: noisy, **methods}.items():
            for _ in bench.assess(name, denoise, result):
                done += 1
                yield Progress(done, total)
    return result
