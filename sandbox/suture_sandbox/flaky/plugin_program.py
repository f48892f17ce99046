"""A pytest plugin that runs inside the sandbox, never imported by suture: another order of the tests, another time of day.

Its text is put into an attempt as one file, with the values of the names below replaced, and named to pytest with `-p`. It uses only
the standard library of any Python >= 3.8. The clock that a program asks for the time is moved (`time.time`, `datetime.now` and their like);
the clocks that measure (`monotonic`, `perf_counter`) and the time stamps of files are not.
"""

from __future__ import annotations

import datetime  # noqa: ICN001  # what is changed here is what is called so
import os
import random
import time
from typing import Any

ORDER: str = ""
"""`reversed`, or `shuffled N` with a seed; empty: as pytest has it."""
CLOCK: int | None = None
"""Seconds by which the clock is moved; None: it is not touched."""
READY: str = ""
"""Begin of the name of a file to make once the tests are collected, for who waits until they begin."""
COPIES: int = 1
"""Runs at once, which begin their tests together."""
STRAYED: list[int] = []
"""Whether a copy stayed away, so that nobody waits any more."""
PATIENCE, BEHIND = 20, 0.005
"""Seconds to wait for the others, and to begin behind them."""


def pytest_collection_finish(session: Any) -> None:  # noqa: ANN401, ARG001  # pytest is not there where this is checked
    """Say that the tests begin now."""
    if READY:
        meet(0)


def pytest_runtest_logstart(nodeid: str) -> None:  # noqa: ARG001  # the hook's shape
    """Begin each test together with the other copies, and last in the one whose report counts: it was started last."""
    if COPIES > 1:
        meet(1)


def meet(more: int) -> None:
    """Say how many tests were begun, and wait until all copies have begun as many; for good without them when one stays away."""
    with open(f"{READY}-{os.getpid()}", "ab") as file:  # noqa: PTH123  # nothing is imported that a test might miss
        file.write(b"." * more)
        mine = file.tell()
    folder, name = os.path.split(READY)
    end = time.monotonic() + PATIENCE
    while COPIES > 1 and not STRAYED:
        others = [each for each in os.listdir(folder) if each.startswith(name)]  # noqa: PTH208  # the same
        if len(others) >= COPIES and all(os.path.getsize(os.path.join(folder, each)) >= mine for each in others):  # noqa: PTH118, PTH202
            if os.getpid() == max(int(each.rpartition("-")[2]) for each in others):
                time.sleep(BEHIND)
            return
        if time.monotonic() > end:
            STRAYED.append(os.getpid())
        time.sleep(0.001)


def pytest_collection_modifyitems(items: list[Any]) -> None:
    """Put the tests into another order. Tests of one file stay together, as every runner keeps them."""
    files: dict[str, list[Any]] = {}
    for item in items:
        files.setdefault(str(getattr(item, "path", item.fspath)), []).append(item)
    groups = list(files.values())
    if ORDER == "reversed":
        groups = [group[::-1] for group in groups[::-1]]
    elif ORDER.startswith("shuffled "):
        drawn = random.Random(int(ORDER.split()[1]))  # noqa: S311  # an order, no secret
        drawn.shuffle(groups)
        for group in groups:
            drawn.shuffle(group)
    items[:] = [item for group in groups for item in group]


pytest_collection_modifyitems.hookimpl_opts = {"trylast": True}  # type: ignore[attr-defined]  # pyright: ignore[reportFunctionMemberAccess]  # how pytest marks a hook


def move(seconds: int) -> None:
    """Move the clock of this process, before anything else has imported it by name."""
    now, now_ns = time.time, time.time_ns
    local, universal, spelled, formatted = time.localtime, time.gmtime, time.ctime, time.strftime

    def moved_local(given: Any = None) -> Any:  # noqa: ANN401  # as `time` has it
        return local(time.time() if given is None else given)

    def moved_universal(given: Any = None) -> Any:  # noqa: ANN401  # the same
        return universal(time.time() if given is None else given)

    def moved_spelled(given: Any = None) -> str:  # noqa: ANN401  # the same
        return spelled(time.time() if given is None else given)

    def moved_formatted(form: str, given: Any = None) -> str:  # noqa: ANN401  # the same
        return formatted(form, time.localtime() if given is None else given)

    moved: dict[str, Any] = {
        "time": lambda: now() + seconds,
        "time_ns": lambda: now_ns() + seconds * 1_000_000_000,
        "localtime": moved_local,
        "gmtime": moved_universal,
        "ctime": moved_spelled,
        "strftime": moved_formatted,
    }
    for name, function in moved.items():
        setattr(time, name, function)


def move_dates() -> None:
    """Let `date.today` and `datetime.now` ask the moved clock; what is a date or a datetime stays one."""
    real_date: Any = datetime.date
    real_datetime: Any = datetime.datetime

    class DateKind(type):
        def __instancecheck__(cls, other: object) -> bool:
            return isinstance(other, real_date)

        def __subclasscheck__(cls, other: type) -> bool:
            return issubclass(other, real_date)

    class DatetimeKind(type):
        def __instancecheck__(cls, other: object) -> bool:
            return isinstance(other, real_datetime)

        def __subclasscheck__(cls, other: type) -> bool:
            return issubclass(other, real_datetime)

    def today(cls: Any) -> Any:  # noqa: ANN401  # a class of either kind
        return cls.fromtimestamp(time.time())

    def now(cls: Any, tz: Any = None) -> Any:  # noqa: ANN401  # the same
        return cls.fromtimestamp(time.time(), tz)

    def utcnow(cls: Any) -> Any:  # noqa: ANN401  # the same
        return cls.fromtimestamp(time.time(), datetime.timezone.utc).replace(tzinfo=None)  # noqa: UP017  # Python 3.8 has no other name

    def date(self: Any) -> Any:  # noqa: ANN401  # the same
        return moved_date(self.year, self.month, self.day)

    plain = {"__module__": "datetime", "today": classmethod(today)}
    moved_date: Any = DateKind("date", (real_date,), plain)
    more = {"now": classmethod(now), "utcnow": classmethod(utcnow), "date": date}
    moved_datetime: Any = DatetimeKind("datetime", (real_datetime,), {**plain, **more})
    setattr(datetime, "date", moved_date)  # noqa: B010  # mypy lets no class be assigned
    setattr(datetime, "datetime", moved_datetime)  # noqa: B010  # the same


if CLOCK is not None:
    move(CLOCK)
    move_dates()
