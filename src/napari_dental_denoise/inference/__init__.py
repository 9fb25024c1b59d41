"""Denoise arrays with OpenVINO: engine, tiling, self-ensemble.

May import `models`, `noise`, `pixels`, `files` and the modules below.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
