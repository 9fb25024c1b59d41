from .models import named_models as named_models
from .models import recent_models as recent_models
from .models import remember_model as remember_model
from .widget import DenoiseWidget as DenoiseWidget
