from nested.walk import depth, flatten

__all__ = ["depth", "flatten"]
