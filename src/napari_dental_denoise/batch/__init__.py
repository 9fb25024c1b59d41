"""Run one operation over many files: find them, name the results, resume, report.

May import everything below `unet`; never Keras.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
