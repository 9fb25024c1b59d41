from .widget import TrainingWidget as TrainingWidget
