"""An assessment tells what a method leaves of a detail, and the table of figures that are known is reproduced."""

import csv
import io
import json

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from napari_dental_denoise import phantoms, to_unit
from napari_dental_denoise.detail.assessment import assess_steps, on_stacks
from napari_dental_denoise.detail.bench import AssessmentPlan, contrast_kept, find_detail, smallest_contrast
from napari_dental_denoise.detail.dose import equivalent_exposure
from napari_dental_denoise.detail.figure import assessment_figure
from napari_dental_denoise.detail.observers import Samples, Scores
from napari_dental_denoise.detail.roc import Estimate
from napari_dental_denoise.detail.samples import Detail, Noise, draw_backgrounds
from napari_dental_denoise.detail.table import DETAIL_FORMATS
from napari_dental_denoise.errors import InputError
from napari_dental_denoise.evaluation import denoise_median
from napari_dental_denoise.evaluation.baselines import denoise_total_variation
from napari_dental_denoise.images import load_images
from napari_dental_denoise.progress import finish

WHITE = Noise.of_kind("gaussian", {"sigma": 25 / 255})
PLAN = AssessmentPlan(sizes=(2.0, 4.0), samples=40)


@pytest.fixture(scope="module")
def images():
    return [to_unit(image) for image in phantoms(6, (244, 374), rng=9)]


def assess(images, methods, plan=PLAN, noises=(WHITE,)):
    return finish(assess_steps(images, methods, noises, plan))


@pytest.fixture(scope="module")
def assessment(images):
    return assess(
        images,
        {
            "same": lambda noisy, _sigma: noisy,
            "half": lambda noisy, _sigma: np.float32(0.25) + noisy / 2,
            "blur": lambda noisy, _sigma: gaussian_filter(noisy, (0, 1.5, 1.5)),
            "constant": lambda noisy, _sigma: np.full_like(noisy, 0.5),
        },
    )


def scores_of(assessment, method):
    return [score for score in assessment.scores if score.method == method]


def test_a_method_that_does_nothing_has_the_scores_of_the_noisy_images(assessment):
    noisy, same = (scores_of(assessment, method) for method in ("noisy", "same"))
    assert len(noisy) == 8
    assert [(one.psnr, one.found.kept, one.found.cho, one.found.npwe) for one in same] == [
        (one.psnr, one.found.kept, one.found.cho, one.found.npwe) for one in noisy
    ]
    assert noisy[0].found.kept == pytest.approx((1, 1, 1), abs=1e-4)
    for dose in assessment.doses:
        if dose.method in ("noisy", "same"):
            assert dose.equivalent == pytest.approx((1, 1, 1), rel=1e-6)


def test_half_of_the_contrast_and_of_the_noise_is_as_well_found(assessment):
    for one, other in zip(scores_of(assessment, "noisy"), scores_of(assessment, "half"), strict=True):
        assert other.found.kept == pytest.approx((0.5, 0.5, 0.5), abs=1e-4)
        assert other.found.cho == pytest.approx(one.found.cho, abs=0.01)
        assert other.found.npwe == pytest.approx(one.found.npwe, abs=0.01)


def test_a_blur_keeps_what_its_kernel_keeps(assessment):
    for score in scores_of(assessment, "blur"):
        template = score.detail.template()
        expected = (gaussian_filter(template, 1.5) * template).sum() / (template**2).sum()
        assert score.found.kept.value == pytest.approx(expected, abs=1e-3)


def test_nothing_is_found_where_nothing_is_left(assessment):
    for score in scores_of(assessment, "constant"):
        assert score.found.kept == (0, 0, 0)
        assert score.found.npwe.value == 0.5


def test_more_contrast_is_found_more_often(assessment):
    for size in PLAN.sizes:
        areas = [score.found.cho.value for score in scores_of(assessment, "noisy") if score.detail.size == size]
        assert areas == sorted(areas)
        assert areas[-1] > areas[0] + 0.1


def test_the_mtf_and_the_spectra_of_a_blur(assessment):
    blurred = [each for each in assessment.sharpness if each.method == "blur"]
    assert len(blurred) == 2
    for each in blurred:
        expected = np.exp(-2 * (np.pi * each.mtf.frequencies) ** 2 * 1.5**2)
        np.testing.assert_allclose(each.mtf.values[:8], expected[:8], atol=0.012 / each.contrast)
    left, removed = (
        next(each.spectrum for each in assessment.textures if (each.method, each.part) == ("blur", part))
        for part in ("left", "removed")
    )
    white = next(each.spectrum for each in assessment.textures if each.method == "noisy")
    assert white.variance == pytest.approx((25 / 255) ** 2, rel=0.03)
    assert left.radial[-1] < 0.01 * white.radial[-1] < removed.radial[-1]
    assert left.variance < 0.1 * white.variance


