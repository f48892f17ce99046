"""Runs inside the sandbox, never imported by suture: runs a command several times, at once, or under load, and ends as it did.

Its text is handed to the environment's interpreter (`python -I -S -c TEXT HOW REPORT COMMAND...`), so it uses only the standard library of
any Python >= 3.8. Everything that it starts is in the attempt, within the attempt's limits, and dies with it.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import time

SLICE, LONGEST = 0.008, 0.05
"""Seconds of processor time, and of waiting, that a command is left alone between two pauses."""
NOWHERE = subprocess.DEVNULL


def burn() -> int:
    """Use a processor until killed."""
    child = os.fork()
    while child == 0:
        pass
    return child


def aside(command: list[str], report: str, number: int) -> list[str]:
    """The command with a report of its own that nobody reads."""
    place = os.path.join(tempfile.gettempdir(), f"suture-other-report-{number}")  # noqa: PTH118  # fewer imports
    return [word.replace(report, place) if report else word for word in command]


def used(process: int) -> float:
    """Seconds of processor time that a process has used, by the kernel's clock of it."""
    try:
        return time.clock_gettime(((~process) << 3) | 2)
    except OSError:
        return 0.0


def wait(child: subprocess.Popen[bytes], pause: float, ready: str) -> int:
    """Wait for the command's end, stopping all of it for `pause` seconds again and again, from when there is a file `ready-PID` on."""
    while ready and not os.path.exists(f"{ready}-{child.pid}") and child.poll() is None:  # noqa: PTH110  # fewer imports
        time.sleep(0.002)
    while pause:
        before, began = used(child.pid), time.monotonic()
        while used(child.pid) - before < SLICE and time.monotonic() - began < LONGEST:
            time.sleep(0.001)
            if child.poll() is not None:
                return child.wait()
        try:
            os.killpg(child.pid, signal.SIGSTOP)
            time.sleep(pause)
            os.killpg(child.pid, signal.SIGCONT)
        except ProcessLookupError:
            break
    return child.wait()


def main() -> int:
    """Run it; the exit code or the signal of the run that counts is this program's own."""
    how, report, command = json.loads(sys.argv[1]), sys.argv[2], sys.argv[3:]
    burners = [burn() for _ in range(how["burners"])]
    for number in range(how["repeats"] - 1):
        subprocess.call(aside(command, report, number), stdout=NOWHERE, stderr=NOWHERE)
    others = [subprocess.Popen(aside(command, report, 100 + n), stdout=NOWHERE, stderr=NOWHERE) for n in range(how["copies"] - 1)]
    code = wait(subprocess.Popen(command, start_new_session=True), how["pause"] / 1000, how["ready"])
    for process in burners + [other.pid for other in others]:
        with contextlib.suppress(ProcessLookupError):
            os.kill(process, signal.SIGKILL)
    if code < 0:
        signal.signal(-code, signal.SIG_DFL)
        os.kill(os.getpid(), -code)
    return code


if __name__ == "__main__":
    sys.exit(main())
