"""Asynchronous work: what blocks the loop, runs one after the other, is never told done, or waits for ever."""

from __future__ import annotations

import ast
import re
import textwrap

from suture_agent.direct.templates.scene import Found, Scene, first, nodes
from suture_sandbox.text import lines_with_ends


def concurrent(scene: Scene) -> Found:
    """Awaited one after the other where all should run at once; a blocking call; a limit of time that is not kept."""
    if not isinstance(scene.function, ast.AsyncFunctionDef):
        return
    for made in nodes(scene, ast.ListComp):
        if isinstance(made.elt, ast.Await):
            body = scene.text(made).strip()[1:-1].replace(scene.text(made.elt), scene.text(made.elt.value), 1)
            yield scene.swap(made, f"list(await asyncio.gather(*({body})))"), made.lineno - 1, 1.0
    awaited = {id(node.value) for node in nodes(scene, ast.Await)}
    for call in nodes(scene, ast.Call):
        if id(call) not in awaited and not any(each.arg is None for each in call.keywords):
            given = [scene.text(call.func), *(scene.text(each) for each in call.args)]
            given += [f"{each.arg}={scene.text(each.value)}" for each in call.keywords]
            yield scene.swap(call, f"await asyncio.to_thread({', '.join(given)})"), call.lineno - 1, 0.5
    for waited in nodes(scene, ast.Await):
        for name in scene.parameters:
            if any(word in name for word in ("timeout", "seconds", "deadline", "limit", "wait")):
                yield scene.swap(waited.value, f"asyncio.wait_for({scene.text(waited.value)}, {name})"), waited.lineno - 1, 0.9
        yield scene.swap(waited.value, f"asyncio.shield({scene.text(waited.value)})"), waited.lineno - 1, 0.4


def told_done(scene: Scene) -> Found:
    """A worker that takes from a queue and does not say when the item is done: `join` waits for ever."""
    if "task_done" in scene.source:
        return
    lines = lines_with_ends(scene.source)
    for loop in nodes(scene, ast.While):
        for node in [each for each in ast.walk(loop) if isinstance(each, ast.Call) and isinstance(each.func, ast.Attribute)]:
            if isinstance(node.func, ast.Attribute) and node.func.attr in ("get", "get_nowait") and not node.args:
                queue, last = scene.text(node.func.value), loop.body[-1]
                end, indent = last.end_lineno or last.lineno, " " * loop.body[0].col_offset
                yield "".join([*lines[:end], f"{indent}{queue}.task_done()\n", *lines[end:]]), end - 1, 1.0
                taken = next((each for each in loop.body if node in ast.walk(each)), None)
                if taken is not None and taken is not last:
                    at = taken.end_lineno or taken.lineno
                    inner = textwrap.indent("".join(lines[at:end]), "    ")
                    made = f"{indent}try:\n{inner}{indent}finally:\n{indent}    {queue}.task_done()\n"
                    yield "".join([*lines[:at], made, *lines[end:]]), end - 1, 1.1


def caught(scene: Scene) -> Found:
    """A handler that catches the cancellation too, or that keeps what it should hand on."""
    for node in nodes(scene, ast.ExceptHandler):
        if node.type is not None and scene.text(node.type) == "BaseException":
            yield scene.swap(node.type, "Exception"), node.lineno - 1, 0.8
        last = node.body[-1]
        if not isinstance(last, ast.Raise):
            lines = lines_with_ends(scene.source)
            end, indent = last.end_lineno or last.lineno, " " * last.col_offset
            yield "".join([*lines[:end], f"{indent}raise\n", *lines[end:]]), end - 1, 0.6


def waiting(scene: Scene) -> Found:
    """What blocks or is not awaited in asynchronous code, or is awaited without need."""
    if not isinstance(scene.function, ast.AsyncFunctionDef):
        if scene.function is not None and nodes(scene, ast.Await):
            yield scene.source.replace("def ", "async def ", 1), scene.function.lineno - 1, 1.5
        return
    for node in nodes(scene, ast.Call):
        if scene.text(node.func) == "time.sleep":
            yield scene.swap(node, f"await asyncio.sleep({', '.join(scene.text(each) for each in node.args)})"), node.lineno - 1, 1.5
        if scene.text(node.func) in ("asyncio.run", "asyncio.create_task", "asyncio.ensure_future") and node.args:
            yield scene.swap(node, f"await {scene.text(node.args[0])}"), node.lineno - 1, 0.8
    for waited in nodes(scene, ast.Await):
        yield scene.swap(waited, scene.text(waited.value)), waited.lineno - 1, 0.6
    gathered = [node.value for node in nodes(scene, ast.Return) if isinstance(node.value, ast.Name)]
    for value in [*gathered, *nodes(scene, ast.ListComp)]:
        yield scene.swap(value, f"await asyncio.gather(*{scene.text(value)})"), value.lineno - 1, 0.9
    for made in nodes(scene, ast.ListComp):
        yield scene.swap(made.elt, f"await {scene.text(made.elt)}"), made.lineno - 1, 1.0