def test_the_same_seed_gives_the_same_figures(images, assessment):
    again = assess(images, {"blur": lambda noisy, _sigma: gaussian_filter(noisy, (0, 1.5, 1.5))})
    assert scores_of(again, "blur") == scores_of(assessment, "blur")
    other = assess(images, {}, AssessmentPlan(sizes=(2.0, 4.0), samples=40, seed=1))
    assert scores_of(other, "noisy") != scores_of(assessment, "noisy")


def test_progress_counts_to_its_end(images):
    steps = assess_steps(images, {"median": on_stacks(denoise_median)}, [WHITE], AssessmentPlan(samples=8))
    reports = list(steps)
    assert [report.done for report in reports] == list(range(1, reports[-1].total + 1))


def test_baselines_are_told_the_noise(images):
    told = set()

    def denoise(noisy, sigma):
        told.add(round(sigma, 3))
        return noisy

    assess(images, {"any": denoise}, AssessmentPlan(samples=40))
    # At a sixteenth, a quarter, and four times the exposure as well.
    assert {round(sigma * 255) for sigma in told} == {100, 50, 25, 12}


def test_given_contrasts_and_signals_are_used(images):
    plan = AssessmentPlan(signal="line", sizes=(2.0,), contrasts=(-0.4, -0.1), samples=40)
    scores = assess(images, {}, plan).scores
    assert [score.detail for score in scores] == [Detail("line", 2.0, -0.1), Detail("line", 2.0, -0.4)]
    assert scores[1].found.cho.value > 0.9


def test_of_a_hole_nothing_is_left_where_the_step_is_flat(images):
    """The step below the hole is no part of the detail."""
    flat = {"flat": lambda noisy, _sigma: np.full_like(noisy, 0.5)}
    scores = assess(images, flat, AssessmentPlan(signal="step-hole", sizes=(3.0,), samples=40)).scores
    assert {score.found.kept for score in scores if score.method == "flat"} == {Estimate(0, 0, 0)}
    assert {score.found.cho.value for score in scores if score.method == "flat"} == {0.5}


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"sizes": (60.0,)}, r"size must be a number in \(0, 24\]; received 60"),
        ({"contrasts": (0.0,)}, "contrast must be a number other than 0"),
        ({"samples": 7}, "samples must be a whole number of at least 8; received 7"),
    ],
)
def test_settings_that_measure_nothing_are_refused(settings, message):
    with pytest.raises(InputError, match=message):
        AssessmentPlan(**settings)


def test_backgrounds_to_learn_from_and_to_test_on_come_from_other_images():
    rng = np.random.default_rng(0)
    images = [np.full((100, 120), level, np.float32) for level in (0.1, 0.2, 0.3, 0.4)]
    backgrounds = draw_backgrounds(images, 40, rng)
    assert backgrounds.shape == (40, 96, 96)
    first, second = ({float(piece[0, 0]) for piece in half} for half in (backgrounds[:20], backgrounds[20:]))
    assert len(first) == len(second) == 2
    assert not first & second


def test_backgrounds_are_flat_in_their_middle():
    image = np.zeros((300, 300), np.float32)
    image[:, 150:] = 1
    for piece in draw_backgrounds([image], 30, np.random.default_rng(0)):
        assert piece[32:64, 32:64].std() <= 0.08


def test_images_without_room_for_a_detail_are_refused():
    rng = np.random.default_rng(0)
    with pytest.raises(InputError, match="96 pixels"):
        draw_backgrounds([np.zeros((95, 300), np.float32)], 4, rng)


def test_what_is_kept_is_the_projection_of_the_difference():
    detail = Detail("disc", 4.0, 0.1)
    template = detail.template()
    absent = np.random.default_rng(0).standard_normal((3, 96, 96)).astype(np.float32)
    share = np.array([1, 0.5, -0.2], np.float32)[:, np.newaxis, np.newaxis]
    np.testing.assert_allclose(
        contrast_kept(Samples(absent, absent + share * template), template), share.ravel(), atol=1e-4
    )


def test_the_smallest_contrast_is_interpolated():
    details = [Detail("disc", 4.0, contrast) for contrast in (0.01, 0.04)]
    areas = [Estimate(0.75, 0.65, 0.85), Estimate(0.95, 0.9, 1.0)]
    found = smallest_contrast(details, areas)
    assert found.value == pytest.approx(0.02)
    assert (found.low, found.high) == (pytest.approx(0.01), pytest.approx(0.0303, abs=1e-3))
    assert np.isnan(smallest_contrast(details[:1], areas[:1]).value)
    assert smallest_contrast(details[1:], areas[1:]).value == 0.04


