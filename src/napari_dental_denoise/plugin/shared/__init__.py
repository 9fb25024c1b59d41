"""Parts that the forms share: layers, previews, workers. May import all that `plugin` may, but no package of it."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
