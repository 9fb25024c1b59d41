"""Measure what a denoiser takes from faint detail: signals, observers, sharpness, noise spectra, dose, the detail map.

May import `evaluation` and what lies below.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
