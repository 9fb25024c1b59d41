from .widget import NoiseWidget as NoiseWidget
