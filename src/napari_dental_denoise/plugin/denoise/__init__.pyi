from .widget import DenoiseWidget as DenoiseWidget
