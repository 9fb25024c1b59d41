"""Cards whose numbers no network of this program has are refused before anything is computed with them."""

import json

import pytest

from napari_dental_denoise.errors import InputError
from napari_dental_denoise.models.card import ModelCard, parse_card

GOOD = {"preset": "fast", "predicts": "residual", "multiple": 8, "halo": 48}


@pytest.mark.parametrize(("name", "lowest", "highest"), [("multiple", 1, 256), ("halo", 0, 4096)])
def test_numbers_of_a_card_have_bounds(name, lowest, highest):
    for value in (lowest, highest):
        assert getattr(parse_card(json.dumps({**GOOD, name: value}).encode(), "a.keras"), name) == value
    for value in (lowest - 1, highest + 1):
        with pytest.raises(InputError, match=r"a\.keras: its card\.json holds invalid values"):
            parse_card(json.dumps({**GOOD, name: value}).encode(), "a.keras")


def test_a_card_comes_back_from_its_text_and_later_fields_are_ignored():
    card = ModelCard(**GOOD, noise={"kind": "gaussian"}, metrics={"validation_psnr": 30.5}, date="2026-01-01")
    text = json.dumps({**json.loads(card.to_json()), "of a later version": 1})
    assert parse_card(text.encode(), "a.keras") == card
