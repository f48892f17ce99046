from kvstore.errors import MissingKey, StoreError
from kvstore.store import Store

__all__ = ["MissingKey", "Store", "StoreError"]
