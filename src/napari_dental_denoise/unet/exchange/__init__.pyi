from .conversion import convert_model as convert_model
from .formats import export_model as export_model
from .resizing import with_free_up_sampling as with_free_up_sampling
