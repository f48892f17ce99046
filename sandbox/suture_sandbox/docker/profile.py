"""The system call filter of a container in fast mode.

What it is: the outer of two walls. Docker's own profile forbids what fast mode is made of (namespaces, mounts), so this one takes its
place: it lets those through that an attempt's view is laid with, and refuses what no check needs. The inner wall, `local.seccomp`, is put
on every command before it starts and refuses namespaces and mounts as well. What this deliberately is not: an allow-list, as Docker's is.
Strict mode keeps Docker's.
"""

from __future__ import annotations

import errno
import json

from suture_sandbox.local.seccomp import ABSENT, DENIED

NEEDED = frozenset({"mount"})
"""What the agent needs beside `clone` with namespaces, which no filter can tell from any other clone by name."""

_MORE = (
    *("clock_settime", "settimeofday", "stime", "iopl", "ioperm", "modify_ldt", "vm86", "vm86old"),
    *("create_module", "get_kernel_syms", "query_module", "uselib", "ustat", "sysfs", "_sysctl", "nfsservctl", "lookup_dcookie"),
    *("move_pages", "migrate_pages", "mbind", "set_mempolicy", "get_mempolicy", "set_mempolicy_home_node", "vhangup", "chroot"),
    *("sethostname", "setdomainname", "fanotify_mark", "process_madvise", "quotactl_fd", "umount"),
)


def fast() -> str:
    """The profile as the daemon reads it."""
    denied = sorted({*DENIED, *_MORE} - NEEDED)
    profile = {
        "defaultAction": "SCMP_ACT_ALLOW",
        "architectures": ["SCMP_ARCH_X86_64", "SCMP_ARCH_AARCH64"],
        "syscalls": [
            {"names": denied, "action": "SCMP_ACT_ERRNO", "errnoRet": errno.EPERM},
            {"names": sorted(ABSENT), "action": "SCMP_ACT_ERRNO", "errnoRet": errno.ENOSYS},
        ],
    }
    return json.dumps(profile)
