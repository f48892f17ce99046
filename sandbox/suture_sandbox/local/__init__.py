"""The local backend: one bubblewrap process per command, nothing on the host's disk, nothing kept between commands.

Inside an attempt there is:

- a memory file system as root; /usr and the toolchain read-only; a made-up /etc; the workspace as a copy-on-write overlay at its own path,
  with the snapshot's edits written into it and its secrets emptied (`layout`, `plan`, `masks`);
- a user, pid, network, IPC, UTS and cgroup namespace of its own, no capability, no_new_privs, a system call filter (`seccomp`);
- limits on time, CPU, memory, processes, disk, files and output (`limits`, `cgroups`, `output`), kept by one supervising thread
  (`attempt`).

What root drops: started by root on a workspace of another user, bubblewrap is started as that user, with that user's group and no other, if
the toolchain can be reached so (`account`). Otherwise the processes stay the host's user 0, shown as user 1000 inside: without
capabilities, unable to regain any, in a user namespace in which no other user exists, and with nothing of the host that could be written.
Started by an ordinary user, nothing is left to drop: the processes are that user, without the right to gain anything. Supplementary groups
of an ordinary user stay, and reach nothing but the read-only folders.

Where user namespaces are forbidden, `run` raises BackendUnavailable with the remedy. There is deliberately no fall-back without isolation.
"""

from __future__ import annotations

from suture_sandbox.local.backend import LocalBackend

__all__ = ["LocalBackend"]
