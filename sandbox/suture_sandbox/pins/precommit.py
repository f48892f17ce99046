"""pre-commit: revisions that are branches, and packages that hooks add without a version. A tag with a version is what its users pin by."""

from __future__ import annotations

import re
from collections.abc import Iterator

from suture_sandbox.pins.finding import Floating, Tree
from suture_sandbox.pins.markup import read_yaml
from suture_sandbox.pins.python import open_requirement

_PINNED = re.compile(r"[0-9a-f]{40}|.*\d.*")


def floating(tree: Tree) -> Iterator[Floating]:
    """Hooks that may be others tomorrow."""
    for path in tree.named(".pre-commit-config.yaml", ".pre-commit-config.yml"):
        for repository in read_yaml(tree, path).get("repos").items:
            revision, name = repository.get("rev"), repository.get("repo").text
            if name not in ("local", "meta", "") and not _PINNED.fullmatch(revision.text):
                why = f"{revision.text or 'the default branch'} is a branch: it moves"
                pin = "pre-commit autoupdate --freeze"
                yield Floating(
                    ecosystem="pre-commit",
                    path=path,
                    line=revision.line or repository.line,
                    what=f"{name} {revision.text}",
                    why=why,
                    pin=pin,
                )
            for hook in repository.get("hooks").items:
                for item in hook.get("additional_dependencies").items:
                    if "@" not in item.text and (why := open_requirement(item.text)):
                        yield Floating(
                            ecosystem="pre-commit",
                            path=path,
                            line=item.line,
                            what=item.text,
                            why=why,
                            pin="name one version: types-requests==2.32.0",
                        )
