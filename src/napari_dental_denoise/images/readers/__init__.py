"""Readers of image files, one module for each family of formats; DICOM has a package of its own.

May import `pixels`, `files` and the modules below.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
