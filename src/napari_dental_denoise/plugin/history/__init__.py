"""The History form. May import `plugin.shared` and all that `plugin` may."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
