"""The lines and exit codes that a user sees."""

import pytest

from napari_dental_denoise.cli.console import StopRequest, exit_code, printable


@pytest.mark.parametrize(("done", "left_out", "code"), [(0, 0, 0), (3, 0, 0), (3, 1, 1), (0, 1, 2)])
def test_the_exit_code_tells_all_some_and_none_apart(done, left_out, code):
    assert exit_code(done, left_out) == code


@pytest.mark.parametrize("control", ["\x1b[2J", "\n", "\u202e", "\x7f", "\udcff"])
def test_control_characters_are_escaped(control):
    text = printable(f"a{control}b")
    assert text.isprintable()
    assert text.startswith("a\\")
    assert text.endswith("b")


def test_a_second_ctrl_c_stops_at_once(capsys):
    request = StopRequest()
    request.ask()
    assert request.asked
    assert "press Ctrl-C again to stop now" in capsys.readouterr().err
    with pytest.raises(KeyboardInterrupt):
        request.ask()
