from throttle.client import ThrottledClient

__all__ = ["ThrottledClient"]
