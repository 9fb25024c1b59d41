"""What a derived DICOM image says of its making: its source, what was done to it, by what and when."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID, uuid4, uuid5

from napari_dental_denoise import __version__
from napari_dental_denoise.dicom.codes import coded
from napari_dental_denoise.dicom.values import parts

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

PROGRAM = "napari-dental-denoise"
# Derived images come behind the original ones in a list.
SERIES_OFFSET = 1000
LONGEST_TEXT = 1024
LONGEST_TITLE = 64
UTF_8 = "ISO_IR 192"


@dataclass(frozen=True)
class Derivation:
    """What was done, for the files of one run.

    Attributes
    ----------
    verb : str
        "denoised", for the name of the series.
    description : str
        In words.
    algorithm : str, optional
        Name of the network, where one did it.
    parameters : str
        Settings.
    deidentify : bool
        Whether patient, staff, place, dates and the identity of the study are left out.
    run : UUID
        Of all files that are made together; drawn anew, so that nobody can find a source by it.
    """

    verb: str
    description: str
    algorithm: str | None = None
    parameters: str = ""
    deidentify: bool = False
    run: UUID = field(default_factory=uuid4)

    def uid(self, purpose: str) -> str:
        """A new UID for each purpose, the same for all files of the run, in whatever process they are made."""
        # PS3.5 B.2 makes a UID of a UUID so.
        return f"2.25.{uuid5(self.run, purpose).int}"


def refer_to(dataset: Dataset, original: Dataset) -> None:
    """The image that this one was made from."""
    from pydicom.dataset import Dataset as Item
    from pydicom.sr.codedict import codes

    if not original.get("SOPInstanceUID"):
        return
    item = Item()
    item.ReferencedSOPClassUID, item.ReferencedSOPInstanceUID = original.SOPClassUID, original.SOPInstanceUID
    item.PurposeOfReferenceCodeSequence = [coded(codes.DCM.SourceImageForImageProcessingOperation)]
    item.SpatialLocationsPreserved = "YES"
    dataset.SourceImageSequence = [item]


def describe_derivation(dataset: Dataset, original: Dataset, derivation: Derivation) -> None:
    """What was done, by what and when; the names and numbers of the new image and its series."""
    from pydicom.sr.codedict import codes
    from pydicom.uid import generate_uid

    now = datetime.now().astimezone()
    dataset.SOPInstanceUID = generate_uid(prefix=None)
    _, *rest = parts(dataset.get("ImageType")) or [""]
    dataset.ImageType = ["DERIVED", *(rest or ["PRIMARY"])]
    dataset.DerivationDescription = derivation.description[:LONGEST_TEXT]
    dataset.DerivationCodeSequence = [coded(codes.DCM.ImageProcessing)]
    if derivation.algorithm is not None:
        dataset.DerivationAlgorithmSequence = [_algorithm(derivation.algorithm, derivation.parameters)]
    dataset.ContributingEquipmentSequence = [
        *dataset.get("ContributingEquipmentSequence", []),
        _equipment(derivation, now),
    ]
    if not derivation.deidentify:
        dataset.InstanceCreationDate = dataset.SeriesDate = dataset.ContentDate = now.strftime("%Y%m%d")
        dataset.InstanceCreationTime = dataset.SeriesTime = dataset.ContentTime = now.strftime("%H%M%S")
        dataset.SeriesDescription = f"{original.get('SeriesDescription') or ''} {derivation.verb}".strip()[
            -LONGEST_TITLE:
        ]
    dataset.SeriesNumber = int(original.get("SeriesNumber") or 0) + SERIES_OFFSET


def _algorithm(name: str, parameters: str) -> Dataset:
    """The Algorithm Identification Macro, PS3.3 table 10-19."""
    from pydicom.dataset import Dataset as Item
    from pydicom.sr.codedict import codes

    item = Item()
    item.AlgorithmFamilyCodeSequence = [coded(codes.DCM.ArtificialIntelligence)]
    item.AlgorithmName, item.AlgorithmVersion = _title(name), __version__
    item.AlgorithmParameters, item.AlgorithmSource = parameters, PROGRAM
    return item


def _title(text: str) -> str:
    """In DICOM, a backslash begins another value; and what cannot be printed is not allowed."""
    return "".join(letter if letter.isprintable() else " " for letter in text.replace("\\", "/"))[:LONGEST_TITLE]


def use_letters(dataset: Dataset) -> None:
    """Go over to UTF-8 where a model's name needs it; else the letters of the source stay as they are encoded."""
    own = [dataset.DerivationDescription]
    for item in dataset.get("DerivationAlgorithmSequence", []):
        own += [item.AlgorithmName, item.AlgorithmParameters]
    if not all(text.isascii() for text in own) and dataset.get("SpecificCharacterSet") != UTF_8:
        dataset.decode()
        dataset.SpecificCharacterSet = UTF_8


def _equipment(derivation: Derivation, now: datetime) -> Dataset:
    """An item of the SOP Common module's Contributing Equipment Sequence, PS3.3 C.12.1."""
    from pydicom.dataset import Dataset as Item
    from pydicom.sr.codedict import codes

    item = Item()
    item.PurposeOfReferenceCodeSequence = [coded(codes.DCM.ProcessingEquipment)]
    item.Manufacturer = f"The {PROGRAM} developers"
    item.ManufacturerModelName, item.SoftwareVersions = PROGRAM, __version__
    item.ContributionDescription = derivation.description[:LONGEST_TEXT]
    if not derivation.deidentify:
        item.ContributionDateTime = now.strftime("%Y%m%d%H%M%S%z")
    return item
