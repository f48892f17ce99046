"""Maven: ranges, LATEST, RELEASE and SNAPSHOT in pom.xml, properties of the file filled in. A plain version is one for ever."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from suture_sandbox.pins.finding import Floating, Tree, folder_of
from suture_sandbox.pins.markup import Element, read_xml

_ARTIFACTS = frozenset({"dependency", "plugin", "extension", "parent", "path"})


def floating(tree: Tree) -> Iterator[Floating]:
    """Artifacts whose version is not one."""
    poms = {path: read_xml(tree, path) for path in tree.named("pom.xml")}
    own = {pom.value("artifactId") for pom in poms.values()}
    for path, pom in poms.items():
        properties = {item.name: item.text.strip() for each in pom.walk() if each.name == "properties" for item in each.children}
        for element in pom.walk():
            if element.name in _ARTIFACTS and element.value("artifactId") not in own:
                yield from _artifact(path, element, properties)
        if tree.has(wrapper := f"{folder_of(path)}.mvn/wrapper/maven-wrapper.properties"):
            yield from open_wrapper(tree, wrapper, "maven")


def open_range(version: str) -> str:
    """Why a version of Maven or Ivy floats; empty where it is one version."""
    upper = version.upper()
    if upper in ("LATEST", "RELEASE") or upper.startswith("LATEST."):
        return "the newest release is taken on the day"
    if upper.endswith("-SNAPSHOT"):
        return "a snapshot is built again under the same version"
    if exact := re.fullmatch(r"\[([^,\[\]()]+)\]", version):
        return open_range(exact[1])
    if version[:1] in ("[", "(", "]") or version.endswith("+"):
        return "the newest release in the range is taken on the day"
    return ""


def open_wrapper(tree: Tree, path: str, ecosystem: str) -> Iterator[Floating]:
    """A wrapper that downloads its tool without knowing the content's hash."""
    text = tree.text(path)
    if "distributionUrl" in text and "distributionSha256Sum" not in text:
        for number, line in tree.lines(path):
            if line.startswith("distributionUrl"):
                what = line.partition("=")[2].rpartition("/")[2].strip()
                why = "the version is pinned, what is downloaded is not"
                yield Floating(ecosystem=ecosystem, path=path, line=number, what=what, why=why, pin="add distributionSha256Sum=...")


def _artifact(path: str, element: Element, properties: Mapping[str, str]) -> Iterator[Floating]:
    for version in element.all("version")[:1]:
        value = re.sub(r"\$\{([\w.-]{1,100})\}", lambda found: properties.get(found[1], found[0]), version.text.strip())
        if why := open_range(value):
            what = f"{element.value('groupId')}:{element.value('artifactId')} {value}"
            yield Floating(ecosystem="maven", path=path, line=version.line, what=what, why=why, pin="name one released version")
