"""Pixel values and geometry: grey values on [0, 1], pixel encodings, pixel sizes, symmetries.

May import `errors`, `config`, `progress` and `validation`.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
