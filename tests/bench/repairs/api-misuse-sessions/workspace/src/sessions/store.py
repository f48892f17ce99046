"""Sessions in memory that end when nobody uses them."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timezone


def utc_now() -> datetime:
    return datetime.now(timezone.utc)


@dataclass
class Session:
    user: str
    last_seen: datetime
    token: str = field(default_factory=secrets.token_urlsafe)


class SessionStore:
    def __init__(self, idle_seconds: int = 1800, now: Callable[[], datetime] = utc_now) -> None:
        self._idle_seconds = idle_seconds
        self._now = now
        self._sessions: dict[str, Session] = {}

    def __len__(self) -> int:
        return len(self._sessions)

    def open(self, user: str) -> str:
        """Begin a session and give its token."""
        session = Session(user, self._now())
        self._sessions[session.token] = session
        return session.token

    def user_of(self, token: str) -> str | None:
        """Who holds the token; using a session keeps it alive, and one that was idle for too long is forgotten."""
        session = self._sessions.get(token)
        if session is None:
            return None
        if self._is_idle(session):
            del self._sessions[token]
            return None
        session.last_seen = self._now()
        return session.user

    def sweep(self) -> int:
        """Forget all idle sessions; says how many there were."""
        idle = [token for token, session in self._sessions.items() if self._is_idle(session)]
        for token in idle:
            del self._sessions[token]
        return len(idle)

    def _is_idle(self, session: Session) -> bool:
        return (self._now() - session.last_seen).seconds > self._idle_seconds
