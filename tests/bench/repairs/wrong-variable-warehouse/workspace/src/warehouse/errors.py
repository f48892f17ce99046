class StockError(Exception):
    """Base of what a stock refuses to do."""


class NotEnough(StockError):
    def __init__(self, site: str, sku: str, wanted: int, available: int) -> None:
        super().__init__(f"{site} has {available} of {sku}, not {wanted}")
        self.wanted = wanted
        self.available = available
