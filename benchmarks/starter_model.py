"""Train the model of the package: on synthetic radiographs, and on CC0 panoramics where a folder of them is given.

    python benchmarks/starter_model.py starter.keras [PANORAMICS] --minutes 15

Noise is of the mixture that radiographs have. Other options are those of the command `train`.

The panoramics are those of Humans in the Loop, "Teeth Segmentation on Dental X-ray Images" (CC0 1.0);
no other image may go into a model that is shipped.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

import numpy as np

from napari_dental_denoise import phantoms, write_image
from napari_dental_denoise.cli import main as run

PHANTOMS = 90
SHAPES = ((488, 748), (640, 480), (300, 680))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=Path)
    parser.add_argument("panoramics", type=Path, nargs="*")
    parser.add_argument("--minutes", default="15")
    parser.add_argument("--seed", type=int, default=0)
    options, others = parser.parse_known_args()
    with tempfile.TemporaryDirectory() as folder:
        for part, shape in enumerate(SHAPES):
            for index, image in enumerate(phantoms(PHANTOMS // len(SHAPES), shape, seed=options.seed + part)):
                path = Path(folder) / f"phantom_{part}_{index:02}.png"
                write_image(path, np.rint(image * 255).astype(np.uint8))
        sources = [folder, *map(str, options.panoramics)]
        course = ["--minutes", options.minutes, "--seed", str(options.seed)]
        return run(["train", *sources, "-o", str(options.model), *course, *others])


if __name__ == "__main__":
    sys.exit(main())
