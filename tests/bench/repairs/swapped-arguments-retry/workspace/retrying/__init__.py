from retrying.policy import Backoff
from retrying.run import GaveUp, call

__all__ = ["Backoff", "GaveUp", "call"]
