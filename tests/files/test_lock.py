"""One run at a time writes a file; whoever ends or dies makes way, and leaves no lock file behind."""

import subprocess
import sys

import pytest

from napari_dental_denoise.errors import InputError
from napari_dental_denoise.files.lock import locked

HOLDER = """
import sys
from pathlib import Path
from napari_dental_denoise.files.lock import locked
with locked(Path(sys.argv[1]), ""):
    print(flush=True)
    sys.stdin.read()
"""


def test_a_second_run_is_told_and_a_later_one_takes_over(tmp_path):
    path = tmp_path / "new" / "out.csv"
    for end in (lambda other: other.stdin.close(), lambda other: other.kill()):
        with subprocess.Popen(
            [sys.executable, "-c", HOLDER, path], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        ) as other:
            other.stdout.readline()
            with pytest.raises(InputError, match=r"out\.csv: is busy$"), locked(path, "is busy"):
                pass
            end(other)
        with locked(path, "is busy"):
            assert [entry.name for entry in path.parent.iterdir()] == [".out.csv.lock"]
        assert not list(path.parent.iterdir())


def test_two_runs_in_one_process_exclude_each_other_too(tmp_path):
    with (
        locked(tmp_path / "model.keras", ""),
        pytest.raises(InputError, match="is busy"),
        locked(tmp_path / "model.keras", "is busy"),
    ):
        pass


def test_a_folder_that_cannot_be_made_is_told(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match=r"out\.csv: cannot be written"), locked(tmp_path / "file" / "out.csv", ""):
        pass
