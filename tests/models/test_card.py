"""A file that is written as JSON is JSON: other programs read it."""

import json
import math

from hypothesis import given
from hypothesis import strategies as st

from napari_dental_denoise.models.card import to_json

leaves = st.none() | st.booleans() | st.integers() | st.floats() | st.text()
values = st.recursive(leaves, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner))


def refuse(constant):
    raise AssertionError(f"{constant} is not JSON")


@given(values)
def test_numbers_that_are_not_finite_become_null_and_the_rest_comes_back(value):
    read = json.loads(to_json(value), parse_constant=refuse)
    assert read == with_none(value)


def with_none(value):
    if isinstance(value, dict):
        return {key: with_none(item) for key, item in value.items()}
    if isinstance(value, list):
        return [with_none(item) for item in value]
    return value if not isinstance(value, float) or math.isfinite(value) else None
