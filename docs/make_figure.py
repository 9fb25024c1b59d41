"""Make the figure of the README by the workflow of the program, on synthetic radiographs.

python docs/make_figure.py
"""

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

IMAGES = Path(__file__).parent / "images"


def main() -> None:
    """Run the workflow with its defaults and copy its figure to docs/images."""
    with tempfile.TemporaryDirectory() as folder:
        results = Path(folder) / "results"
        subprocess.run([sys.executable, "-m", "napari_dental_denoise", "workflow", "-o", str(results)], check=True)
        IMAGES.mkdir(exist_ok=True)
        shutil.copyfile(results / "figure.png", IMAGES / "workflow.png")


if __name__ == "__main__":
    main()
