from sessions.store import Session, SessionStore

__all__ = ["Session", "SessionStore"]
