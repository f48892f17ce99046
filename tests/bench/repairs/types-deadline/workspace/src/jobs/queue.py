"""Jobs that wait for a worker."""

from __future__ import annotations

from collections import deque

from jobs.job import Job


class Queue:
    def __init__(self, default_limit: float = 60.0) -> None:
        self._waiting: deque[Job] = deque()
        self._default_limit = default_limit

    def __len__(self) -> int:
        return len(self._waiting)

    def add(self, job: Job) -> None:
        self._waiting.append(job)

    def take(self) -> Job | None:
        """The job that has waited longest; None when nothing waits."""
        return self._waiting.popleft() if self._waiting else None

    def limit_of(self, job: Job) -> float:
        """How long a job may run."""
        return self._default_limit if job.limit is None else job.limit

    def deadline(self, job: Job, started: float) -> float:
        """When a job that was started at a time must be over."""
        return started + job.limit

    def tagged(self, tag: str) -> list[str]:
        return [job.name for job in self._waiting if tag in job.tags]
