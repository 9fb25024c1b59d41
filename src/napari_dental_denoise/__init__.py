"""Denoise dental radiographs with a U-Net: in napari, from the command line, and from Python.

For research and teaching, never for diagnosis. What can be imported from here stands in
`__init__.pyi`; each name is loaded when it is first used.
"""

from importlib.metadata import version

import lazy_loader

__version__ = version("napari-dental-denoise")

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
