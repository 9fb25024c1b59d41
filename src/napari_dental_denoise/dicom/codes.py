"""Coded entries of DICOM, restricted to concepts of public schemes."""

from __future__ import annotations

from collections import defaultdict
from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

SNOMED, OLD_SNOMED = "SCT", "SRT"


def item(**attributes: Any) -> Dataset:
    """Return a dataset with these attributes, such as an item of a sequence."""
    import pydicom

    dataset = pydicom.Dataset()
    for name, value in attributes.items():
        setattr(dataset, name, value)
    return dataset


def dcm_code(keyword: str) -> Dataset:
    """Return the code sequence item of a concept of DICOM's own scheme, by its name in `codes.DCM` of pydicom."""
    from pydicom.sr.codedict import codes

    code = getattr(codes.DCM, keyword)
    return _code_item(code.scheme_designator, code.value, code.meaning)


def public_code(entry: Dataset) -> Dataset | None:
    """Return a coded entry with a meaning that the standard gives its code, or None for a code of another origin.

    Its own meaning may contain any text.
    """
    scheme, value, meaning = (
        str(entry.get(name, "")) for name in ("CodingSchemeDesignator", "CodeValue", "CodeMeaning")
    )
    meanings = _meanings().get((scheme, value))
    if meanings is None:
        return None
    return _code_item(scheme, value, meaning if meaning in meanings else min(meanings, key=len))


@cache
def _meanings() -> dict[tuple[str, str], set[str]]:
    """Return the meanings of each (scheme, value); some codes have several."""
    from pydicom.sr._snomed_dict import mapping
    from pydicom.sr.codedict import codes

    meanings: dict[tuple[str, str], set[str]] = defaultdict(set)
    for collection in (codes.SCT, codes.DCM):
        for code in collection.concepts.values():
            meanings[code.scheme_designator, code.value].add(code.meaning)
    old = {(OLD_SNOMED, value): meanings[SNOMED, new] for value, new in mapping[OLD_SNOMED].items()}
    return {key: known for key, known in (meanings | old).items() if known}


def _code_item(scheme: str, value: str, meaning: str) -> Dataset:
    return item(CodeValue=value, CodingSchemeDesignator=scheme, CodeMeaning=meaning)
