from .widget import CompareWidget as CompareWidget
