"""Draw synthetic dental radiographs (phantoms), whose clean image is known.

May import `noise`, `pixels` and the modules below.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
