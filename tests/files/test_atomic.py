"""A file is whole or as it was: with a full disk, with kill -9 at any moment, and nothing stays lying about."""

import subprocess
import sys
import time

import numpy as np
import pytest

from napari_dental_denoise.errors import InputError
from napari_dental_denoise.files.atomic import PREFIX, atomic_write, check_folder, write_bytes, write_text
from napari_dental_denoise.images.radiograph import read_image
from napari_dental_denoise.images.writer import write_image
from tests.dicom_files import radiograph, save

OLD, NEW = np.full((700, 900), 1000, np.uint16), np.full((700, 900), 60000, np.uint16)

# What is written again and again, old and new in turn, until the process is killed; each from a plain array or text.
WRITERS = {
    "image.png": "write_image(path, image, overwrite=True)",
    "image.tif": "write_image(path, image, (0.1, 0.1), overwrite=True)",
    "table.csv": "write_text(path, f'{image[0, 0]},' * 300_000, overwrite=True)",
    "derived.dcm": "write_derived(path, Path(sys.argv[2]), image, Derivation('denoised', ''), overwrite=True)",
    "run.checkpoint": "save_checkpoint(path, Checkpoint([image] * 4, [], [], {}, 1, 1, 1.0, 1, 1.0, 1.0))",
}
PROGRAM = """
import sys
import numpy as np
from pathlib import Path
from napari_dental_denoise.files.atomic import write_text
from napari_dental_denoise.dicom.derived import write_derived
from napari_dental_denoise.dicom.provenance import Derivation
from napari_dental_denoise.images.writer import write_image
{imports}
path = Path(sys.argv[1])
images = [np.full((700, 900), grey, np.uint16) for grey in (1000, 60000)]
print("ready", flush=True)
while True:
    for image in images:
        {write}
"""
NEXT = """
import sys
from pathlib import Path
from napari_dental_denoise.files.atomic import write_text
write_text(Path(sys.argv[1]), "x", overwrite=True)
"""
# A file may grow to 1000 bytes: writing fails in the middle, as on a full disk.
LIMIT = """
import resource, signal
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
print = lambda *_, **__: None
"""
CHECKPOINT = "from napari_dental_denoise.training.checkpoint import Checkpoint, save_checkpoint"


def is_whole(path):
    if path.suffix == ".csv":
        return path.read_text() in ("1000," * 300_000, "60000," * 300_000)
    if path.suffix == ".checkpoint":
        with np.load(path, allow_pickle=False) as archive:
            return all(len(np.unique(archive[f"weights_{index}"])) == 1 for index in range(4))
    return any(np.array_equal(read_image(path), image) for image in (OLD, NEW))


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    """The DICOM file from which one is derived."""
    return save(radiograph(OLD), tmp_path_factory.mktemp("source") / "source.dcm")


def start_writing(path, source):
    imports = CHECKPOINT if path.suffix == ".checkpoint" else ""
    program = PROGRAM.format(write=WRITERS[path.name], imports=imports)
    command = [sys.executable, "-c", program, str(path), str(source)]
    child = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert child.stdout.readline() == "ready\n"
    return child


def test_a_folder_that_cannot_be_is_told_by_the_name_that_was_given(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match=r"/file/model\.keras: cannot be written"):
        check_folder(tmp_path / "file" / "model.keras")


@pytest.mark.skipif(sys.platform == "win32", reason="kill -9 is of POSIX")
@pytest.mark.parametrize("name", WRITERS)
def test_killed_at_any_moment_the_old_file_is_whole_or_the_new_one(tmp_path, name, source):
    path = tmp_path / name
    for round_number in range(4):
        child = start_writing(path, source)
        while not path.exists():
            time.sleep(0.005)
        time.sleep(0.0137 * (round_number + 1))
        child.kill()
        child.wait()
        child.stdout.close()
        assert is_whole(path)
    # The next program that writes there sweeps up.
    subprocess.run([sys.executable, "-c", NEXT, str(tmp_path / "next.txt")], check=True)
    assert sorted(entry.name for entry in tmp_path.iterdir()) == sorted([name, "next.txt"])


