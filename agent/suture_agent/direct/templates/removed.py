"""Names and calls that Python or its standard library has moved, renamed or removed."""

from __future__ import annotations

import ast
from collections.abc import Mapping

from suture_agent.direct.templates.scene import Found, Scene, nodes

ABSTRACT = frozenset({
    "Callable", "Container", "Generator", "Hashable", "ItemsView", "Iterable", "Iterator", "KeysView", "Mapping", "MappingView",
    "MutableMapping", "MutableSequence", "MutableSet", "Sequence", "Set", "Sized", "ValuesView", "Awaitable", "Coroutine",
    "AsyncIterable", "AsyncIterator",
})  # fmt: skip
"""Names that left `collections` for `collections.abc`."""
_REMOVED: Mapping[str, str] = {
    "inspect.getargspec": "inspect.getfullargspec", "inspect.formatargspec": "inspect.signature", "time.clock": "time.perf_counter",
    "cgi.escape": "html.escape", "fractions.gcd": "math.gcd", "os.errno": "errno", "logging.warn": "logging.warning",
    "locale.format": "locale.format_string", "asyncio.async": "asyncio.ensure_future", "asyncio.get_event_loop": "asyncio.new_event_loop",
    "base64.encodestring": "base64.encodebytes", "base64.decodestring": "base64.decodebytes",
    "configparser.SafeConfigParser": "configparser.ConfigParser", "xml.etree.cElementTree": "xml.etree.ElementTree",
    "imp.reload": "importlib.reload", "importlib.find_loader": "importlib.util.find_spec", "ast.Str": "ast.Constant",
    "ast.Num": "ast.Constant", "ast.Bytes": "ast.Constant", "ast.NameConstant": "ast.Constant", "ast.Ellipsis": "ast.Constant",
    "gettext.lgettext": "gettext.gettext", "threading.currentThread": "threading.current_thread",
    "threading.activeCount": "threading.active_count", "unittest.makeSuite": "unittest.defaultTestLoader.loadTestsFromTestCase",
    "importlib.abc.Traversable": "importlib.resources.abc.Traversable",
    "typing.io": "typing", "typing.re": "typing", "pkgutil.find_loader": "importlib.util.find_spec",
    "asyncio.Task.all_tasks": "asyncio.all_tasks", "asyncio.Task.current_task": "asyncio.current_task",
    "inspect.getmoduleinfo": "inspect.getmodulename", "itertools.izip_longest": "itertools.zip_longest", "itertools.ifilter": "filter",
    "urllib.urlencode": "urllib.parse.urlencode", "urllib.quote": "urllib.parse.quote", "urllib.unquote": "urllib.parse.unquote",
    "urllib.quote_plus": "urllib.parse.quote_plus", "urllib.urlopen": "urllib.request.urlopen",
    "urlparse.urlparse": "urllib.parse.urlparse",
    "string.letters": "string.ascii_letters", "string.uppercase": "string.ascii_uppercase", "string.lowercase": "string.ascii_lowercase",
    "os.getcwdu": "os.getcwd", "plistlib.readPlist": "plistlib.load", "plistlib.writePlist": "plistlib.dump",
    "plistlib.readPlistFromString": "plistlib.loads", "plistlib.readPlistFromBytes": "plistlib.loads", "re.template": "re.compile",
    "types.StringType": "str", "types.ListType": "list", "types.DictType": "dict", "types.IntType": "int", "types.NoneType": "type(None)",
    "sys.setcheckinterval": "sys.setswitchinterval", "platform.dist": "platform.platform", "asyncio.JoinableQueue": "asyncio.Queue",
    "asyncio.coroutine": "types.coroutine",
    "sys.maxint": "sys.maxsize", "string.maketrans": "str.maketrans", "itertools.izip": "zip", "itertools.imap": "map",
}  # fmt: skip
"""Names that the standard library has moved or removed, with what its documentation gives in their place."""
_REMOVED_METHODS: Mapping[str, tuple[str, ...]] = {
    "isAlive": ("is_alive",), "notifyAll": ("notify_all",), "isSet": ("is_set",), "warn": ("warning",),
    "assertItemsEqual": ("assertCountEqual",), "assertRegexpMatches": ("assertRegex",), "assertRaisesRegexp": ("assertRaisesRegex",),
    "assertNotEquals": ("assertNotEqual",), "itervalues": ("values",), "iterkeys": ("keys",), "next": ("__next__",),
    "tostring": ("tobytes",), "fromstring": ("frombytes",), "getheader": ("get",), "getheaders": ("get_all",),
}  # fmt: skip


