"""A repository that tests fill commit by commit."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path


class Past:
    """A repository, commit by commit, a day apart."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.day = 0
        root.mkdir(parents=True, exist_ok=True)
        self.git("init", "-q", "-b", "main")

    def git(self, *arguments: str) -> str:
        moment = f"2024-03-{self.day + 1:02d}T12:00:00+00:00"
        who = {f"GIT_{role}_{what}": "somebody" for role in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
        dates = {"GIT_AUTHOR_DATE": moment, "GIT_COMMITTER_DATE": moment}
        env = {**os.environ, **who, **dates, "GIT_CONFIG_GLOBAL": os.devnull}
        return subprocess.run(["git", *arguments], cwd=self.root, env=env, capture_output=True, text=True, check=True).stdout.strip()

    def commit(self, files: dict[str, str | bytes | None]) -> str:
        for path, text in files.items():
            place = self.root / path
            place.parent.mkdir(parents=True, exist_ok=True)
            if text is None:
                place.unlink()
            else:
                place.write_bytes(text if isinstance(text, bytes) else text.encode())
        self.git("add", "-A")
        self.git("commit", "-q", "-m", "a change")
        self.day += 1
        return self.git("rev-parse", "HEAD")
