"""Warm attempts: processes forked from one that has the check's tool and the environment's packages loaded already.

A zygote is one bubblewrap process for an environment and a workspace. It sees what an attempt sees, the workspace read-only, and imports
the tool (`python -m TOOL`), the tool's plugins, and what the checks were seen to import from the environment; never anything of the
workspace. For every attempt it forks a process that makes namespaces of its own, a size-capped memory file system, a copy-on-write overlay
of the workspace with the snapshot's edits, and gives up every right (`isolation`). What this contains is what a cold attempt contains, but
for two things: memory and processes are watched, not capped by a control group; and packages of the environment, while they are imported,
hold the capabilities of the zygote's own user namespace. So no zygote is the host's root: a workspace of root's has one that is a user
borrowed for it, who owns nothing on the machine (`borrow`), or none.

A forked process is not a fresh one to the last: modules are loaded in another order, and what they computed when they were loaded is from
then. So a warm run may refuse a patch, and is never the only one that a proof rests on (`verdict`).

`pool` keeps zygotes, `process` is one of them seen from outside, `orders` says what an attempt is; `zygote`, `isolation` and `program` run
inside.
"""

from __future__ import annotations

from suture_sandbox.local.warm.pool import Zygotes

__all__ = ["Zygotes"]
