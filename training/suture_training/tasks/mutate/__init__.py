"""Mutations: small mistakes put into healthy code, after the kinds that people make.

Every operator is a plain generator from a file to changes of its text; one file a family, one line each in `OPERATORS`. What an operator
proposes need not be wrong, nor be noticed: `verify` decides. The order in which candidates come is decided by a seed, and takes from all
functions in turn, from each the operator that was used least, so that a small set is as mixed as a large one.
"""

from __future__ import annotations

import ast
import difflib
import random
from collections import Counter
from collections.abc import AsyncIterator, Callable, Collection, Iterable, Iterator, Mapping, Sequence

import msgspec

from suture_agent.direct.units import parse
from suture_sandbox.checks import CheckKind
from suture_sandbox.errors import ConfigurationError
from suture_sandbox.guard.paths import is_test, kind_of
from suture_sandbox.identity import identity_of
from suture_training.tasks.archive import Files
from suture_training.tasks.candidate import Candidate, Proposal, ready
from suture_training.tasks.coverage import Coverage
from suture_training.tasks.mutate import (
    calls,
    classes,
    control,
    exceptions,
    hints,
    imports,
    lint,
    names,
    numbers,
    operators,
    statements,
    texts,
)
from suture_training.tasks.mutate.code import Change, Changes, Code
from suture_training.tasks.task import Edit, Origin

__all__ = ["OPERATORS", "Mutant", "Mutations", "Operator", "mutants", "refuse_unknown"]

LARGEST_FILE = 400_000
"""Characters of a file that is changed; larger ones are data or generated."""


class Operator(msgspec.Struct, frozen=True):
    """A kind of mistake, and the kind of check that is to notice it."""

    changes: Callable[[Code], Changes]
    kind: CheckKind = "tests"


OPERATORS: Mapping[str, Operator] = {
    "compare": Operator(operators.compare),
    "membership": Operator(operators.membership),
    "arithmetic": Operator(operators.arithmetic),
    "operands": Operator(operators.operands),
    "bitwise": Operator(operators.bitwise),
    "boolean": Operator(operators.boolean),
    "augmented": Operator(operators.augmented),
    "unary": Operator(operators.unary),
    "constant": Operator(numbers.constants),
    "truth": Operator(numbers.truth),
    "range": Operator(numbers.ranges),
    "slice": Operator(numbers.slices),
    "index": Operator(numbers.indices),
    "length": Operator(numbers.lengths),
    "counted-from": Operator(numbers.counted_from),
    "variable": Operator(names.variables),
    "attribute": Operator(names.attributes),
    "method": Operator(names.methods),
    "function": Operator(names.functions),
    "half-rename": Operator(names.renamed),
    "key": Operator(names.keys),
    "swapped-arguments": Operator(calls.swapped),
    "missing-argument": Operator(calls.missing_argument),
    "missing-step": Operator(calls.missing_step),
    "missing-copy": Operator(calls.missing_copy),
    "missing-wrapper": Operator(calls.missing_wrapper),
    "missing-await": Operator(calls.missing_await),
    "missing-call": Operator(calls.missing_call),
    "dropped": Operator(statements.dropped),
    "duplicated": Operator(statements.duplicated),
    "reordered": Operator(statements.reordered),
    "missing-return": Operator(statements.missing_return),
    "returned-early": Operator(statements.returned_early),
    "other-jump": Operator(statements.other_jump),
    "missing-jump": Operator(statements.missing_jump),
    "yielded": Operator(statements.yielded),
    "negated": Operator(control.negated),
    "halved": Operator(control.halved),
    "missing-guard": Operator(control.missing_guard),
    "missing-base-case": Operator(control.missing_base_case),
    "unconditional": Operator(control.unconditional),
    "missing-branch": Operator(control.missing_branch),
    "once": Operator(control.once),
    "other-branch": Operator(control.other_branch),
    "other-value": Operator(control.other_value),
    "caught": Operator(exceptions.caught),
    "raised": Operator(exceptions.raised),
    "unhandled": Operator(exceptions.unhandled),
    "swallowed": Operator(exceptions.swallowed),
    "missing-cleanup": Operator(exceptions.missing_cleanup),
    "missing-cause": Operator(exceptions.cause),
    "default": Operator(classes.defaults),
    "mutable-default": Operator(classes.mutable_default),
    "missing-decorator": Operator(classes.missing_decorator),
    "missing-super": Operator(classes.missing_super),
    "forgotten-self": Operator(classes.forgotten_self),
    "missing-base": Operator(classes.missing_base),
    "other-result": Operator(classes.other_result),
    "format": Operator(texts.formats),
    "pattern": Operator(texts.patterns),
    "literal": Operator(texts.literals),
    "encoding": Operator(texts.encodings),
    "import-renamed": Operator(imports.renamed),
    "import-moved": Operator(imports.moved),
    "import-missing": Operator(imports.missing),
    "exported": Operator(imports.exported),
    "wrong-annotation": Operator(hints.wrong, "types"),
    "not-optional": Operator(hints.not_optional, "types"),
    "too-wide": Operator(hints.too_wide, "types"),
    "unannotated": Operator(hints.unannotated, "types"),
    "import-unused": Operator(imports.unused, "lint"),
    "equal-to-none": Operator(lint.equal_to_none, "lint"),
    "not-in": Operator(lint.not_in, "lint"),
    "empty-format": Operator(lint.empty_format, "lint"),
    "unread": Operator(lint.unread, "lint"),
    "bare-except": Operator(lint.bare, "lint"),
    "compared-with-truth": Operator(lint.compared_with_truth, "lint"),
}
"""Name -> operator. A name is kept for good: it is in the sets that were made with it."""


