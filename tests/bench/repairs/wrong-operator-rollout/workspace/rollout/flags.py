"""Features that are switched on for a share of all users.

Every user falls into one of a hundred buckets for each feature, numbered from 0. The bucket never changes, so that raising the share
keeps everybody who had the feature before.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass, field

BUCKETS = 100


def bucket_of(feature: str, user: str) -> int:
    return zlib.crc32(f"{feature}:{user}".encode()) % BUCKETS


@dataclass
class Flag:
    name: str
    percent: int = 0
    allowed: set[str] = field(default_factory=set)
    blocked: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        if not 0 <= self.percent <= 100:
            raise ValueError(f"{self.name}: {self.percent} is not a percentage")

    def is_on(self, user: str) -> bool:
        """Whether the user has the feature: a block wins over a permission, and both over the share."""
        if user in self.blocked:
            return False
        if user in self.allowed:
            return True
        return bucket_of(self.name, user) <= self.percent


class Flags:
    def __init__(self, *flags: Flag) -> None:
        self._flags = {flag.name: flag for flag in flags}

    def is_on(self, name: str, user: str) -> bool:
        """Unknown features are off for everybody."""
        flag = self._flags.get(name)
        return flag is not None and flag.is_on(user)

    def features(self, user: str) -> list[str]:
        return sorted(name for name, flag in self._flags.items() if flag.is_on(user))
