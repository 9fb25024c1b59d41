"""The U-Net in Keras, its training and its export: the only package that imports TensorFlow.

May import everything but `batch`, `cli` and `plugin`.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
