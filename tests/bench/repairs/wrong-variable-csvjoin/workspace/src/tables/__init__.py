from .join import index_by, inner_join, left_join

__all__ = ["index_by", "inner_join", "left_join"]
