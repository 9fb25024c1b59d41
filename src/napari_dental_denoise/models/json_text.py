"""Text in JSON, which has no NaN and no infinity."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any


def to_json(value: Any, indent: int | None = None) -> str:
    """Write a value as JSON; a number that is not finite becomes null.

    Parameters
    ----------
    value : mapping, sequence, text, number or None
    indent : int, optional
        Spaces of each level; all on one line if None.

    Returns
    -------
    str
    """
    return json.dumps(_finite(value), indent=indent, allow_nan=False)


def _finite(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
