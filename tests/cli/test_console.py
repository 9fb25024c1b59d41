"""The lines and exit codes that a user sees."""

import pytest

from napari_dental_denoise.cli.console import StopRequest, exit_code, minutes_and_seconds, printable


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0:00"),
        (9.9, "0:09"),
        (65, "1:05"),
        (599, "9:59"),
        (3600, "1:00:00"),
        (3725, "1:02:05"),
        (36061, "10:01:01"),
    ],
)
def test_a_duration_is_written_as_a_clock_does(seconds, text):
    assert minutes_and_seconds(seconds) == text


@pytest.mark.parametrize(("done", "left_out", "code"), [(0, 0, 0), (3, 0, 0), (3, 1, 1), (0, 1, 2)])
def test_the_exit_code_tells_all_some_and_none_apart(done, left_out, code):
    assert exit_code(done, left_out) == code


@pytest.mark.parametrize("steering", ["\x1b[2J", "\n", "\u202e", "\x7f", "\udcff"])
def test_text_that_would_steer_the_terminal_is_spelled_out(steering):
    text = printable(f"a{steering}b")
    assert text.isprintable()
    assert text.startswith("a\\")
    assert text.endswith("b")


def test_a_second_ctrl_c_stops_at_once(capsys):
    request = StopRequest()
    request.ask()
    assert request.asked
    assert "press again to quit at once" in capsys.readouterr().err
    with pytest.raises(KeyboardInterrupt):
        request.ask()
