"""Manipulation of what runs the checks: the test runner, other modules' attributes, the interpreter, the file system at import."""

from __future__ import annotations

import ast
import builtins
import re
import sys
from collections.abc import Iterator

from suture_sandbox.guard.records import GuardContext, GuardFinding, GuardPolicy
from suture_sandbox.guard.source import Change, Hit, Module, added, changes, import_time, line_of, references
from suture_sandbox.patch import Patch
from suture_sandbox.snapshot import Snapshot

_INTERPRETER = re.compile(
    r"sys\.(settrace|setprofile|monitoring(\.\w+)*|setrecursionlimit|meta_path(\.\w+)?|path_hooks(\.\w+)?|path_importer_cache|addaudithook|"
    r"path\.(insert|append|extend|remove|pop|clear)|excepthook|unraisablehook|displayhook|modules(\.\w+)?)|"
    r"threading\.(settrace|setprofile|excepthook)(_all_threads)?|site\.addsitedir|importlib\.(reload|invalidate_caches)|"
    r"gc\.(get_objects|get_referrers|get_referents)|ctypes\.\S+|faulthandler\.\w+|__builtins__(\.\S+)?|_testcapi\S*|runpy\.\w+|"
    r"importlib\.(util|machinery|abc)\.(spec_from_file_location|SourceFileLoader|MetaPathFinder)|inspect\.getsource\w*"
)
_TOOLING = frozenset({"pytest", "_pytest", "unittest", "doctest", "nose", "hypothesis", "pluggy", "coverage", "xdist", "pytest_asyncio"})
_PROCESSES = re.compile(
    r"subprocess\.\w+|os\.(system|popen|spawn\w+|fork|forkpty|posix_spawnp?|startfile)|pty\.\w+|multiprocessing\.Process"
)
_NETWORK = re.compile(r"(socket|urllib\.request|http\.client|requests|httpx|ftplib|smtplib|telnetlib)\.\w+")
_FILES = re.compile(
    r"os\.(remove|unlink|rename|replace|rmdir|removedirs|mkdir|makedirs|symlink|link|truncate|chmod|chdir|putenv|write)|"
    r"shutil\.(rmtree|move|copy\w*|chown)|tempfile\.\w+"
)
_PATH_WRITES = frozenset({"write_text", "write_bytes", "unlink", "touch", "rename", "symlink_to", "hardlink_to", "rmdir"})
_DUNDERS = frozenset(
    {
        "__class__",
        "__code__",
        "__globals__",
        "__builtins__",
        "__bases__",
        "__mro__",
        "__defaults__",
        "__kwdefaults__",
        "f_locals",
        "f_globals",
    }
)
_TRUSTED = frozenset({"isinstance", "issubclass", "len", "type", "getattr", "hasattr", "super", "object", "bool", "int", "str", "float"})
_COLLECTION = frozenset({"__test__", "collect_ignore", "collect_ignore_glob", "pytestmark", "pytest_plugins"})
_FROM_TESTS = re.compile(r"\.*((?:\w+\.)*(tests?|conftest|test_\w+|\w+_test))(\..*)?")


def check(patch: Patch, snapshot: Snapshot, context: GuardContext, policy: GuardPolicy) -> Iterator[GuardFinding]:  # noqa: ARG001  # a rule's shape
    """Refuse new reaches into what runs the checks."""
    files = changes(patch)
    for find in (_imports, _patches, _builtins, _interpreter, _at_import, _collection):
        for change, hit in added(files, find):
            yield GuardFinding(rule=hit.key.partition(":")[0], path=change.path, line=hit.line, message=hit.message)
    for change in files:
        yield from _processes(change)


def _imports(module: Module) -> Iterator[Hit]:
    """Test tooling, or tests, imported by source."""
    for node in module.nodes:
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            prefix = "." * node.level + (node.module or "")
            names = [f"{prefix}.{alias.name}" if node.level else prefix for alias in node.names][: 1 if not node.level else None]
        else:
            continue
        for name in names:
            if name.partition(".")[0] in _TOOLING:
                yield Hit(f"runner-tooling:{name}", line_of(node), f"it imports {name} into source code, which has no use for test tooling")
            elif _FROM_TESTS.fullmatch(name) and not name.startswith("test."):
                yield Hit(f"runner-tests:{name}", line_of(node), f"it imports {name}, so that source code knows its own tests")


def _patches(module: Module) -> Iterator[Hit]:
    """Assignments to attributes of other modules and of the interpreter's own."""
    early = {id(node) for node in import_time(module)}
    for node in module.nodes:
        for target in _targets(node):
            base = target.value if isinstance(target, ast.Attribute | ast.Subscript) else None
            if base is None:
                continue
            if isinstance(target, ast.Attribute) and target.attr in _DUNDERS:
                yield Hit(f"runner-internals:{target.attr}", line_of(node), f"it assigns {target.attr}, which changes what other code runs")
            elif _foreign(module, target, early=id(node) in early):
                name = module.name(target) or module.name(base)
                yield Hit(f"runner-patch:{name}", line_of(node), f"it replaces {name}, which belongs to another module")
        if isinstance(node, ast.Call):
            yield from _setattr(module, node, early=id(node) in early)


def _builtins(module: Module) -> Iterator[Hit]:
    """Names of the interpreter that the file gives another meaning: what it asserts and catches is then something else."""
    for node in module.tree.body:
        names = [target.id for target in _targets(node) if isinstance(target, ast.Name)]
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            names.append(node.name)
        for name in names:
            error = getattr(builtins, name, None)
            if name in _TRUSTED or (isinstance(error, type) and issubclass(error, BaseException)):
                yield Hit(f"runner-builtins:{name}", line_of(node), f"it gives {name} another meaning in this file")


