"""A dropped file is opened twice at most: to recognise it, and to probe and read it."""

import numpy as np
import pytest

from napari_dental_denoise.images.writer import write_image
from napari_dental_denoise.plugin.files import get_reader
from tests.dicom_files import radiograph, save
from tests.opens import counted_opens

GREY = np.arange(600, dtype=np.uint8).reshape(20, 30)
SERIES = {"StudyInstanceUID": "1.2", "SeriesInstanceUID": "1.2.3"}


@pytest.mark.parametrize("name", ["a.png", "a.jpg", "a.bmp", "a.pgm", "a.tif", "a.dcm", "IM0001"])
@pytest.mark.parametrize("others", [0, 4], ids=["alone", "in a folder of 5"])
def test_a_dropped_file_is_opened_twice_at_most(tmp_path, name, others):
    names = [name, *(f"b{number}{name}" for number in range(others))]
    for each in names:
        if name.endswith(("dcm", "1")):
            save(
                radiograph(GREY.astype(np.uint16), bits=12, StudyInstanceUID="1.2", SeriesInstanceUID="1.2.3"),
                tmp_path / each,
            )
        else:
            write_image(tmp_path / each, GREY)
    dropped = str(tmp_path if others else tmp_path / name)
    with counted_opens() as opens:
        layers = get_reader(dropped)(dropped)
    with counted_opens() as later:
        for data, _, _ in layers:
            np.asarray(data)
    counts = [opens[str(tmp_path / each)] for each in names]
    assert 1 <= min(counts) <= max(counts) <= 2
    # An image of a folder is read when it is shown.
    assert [later[str(tmp_path / each)] for each in names] == [1 if others else 0] * len(names)
