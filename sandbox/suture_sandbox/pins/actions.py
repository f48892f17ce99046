"""GitHub Actions: `uses` without a commit, images without a digest, runners called latest."""

from __future__ import annotations

import re
from collections.abc import Iterator

from suture_sandbox.pins.commands import WORKFLOWS
from suture_sandbox.pins.containers import images_of, open_image
from suture_sandbox.pins.finding import Floating, Tree
from suture_sandbox.pins.markup import Node, read_yaml


def floating(tree: Tree) -> Iterator[Floating]:
    """Steps and jobs of workflows that may be others tomorrow."""
    for path in tree.named(*WORKFLOWS):
        document = read_yaml(tree, path)
        for key, node in document.walk():
            if key == "uses" and node.text:
                yield from _uses(path, node)
        for job in document.get("jobs").keys.values():
            yield from images_of(path, job)
            runner = job.get("runs-on")
            for name in (runner, *runner.items):
                if name.text.endswith("-latest"):
                    why = "latest is another system every few months"
                    yield Floating(
                        ecosystem="actions", path=path, line=name.line, what=name.text, why=why, pin="name the release: ubuntu-24.04"
                    )


def _uses(path: str, node: Node) -> Iterator[Floating]:
    text = node.text.strip()
    if text.startswith("docker://"):
        yield from open_image(path, node.line, text.removeprefix("docker://"), "actions")
        return
    action, _, reference = text.partition("@")
    if text.startswith(("./", "$")) or re.fullmatch(r"[0-9a-f]{40}", reference):
        return
    is_tag = re.match(r"v?\d", reference)
    why = f"the tag {reference} can be moved to other code" if is_tag else f"{reference or 'the default branch'} is a branch: it moves"
    pin = f"name the commit: {action}@COMMIT # {reference}"
    yield Floating(ecosystem="actions", path=path, line=node.line, what=text, why=why, pin=pin)
