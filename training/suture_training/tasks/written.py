"""Bugs that a policy writes: it is shown a function that works, and writes it anew with a subtle mistake.

Any policy will do. What it writes is a candidate like all others: it has to fail a check, every time, and the function as it was has to
mend it. Comments that were not there before are taken out, since they may say where the mistake is.
"""

from __future__ import annotations

import ast
import io
import random
import tokenize
from collections.abc import AsyncIterator
from importlib import resources

from suture_agent.direct.answers import code_in, rewrite
from suture_agent.direct.units import Unit, definitions, first_line, parse, unit_of
from suture_agent.policies import ChatRequest, Message, Policy, PolicyIdentity
from suture_sandbox.identity import identity_of
from suture_sandbox.patch import FileEdit, Patch
from suture_training.tasks.archive import Files
from suture_training.tasks.candidate import Candidate, Dropped, Proposal
from suture_training.tasks.coverage import Coverage
from suture_training.tasks.mutate import source_texts
from suture_training.tasks.mutate.code import Function, without_docstring
from suture_training.tasks.task import Edit, Origin

SAMPLES = 4
"""Bugs that are asked for in one function, the first of all functions before the second of any."""
FEWEST_LINES, MOST_LINES = 3, 120
MOST_NAMED = 8
TEMPERATURE = 0.8
_SPARE_TOKENS = 400
"""Beside the function's own length."""


class Written:
    """Bugs by a policy, in functions that tests run."""

    def __init__(
        self,
        files: Files,
        policy: Policy,
        identity: PolicyIdentity,
        coverage: Coverage,
        *,
        check: str,
        seed: int,
        repository: str,
        time: str,
    ) -> None:
        """`check`: the name of the check whose tests are told to the policy."""
        self._texts = source_texts(files)
        self._policy = policy
        self._identity = identity
        self._coverage = coverage
        self._check = check
        self._seed = seed
        self._origin = Origin(kind="written", repository=repository, name=identity.name, time=time)

    async def proposals(self) -> AsyncIterator[Proposal]:
        """One candidate a function and sample."""
        units = [unit for path, text in self._texts.items() for unit in self._units(path, text)]
        random.Random(self._seed).shuffle(units)  # noqa: S311  # an order, no secret
        for sample in range(SAMPLES):
            for unit in units:
                yield self._proposal(unit, sample)

    def _units(self, path: str, text: str) -> list[Unit]:
        tree = parse(text)
        found: list[Unit] = []
        for name, node in definitions(tree) if tree is not None else ():
            if not isinstance(node, ast.ClassDef) and self._coverage.runs(path, first_line(node) + 1):
                unit = unit_of(path, text, name, node)
                if FEWEST_LINES <= unit.lines <= MOST_LINES:
                    found.append(unit)
        return found

    def _proposal(self, unit: Unit, sample: int) -> Proposal:
        async def make() -> Candidate:
            return await self._ask(unit, sample)

        key = identity_of([unit.path, unit.name, unit.source, self._identity, self._seed, sample])[:20]
        return Proposal(key=f"written:{key}", origin="written", name=self._identity.name, make=make)

    async def _ask(self, unit: Unit, sample: int) -> Candidate:
        """Raises Dropped for an answer that is no candidate, PolicyError where there is none."""
        request, prefill = self._request(unit, sample)
        completion = await self._policy.complete(request)
        code = without_new_comments(code_in(completion.choices[0].text, prefill), unit.source)
        healthy = self._texts[unit.path]
        broken = rewrite(healthy, unit, code) if _has_body(code, unit.name.rpartition(".")[2]) else None
        if broken is None:
            raise Dropped("unusable", "the answer is no other version of the function")
        return Candidate(
            origin=self._origin,
            broken=(Edit(path=unit.path, text=broken),),
            gold=(Edit(path=unit.path, text=healthy),),
            kind="tests",
        )

    def _request(self, unit: Unit, sample: int) -> tuple[ChatRequest, str]:
        prefill = f"```python\n{unit.opening}" if self._policy.capability.prefill else ""
        asked = _prompt("bug_function").format(path=unit.path, name=unit.name, source=unit.source, tests=self._tests(unit))
        request = ChatRequest(
            messages=(Message(role="system", content=_prompt("bug_system")), Message(role="user", content=asked)),
            temperature=TEMPERATURE,
            max_tokens=len(unit.source) // 2 + _SPARE_TOKENS,
            stop=("\n```",) if prefill else (),
            seed=self._seed + sample,
            prefill=prefill,
        )
        return request, prefill

    def _tests(self, unit: Unit) -> str:
        """Names of tests that run a function, as far as they are known."""
        healthy = self._texts[unit.path]
        lines = healthy.splitlines(keepends=True)
        touched = "".join([*lines[: unit.end - 1], f"{lines[unit.end - 1].rstrip()} \n", *lines[unit.end :]])
        patch = Patch((FileEdit(path=unit.path, before=healthy.encode(), after=touched.encode()),))
        names = self._coverage.tests(self._check, patch) or ()
        return ", ".join(name.rpartition("::")[2] for name in names[:MOST_NAMED]) or "the project's own"


def _has_body(code: str, name: str) -> bool:
    """Whether code is whole, and has the function with more in it than a docstring: an answer that was cut off is no subtle mistake."""
    tree = parse(code)
    found = [node for node in ast.walk(tree) if isinstance(node, Function) and node.name == name] if tree is not None else []
    return any(without_docstring(node.body) for node in found)


def without_new_comments(code: str, known: str) -> str:
    """Code without the comments that `known` does not have; as it is where it cannot be read."""
    kept = _comments(known)
    try:
        tokens = [each for each in tokenize.generate_tokens(io.StringIO(code).readline) if each.type == tokenize.COMMENT]
    except (tokenize.TokenError, SyntaxError, ValueError):
        return code
    lines = code.splitlines(keepends=True)
    for token in tokens:
        if token.string.strip() not in kept:
            row, column = token.start
            line = lines[row - 1]
            before = line[:column].rstrip()
            lines[row - 1] = f"{before}\n" if before else ""
    return "".join(lines)


def _comments(code: str) -> frozenset[str]:
    try:
        return frozenset(
            each.string.strip() for each in tokenize.generate_tokens(io.StringIO(code).readline) if each.type == tokenize.COMMENT
        )
    except (tokenize.TokenError, SyntaxError, ValueError):
        return frozenset()


def _prompt(name: str) -> str:
    return resources.files("suture_training.tasks").joinpath("prompts", f"{name}.md").read_text(encoding="utf-8")
