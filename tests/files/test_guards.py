"""Warnings and logs of libraries that read a file are hidden: they may name a patient. All else stays visible."""

import contextlib
import importlib
import logging
import pkgutil
import threading
import warnings
from pathlib import Path

import numpy as np
import pydicom
import pytest

from napari_dental_denoise.errors import ImageReadError, InputError
from napari_dental_denoise.files.guards import LOGGERS, reading_errors, unseen
from napari_dental_denoise.images import probe
from tests.dicom_files import PATIENT, radiograph, save

# Of each library, the modules whose loggers it may write to while it reads.
LIBRARIES = ("pydicom.pixels", "pydicom.filereader", "pydicom.encaps", "pydicom.charset", "tifffile", "PIL")


@pytest.fixture
def talkative(tmp_path):
    """A DICOM file of whose values pydicom warns and logs: a name where a number should be."""
    dataset = radiograph(np.zeros((8, 8), np.uint8))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        dataset.add_new("AcquisitionNumber", "LO", PATIENT)
        dataset["AcquisitionNumber"].VR = "LO"
        path = save(dataset, tmp_path / "a.dcm")
    path.write_bytes(path.read_bytes().replace(b"\x20\x00\x12\x00LO", b"\x20\x00\x12\x00IS"))
    return path


def test_values_that_a_library_quotes_are_not_seen(talkative, caplog, recwarn):
    with pytest.warns(UserWarning, match=PATIENT), contextlib.suppress(ValueError):
        pydicom.dcmread(talkative).get("AcquisitionNumber")
    caplog.clear()
    probe(talkative)
    assert PATIENT not in caplog.text
    assert not recwarn.list


@pytest.mark.parametrize("action", ["always", "error"])
def test_a_reader_is_silent_whatever_filters_were_set_since(action):
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter(action)
        with unseen():
            warnings.warn("(0010,0010) Ada", stacklevel=1)
        assert not seen


@pytest.mark.parametrize("name", LOGGERS)
def test_loggers_of_libraries_are_silent_and_heard_again(name, caplog):
    with unseen():
        logging.getLogger(name).critical("ImageDescription: Ada")
        logging.getLogger("another_library").warning("is heard")
    logging.getLogger(name).warning("again")
    assert caplog.messages == ["is heard", "again"]


def test_every_logger_of_the_libraries_is_filtered():
    for name in LIBRARIES:
        package = importlib.import_module(name)
        for module in pkgutil.iter_modules(getattr(package, "__path__", []), f"{name}."):
            if not module.name.endswith(("__main__", "_imagingtk", "ImageTk", "ImageQt", "encoders", "tests")):
                try:
                    importlib.import_module(module.name)
                except ImportError:
                    continue
    prefixes = ("pydicom", "tifffile", "PIL")
    loggers = {name for name in logging.Logger.manager.loggerDict if name.split(".")[0] in prefixes}
    unfiltered = {name for name in loggers if isinstance(logging.Logger.manager.loggerDict[name], logging.Logger)}
    assert not unfiltered - set(LOGGERS)


def test_warnings_of_other_threads_are_seen_and_filters_are_left_alone():
    before = list(warnings.filters)
    reading, may_warn, has_warned, may_end = (threading.Event() for _ in range(4))

    def read():
        with unseen():
            reading.set()
            may_warn.wait(60)
            warnings.warn("of the library", stacklevel=1)
            has_warned.set()
            may_end.wait(60)

    thread = threading.Thread(target=read)
    # The reading begins within this block and ends after it.
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        thread.start()
        reading.wait(60)
        warnings.warn("of the main thread", stacklevel=1)
        may_warn.set()
        has_warned.wait(60)
    may_end.set()
    thread.join(60)
    assert [(str(warning.message), warning.filename) for warning in seen] == [("of the main thread", __file__)]
    assert warnings.filters == before


def test_arithmetic_of_a_reader_is_silent():
    with unseen():
        assert np.isnan(np.float32([0]) / np.float32([0]))
    with pytest.warns(RuntimeWarning):
        np.float32([0]) / np.float32([0])


def test_several_threads_read_at_a_time():
    together = threading.Barrier(4)

    def read():
        with reading_errors(Path("a.dcm"), "is damaged"):
            # Broken unless all four are here at once.
            together.wait(60)

    threads = [threading.Thread(target=read) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not together.broken


def test_errors_of_a_library_become_one_without_their_text():
    with pytest.raises(ImageReadError) as caught, reading_errors(Path("a.dcm"), "is damaged"):
        raise KeyError(PATIENT)
    assert str(caught.value) == "a.dcm: is damaged"
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__
    with pytest.raises(InputError, match="of ours"), reading_errors(Path("a.dcm"), "is damaged"):
        raise InputError("of ours")
    with pytest.raises(ImageReadError, match="Permission denied"), reading_errors(Path("a.dcm"), "is damaged"):
        raise PermissionError(13, "Permission denied")
