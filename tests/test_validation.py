"""Every numeric parameter of every public function says what it takes and what it received, whatever it is given."""

import inspect
import math
import typing
from decimal import Decimal

import numpy as np
import pytest

import napari_dental_denoise as ndd
from napari_dental_denoise.validation import is_count, is_number, is_shape_2d

IMAGE = np.full((40, 48), 0.5, np.float32)
# What no number may be, with what a message shows of it.
NO_NUMBERS = {
    "text": "100",
    "none": None,
    "truth": True,
    "nan": math.nan,
    "infinity": math.inf,
    "complex": 1j,
    "list": [0.1],
    "ragged": [[1], [2, 3]],
    "array": np.array([0.1, 0.2]),
    "decimal": Decimal("0.1"),
    "huge": 10**400,
    "bytes": b"1",
}
# Parameters that may be left out are None by default.
OPTIONAL = {"threads", "scale", "roots", "contrast"}
# It may be a Generator, too.
OTHER = {"rng"}
# Whole numbers without an upper bound.
COUNTS = {"count", "seed", "threads"}


def calls():
    """Name of each numeric parameter of a public function, with a call that gives it a value."""
    for name in sorted(ndd.__all__):
        function = getattr(ndd, name)
        if not inspect.isfunction(function) and function is not ndd.Anatomy:
            continue
        hints = typing.get_type_hints(function if inspect.isfunction(function) else function.__init__)
        for parameter in inspect.signature(function).parameters.values():
            hint = hints.get(parameter.name)
            kinds = {hint} if typing.get_origin(hint) is tuple else {hint, *typing.get_args(hint)}
            if kinds & {int, float} and parameter.name not in OTHER:
                yield pytest.param(function, parameter.name, id=f"{name}-{parameter.name}")


def flags():
    """Each parameter of a public function or class that is True or False."""
    for name in sorted(ndd.__all__):
        function = getattr(ndd, name)
        if inspect.isfunction(function) or function is ndd.Anatomy:
            hints = typing.get_type_hints(function if inspect.isfunction(function) else function.__init__)
            yield from (pytest.param(function, each, id=f"{name}-{each}") for each in hints if hints[each] is bool)


def arguments(function):
    """Return the other arguments that a function needs."""
    given = {"image": IMAGE, "clean": IMAGE, "denoised": IMAGE, "data_range": 1.0, "count": 1, "path": "starter-fast"}
    return {name: given[name] for name in inspect.signature(function).parameters if name in given}


def test_the_parameters_are_found():
    found = {(call.values[0].__name__, call.values[1]) for call in calls()}
    assert len(found) > 40
    assert {("denoise", "strength"), ("add_poisson_noise", "photons"), ("load_engine", "threads")} <= found


@pytest.mark.parametrize("value", NO_NUMBERS.values(), ids=NO_NUMBERS)
@pytest.mark.parametrize(("function", "parameter"), list(calls()))
def test_what_is_no_number_is_told(function, parameter, value):
    if (value is None and parameter in OPTIONAL) or (value is NO_NUMBERS["huge"] and parameter in COUNTS):
        return
    with pytest.raises(ndd.InputError, match=rf"^{parameter} must be a (whole )?number .*; received ") as caught:
        function(**{**arguments(function), parameter: value})
    assert len(str(caught.value)) < 200


@pytest.mark.parametrize(("function", "parameter"), list(calls()))
def test_numbers_of_numpy_are_taken_as_those_of_python(function, parameter):
    default = inspect.signature(function).parameters[parameter].default
    if not isinstance(default, int | float) or isinstance(default, bool):
        default = {"data_range": 1.0, "count": 1, "contrast": 0.5}.get(parameter, 2)
    given = arguments(function)
    results = [function(**{**given, parameter: value}) for value in (default, np.asarray(default)[()])]
    assert type(results[0]) is type(results[1])


@pytest.mark.parametrize(("function", "parameter"), list(flags()))
def test_what_is_no_flag_is_told(function, parameter, tmp_path):
    given = arguments(function)
    if function is ndd.write_image:
        given["path"] = tmp_path / "scan.tif"
    if function is ndd.add_spectrum_noise:
        given["spectrum"] = np.full((9, 9), 1e-3)
    with pytest.raises(ndd.InputError, match=rf"^{parameter} must be True or False; received 'no'$"):
        function(**{**given, parameter: "no"})


def test_the_message_quotes_what_was_given():
    with pytest.raises(ndd.InputError, match=r"^photons must be a number in \(0, 1e\+09\]; received '100'$"):
        ndd.add_poisson_noise(IMAGE, photons="100")
    with pytest.raises(ndd.InputError, match=r"^sigma must be a number in \[0, 1\]; received True$"):
        ndd.add_gaussian_noise(IMAGE, True)


@pytest.mark.parametrize("shape", [None, 5, "12", (1,), (1, 2, 3), (1.0, 2), (True, True), ((1, 2), 3), (0, 5), {1, 2}])
def test_what_is_no_shape_is_none(shape):
    assert not is_shape_2d(shape)


def test_numbers_and_shapes_of_numpy_are_some():
    assert is_number(np.float32(0.5))
    assert is_number(np.array(0.5))
    assert is_count(np.int64(3))
    assert not is_count(np.int64(2), 3)
    assert is_shape_2d((np.int64(3), 4))
    assert is_shape_2d(np.array([3, 4]))
    assert not is_shape_2d(np.array(3))
