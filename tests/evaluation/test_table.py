"""A table holds every score in each of its formats."""

import csv
import io
import json
import math

from napari_dental_denoise.evaluation.comparison import Row
from napari_dental_denoise.evaluation.table import TABLE_FORMATS

ROWS = [
    Row("gaussian, sigma 0.1", "noisy", 3, 20.25, 0.5, 0.4, 0.0),
    Row("gaussian, sigma 0.1", "model", 3, 33.125, 0.9, 0.95, 0.25),
    Row("speckle, sigma 0.2", "noisy", 2, math.inf, math.nan, 1.0, 0.0),
]


def test_text_has_a_block_for_each_noise():
    text = TABLE_FORMATS["text"](ROWS)
    first, second, explanation = text.split("\n\n")
    assert first.splitlines()[0] == "gaussian, sigma 0.1 (3 images)"
    assert [line.split() for line in first.splitlines()[2:]] == [
        ["noisy", "20.25", "0.500", "0.400", "0.000"],
        ["model", "33.12", "0.900", "0.950", "0.250"],
    ]
    assert second.startswith("speckle, sigma 0.2 (2 images)")
    assert "within 0.05 of the clean image" in explanation


def test_text_tells_what_is_kept_of_details_where_it_was_measured():
    text = TABLE_FORMATS["text"]([Row("gaussian, sigma 0.1", "model", 3, 33.125, 0.9, 0.95, 0.25, 0.523)])
    assert [line.split()[-1] for line in text.splitlines()[1:3]] == ["kept", "52%"]
    assert "kept: share of the contrast of faint spots" in text
    assert "kept" not in TABLE_FORMATS["text"](ROWS)


def test_csv_has_a_line_for_each_row():
    first, second, third = csv.DictReader(io.StringIO(TABLE_FORMATS["csv"](ROWS)))
    assert first == {
        "noise": "gaussian, sigma 0.1",
        "method": "noisy",
        "images": "3",
        "psnr": "20.25",
        "ssim": "0.5",
        "accuracy": "0.4",
        "seconds": "0.0",
        "kept": "nan",
    }
    assert (second["method"], third["psnr"]) == ("model", "inf")


def test_json_has_null_for_a_score_that_is_no_finite_number():
    first, _, third = json.loads(TABLE_FORMATS["json"](ROWS))
    assert (first["method"], first["psnr"], first["images"]) == ("noisy", 20.25, 3)
    assert third["psnr"] is None
    assert third["ssim"] is None
