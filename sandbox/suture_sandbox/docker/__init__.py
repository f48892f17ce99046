"""The Docker backend: every command in an attempt inside a container made from an image that is named by its digest.

A container has no network, no capability, no new privileges, a read-only image, bounded memory and processes, and the workspace read-only
(`container`). Its process 1 is the agent (`inside`), which is asked for attempts over a UNIX socket (`connection`, `order`, `attempt`).

- `fast` mode keeps containers warm (`pool`). An attempt is a child of the agent in its own user, mount, pid and IPC namespaces, with an
  overlay on the workspace in memory; it ends with all that it started. The price: the container's own system call filter lets mounts and
  namespaces through (`profile`), to the agent; the command has the same inner filter as with the local backend, which does not.
- `strict` mode has a new container for every attempt, under Docker's own filter; the workspace is copied into its memory. It needs no right
  to mount, so it works under runtimes that have none to give.

Everything dies with its parent: the agent ends with the socket, the daemon removes its container, and the `guardian` clears away what was
between two steps. Labels say whose a container is (`owner`), and the next suture removes what the dead have left (`reaper`).
"""

from __future__ import annotations

from suture_sandbox.docker.backend import DockerBackend
from suture_sandbox.docker.options import DockerOptions

__all__ = ["DockerBackend", "DockerOptions"]
