"""Error maps in the Compare form: the band of the line profile, and two columns of the table."""

import numpy as np
import pytest
from qtpy.QtWidgets import QApplication, QGraphicsPathItem

from napari_dental_denoise.plugin.shared import ERROR_MAP, METADATA, REMOVED_MAP, TRAINING_PREVIEW

SHAPE = (60, 80)
NAME = "scan noisy denoised"
TITLE = "scan noisy denoised, 90 % interval"


@pytest.fixture
def form(viewer, qtbot):
    """The form in a viewer with a clean, a noisy and a denoised 8-bit image, which is off by 0 to 9 levels."""
    from napari_dental_denoise.plugin.compare.widget import CompareWidget

    clean = np.full(SHAPE, 100, np.uint8)
    off = (np.arange(clean.size).reshape(SHAPE) % 10).astype(np.uint8)
    for name, image in {"scan": clean, "scan noisy": clean + 40, NAME: clean - off}.items():
        viewer.add_image(image, name=name, contrast_limits=(0, 255))
    widget = CompareWidget(viewer)
    viewer.window.add_dock_widget(widget)
    rest(qtbot, widget)
    yield widget
    rest(qtbot, widget)


def rest(qtbot, widget):
    qtbot.waitUntil(lambda: not widget.busy)


def add_error(widget, error, result=NAME, share=0.9, **options):
    """Add an error map as the Denoise form does; with `result=None` as one from elsewhere."""
    record = {"operation": ERROR_MAP, "share": share} | ({} if result is None else {"result": result})
    options = {"name": "scan error (90 %)", "metadata": {METADATA: record}, **options}
    return widget._viewer.add_image(error, **options)


def constant(value):
    return np.full(SHAPE, value, np.float32)


def cells(widget, row):
    """Return the told error and the share within."""
    return [widget.table.item(row, column).text() for column in (4, 5)]


def bands(widget):
    """Return the outline of each polygon of each band: position and grey value of its corners."""
    items = [item for item in widget.profile.plot.getPlotItem().items if isinstance(item, QGraphicsPathItem)]
    polygons = [polygon for item in items for polygon in item.path().toSubpathPolygons()]
    return [np.array([(point.x(), point.y()) for point in polygon]) for polygon in polygons]


def envelope(outline, column):
    """Return the lowest and the highest grey value of a band at a position."""
    values = outline[outline[:, 0] == column, 1]
    return values.min(), values.max()


def legend(widget):
    return widget.profile.legend.text().replace("&nbsp;", " ")


def test_without_an_error_map_nothing_is_told(form):
    assert [cells(form, row) for row in (0, 1)] == [["-", "-"], ["-", "-"]]
    assert bands(form) == []
    assert "interval" not in legend(form)


