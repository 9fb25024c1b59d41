"""Loss of faint detail: signals, observers, sharpness, spectra, dose, maps.

May import `evaluation` and what lies below.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
