"""The Compare form: side-by-side view, wipe, difference, scores and line profile of two or three layers."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from qtpy.QtCore import QSignalBlocker

from napari_dental_denoise.errors import InputError
from napari_dental_denoise.evaluation import outline_mask
from napari_dental_denoise.plugin.compare.difference import add_difference
from napari_dental_denoise.plugin.compare.error_maps import error_layer, error_layers
from napari_dental_denoise.plugin.compare.fields import SLIDER_STEPS, CompareFields
from napari_dental_denoise.plugin.compare.grid import SideBySide
from napari_dental_denoise.plugin.compare.layers import check_chosen, comparable_layers, guess_layers, shown_pixels
from napari_dental_denoise.plugin.compare.profile import DrawnLayer
from napari_dental_denoise.plugin.compare.scoring import RowScore, ScoredImage, ScoreTask, Scoring
from napari_dental_denoise.plugin.compare.wipe import Wipe
from napari_dental_denoise.plugin.shared import (
    CloseWatcher,
    Connections,
    LayerImages,
    delayed,
    forget_problem,
    outlines,
    report_error,
    sentence,
    show_text,
)

if TYPE_CHECKING:
    import napari.viewer
    from napari.layers import Image

# Combines the many events of a moving slider or a growing shape into one update.
DELAY_MS = 100


class CompareWidget(CompareFields):
    """Form that compares two image layers with each other and with a clean one."""

    def __init__(self, viewer: napari.viewer.Viewer) -> None:
        super().__init__(viewer)
        self._viewer = viewer
        self._side: SideBySide | None = None
        self._wiping: Wipe | None = None
        self._scoring = Scoring(self._show_scores, lambda error: report_error(self.status, error))
        self._closed = self._blocked = self._chosen_by_hand = False
        self._end_reason = self._difference_by_hand = ""
        self._viewer_connections, self._layer_connections = Connections(), Connections()
        self._update_timer = delayed(self, DELAY_MS, self._update)
        self._end_timer = delayed(self, 0, self._end_modes)
        self._connect_fields()
        self._connect_viewer()
        self._on_inserted()
        CloseWatcher(self, self._close)

    def _connect_fields(self) -> None:
        for combo in (self.reference, self.first, self.second):
            combo.activated.connect(self._on_chosen_by_hand)
            combo.currentIndexChanged.connect(self._on_choice)
        self.shapes.currentIndexChanged.connect(self._on_choice)
        self.side_by_side.toggled.connect(self._toggle_side_by_side)
        self.wipe.toggled.connect(self._toggle_wipe)
        self.edge.valueChanged.connect(self._on_edge)
        self.difference_choice.textActivated.connect(self._on_difference_by_hand)
        self.difference.clicked.connect(self._make_difference)

    def _connect_viewer(self) -> None:
        events = self._viewer.layers.events
        for emitter in (events.removed, events.reordered, events.renamed):
            self._viewer_connections.add(emitter, self._on_layers)
        self._viewer_connections.add(events.inserted, self._on_inserted)
        self._viewer_connections.add(self._viewer.dims.events.current_step, self._schedule)
        self._viewer_connections.add(self._viewer.events.theme, self._on_theme)
        dims = self._viewer.dims.events
        for emitter in (dims.ndisplay, dims.order, self._viewer.canvas.grid.events.enabled):
            self._viewer_connections.add(emitter, self._on_view)
        # A closing window deletes the form without a close event.
        self.destroyed.connect(self._viewer_connections.close)
        self.destroyed.connect(self._layer_connections.close)

    @property
    def busy(self) -> bool:
        """Return whether an update of the scores or the profile is due or running."""
        return self._scoring.busy or self._update_timer.isActive()

    def _chosen(self) -> list[Image]:
        """Return the chosen layers in the order A, B, clean."""
        layers = [combo.layer for combo in (self.first, self.second, self.reference)]
        return [layer for layer in layers if layer is not None]

    def _on_theme(self, _event: object = None) -> None:
        self.profile.restyle()

    def _on_view(self, _event: object = None) -> None:
        forget_problem(self.status)

    def _on_layers(self, _event: object = None) -> None:
        from napari.layers import Shapes

        images = comparable_layers(self._viewer)
        for combo in (self.reference, self.first, self.second):
            combo.set_layers(images)
        drawn = [layer for layer in self._viewer.layers if isinstance(layer, Shapes)]
        self.shapes.set_layers(drawn)
        if self.shapes.layer is None and drawn:
            self.shapes.layer = drawn[-1]
        self._connect_layers()
        self._offer_differences()
        self._schedule()

    def _on_inserted(self, _event: object = None) -> None:
        self._on_layers()
        if self._chosen_by_hand:
            return
        by_name = {layer.name: layer for layer in comparable_layers(self._viewer)}
        combos = (self.reference, self.first, self.second)
        for combo, name in zip(combos, guess_layers([*by_name]), strict=True):
            combo.layer = None if name is None else by_name[name]

    def _on_chosen_by_hand(self) -> None:
        self._chosen_by_hand = True

    def _on_choice(self, _index: int = 0) -> None:
        self._connect_layers()
        self._offer_differences()
        if self._wiping is not None or self._side is not None:
            self._end_later("")
        self._schedule()

    def _connect_layers(self) -> None:
        self._layer_connections.close()
        for layer in filter(None, [*self._chosen(), self.shapes.layer, *error_layers(self._viewer)]):
            for emitter in (layer.events.data, layer.events.scale, layer.events.translate):
                self._layer_connections.add(emitter, self._schedule)

    def _on_difference_by_hand(self, title: str) -> None:
        self._difference_by_hand = title

    def _offer_differences(self) -> None:
        """Offer the differences between the chosen layers."""
        combos = {"A": self.first, "B": self.second, "clean": self.reference}
        self.difference_choice.clear()
        for one, other in [("B", "A"), ("A", "clean"), ("B", "clean")]:
            if combos[one].layer is not None and combos[other].layer is not None:
                self.difference_choice.addItem(f"{one} - {other}", (combos[one], combos[other]))
        self.difference_choice.setCurrentText(self._difference_by_hand)

    def _make_difference(self) -> None:
        try:
            check_chosen(self._chosen())
            minuend, subtrahend = self.difference_choice.currentData()
            layer = add_difference(self._viewer, minuend.layer, subtrahend.layer)
        except InputError as error:
            report_error(self.status, error)
            return
        show_text(self.status, f"New layer: {layer.name}")

    def _toggle_side_by_side(self, on: bool) -> None:  # noqa: FBT001
        if on:
            self.wipe.setChecked(False)
            self._side = SideBySide(self._viewer, self._chosen(), lambda: self._end_later(""))
        elif self._side is not None:
            side, self._side = self._side, None
            side.close()

    def _toggle_wipe(self, on: bool) -> None:  # noqa: FBT001
        self.edge.setEnabled(on)
        if not on:
            if self._wiping is not None:
                wiping, self._wiping = self._wiping, None
                wiping.close()
            return
        self.side_by_side.setChecked(False)
        chosen, share = self._chosen(), self.edge.value() / SLIDER_STEPS
        try:
            check_chosen(chosen)
            left, right = chosen[:2]
            self._wiping = Wipe(self._viewer, left, right, share, moved=self._on_dragged, ended=self._end_later)
            forget_problem(self.status)
        except InputError as error:
            self.wipe.setChecked(False)
            report_error(self.status, error)

    def _on_edge(self, value: int) -> None:
        if self._wiping is not None:
            self._wiping.move_to(value / SLIDER_STEPS)

    def _on_dragged(self, share: float) -> None:
        with QSignalBlocker(self.edge):
            self.edge.setValue(round(share * SLIDER_STEPS))

    def _end_later(self, reason: str) -> None:
        """End wipe and grid after the current event, as the layer list must not change during its own events."""
        self._end_reason = reason
        self._end_timer.start()

    def _end_modes(self) -> None:
        self.wipe.setChecked(False)
        self.side_by_side.setChecked(False)
        if self._end_reason:
            show_text(self.status, self._end_reason, problem=True)

    def _schedule(self, _event: object = None) -> None:
        if not self._closed:
            self._update_timer.start()

    def _update(self) -> None:
        chosen = self._chosen()
        self.side_by_side.setEnabled(len(chosen) > 1)
        self.edge.setEnabled(self.wipe.isChecked())
        self.table.name_rows([layer.name if layer else "" for layer in (self.first.layer, self.second.layer)])
        problem = self._problem(lambda: check_chosen(chosen))
        for button in (self.wipe, self.difference):
            button.setEnabled(not problem)
        if problem:
            self._forget_numbers()
        else:
            problem = self._problem(self._show_profile) or self._problem(self._start_scores)
        if problem or self._blocked:
            # Layers that are not chosen yet are no mistake.
            show_text(self.status, problem, problem=len(chosen) > 1)
        self._blocked = bool(problem)

    @staticmethod
    def _problem(action: Callable[[], None]) -> str:
        """Run an action and return the message of its InputError, or ""."""
        try:
            action()
        except InputError as error:
            return sentence(error)
        return ""

    def _forget_numbers(self) -> None:
        self._scoring.cancel()
        self.table.clear_scores()
        self.scale_note.setText("")
        self.profile_title.setText("Line profile")
        self.profile.show_nothing()

    def _show_profile(self) -> None:
        # The last one is on top: denoised over clean over noisy.
        shown = ((self.first.layer, 0), (self.reference.layer, None), (self.second.layer, 1))
        drawn = [
            # The clean layer is the truth: it has no interval.
            DrawnLayer(layer, color, None if color is None else error_layer(self._viewer, layer))
            for layer, color in shown
            if layer is not None
        ]
        title = self.profile.show_layers(drawn, self.shapes.layer, self._viewer.dims.point)
        self.profile_title.setText(title)

    def _start_scores(self) -> None:
        reference = self.reference.layer
        rows = [(row, layer) for row, layer in enumerate((self.first.layer, self.second.layer)) if layer is not None]
        errors = [error_layer(self._viewer, layer) for _, layer in rows]
        if reference is None:
            self.table.clear_scores()
            self.scale_note.setText("Scores need a clean layer")
            if all(error is None for error in errors):
                self._scoring.cancel()
                return
        point = self._viewer.dims.point
        images = [
            ScoredImage(row, shown_pixels(layer, point), None if error is None else shown_pixels(error, point))
            for (row, layer), error in zip(rows, errors, strict=True)
        ]
        clean = None if reference is None else shown_pixels(reference, point)
        place = rows[0][1] if reference is None else reference
        self._scoring.start(ScoreTask(images, clean, self._region(place)))

    def _region(self, image: Image) -> NDArray[np.bool_] | None:
        """Return the mask of the closed shapes in an image, None without such shapes."""
        shapes = self.shapes.layer
        closed = [] if shapes is None else outlines(shapes, image, self._viewer.dims.point)
        return outline_mask(closed, LayerImages(image).shape[-2:]) if closed else None

    def _show_scores(self, scores: list[RowScore]) -> None:
        self.table.show_scores(scores)
        if scores[0].whole is not None:
            self.scale_note.setText(f"data range {scores[0].data_range:g}")

    def _close(self) -> None:
        """End the modes, the computations and the connections; layers of differences stay."""
        self._closed = True
        self._viewer_connections.close()
        self._layer_connections.close()
        self._update_timer.stop()
        self._end_timer.stop()
        self._scoring.stop()
        self.wipe.setChecked(False)
        self.side_by_side.setChecked(False)