def test_the_band_is_the_denoised_profile_plus_and_minus_the_error(form, qtbot):
    error = constant(5)
    error[:, 40:] = 12
    add_error(form, error)
    rest(qtbot, form)
    (band,) = bands(form)
    middle = form._viewer.layers[NAME].data[SHAPE[0] // 2].astype(float)
    for column in range(SHAPE[1]):
        half = 5 if column < 40 else 12
        assert envelope(band, column) == pytest.approx((middle[column] - half, middle[column] + half))
    assert TITLE in legend(form)


def test_the_band_has_the_colour_of_its_curve(form, qtbot):
    add_error(form, constant(5))
    rest(qtbot, form)
    for theme in ("light", "dark"):
        form._viewer.theme = theme
        items = form.profile.plot.getPlotItem().items
        (band,) = [item for item in items if isinstance(item, QGraphicsPathItem)]
        fill = band.brush().color()
        # It is drawn before its curve.
        curve = items[items.index(band) + 1]
        assert curve.opts["pen"].color().name() == fill.name()
        assert 0 < fill.alpha() < 255


def test_error_map_mean_and_share_within(form, qtbot):
    add_error(form, constant(4))
    rest(qtbot, form)
    # Off by 0 to 4 of 0 to 9 levels.
    assert cells(form, 1) == ["4.00", "50.0"]
    assert cells(form, 0) == ["-", "-"]
    assert form.scale_note.text() == "data range 255"
    form.copy_table.click()
    head, _, denoised = [line.split("\t") for line in QApplication.clipboard().text().splitlines()]
    assert head[-2:] == ["error told", "within %"]
    assert denoised[-2:] == ["4.00", "50.0"]


def test_the_numbers_are_those_of_the_region(form, qtbot):
    error = constant(2)
    error[10:30, 20:40] = 6
    add_error(form, error)
    corners = np.array([[9.5, 19.5], [9.5, 39.5], [29.5, 39.5], [29.5, 19.5]])
    form._viewer.add_shapes([corners], shape_type="rectangle", name="region")
    rest(qtbot, form)
    assert cells(form, 1) == ["6.00", "70.0"]


def test_without_a_clean_layer_the_error_is_told_but_no_share(form, qtbot):
    add_error(form, constant(4))
    form.reference.layer = None
    rest(qtbot, form)
    assert cells(form, 1) == ["4.00", "-"]
    assert form.table.item(1, 0).text() == "-"
    assert form.scale_note.text() == "Scores need a clean layer"
    assert len(bands(form)) == 1


def test_unknown_pixels_do_not_count(form, qtbot):
    error = constant(4)
    error[: SHAPE[0] // 2] = np.nan
    error[:, 30:50] = np.nan
    add_error(form, error)
    rest(qtbot, form)
    assert cells(form, 1) == ["4.00", "50.0"]
    # The middle row is the first known one.
    left, right = bands(form)
    assert (left[:, 0].min(), left[:, 0].max()) == (0, 29)
    assert (right[:, 0].min(), right[:, 0].max()) == (50, SHAPE[1] - 1)
    form._viewer.layers["scan error (90 %)"].data = constant(np.nan)
    rest(qtbot, form)
    assert cells(form, 1) == ["-", "-"]
    assert bands(form) == []
    assert form.status.value == ""


def test_changes_of_the_error_map_are_followed(form, qtbot):
    layer = add_error(form, constant(4))
    rest(qtbot, form)
    layer.data = constant(8)
    rest(qtbot, form)
    assert cells(form, 1) == ["8.00", "90.0"]
    assert envelope(bands(form)[0], 0) == pytest.approx((92, 108))
    layer.translate = (0, 5)
    rest(qtbot, form)
    assert cells(form, 1) == ["-", "-"]
    layer.translate = (0, 0)
    rest(qtbot, form)
    assert cells(form, 1) == ["8.00", "90.0"]
    form._viewer.layers.remove(layer)
    rest(qtbot, form)
    assert cells(form, 1) == ["-", "-"]
    assert bands(form) == []


def test_an_error_map_that_names_its_result_comes_first(form, qtbot):
    add_error(form, constant(7), result=None, name="other error")
    rest(qtbot, form)
    assert cells(form, 1)[0] == "7.00"
    assert cells(form, 0)[0] == "-"
    add_error(form, constant(2))
    add_error(form, constant(3), result="another denoised", name="a third error")
    rest(qtbot, form)
    assert cells(form, 1)[0] == "2.00"
    form._viewer.layers.remove("scan error (90 %)")
    rest(qtbot, form)
    assert cells(form, 1)[0] == "7.00"
    add_error(form, constant(8), result=None, name="a fourth error")
    rest(qtbot, form)
    assert cells(form, 1)[0] == "-"


@pytest.mark.parametrize(
    ("error", "place"),
    [(np.ones((60, 79), np.float32), {}), (constant(4), {"rotate": 10}), (constant(4), {"scale": (2, 2)})],
)
def test_an_error_map_of_another_place_does_not_count(form, qtbot, error, place):
    add_error(form, error, **place)
    rest(qtbot, form)
    assert cells(form, 1) == ["-", "-"]
    assert bands(form) == []


def test_two_denoised_layers_have_an_interval_each(form, qtbot):
    viewer = form._viewer
    viewer.layers["scan noisy"].name = "scan denoised"
    add_error(form, constant(4))
    add_error(form, constant(40), result="scan denoised", share=0.68, name="scan denoised error (68 %)")
    form.first.layer, form.second.layer = viewer.layers["scan denoised"], viewer.layers[NAME]
    form.reference.layer = viewer.layers["scan"]
    rest(qtbot, form)
    assert [cells(form, row) for row in (0, 1)] == [["40.00", "100.0"], ["4.00", "50.0"]]
    assert len(bands(form)) == 2
    assert TITLE in legend(form)
    assert "scan denoised, 68 % interval" in legend(form)


def test_maps_are_not_offered_for_comparison(form, qtbot):
    add_error(form, constant(4), name="scan noisy denoised error")
    add_error(form, constant(4), name="removed", metadata={METADATA: {"operation": REMOVED_MAP}})
    form._viewer.add_image(np.zeros((9, 30)), name="clean", metadata={METADATA: {"operation": TRAINING_PREVIEW}})
    rest(qtbot, form)
    for combo in (form.reference, form.first, form.second):
        for name in ("scan noisy denoised error", "removed", "clean"):
            assert combo.findText(name) == -1
    assert form.second.currentText() == NAME


def test_layers_of_two_types_have_their_error_on_the_common_scale(form, qtbot):
    form._viewer.layers["scan"].data = constant(100 / 255)
    add_error(form, constant(4.5))
    rest(qtbot, form)
    assert form.scale_note.text() == "data range 1"
    assert cells(form, 1) == [f"{4.5 / 255:.4f}", "50.0"]
    (band,) = bands(form)
    assert envelope(band, 0) == pytest.approx((95.5 / 255, 104.5 / 255))


def test_the_error_map_of_a_stack_follows_the_slice(viewer, qtbot):
    from napari.utils._proxies import PublicOnlyProxy

    from napari_dental_denoise.plugin.compare.widget import CompareWidget

    place = {"scale": (2, 0.1, 0.1), "translate": (4, 3, 5), "units": ("mm", "mm", "mm")}
    clean = np.full((3, *SHAPE), 100, np.uint8)
    for name, image in {"scan": clean, "scan noisy": clean + 40, NAME: clean + 3}.items():
        viewer.add_image(image, name=name, **place)
    # napari hands a form a viewer that gives public things only.
    form = CompareWidget(PublicOnlyProxy(viewer))
    error = np.multiply.outer(np.array([1, 2, 4], np.float32), constant(1))
    add_error(form, error, **place)
    for index, numbers in enumerate((["1.00", "0.0"], ["2.00", "0.0"], ["4.00", "100.0"])):
        viewer.dims.set_current_step(0, index)
        rest(qtbot, form)
        assert cells(form, 1) == numbers
        half = error[index, 0, 0]
        assert envelope(bands(form)[0], 0) == pytest.approx((103 - half, 103 + half))
    form.close()


def test_a_denoised_layer_of_another_strength_by_now_has_no_interval(form, qtbot):
    layer = add_error(form, constant(5))
    layer.metadata[METADATA]["strength"] = 1.0
    denoised = form._viewer.layers[NAME]
    denoised.metadata[METADATA] = {"operation": "denoise", "strength": 1.0}
    denoised.data = denoised.data
    rest(qtbot, form)
    assert len(bands(form)) == 1
    denoised.metadata[METADATA] = {"operation": "denoise", "strength": 0.7}
    denoised.data = denoised.data + 1
    qtbot.waitUntil(lambda: not bands(form))
    rest(qtbot, form)
    assert cells(form, 1)[0] == "-"