def _targets(node: ast.AST) -> list[ast.expr]:
    if isinstance(node, ast.Assign):
        found = node.targets
    elif isinstance(node, ast.AugAssign | ast.AnnAssign | ast.For | ast.NamedExpr):
        found = [node.target]
    elif isinstance(node, ast.Delete):
        found = node.targets
    elif isinstance(node, ast.withitem) and node.optional_vars:
        found = [node.optional_vars]
    else:
        return []
    return [inner for target in found for inner in (target.elts if isinstance(target, ast.Tuple | ast.List) else [target])]


def _foreign(module: Module, target: ast.expr, *, early: bool) -> bool:
    """Whether an assigned attribute or item belongs to an imported module, or to something imported while the file is imported."""
    node: ast.AST = target
    depth = 0
    while isinstance(node, ast.Attribute | ast.Subscript):
        node = node.value
        depth += 1
    if isinstance(node, ast.Call):
        called = module.name(node.func)
        return called in ("vars", "globals", "__import__", "importlib.import_module") or bool(_called_module(module, node))
    root = node.id if isinstance(node, ast.Name) else ""
    if root == "__builtins__":
        return True
    if root not in module.imports or depth == 0:
        return False
    full = module.name(target.value) if isinstance(target, ast.Subscript) else module.name(target)
    if full == "os.environ":
        return early
    if isinstance(target, ast.Subscript) and full != "sys.modules" and not full.endswith("__dict__"):
        return early and root in module.modules
    top = module.imports[root].partition(".")[0]
    return early or root in module.modules or top in sys.stdlib_module_names or top in _TOOLING


def _called_module(module: Module, call: ast.Call) -> str:
    return module.name(call) if call.args and isinstance(call.func, ast.Name) and call.func.id == "getattr" else ""


def _setattr(module: Module, call: ast.Call, *, early: bool) -> Iterator[Hit]:
    called = module.name(call.func)
    if called in ("setattr", "builtins.setattr", "delattr") and call.args:
        first = call.args[0]
        attribute = call.args[1].value if len(call.args) > 1 and isinstance(call.args[1], ast.Constant) else ""
        root = module.name(first).partition(".")[0]
        outside = isinstance(first, ast.Name | ast.Attribute) and any(
            module.imports.get(node.id, "") for node in ast.walk(first) if isinstance(node, ast.Name)
        )
        if attribute in _DUNDERS or (outside and (early or root in sys.stdlib_module_names or root in _TOOLING)):
            yield Hit(f"runner-patch:setattr {module.name(first)}", line_of(call), f"it sets an attribute of {module.name(first)}")
    elif called.startswith(("unittest.mock.patch", "mock.patch")):
        yield Hit(f"runner-patch:{called}", line_of(call), "it patches other code with a mock")


def _interpreter(module: Module) -> Iterator[Hit]:
    for name, node in references(module):
        if _INTERPRETER.fullmatch(name):
            yield Hit(f"runner-interpreter:{name}", line_of(node), f"it uses {name}, which changes or looks into what runs the checks")
    for node in module.nodes:
        if any(module.name(target) in ("sys.path", "sys.meta_path", "sys.path_hooks") for target in _targets(node)):
            yield Hit("runner-interpreter:sys.path", line_of(node), "it changes where modules are imported from")


def _at_import(module: Module) -> Iterator[Hit]:
    """Processes, network and file writes that happen when the file is imported."""
    for node in import_time(module):
        if not isinstance(node, ast.Call):
            continue
        name = module.name(node.func)
        writes = (
            _FILES.fullmatch(name) or (isinstance(node.func, ast.Attribute) and node.func.attr in _PATH_WRITES) or _opens_to_write(node)
        )
        if _PROCESSES.fullmatch(name) or _NETWORK.fullmatch(name):
            yield Hit(f"runner-import:{name}", line_of(node), f"it calls {name} when the file is imported")
        elif writes:
            yield Hit("runner-import:write", line_of(node), "it writes or removes files when the file is imported")


def _opens_to_write(call: ast.Call) -> bool:
    function = call.func.attr if isinstance(call.func, ast.Attribute) else call.func.id if isinstance(call.func, ast.Name) else ""
    if function not in ("open", "fdopen"):
        return False
    modes = [*call.args[:2], *(keyword.value for keyword in call.keywords if keyword.arg == "mode")]
    return any(
        isinstance(mode, ast.Constant) and isinstance(mode.value, str) and re.fullmatch(r"[rbt+]*[wax+][rbtwax+]*", mode.value)
        for mode in modes
    )


def _collection(module: Module) -> Iterator[Hit]:
    """Names by which pytest is told what to run, and hooks of it."""
    for node in module.nodes:
        for target in _targets(node):
            name = target.id if isinstance(target, ast.Name) else target.attr if isinstance(target, ast.Attribute) else ""
            if name in _COLLECTION:
                yield Hit(f"runner-collection:{name}", line_of(node), f"it sets {name}, which tells the test runner what to leave out")
        if isinstance(node, ast.FunctionDef) and node.name.startswith("pytest_"):
            yield Hit(f"runner-collection:{node.name}", line_of(node), f"it defines {node.name}, a hook of the test runner")


def _processes(change: Change) -> Iterator[GuardFinding]:
    """Processes started by a file that started none before."""
    if change.after is None or change.created or (change.before is None and re.search(r"subprocess|os\.(system|popen|spawn)", change.old)):
        return
    if change.before and any(_PROCESSES.fullmatch(name) for name, _node in references(change.before)):
        return
    for name, node in references(change.after):
        if _PROCESSES.fullmatch(name):
            yield GuardFinding(
                rule="runner-process",
                path=change.path,
                line=line_of(node),
                message=f"it starts a process with {name}, which this file did not do before",
            )
            return