@pytest.mark.skipif(sys.platform == "win32", reason="limits of processes are of POSIX")
@pytest.mark.parametrize("name", WRITERS)
def test_a_full_disk_leaves_the_old_file(tmp_path, name, source):
    path = tmp_path / name
    path.write_bytes(b"the old file")
    imports = CHECKPOINT if path.suffix == ".checkpoint" else ""
    program = PROGRAM.format(write=WRITERS[name], imports=imports + LIMIT)
    command = [sys.executable, "-c", program, str(path), str(source)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert "InputError" in done.stderr
    assert "cannot be written" in done.stderr
    assert path.read_bytes() == b"the old file"
    assert [entry.name for entry in tmp_path.iterdir()] == [name]


def test_files_of_living_processes_are_left_alone(tmp_path):
    write_text(tmp_path / "first.txt", "x", overwrite=False)
    mine = [tmp_path / f"{PREFIX}-elsewhere-1-abc.png", tmp_path / ".writing-of-somebody-else"]
    for path in mine:
        path.write_bytes(b"x")
    write_bytes(tmp_path / "second.txt", b"x", overwrite=False)
    assert all(path.exists() for path in mine)


def test_a_file_that_another_process_is_writing_is_left_alone(tmp_path):
    with atomic_write(tmp_path / "first.txt", overwrite=False) as temporary:
        temporary.write_text("x")
        subprocess.run([sys.executable, "-c", NEXT, str(tmp_path / "next.txt")], check=True)
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["first.txt", "next.txt"]


def test_a_folder_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(InputError, match=r"a\.png: cannot be written"):
        write_image(tmp_path / "file" / "a.png", OLD)
    assert [entry.name for entry in tmp_path.iterdir()] == ["file"]


LONG = "x" * 300 + ".png"


@pytest.mark.parametrize("overwrite", [False, True])
@pytest.mark.parametrize("name", [LONG, "a\0b.png", f"{LONG}/a.png"])
def test_a_name_that_cannot_be_is_refused_before_the_work(tmp_path, name, overwrite):
    with pytest.raises(InputError, match="cannot be written"), atomic_write(tmp_path / name, overwrite=overwrite):
        pytest.fail("the work was begun")
    assert list(tmp_path.iterdir()) == []


def test_a_folder_of_links_in_a_circle_is_refused(tmp_path):
    (tmp_path / "a").symlink_to(tmp_path / "b")
    (tmp_path / "b").symlink_to(tmp_path / "a")
    with pytest.raises(InputError, match=r"cannot be written \(.*symbolic links"):
        write_bytes(tmp_path / "a" / "file.txt", b"x", overwrite=True)


def write_later_than_another(path):
    with atomic_write(path, overwrite=False) as temporary:
        temporary.write_text("mine")
        path.write_text("theirs")


def test_what_another_program_wrote_meanwhile_is_not_replaced(tmp_path):
    path = tmp_path / "a.txt"
    with pytest.raises(InputError, match="already exists"):
        write_later_than_another(path)
    assert path.read_text() == "theirs"
    assert [entry.name for entry in tmp_path.iterdir()] == ["a.txt"]


@pytest.mark.skipif(sys.platform == "win32", reason="permissions are of POSIX")
@pytest.mark.parametrize("mode", [0o600, 0o640, 0o444])
def test_a_file_that_is_replaced_keeps_who_may_read_it(tmp_path, mode):
    path = tmp_path / "a.txt"
    path.write_text("old")
    path.chmod(mode)
    write_text(path, "new", overwrite=True)
    assert path.read_text() == "new"
    assert path.stat().st_mode & 0o777 == mode


@pytest.mark.skipif(sys.platform == "win32", reason="permissions are of POSIX")
def test_a_link_that_is_replaced_does_not_hand_on_the_permissions_of_its_target(tmp_path):
    (tmp_path / "input.txt").write_text("input")
    (tmp_path / "input.txt").chmod(0o400)
    (tmp_path / "link.txt").symlink_to("input.txt")
    write_text(tmp_path / "plain.txt", "new", overwrite=True)
    write_text(tmp_path / "link.txt", "new", overwrite=True)
    modes = [(tmp_path / name).stat().st_mode for name in ("plain.txt", "link.txt", "input.txt")]
    assert modes[0] == modes[1] != modes[2]


def test_a_link_is_replaced_and_what_it_leads_to_stays(tmp_path):
    (tmp_path / "input.txt").write_text("input")
    for name, target in (("link.txt", "input.txt"), ("dangling.txt", "nowhere.txt")):
        (tmp_path / name).symlink_to(target)
        with pytest.raises(InputError, match="already exists"):
            write_text(tmp_path / name, "new", overwrite=False)
        assert (tmp_path / name).is_symlink()
        write_text(tmp_path / name, "new", overwrite=True)
        assert (tmp_path / name).read_text() == "new"
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["dangling.txt", "input.txt", "link.txt"]
    assert (tmp_path / "input.txt").read_text() == "input"
