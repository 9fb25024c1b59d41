"""Add noise of known kind and level to images, and estimate the noise of an image.

Every function raises InputError for an image or a level out of its range.

May import `pixels`, `files` and the modules below.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
