class StoreError(Exception):
    """Base of everything that the store raises."""


class MissingKey(StoreError):
    """There is no such key."""

    def __init__(self, key: str) -> None:
        super().__init__(f"no such key: {key}")
        self.key = key
