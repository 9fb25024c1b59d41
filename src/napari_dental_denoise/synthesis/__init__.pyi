from .anatomy import Anatomy as Anatomy
from .anatomy import random_anatomy as random_anatomy
from .scene import phantom as phantom
from .scene import phantoms as phantoms