def refuse_unknown(operators: Iterable[str]) -> None:
    """Raise ConfigurationError, with the nearest name, where an operator is asked for that there is none of."""
    for name in operators:
        if name not in OPERATORS:
            near = difflib.get_close_matches(name, OPERATORS, n=1, cutoff=0) or ["compare"]
            raise ConfigurationError(f"no operator is called {name}", remedy=f"the nearest is {near[0]}; there are {', '.join(OPERATORS)}")


class Mutant(msgspec.Struct, frozen=True, kw_only=True):
    """One change of one file."""

    path: str
    operator: str
    change: Change
    place: tuple[str, str]
    """Path and dotted name of the function that is changed, the module's own code where that is empty."""

    @property
    def key(self) -> str:
        """Names it among all mutants of the same text."""
        return identity_of([self.path, self.operator, self.change])[:20]


class Mutations:
    """The mutants of a workspace, as candidates."""

    def __init__(
        self,
        files: Files,
        kinds: Iterable[CheckKind],
        coverage: Coverage,
        *,
        seed: int,
        repository: str,
        time: str,
        workspace: str,
        operators: Collection[str] = (),
    ) -> None:
        """`operators`: names of those that are used; all where empty."""
        self._operators = frozenset(operators or OPERATORS)
        self._texts = source_texts(files)
        self._kinds = frozenset(kinds)
        self._coverage = coverage
        self._seed = seed
        self._origin = Origin(kind="mutation", repository=repository, time=time)
        self._workspace = workspace

    async def proposals(self) -> AsyncIterator[Proposal]:
        """All mutants that parse and mean something else, mixed."""
        for mutant in mixed(list(self.found()), self._seed):
            healthy = self._texts[mutant.path]
            broken = mutant.change.apply(healthy)
            if _means_something_else(healthy, broken, OPERATORS[mutant.operator].kind):
                yield ready(f"{self._workspace[:12]}:{mutant.key}", self._candidate(mutant, healthy, broken))

    def found(self) -> Iterator[Mutant]:
        """Every mutant of the kinds that checks can notice, in functions that tests run."""
        for path, text in self._texts.items():
            code = Code.read(path, text)
            if code is None:
                continue
            for mutant, line in mutants(code):
                kind = OPERATORS[mutant.operator].kind
                if (
                    mutant.operator in self._operators
                    and kind in self._kinds
                    and (kind != "tests" or not line or self._coverage.runs(path, line))
                ):
                    yield mutant

    def _candidate(self, mutant: Mutant, healthy: str, broken: str) -> Candidate:
        return Candidate(
            origin=msgspec.structs.replace(self._origin, name=mutant.operator),
            broken=(Edit(path=mutant.path, text=broken),),
            gold=(Edit(path=mutant.path, text=healthy),),
            kind=OPERATORS[mutant.operator].kind,
        )


def source_texts(files: Files) -> dict[str, str]:
    """The Python files of a workspace that a mend may touch: neither tests nor configuration; path -> text, sorted."""
    found: dict[str, str] = {}
    for path in sorted(files):
        if path.endswith(".py") and not is_test(path) and not kind_of(path) and len(files[path].content) <= LARGEST_FILE:
            try:
                found[path] = files[path].content.decode("utf-8")
            except UnicodeDecodeError:
                continue
    return found


def mutants(code: Code) -> Iterator[tuple[Mutant, int]]:
    """All mutants of a file, each once, with the first line of the function that it changes (0: the module's own code)."""
    seen: set[Change] = set()
    for name, operator in OPERATORS.items():
        for change in sorted(operator.changes(code), key=lambda change: change.edits):
            if change not in seen:
                seen.add(change)
                scope = code.scope(change.start)
                yield Mutant(path=code.path, operator=name, change=change, place=(code.path, scope.name)), scope.line


def mixed(found: Sequence[Mutant], seed: int) -> Iterator[Mutant]:
    """The mutants in turns: one of every function, by the operator that was used least so far; a seed decides what that leaves open."""
    chance = random.Random(seed)  # noqa: S311  # an order, no secret
    left: dict[tuple[str, str], dict[str, list[Mutant]]] = {}
    for mutant in found:
        left.setdefault(mutant.place, {}).setdefault(mutant.operator, []).append(mutant)
    for groups in left.values():
        for group in groups.values():
            chance.shuffle(group)
    used: Counter[str] = Counter()
    places = list(left)
    while places:
        chance.shuffle(places)
        for place in places:
            groups = left[place]
            fewest = min(used[name] for name in groups)
            name = chance.choice([name for name in groups if used[name] == fewest])
            used[name] += 1
            yield groups[name].pop()
            if not groups[name]:
                del groups[name]
        places = [place for place in places if left[place]]


def _means_something_else(healthy: str, broken: str, kind: CheckKind) -> bool:
    """Whether the broken text parses, and is another program; for a linter another text is enough."""
    tree = parse(broken)
    if tree is None or broken == healthy:
        return False
    before = parse(healthy)
    return kind == "lint" or before is None or ast.dump(before) != ast.dump(tree)
