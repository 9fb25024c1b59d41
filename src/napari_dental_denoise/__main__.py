"""`python -m napari_dental_denoise` is the command line."""

import sys

from napari_dental_denoise.cli import main

if __name__ == "__main__":
    sys.exit(main())
