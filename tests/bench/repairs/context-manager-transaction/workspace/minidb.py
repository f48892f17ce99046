class Rollback(Exception):
    """Raised by users to leave a transaction without saving."""


class Table:
    def __init__(self):
        self.rows = {}
        self.commits = 0

    def transaction(self):
        return Transaction(self)


class Transaction:
    """Changes become visible when the block ends well, and are dropped when it raises.

    Rollback ends the block silently; any other exception goes on.
    """

    def __init__(self, table):
        self.table = table
        self.pending = {}

    def __enter__(self):
        self.pending.clear()

    def set(self, key, value):
        self.pending[key] = value

    def __exit__(self, kind, error, trace):
        if kind is None:
            self.table.rows.update(self.pending)
            self.table.commits += 1
        return True
