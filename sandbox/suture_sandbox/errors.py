"""The errors of floor 1, as a tree.

::

    SandboxFloorError
    ├── ConfigurationError      the user or the workspace asked for something that cannot be: exit code 2
    │   ├── LockError           suture.lock is missing, damaged or does not match what is installed
    │   └── UnreadableFile      under a name that suture reads lies a pipe, a device, a folder, or a file of no sensible size
    ├── InfrastructureError     the machine could not do its part; says nothing about the patch: exit code 3
    │   ├── BackendUnavailable  no backend can isolate here (no user namespaces, no bubblewrap): carries the remedy
    │   └── SandboxFailed       the sandbox itself failed while it ran a command
    └── PatchError              a patch does not apply to the snapshot it is given
        └── MergeConflict       nor can it be merged: the text has changed where the patch changes it

A check that fails, crashes, is killed or runs out of time is not an error: it is a `CheckResult`.
"""

from __future__ import annotations


class SandboxFloorError(Exception):
    """Base of the errors of this floor; the message says what happened and where, `remedy` what to do next."""

    def __init__(self, message: str, *, remedy: str = "") -> None:
        super().__init__(message)
        self.remedy = remedy


class ConfigurationError(SandboxFloorError):
    """A setting, a path or an option that cannot be used as it is given."""


class LockError(ConfigurationError):
    """suture.lock is missing, damaged, or names another environment than the one that is installed."""


class UnreadableFile(ConfigurationError):
    """A file of the workspace that is no plain file, is too large, or may not be read."""


class InfrastructureError(SandboxFloorError):
    """The machine failed, not the patch: never counted as a failed fix."""


class BackendUnavailable(InfrastructureError):
    """This machine does not let the backend isolate; suture never falls back to running without isolation."""


class SandboxFailed(InfrastructureError):
    """The sandbox could not start or lost its command."""


class PatchError(SandboxFloorError):
    """A patch that does not fit the snapshot: a file is missing, has other content, or is not a plain file in it."""


class MergeConflict(PatchError):
    """The present text has changed where a patch changes it too; `path` and `line`, counted from 1 in the present text, say where."""

    def __init__(self, path: str, line: int, reason: str) -> None:
        super().__init__(f"{path}:{line}: {reason}", remedy="make a new patch for the present text")
        self.path = path
        self.line = line
