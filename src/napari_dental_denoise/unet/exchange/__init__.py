"""Models for other programs: networks that denoise by themselves, as ONNX, OpenVINO, SavedModel and zoo packages.

May import what `unet` may.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
