from .conversion import convert_model as convert_model
from .formats import export_model as export_model
from .names import check_export_name as check_export_name
from .resizing import with_free_up_sampling as with_free_up_sampling
