from accounts.base import Account, Insufficient
from accounts.savings import SavingsAccount

__all__ = ["Account", "Insufficient", "SavingsAccount"]
