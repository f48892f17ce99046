from minisheet.sheet import Sheet

__all__ = ["Sheet"]
