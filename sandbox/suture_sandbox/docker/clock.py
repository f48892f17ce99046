"""Freezing the clock inside containers: libfaketime, where the image has one that works.

The library has to be the image's own, since it is loaded into the image's programs: that of the PyPI package libfaketime in its
environment, else its distribution's. Each is tried on the image's interpreter, in a container without network, before it is taken.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from suture_sandbox.capture.clock import PRELOAD, PROBE, SYSTEM_LIBRARIES, epoch_of, variables_for
from suture_sandbox.docker.daemon import Daemon
from suture_sandbox.docker.images import Image, bare
from suture_sandbox.errors import ConfigurationError

_PACKAGE = "libfaketime/vendor/libfaketime/src/libfaketime.so*"
_TRY = """
import glob, hashlib, json, site, subprocess, sys
seconds, fixed, patterns, probe = json.loads(sys.argv[1])
for library in [path for pattern in patterns for root in (*site.getsitepackages(), "") for path in sorted(glob.glob(f"{root}/{pattern}"))]:
    variables = {**fixed, "LD_PRELOAD": library}
    done = subprocess.run([sys.executable, "-I", "-S", "-c", probe], env=variables, capture_output=True, text=True)
    if done.returncode == 0 and done.stdout.partition(" ")[2].strip() == f"{seconds}.0":
        with open(library, "rb") as file:
            print(json.dumps({"library": library, "content": hashlib.sha256(file.read()).hexdigest()}))
        break
"""


class _Found(msgspec.Struct, frozen=True):
    library: str
    content: str


def frozen(daemon: Daemon, image: Image, moment: str) -> tuple[Mapping[str, str], Mapping[str, str]]:
    """The variables that let the clock stand still, and the toolchain's field for what does it. Blocks.

    Raises ConfigurationError where `moment` is no instant, or the image has no library that works.
    """
    seconds = epoch_of(moment)
    fixed = variables_for("", seconds)
    patterns = [_PACKAGE, *(f"usr/{folder}/libfaketime.so.1" for folder in SYSTEM_LIBRARIES)]
    asked = msgspec.json.encode([seconds, {name: value for name, value in fixed.items() if name != PRELOAD}, patterns, PROBE]).decode()
    configuration = bare(image.id, [image.runtime.python, "-c", _TRY, asked])
    _, printed = daemon.run_to_end(configuration)
    try:
        found = msgspec.json.decode(printed.strip().splitlines()[-1], type=_Found)
    except (msgspec.MsgspecError, IndexError):
        raise ConfigurationError(
            f"environment.frozen_time = {moment!r}: the image {image.reference} has no libfaketime that works with its Python",
            remedy="put it into the image (pip install libfaketime, or pin it in the lock file that the image is built from), or unset it",
        ) from None
    return variables_for(found.library, seconds), {"preloaded": found.content}
