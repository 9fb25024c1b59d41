from .widget import HistoryWidget as HistoryWidget
