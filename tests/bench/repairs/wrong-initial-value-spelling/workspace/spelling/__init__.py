from spelling.suggest import distance, suggest

__all__ = ["distance", "suggest"]
