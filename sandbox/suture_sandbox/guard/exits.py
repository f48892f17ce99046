"""Early exits: ending the process, or the test, before it can fail.

Leaving a program from its main block is what programs do and passes.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from suture_sandbox.guard.problem import failing_text
from suture_sandbox.guard.records import GuardContext, GuardFinding, GuardPolicy
from suture_sandbox.guard.source import Hit, Module, added, bound_names, changes, import_time, line_of, main_block, references
from suture_sandbox.patch import Patch
from suture_sandbox.snapshot import Snapshot

_HARD = re.compile(
    r"os\.(_exit|abort|kill|killpg|exec\w+)|atexit\.\w+|signal\.(signal|alarm|setitimer|raise_signal|pthread_kill)|_thread\.interrupt_main|"
    r"faulthandler\.\w+"
)
_SOFT = re.compile(r"sys\.exit|exit|quit|SystemExit|builtins\.(exit|quit|SystemExit)|KeyboardInterrupt")
_SKIPS = re.compile(
    r"_?pytest\.(outcomes\.)?(skip|exit|xfail|importorskip|fail)(\.Exception)?|unittest\.(case\.)?(SkipTest|skip\w*|expectedFailure)|SkipTest"
)
_WORKED = re.compile(r"SystemExit|exit_code|returncode|sys\.exit")


def check(patch: Patch, snapshot: Snapshot, context: GuardContext, policy: GuardPolicy) -> Iterator[GuardFinding]:  # noqa: ARG001  # a rule's shape
    """Refuse new ways out."""
    files = changes(patch)
    asked = bool(_WORKED.search(failing_text(snapshot, context)))
    for change, hit in added(files, lambda module: _exits(module, asked=asked)):
        yield GuardFinding(rule=hit.key.partition(":")[0], path=change.path, line=hit.line, message=hit.message)


def _exits(module: Module, *, asked: bool) -> Iterator[Hit]:
    main = main_block(module)
    own = bound_names(module)
    imported = {id(node) for node in import_time(module)}
    handled = {id(inner) for node in module.nodes if isinstance(node, ast.ExceptHandler) and node.type for inner in ast.walk(node.type)}
    for name, node in references(module):
        if node in main or id(node) in handled or (isinstance(node, ast.Name) and node.id in own):
            continue
        if _HARD.fullmatch(name):
            yield Hit(f"exits-process:{name}", line_of(node), f"it adds {name}, which can end the test run before a check fails")
        elif _SKIPS.fullmatch(name):
            yield Hit(f"exits-skip:{name}", line_of(node), f"it adds {name} to source code, which makes tests stop without failing")
        elif _SOFT.fullmatch(name) and (not asked or id(node) in imported):
            yield Hit(f"exits-process:{name}", line_of(node), f"it adds {name}, which ends the program instead of mending the problem")