def test_the_equivalent_exposure_of_a_known_gain():
    """d' grows with the root of the exposure; a method that triples it is worth nine times the exposure."""
    rng = np.random.default_rng(0)
    absent = rng.standard_normal(400)

    def scores(distance):
        return Scores(absent, absent + distance)

    noisy = [scores(exposure**0.5) for exposure in (1 / 16, 1 / 4, 1.0, 4.0)]
    assert equivalent_exposure(noisy, scores(1.0), rng).value == pytest.approx(1)
    assert equivalent_exposure(noisy, scores(0.3), rng).value == pytest.approx(0.09)
    gain = equivalent_exposure(noisy, scores(3.0), rng)
    assert gain.value == pytest.approx(9)
    assert gain.low <= 9 <= gain.high
    assert np.isnan(equivalent_exposure([scores(1.0)] * 4, scores(2.0), rng).value)
    assert equivalent_exposure(noisy, scores(-0.2), rng) == (0, 0, 0)


def test_tables_tell_the_same(assessment):
    rows = list(csv.DictReader(io.StringIO(DETAIL_FORMATS["csv"](assessment))))
    assert len(rows) == len(assessment.scores) == 5 * 8
    half = next(row for row in rows if row["method"] == "half")
    assert float(half["kept"]) == pytest.approx(0.5, abs=1e-4)
    assert float(half["cho_low"]) <= float(half["cho"]) <= float(half["cho_high"])
    content = json.loads(DETAIL_FORMATS["json"](assessment))
    assert content["details"][0]["cho"] == pytest.approx(float(rows[0]["cho"]))
    assert float(half["cho_dprime"]) == pytest.approx(float(next(iter(rows))["cho_dprime"]), rel=0.05)
    assert {each["observer"] for each in content["dose"]} == {"ideal-like", "human-like"}
    assert len(content["mtf"][0]["values"]) == len(content["mtf"][0]["frequencies"])
    text = DETAIL_FORMATS["text"](assessment)
    line = next(line for line in text.splitlines() if " half " in line)
    assert " 0.50 [0.50, 0.50] " in line
    # One contrast of each size; all of them are in CSV and JSON.
    assert sum(" half " in line and "exposure" not in line for line in text.splitlines()) == 2


def test_the_figure_has_four_panels_for_each_noise(assessment):
    figure = assessment_figure(assessment)
    panels = figure.axes
    assert len(panels) == 4
    assert {line.get_label() for line in panels[3].get_lines()} >= {"noisy", "blur"}
    mtf = panels[1].get_lines()[0]
    assert mtf.get_ydata()[0] == pytest.approx(1)


# On radiographs of `periapical/train`, by an independent program with samples of its own: sigma, radius and contrast in
# grey levels; CHO and NPWE of noisy images; contrast kept by total variation, and CHO after it, from 120 samples.
INDEPENDENT = {
    (10, 2, 10): (0.883, 0.791, None, None),
    (10, 4, 5): (0.797, 0.755, 0.78, 0.809),
    (25, 2, 20): (0.909, 0.879, 0.45, 0.838),
    (25, 4, 10): (0.830, 0.849, 0.67, 0.824),
    (25, 8, 6): (0.774, 0.819, None, None),
    (50, 4, 20): (0.911, 0.917, None, None),
}


def test_figures_of_real_radiographs(dental_data):
    loaded = load_images([dental_data / "periapical" / "train"], slice(0, 488))
    backgrounds = draw_backgrounds([to_unit(image) for image in loaded.images], 800, np.random.default_rng(0))
    differences, uncertain = [], []
    for (sigma, radius, contrast), (cho, npwe, kept, cho_after) in INDEPENDENT.items():
        rng = np.random.default_rng(sigma)
        noisy = Noise.of_kind("gaussian", {"sigma": sigma / 255}).add(backgrounds, rng)
        detail = Detail("disc", radius, contrast / 255)
        samples = Samples(noisy, noisy + detail.template())
        before = find_detail(samples, detail, rng)
        differences += [before.cho.value - cho, before.npwe.value - npwe]
        if kept is not None:
            smooth = (np.stack([denoise_total_variation(image, sigma / 255) for image in part]) for part in samples)
            after = find_detail(Samples(*smooth), detail, rng)
            uncertain += [after.kept.value - kept, after.cho.value - cho_after]
    # Intervals of about 0.03 to either side, and 0.07 of the few samples.
    assert np.abs(differences).max() < 0.06
    assert abs(np.mean(differences)) < 0.02
    assert np.abs(uncertain).max() < 0.09
    assert abs(np.mean(uncertain)) < 0.04


def test_the_figure_of_details_that_nobody_finds(images):
    found = assess(images, {}, AssessmentPlan(sizes=(2.0, 4.0), contrasts=(1e-4,), samples=40))
    axes = assessment_figure(found).axes[0]
    assert "none found" in {text.get_text() for text in axes.texts}
    assert " > 0.0" in DETAIL_FORMATS["text"](found)
