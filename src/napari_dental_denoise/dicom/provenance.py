"""Provenance of a derived DICOM image: its source, what was done to it, by which program and when."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import UUID, uuid4, uuid5

from napari_dental_denoise import __version__
from napari_dental_denoise.config import PROGRAM
from napari_dental_denoise.dicom.codes import dcm_code, item
from napari_dental_denoise.dicom.file import check_dicom_file
from napari_dental_denoise.dicom.values import first_number, parts
from napari_dental_denoise.files import open_file, reading_errors

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

# Sorts derived series behind the original ones.
SERIES_OFFSET = 1000
# Characters in the value representations ST and LO, PS3.5 table 6.2-1.
MAX_ST = 1024
MAX_IS = 2**31 - 1
MAX_LO = 64
UTF_8 = "ISO_IR 192"


@dataclass(frozen=True)
class Derivation:
    """The processing of the files of one run, as DICOM results describe it."""

    # Is appended to the series description, such as "denoised".
    verb: str
    description: str
    # Name of the network, if one was used, and its settings.
    algorithm: str | None = None
    parameters: str = ""
    # Leave out patient, staff, place, dates and the identity of the study.
    deidentify: bool = False
    # Shared by all files of the run; random, so that nobody can find a source by it.
    run: UUID = field(default_factory=uuid4)

    def uid(self, purpose: str) -> str:
        """Return a UID that depends on the run and the purpose only, so that all processes of a run agree on it.

        See DICOM PS3.5, B.2: UUID derived UID.
        """
        return f"2.25.{uuid5(self.run, purpose).int}"


def add_source_image(dataset: Dataset, original: Dataset) -> None:
    """Refer to the image from which `dataset` was made."""
    if original.get("SOPInstanceUID"):
        source = item(
            ReferencedSOPClassUID=original.SOPClassUID,
            ReferencedSOPInstanceUID=original.SOPInstanceUID,
            PurposeOfReferenceCodeSequence=[dcm_code("SourceImageForImageProcessingOperation")],
            SpatialLocationsPreserved="YES",
        )
        dataset.SourceImageSequence = [source]


def add_derivation(dataset: Dataset, original: Dataset, derivation: Derivation) -> None:
    """Describe the derivation and identify the new image and its series."""
    from pydicom.uid import generate_uid

    now = datetime.now().astimezone()
    dataset.SOPInstanceUID = generate_uid(prefix=None)
    _, *rest = parts(dataset.get("ImageType")) or [""]
    dataset.ImageType = ["DERIVED", *(rest or ["PRIMARY"])]
    dataset.DerivationDescription = derivation.description[:MAX_ST]
    dataset.DerivationCodeSequence = [dcm_code("ImageProcessing")]
    if derivation.algorithm is not None:
        dataset.DerivationAlgorithmSequence = [_algorithm(derivation.algorithm, derivation.parameters)]
    earlier = dataset.get("ContributingEquipmentSequence", [])
    dataset.ContributingEquipmentSequence = [*earlier, _equipment(derivation, now)]
    if not derivation.deidentify:
        dataset.InstanceCreationDate = dataset.SeriesDate = dataset.ContentDate = now.strftime("%Y%m%d")
        dataset.InstanceCreationTime = dataset.SeriesTime = dataset.ContentTime = now.strftime("%H%M%S")
        title = f"{original.get('SeriesDescription') or ''} {derivation.verb}"
        dataset.SeriesDescription = title.strip()[-MAX_LO:]
    number = int(first_number(original, "SeriesNumber") or 0) + SERIES_OFFSET
    dataset.SeriesNumber = number if abs(number) <= MAX_IS else SERIES_OFFSET


def read_derivations(path: Path) -> list[tuple[str, dict[str, str]]]:
    """Return what a DICOM file tells of its processing by this program: descriptions and facts, the first one first.

    What other programs have written is left out, as it may name a patient. Raises ImageReadError.
    """
    import pydicom

    with reading_errors(path, "is a truncated or damaged DICOM file"), open_file(path) as file:
        check_dicom_file(path, file)
        tags = ["ContributingEquipmentSequence", "DerivationAlgorithmSequence"]
        dataset = pydicom.dcmread(file, force=True, stop_before_pixels=True, specific_tags=tags)
        own = [one for one in dataset.get("ContributingEquipmentSequence", []) if _is_own(one, "ManufacturerModelName")]
        steps = [
            (
                str(one.get("ContributionDescription", "")),
                _facts(one, version="SoftwareVersions", date="ContributionDateTime"),
            )
            for one in own
        ]
        # The algorithm is that of the last step.
        for one in dataset.get("DerivationAlgorithmSequence", []) if steps else []:
            if _is_own(one, "AlgorithmSource"):
                steps[-1][1].update(_facts(one, algorithm="AlgorithmName", parameters="AlgorithmParameters"))
    return steps


def _is_own(dataset: Dataset, keyword: str) -> bool:
    return bool(dataset.get(keyword) == PROGRAM)


def _facts(dataset: Dataset, **keywords: str) -> dict[str, str]:
    return {name: str(dataset.get(keyword)) for name, keyword in keywords.items() if dataset.get(keyword)}


def use_utf8_if_needed(dataset: Dataset) -> None:
    """Change to UTF-8 if the derivation has other characters than ASCII; otherwise the source's encoding stays."""
    texts = [dataset.DerivationDescription]
    for algorithm in dataset.get("DerivationAlgorithmSequence", []):
        texts += [algorithm.AlgorithmName, algorithm.AlgorithmParameters]
    if not all(text.isascii() for text in texts) and dataset.get("SpecificCharacterSet") != UTF_8:
        dataset.decode()
        dataset.SpecificCharacterSet = UTF_8


def _algorithm(name: str, parameters: str) -> Dataset:
    """Return an item of the Algorithm Identification Macro, PS3.3 table 10-19."""
    # A backslash would begin another value, and LO has no control characters.
    printable = "".join(letter if letter.isprintable() else " " for letter in name.replace("\\", "/"))
    return item(
        AlgorithmFamilyCodeSequence=[dcm_code("ArtificialIntelligence")],
        AlgorithmName=printable[:MAX_LO],
        AlgorithmVersion=__version__,
        AlgorithmParameters=parameters,
        AlgorithmSource=PROGRAM,
    )


def _equipment(derivation: Derivation, now: datetime) -> Dataset:
    """Return an item of the Contributing Equipment Sequence of the SOP Common module, PS3.3 C.12.1."""
    equipment = item(
        PurposeOfReferenceCodeSequence=[dcm_code("ProcessingEquipment")],
        Manufacturer=f"The {PROGRAM} developers",
        ManufacturerModelName=PROGRAM,
        SoftwareVersions=__version__,
        ContributionDescription=derivation.description[:MAX_ST],
    )
    if not derivation.deidentify:
        equipment.ContributionDateTime = now.strftime("%Y%m%d%H%M%S%z")
    return equipment
