"""Libraries that read files say nothing while they do: what they log may name a patient."""

import logging

import pytest

from napari_dental_denoise.files.guards import quiet


@pytest.fixture
def library():
    """A library with a log, of whose modules one has a level of its own and one is silent anyway."""
    logs = [logging.getLogger(name) for name in ("some_library", "some_library.tags", "some_library.off")]
    logs[1].setLevel(logging.DEBUG)
    logs[2].disabled = True
    yield logs
    for log in logs:
        log.setLevel(logging.NOTSET)
        log.disabled = False


def test_a_library_and_its_modules_are_silent_and_speak_again(library, caplog):
    caplog.set_level(logging.DEBUG)
    with quiet("some_library"):
        for log in library:
            log.critical("ImageDescription: Ada")
        # Modules are loaded when they are needed first.
        logging.getLogger("some_library.loaded_later").critical("ImageDescription: Ada")
        logging.getLogger("some_library_of_others").warning("is heard")
    assert caplog.messages == ["is heard"]
    caplog.clear()
    for log in library:
        log.warning("again")
    assert caplog.messages == ["again", "again"]
