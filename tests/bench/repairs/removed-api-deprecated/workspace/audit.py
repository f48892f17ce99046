import json
import threading


class Outbox:
    """Messages that a background thread hands over one at a time."""

    def __init__(self, deliver):
        self._deliver = deliver
        self._lock = threading.Condition()
        self._waiting = []

    def put(self, message):
        with self._lock:
            self._waiting.append(json.dumps(message, sort_keys=True))
            self._lock.notifyAll()

    def take(self, timeout=0.1):
        with self._lock:
            if not self._waiting:
                self._lock.wait(timeout)
            return json.loads(self._waiting.pop(0)) if self._waiting else None

    def run_once(self, timeout=0.1):
        message = self.take(timeout)
        if message is None:
            return False
        self._deliver(message)
        return True


def worker_name():
    return "outbox-" + threading.current_thread().name
