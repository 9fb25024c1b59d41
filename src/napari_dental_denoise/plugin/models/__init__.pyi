from .field import ModelField as ModelField
from .known import card_text as card_text
from .known import named_models as named_models
from .known import recent_models as recent_models
from .known import remember_model as remember_model
from .widget import ModelsWidget as ModelsWidget
