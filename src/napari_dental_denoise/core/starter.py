"""The model of the package, which works on images that nobody trained for."""

from __future__ import annotations

from pathlib import Path

STARTER = Path(__file__).parents[1] / "models" / "starter.keras"