_BUILTINS: Mapping[str, str] = {
    "reduce": "functools.reduce", "xrange": "range", "unicode": "str", "basestring": "str", "unichr": "chr", "raw_input": "input",
    "long": "int", "izip": "zip", "imap": "map", "ifilter": "filter",
}  # fmt: skip
"""Built-in names that Python 3 does not have."""
_CALLS: Mapping[str, tuple[int, str]] = {
    "string.join": (2, "{second}.join({first})"), ".unescape": (1, "html.unescape({first})"),
    ".run_until_complete": (1, "asyncio.run({first})"), "hmac.new": (2, "hmac.new({first}, {second}, hashlib.sha256)"),
    "asyncio.wait": (1, "asyncio.wait([asyncio.ensure_future(each) for each in {first}])"),
    "importlib.resources.read_text": (2, "importlib.resources.files({first}).joinpath({second}).read_text()"),
}  # fmt: skip
"""Calls with their number of arguments, and what is written in their place today."""


def removed(scene: Scene) -> Found:
    """What the standard library has moved or removed, by the whole dotted name; a method that was given another name."""
    for node in nodes(scene, ast.Attribute):
        dotted = scene.text(node)
        if dotted in _REMOVED:
            yield scene.swap(node, _REMOVED[dotted]), node.lineno - 1, 2.0
        for other in _REMOVED_METHODS.get(node.attr, ()):
            yield scene.swap(node, f"{scene.text(node.value)}.{other}"), node.lineno - 1, 1.0


def forgotten(scene: Scene) -> Found:
    """Built-in names and calls of Python 2, and of modules that are gone."""
    for name in nodes(scene, ast.Name):
        if name.id in _BUILTINS and f"'{name.id}' is not defined" in scene.said:
            yield scene.swap(name, _BUILTINS[name.id]), name.lineno - 1, 2.0
    for call in nodes(scene, ast.Call):
        text, given = scene.text(call.func), [scene.text(each) for each in call.args]
        for called, (count, pattern) in _CALLS.items():
            if len(given) == count and (text == called or (called.startswith(".") and text.endswith(called))):
                known = {"owner": text.rpartition(".")[0], "first": given[0], "second": given[1] if count > 1 else ""}
                yield scene.swap(call, pattern.format_map(known)), call.lineno - 1, 1.5
        if text in ("json.loads", "json.load") and any(each.arg == "encoding" for each in call.keywords):
            yield scene.swap(call, f"{text}({', '.join(given)})"), call.lineno - 1, 1.5
        if text.endswith(".encode") and given in (["'hex'"], ['"hex"']):
            yield scene.swap(call, f"{text.removesuffix('.encode')}.hex()"), call.lineno - 1, 1.5
        if text == "ssl.wrap_socket":
            yield scene.swap(call, f"ssl.create_default_context().wrap_socket({', '.join(given)})"), call.lineno - 1, 1.5


def moved(scene: Scene) -> Found:
    """The import of what the standard library has moved or removed."""
    for node in nodes(scene, ast.ImportFrom):
        abstract = [scene.text(alias) for alias in node.names if alias.name in ABSTRACT]
        if node.module == "collections" and abstract:
            kept = [scene.text(alias) for alias in node.names if alias.name not in ABSTRACT]
            lines = [f"from collections import {', '.join(kept)}"] if kept else []
            yield scene.swap(node, "\n".join([*lines, f"from collections.abc import {', '.join(abstract)}"])), node.lineno - 1, 2.0
        for alias in node.names:
            module, _, name = _REMOVED.get(f"{node.module}.{alias.name}", "").rpartition(".")
            local = alias.asname or alias.name
            kept = [scene.text(each) for each in node.names if each is not alias]
            lines = [f"from {node.module} import {', '.join(kept)}"] if kept else []
            if module:
                lines.append(f"from {module} import {name}{f' as {local}' if name != local else ''}")
                yield scene.swap(node, "\n".join(lines)), node.lineno - 1, 2.0
    for plain in nodes(scene, ast.Import):
        alias = plain.names[0]
        if len(plain.names) == 1 and alias.name in _REMOVED:
            local = alias.asname or alias.name.rsplit(".", 1)[-1]
            yield scene.swap(plain, f"import {_REMOVED[alias.name]} as {local}"), plain.lineno - 1, 2.0