def coroutines(scene: Scene) -> Found:
    """A coroutine in the old manner, a decorated generator: `async def`, with `await` for every `yield from`."""
    function = scene.function
    old = [each for each in function.decorator_list if scene.text(each).rsplit(".", 1)[-1] == "coroutine"] if function is not None else []
    if isinstance(function, ast.FunctionDef) and old:
        pairs: list[tuple[ast.expr, str]] = [(node, f"await {scene.text(node.value)}") for node in nodes(scene, ast.YieldFrom)]
        lines = scene.swap_all([*pairs]).splitlines(keepends=True)
        at, dropped = function.lineno - 1, old[0].lineno - 1
        lines[at] = lines[at].replace("def ", "async def ", 1)
        yield "".join([*lines[:dropped], *lines[dropped + 1 :]]), dropped, 3.0


def blocks(scene: Scene) -> Found:
    """`async with` and `async for`, where they are needed and where they are not."""
    lines = lines_with_ends(scene.source)
    if isinstance(scene.function, ast.AsyncFunctionDef):
        for at in [node.lineno - 1 for node in [*nodes(scene, ast.With), *nodes(scene, ast.For)]]:
            changed = re.sub(r"\b(with|for) ", r"async \1 ", lines[at], count=1)
            yield "".join([*lines[:at], changed, *lines[at + 1 :]]), at, 0.9
        for at in [node.lineno - 1 for node in [*nodes(scene, ast.AsyncWith), *nodes(scene, ast.AsyncFor)]]:
            yield "".join([*lines[:at], lines[at].replace("async ", "", 1), *lines[at + 1 :]]), at, 0.6


def walked(scene: Scene) -> Found:
    """What is walked through without waiting for it, tasks whose results are not taken, a loop that never lets others run."""
    if not isinstance(scene.function, ast.AsyncFunctionDef):
        return
    for over in nodes(scene, ast.comprehension):
        words = rf"(?<!async )for\s+{re.escape(scene.text(over.target))}\s+in\s+{re.escape(scene.text(over.iter))}"
        found = re.search(words, scene.source) if not over.is_async else None
        if found is not None:
            yield f"{scene.source[: found.start()]}async {scene.source[found.start() :]}", over.iter.lineno - 1, 0.7
    yield from _taken(scene)
    for alone in nodes(scene, ast.Expr):
        if isinstance(alone.value, ast.Call) and not isinstance(alone.value.func, ast.Attribute):
            yield scene.swap(alone, f"asyncio.create_task({scene.text(alone)})"), alone.lineno - 1, 0.5
    for loop in nodes(scene, ast.While):
        only = loop.body[0]
        if isinstance(only, ast.Pass) and len(loop.body) == 1:
            yield scene.swap(only, "await asyncio.sleep(0)"), only.lineno - 1, 1.2
            event = re.fullmatch(r"not (.+)\.is_set\(\)", scene.text(loop.test))
            if event is not None:
                yield scene.swap(loop, f"await {event[1]}.wait()"), loop.lineno - 1, 1.2


def _taken(scene: Scene) -> Found:
    """Tasks that are done, and whose results are meant."""
    waited = [node.targets[0] for node in nodes(scene, ast.Assign) if "asyncio.wait(" in scene.text(node.value)]
    done = {each.id for target in waited for each in ast.walk(target) if isinstance(each, ast.Name)}
    for walk in nodes(scene, ast.For):
        word = "await {}" if "as_completed" in scene.text(walk.iter) else "{}.result()" if scene.text(walk.iter) in done else ""
        if word and isinstance(walk.target, ast.Name):
            name = walk.target.id
            uses = [each for part in walk.body for each in ast.walk(part) if isinstance(each, ast.Name) and each.id == name]
            yield scene.swap_all([(each, word.format(name)) for each in uses]), walk.lineno - 1, 1.2
    for made in nodes(scene, ast.ListComp):
        if scene.text(made.generators[0].iter) in done and isinstance(made.elt, ast.Name):
            yield scene.swap(made.elt, f"{made.elt.id}.result()"), made.lineno - 1, 1.2


_HOLDING = ("lock", "mutex", "sem", "guard", "gate", "slots", "limit")


def held(scene: Scene) -> Found:
    """A lock or a semaphore of the object that the method does not hold: around all of it, or from a later statement on."""
    body, lines = scene.body, lines_with_ends(scene.source)
    word = "async with" if isinstance(scene.function, ast.AsyncFunctionDef) else "with"
    for name in scene.around.fields:
        if not any(each in name for each in _HOLDING) or f"self.{name}" in scene.source or not body:
            continue
        for start in range(min(len(body), 4)):
            at, end = first(body[start]), body[-1].end_lineno or body[-1].lineno
            inner = textwrap.indent("".join(lines[at:end]), "    ")
            yield "".join([*lines[:at], f"{' ' * body[start].col_offset}{word} self.{name}:\n", inner, *lines[end:]]), at, 1.2
