"""The curves of a training, beside the model that it began with."""

import math
import re

import pytest

from napari_dental_denoise.plugin.shared.theme import plot_colors
from tests.plugin.train.conftest import epoch, started


def shown_range(form):
    """The PSNR at the bottom and at the top of the plot."""
    return tuple(form.curves._psnr.getViewBox().viewRange()[1])


def legend(form):
    """The legend as it is read, without its markup."""
    return re.sub("<[^>]*>", "", form.curves._legend.value).replace("&nbsp;", " ")


def test_the_axis_spans_the_curve_and_the_start_and_not_the_noisy_images(idle):
    idle.process.reported.emit(started())
    for number, decibels in enumerate((36.0, 36.3, 36.6), start=1):
        idle.process.reported.emit(epoch(number, decibels, best=decibels))
    low, high = shown_range(idle)
    assert 35.8 < low < 36.0
    assert 36.6 < high < 36.8
    assert idle.curves._start_line.isVisible()
    assert idle.curves._start_line.value() == 36.2
    assert idle.curves._start_line.pen.style() == idle.curves._start_line.pen.style().DashLine
    assert legend(idle) == "●━ validation   ┅ start: starter, 36.20 dB   noisy images: 22.50 dB"
    assert idle.curves._legend.native.isVisible()


def test_a_start_that_the_curve_falls_below_stays_in_sight(idle):
    idle.process.reported.emit(started())
    idle.process.reported.emit(epoch(1, 33.0, best=36.2))
    low, high = shown_range(idle)
    assert low < 33.0
    assert high > 36.2


def test_little_differences_do_not_fill_the_plot(idle):
    idle.process.reported.emit(started())
    idle.process.reported.emit(epoch(1, 36.2001, best=36.2001))
    low, high = shown_range(idle)
    assert high - low >= 0.2


def test_random_weights_have_no_line_and_the_curve_alone_sets_the_axis(idle):
    assert not idle.curves._legend.native.isVisible()
    idle.process.reported.emit(started(started_from=None, first_psnr=math.nan))
    for number, decibels in enumerate((30.0, 34.0), start=1):
        idle.process.reported.emit(epoch(number, decibels, best=decibels))
    assert not idle.curves._start_line.isVisible()
    assert legend(idle) == "●━ validation   noisy images: 22.50 dB"
    low, high = shown_range(idle)
    assert 29 < low < 30
    assert 34 < high < 35


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_plots_and_their_legend_follow_the_theme(viewer, idle, theme):
    idle.process.reported.emit(started())
    viewer.theme = theme
    assert idle.curves._psnr_curve.opts["pen"].color().name() in idle.curves._legend.value
    assert idle.curves._loss.backgroundBrush().color().name() == plot_colors(theme).background
