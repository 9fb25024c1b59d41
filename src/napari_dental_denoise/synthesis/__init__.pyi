from .anatomy import Anatomy as Anatomy
from .anatomy import random_anatomy as random_anatomy
from .grid import log_uniform as log_uniform
from .grid import soft_step as soft_step
from .leaves import dead_leaves as dead_leaves
from .scene import phantom as phantom
from .scene import phantoms as phantoms
