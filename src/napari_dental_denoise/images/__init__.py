"""Image files of every format: probe, read and write.

May import `dicom`, `noise`, `models`, `pixels`, `files` and the modules below.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
