"""What an image holds, told by its own interpreter: where the interpreter and its packages lie, and what lies under them.

Run once for each image, when it is adopted, in a container without network. Prints one JSON object.
"""

from __future__ import annotations

import json
import os
import platform
import site
import subprocess
import sys


def main(probe: str) -> None:
    """Look, and print; `probe` is what is asked of a base interpreter anywhere."""
    base = os.path.realpath(getattr(sys, "_base_executable", None) or sys.executable)
    told = subprocess.run([base, "-I", "-S", "-c", probe], stdout=subprocess.PIPE, check=True).stdout
    kind, packages = _system()
    print(  # noqa: T201  # its answer
        json.dumps(
            {
                "python": sys.executable,
                "base": base,
                "prefix": sys.prefix,
                "virtual": sys.prefix != sys.base_prefix,
                "sites": [folder for folder in site.getsitepackages() if os.path.isdir(folder)],
                "facts": json.loads(told),
                "machine": platform.machine(),
                "libc": os.confstr("CS_GNU_LIBC_VERSION") if "CS_GNU_LIBC_VERSION" in os.confstr_names else "musl",
                "release": _text("/etc/os-release") or _text("/usr/lib/os-release"),
                "manager": kind,
                "packages": packages,
            }
        )
    )


def _system() -> tuple[str, dict[str, str]]:
    """The system's package manager, and name -> version of what it has installed; empty where it is one that is not known here."""
    if text := _text("/var/lib/dpkg/status"):
        found = (_fields(part) for part in text.split("\n\n"))
        return "dpkg", {each["Package"]: each["Version"] for each in found if each.get("Status", "").endswith(" installed")}
    if text := _text("/lib/apk/db/installed"):
        found = (_fields(part) for part in text.split("\n\n"))
        return "apk", {each["P"]: each["V"] for each in found if "P" in each and "V" in each}
    return "", {}


def _fields(part: str) -> dict[str, str]:
    pairs = (line.partition(":") for line in part.splitlines() if ":" in line and not line.startswith(" "))
    return {name: value.strip() for name, _, value in pairs}


def _text(path: str) -> str:
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read()
    except OSError:
        return ""


if __name__ == "__main__":
    main(sys.argv[1])
