"""Files as such: atomic writing, locks, guards against damaged or hostile input.

May import `errors`, `config`, `progress` and `validation`.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
