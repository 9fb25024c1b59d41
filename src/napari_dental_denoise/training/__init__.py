"""Training without the network: data, patches, plan, events, checkpoints; no TensorFlow.

May import `inference`, `images`, `synthesis` and what lies below.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
