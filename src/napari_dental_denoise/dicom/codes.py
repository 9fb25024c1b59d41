"""Coded entries of DICOM: a concept of a public scheme, and nothing else that may stand beside it."""

from __future__ import annotations

from collections import defaultdict
from functools import lru_cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

OLD_SNOMED, SNOMED = "SRT", "SCT"
PARTS = ("CodeValue", "CodingSchemeDesignator", "CodeMeaning")


def coded(code: Any) -> Dataset:
    """The item of a code sequence.

    Parameters
    ----------
    code : pydicom.sr.coding.Code
    """
    return _item(code.value, code.scheme_designator, code.meaning)


def only_public(item: Dataset) -> Dataset | None:
    """A coded entry as the dictionary of the standard has it; nothing of one that is not in there.

    Parameters
    ----------
    item : Dataset
        Its own words may be anybody's.
    """
    value, scheme, meaning = (str(item.get(name, "")) for name in PARTS)
    known = _meanings().get((scheme, value))
    if known is None:
        return None
    return _item(value, scheme, meaning if meaning in known else min(known, key=len))


@lru_cache(maxsize=1)
def _meanings() -> dict[tuple[str, str], set[str]]:
    """By scheme and value; some have several."""
    from pydicom.sr._snomed_dict import mapping
    from pydicom.sr.codedict import codes

    meanings: dict[tuple[str, str], set[str]] = defaultdict(set)
    for collection in (codes.SCT, codes.DCM):
        for code in collection.concepts.values():
            meanings[code.scheme_designator, code.value].add(code.meaning)
    old = {(OLD_SNOMED, value): meanings[SNOMED, new] for value, new in mapping[OLD_SNOMED].items()}
    return {key: known for key, known in (meanings | old).items() if known}


def _item(value: str, scheme: str, meaning: str) -> Dataset:
    from pydicom.dataset import Dataset as Item

    item = Item()
    item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = value, scheme, meaning
    return item
