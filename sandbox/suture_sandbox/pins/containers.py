"""Images of containers: FROM and COPY --from of Dockerfiles, services of compose files. Only a digest pins."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from suture_sandbox.pins.finding import Floating, Tree
from suture_sandbox.pins.markup import Node, read_yaml

DOCKERFILES = ("Dockerfile", "Dockerfile.*", "*.Dockerfile", "*.dockerfile", "Containerfile", "Containerfile.*")
_COMPOSE = ("docker-compose*.yml", "docker-compose*.yaml", "compose.yml", "compose.yaml", "compose.*.yml", "compose.*.yaml")
_VARIABLE = re.compile(r"\$\{([A-Za-z_]\w{0,99})(?::?-([^{}$]{0,200}))?\}|\$([A-Za-z_]\w{0,99})")
_HOW = "name the digest: {name}@sha256:... (docker buildx imagetools inspect {image})"


def floating(tree: Tree) -> Iterator[Floating]:
    """Images without a digest."""
    for path in tree.named(*DOCKERFILES):
        yield from _dockerfile(tree, path)
    for path in tree.named(*_COMPOSE):
        for service in read_yaml(tree, path).get("services").keys.values():
            image = service.get("image")
            if image.text and "build" not in service.keys:  # what is built here is only named by it
                yield from open_image(path, image.line, _filled(image.text, {}) or "")


def open_image(path: str, line: int, image: str, ecosystem: str = "containers") -> Iterator[Floating]:
    """The finding for an image, none where it has a digest or is not known."""
    if not image or "$" in image or "@sha256:" in image or image == "scratch":
        return
    name, colon, tag = image.rpartition(":")
    if not colon or "/" in tag:
        name, tag = image, ""
    why = f"the tag {tag} can be moved to another image" if tag and tag != "latest" else "latest is another image with every release"
    yield Floating(ecosystem=ecosystem, path=path, line=line, what=image, why=why, pin=_HOW.format(name=name, image=image))


def logical_lines(tree: Tree, path: str) -> Iterator[tuple[int, str]]:
    """Lines of a Dockerfile or a shell script with their continuations, comments left out; the number is the first line's."""
    waiting, first = "", 0
    for number, line in tree.lines(path):
        stripped = line.strip()
        if stripped.startswith("#"):
            continue
        first = first if waiting else number
        if stripped.endswith("\\") and len(waiting) < 1 << 15:
            waiting += stripped[:-1] + " "
            continue
        yield first, waiting + stripped
        waiting = ""


def _dockerfile(tree: Tree, path: str) -> Iterator[Floating]:
    defaults: dict[str, str] = {}
    stages: set[str] = set()
    for number, line in logical_lines(tree, path):
        instruction, _, rest = line.partition(" ")
        words = [word for word in rest.split() if not word.startswith("--")]
        if instruction.upper() == "ARG" and words and not stages:
            name, equals, value = words[0].partition("=")
            if equals:
                defaults[name] = value.strip("\"'")
        elif instruction.upper() == "FROM" and words:
            image = _filled(words[0], defaults)
            if image and image.lower() not in stages:
                yield from open_image(path, number, image)
            stages.add(words[2].lower() if len(words) > 2 and words[1].upper() == "AS" else f" {number}")
        elif found := re.match(r"--from=(\S+)", rest.lstrip()):
            image = _filled(found[1], defaults)
            if image and image.lower() not in stages and not image.isdigit():
                yield from open_image(path, number, image)


def _filled(text: str, defaults: Mapping[str, str]) -> str | None:
    """The text with its variables at their defaults; None where one has none."""
    values = {found[0]: defaults.get(found[1] or found[3], found[2]) for found in _VARIABLE.finditer(text)}
    if None in values.values():
        return None
    return _VARIABLE.sub(lambda found: values[found[0]], text)


def images_of(path: str, job: Node) -> Iterator[Floating]:
    """Images that a job of a workflow runs in."""
    container = job.get("container")
    named = [container if container.text else container.get("image")]
    named += [service.get("image") for service in job.get("services").keys.values()]
    for image in named:
        yield from open_image(path, image.line, image.text, "actions")
