"""Signatures by `ssh-keygen -Y`: it comes with OpenSSH and takes the keys that people have already. git signs in the same way."""

from __future__ import annotations

import subprocess
from pathlib import Path

from suture_agent.errors import JournalError
from suture_agent.journal.shared import SIGNATURE

NAMESPACE = "suture-journal"
"""A signature for something else says nothing about a bundle."""
SECONDS = 120
"""A key may have a passphrase, which ssh-keygen asks for."""


def sign(manifest: Path, key: Path) -> None:
    """Sign a manifest with an SSH key; the signature lies beside it. Raises JournalError."""
    done = _run(["-Y", "sign", "-q", "-f", str(key), "-n", NAMESPACE, str(manifest)])
    if done.returncode or not manifest.with_name(SIGNATURE).exists():
        raise JournalError(f"the bundle could not be signed with {key}: {_said(done)}", remedy="give a private SSH key of yours")


def signer(manifest: Path, allowed: Path) -> str:
    """Who signed a manifest, by a file of allowed signers (`NAME KEYTYPE KEY` a line). Raises JournalError where nobody of them did."""
    signature = manifest.with_name(SIGNATURE)
    if not signature.exists():
        raise JournalError(f"{manifest.parent} is not signed", remedy="ask for a signed one, or import it with --unsigned if you trust it")
    found = _run(["-Y", "find-principals", "-s", str(signature), "-f", str(allowed)])
    name = found.stdout.decode("utf-8", "replace").split("\n")[0].strip()
    if found.returncode or not name:
        raise JournalError(
            f"nobody in {allowed} signed {manifest.parent}", remedy="add the signer's public key to that file, if you trust it"
        )
    checked = _run(["-Y", "verify", "-f", str(allowed), "-I", name, "-n", NAMESPACE, "-s", str(signature)], content=manifest.read_bytes())
    if checked.returncode:
        raise JournalError(f"the signature of {manifest.parent} is not good: {_said(checked)}", remedy="do not import it; ask for it again")
    return name


def _run(arguments: list[str], *, content: bytes | None = None) -> subprocess.CompletedProcess[bytes]:
    try:
        return subprocess.run(["ssh-keygen", *arguments], input=content, capture_output=True, check=False, timeout=SECONDS)
    except FileNotFoundError as error:
        raise JournalError("ssh-keygen is not installed", remedy="install OpenSSH's client") from error
    except subprocess.TimeoutExpired as error:
        raise JournalError(f"ssh-keygen did not end within {SECONDS} s", remedy="use a key without a passphrase, or an agent") from error


def _said(done: subprocess.CompletedProcess[bytes]) -> str:
    return " ".join((done.stderr + done.stdout).decode("utf-8", "replace").split())[:200] or f"exit code {done.returncode}"
