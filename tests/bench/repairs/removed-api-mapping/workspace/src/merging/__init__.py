from merging.deep import deep_merge, flatten_keys

__all__ = ["deep_merge", "flatten_keys"]
