"""Common mistakes of Python programmers, each with the edit by rule that mends it: none of them comes from the repair bench."""

from __future__ import annotations

import ast

import pytest

from suture_agent.direct.templates import edits
from suture_agent.direct.units import definitions, parse, unit_at, unit_of

MISTAKES: dict[str, tuple[str, str, str]] = {
    "range len-1": (
        "def f(a, b, x, n):\n    for i in range(len(x) - 1):\n        g(i)\n",
        "def f(a, b, x, n):\n    for i in range(len(x)):\n        g(i)\n",
        "",
    ),
    "range 1..n": ("def f(a, b, x, n):\n    return sum(range(1, n))\n", "def f(a, b, x, n):\n    return sum(range(1, n + 1))\n", ""),
    "ceil div": ("def f(a, b, x, n):\n    return n // a\n", "def f(a, b, x, n):\n    return -(-n // a)\n", ""),
    "slice n-1": ("def f(a, b, x, n):\n    return x[: n - 1]\n", "def f(a, b, x, n):\n    return x[:n]\n", ""),
    "augassign": ("def f(a, b, x, n):\n    n += a\n    return n\n", "def f(a, b, x, n):\n    n -= a\n    return n\n", ""),
    "in/not in": ("def f(a, b, x, n):\n    return a in x\n", "def f(a, b, x, n):\n    return a not in x\n", ""),
    "is/==": ("def f(a, b, x, n):\n    return a is b\n", "def f(a, b, x, n):\n    return a == b\n", ""),
    "isnot": ("def f(a, b, x, n):\n    return a is not b\n", "def f(a, b, x, n):\n    return a != b\n", ""),
    "shift": ("def f(a, b, x, n):\n    return a << b\n", "def f(a, b, x, n):\n    return a >> b\n", ""),
    "pow": ("def f(a, b, x, n):\n    return a * b\n", "def f(a, b, x, n):\n    return a ** b\n", ""),
    "initial inf": (
        "def f(a, b, x, n):\n    best = float('inf')\n    return best\n",
        "def f(a, b, x, n):\n    best = float('-inf')\n    return best\n",
        "",
    ),
    "initial range": (
        "def f(a, b, x, n):\n    t = [0] * (n + 1)\n    return t\n",
        "def f(a, b, x, n):\n    t = list(range(n + 1))\n    return t\n",
        "",
    ),
    "initial 0->first": (
        "def f(a, b, x, n):\n    best = 0\n    for y in x:\n        best = max(best, y)\n    return best\n",
        "def f(a, b, x, n):\n    best = x[0]\n    for y in x:\n        best = max(best, y)\n    return best\n",
        "",
    ),
    "initial 0->-inf": (
        "def f(a, b, x, n):\n    best = 0\n    for y in x:\n        best = max(best, y)\n    return best\n",
        "def f(a, b, x, n):\n    best = float('-inf')\n    for y in x:\n        best = max(best, y)\n    return best\n",
        "",
    ),
    "initial None": ("def f(a, b, x, n):\n    best = 0\n    return best\n", "def f(a, b, x, n):\n    best = None\n    return best\n", ""),
    "initial 1": (
        "def f(a, b, x, n):\n    t = 0\n    for y in x:\n        t *= y\n    return t\n",
        "def f(a, b, x, n):\n    t = 1\n    for y in x:\n        t *= y\n    return t\n",
        "",
    ),
    "initial 1.0": ("def f(a, b, x, n):\n    t = 0.0\n    return t\n", "def f(a, b, x, n):\n    t = 1.0\n    return t\n", ""),
    "initial True": ("def f(a, b, x, n):\n    t = False\n    return t\n", "def f(a, b, x, n):\n    t = True\n    return t\n", ""),
    "reduce init": ("def f(a, b, x, n):\n    return reduce(g, x)\n", "def f(a, b, x, n):\n    return reduce(g, x, 1)\n", ""),
    "get default 0->1": ("def f(a, b, x, n):\n    return x.get(a, 0) + 1\n", "def f(a, b, x, n):\n    return x.get(a, 1) + 1\n", ""),
    "groupby sorted": (
        "def f(a, b, x, n):\n    return [list(g) for k, g in groupby(x, key=a)]\n",
        "def f(a, b, x, n):\n    return [list(g) for k, g in groupby(sorted(x, key=a), key=a)]\n",
        "",
    ),
    "max key get": ("def f(a, b, x, n):\n    return max(x)\n", "def f(a, b, x, n):\n    return max(x, key=x.get)\n", ""),
    "split space": ("def f(a, b, x, n):\n    return a.split(' ')\n", "def f(a, b, x, n):\n    return a.split()\n", ""),
    "sorted key lower": ("def f(a, b, x, n):\n    return sorted(x)\n", "def f(a, b, x, n):\n    return sorted(x, key=str.lower)\n", ""),
    "sorted key casefold": (
        "def f(a, b, x, n):\n    return sorted(x)\n",
        "def f(a, b, x, n):\n    return sorted(x, key=str.casefold)\n",
        "",
    ),
    "sorted key len": ("def f(a, b, x, n):\n    return sorted(x)\n", "def f(a, b, x, n):\n    return sorted(x, key=len)\n", ""),
    "sorted key int": ("def f(a, b, x, n):\n    return sorted(x)\n", "def f(a, b, x, n):\n    return sorted(x, key=int)\n", ""),
    "tuple key swap": (
        "def f(a, b, x, n):\n    return sorted(x, key=lambda y: (y.a, y.b))\n",
        "def f(a, b, x, n):\n    return sorted(x, key=lambda y: (y.b, y.a))\n",
        "",
    ),
    "neg in key": (
        "def f(a, b, x, n):\n    return sorted(x, key=lambda y: (y.a, y.b))\n",
        "def f(a, b, x, n):\n    return sorted(x, key=lambda y: (-y.a, y.b))\n",
        "",
    ),
    "unneg in key": (
        "def f(a, b, x, n):\n    return sorted(x, key=lambda y: (-y.a, y.b))\n",
        "def f(a, b, x, n):\n    return sorted(x, key=lambda y: (y.a, y.b))\n",
        "",
    ),
    "key lower": (
        "def f(a, b, x, n):\n    return sorted(x, key=lambda y: y.a)\n",
        "def f(a, b, x, n):\n    return sorted(x, key=lambda y: y.a.lower())\n",
        "",
    ),
    "key int": (
        "def f(a, b, x, n):\n    return sorted(x, key=lambda y: y.a)\n",
        "def f(a, b, x, n):\n    return sorted(x, key=lambda y: int(y.a))\n",
        "",
    ),
    "key add tiebreak": (
        "def f(a, b, x, n):\n    return sorted(x, key=lambda y: y.a)\n",
        "def f(a, b, x, n):\n    return sorted(x, key=lambda y: (y.a, y))\n",
        "",
    ),
    "mkdir": ("def f(a, b, x, n):\n    a.mkdir()\n", "def f(a, b, x, n):\n    a.mkdir(parents=True, exist_ok=True)\n", ""),
    "mkdir2": ("def f(a, b, x, n):\n    a.mkdir(parents=True)\n", "def f(a, b, x, n):\n    a.mkdir(parents=True, exist_ok=True)\n", ""),
    "unlink": ("def f(a, b, x, n):\n    a.unlink()\n", "def f(a, b, x, n):\n    a.unlink(missing_ok=True)\n", ""),
    "json ascii": (
        "def f(a, b, x, n):\n    return json.dumps(a)\n",
        "def f(a, b, x, n):\n    return json.dumps(a, ensure_ascii=False)\n",
        "",
    ),
    "json sort": ("def f(a, b, x, n):\n    return json.dumps(a)\n", "def f(a, b, x, n):\n    return json.dumps(a, sort_keys=True)\n", ""),
    "json default": ("def f(a, b, x, n):\n    return json.dumps(a)\n", "def f(a, b, x, n):\n    return json.dumps(a, default=str)\n", ""),
    "subprocess text": (
        "def f(a, b, x, n):\n    return subprocess.run(a, capture_output=True)\n",
        "def f(a, b, x, n):\n    return subprocess.run(a, capture_output=True, text=True)\n",
        "",
    ),
    "subprocess check": (
        "def f(a, b, x, n):\n    return subprocess.run(a)\n",
        "def f(a, b, x, n):\n    return subprocess.run(a, check=True)\n",
        "",
    ),
    "strptime swap": (
        "def f(a, b, x, n):\n    return datetime.strptime(a, '%m/%d/%Y')\n",
        "def f(a, b, x, n):\n    return datetime.strptime(a, '%d/%m/%Y')\n",
        "",
    ),
    "strftime y": (
        "def f(a, b, x, n):\n    return a.strftime('%y-%m-%d')\n",
        "def f(a, b, x, n):\n    return a.strftime('%Y-%m-%d')\n",
        "",
    ),
    "strftime I": ("def f(a, b, x, n):\n    return a.strftime('%I:%M')\n", "def f(a, b, x, n):\n    return a.strftime('%H:%M')\n", ""),
    "strftime M/m": ("def f(a, b, x, n):\n    return a.strftime('%H:%m')\n", "def f(a, b, x, n):\n    return a.strftime('%H:%M')\n", ""),
    "fspec": ("def f(a, b, x, n):\n    return f'{a:.1f}'\n", "def f(a, b, x, n):\n    return f'{a:.2f}'\n", ""),
    "fspec2": ("def f(a, b, x, n):\n    return f'{a:>5}'\n", "def f(a, b, x, n):\n    return f'{a:<5}'\n", ""),
    "fspec3": ("def f(a, b, x, n):\n    return f'{a:2d}'\n", "def f(a, b, x, n):\n    return f'{a:02d}'\n", ""),
    "fspec4": ("def f(a, b, x, n):\n    return f'{a}'\n", "def f(a, b, x, n):\n    return f'{a:.2f}'\n", ""),
    "fspec5": ("def f(a, b, x, n):\n    return f'{a.x}'\n", "def f(a, b, x, n):\n    return f'{a.x:02d}'\n", ""),
    "fspec r": ("def f(a, b, x, n):\n    return f'{a}'\n", "def f(a, b, x, n):\n    return f'{a!r}'\n", ""),
    "join str": ("def f(a, b, x, n):\n    return ', '.join(x)\n", "def f(a, b, x, n):\n    return ', '.join(map(str, x))\n", ""),
    "join sorted": ("def f(a, b, x, n):\n    return ', '.join(x)\n", "def f(a, b, x, n):\n    return ', '.join(sorted(x))\n", ""),
    "deepcopy": ("def f(a, b, x, n):\n    return x.copy()\n", "def f(a, b, x, n):\n    return copy.deepcopy(x)\n", ""),
    "deepcopy2": ("def f(a, b, x, n):\n    return dict(x)\n", "def f(a, b, x, n):\n    return copy.deepcopy(x)\n", ""),
    "deepcopy3": (
        "def f(a, b, x, n):\n    y = list(x)\n    return y\n",
        "def f(a, b, x, n):\n    y = copy.deepcopy(x)\n    return y\n",
        "",
    ),
    "inner copy": ("def f(a, b, x, n):\n    return [row for row in x]\n", "def f(a, b, x, n):\n    return [list(row) for row in x]\n", ""),
    "inner copy2": ("def f(a, b, x, n):\n    return list(x)\n", "def f(a, b, x, n):\n    return [list(row) for row in x]\n", ""),
    "slice copy": ("def f(a, b, x, n):\n    y = x\n    return y\n", "def f(a, b, x, n):\n    y = list(x)\n    return y\n", ""),
    "append copy": ("def f(a, b, x, n):\n    x.append(a)\n", "def f(a, b, x, n):\n    x.append(a.copy())\n", ""),
    "append copy2": ("def f(a, b, x, n):\n    x.append(a)\n", "def f(a, b, x, n):\n    x.append(list(a))\n", ""),
    "yield copy": ("def f(a, b, x, n):\n    yield a\n", "def f(a, b, x, n):\n    yield list(a)\n", ""),
    "store copy": ("def f(self, x):\n    self.x = x\n", "def f(self, x):\n    self.x = list(x)\n", ""),
    "store dict": ("def f(self, x):\n    self.x = x\n", "def f(self, x):\n    self.x = dict(x)\n", ""),
    "fromkeys": ("def f(a, b, x, n):\n    return dict.fromkeys(x, [])\n", "def f(a, b, x, n):\n    return {key: [] for key in x}\n", ""),
    "isnotnone": (
        "def f(a, b, x, n):\n    if a:\n        return a\n    return b\n",
        "def f(a, b, x, n):\n    if a is not None:\n        return a\n    return b\n",
        "",
    ),
    "isnone": (
        "def f(a, b, x, n):\n    if not a:\n        return b\n    return a\n",
        "def f(a, b, x, n):\n    if a is None:\n        return b\n    return a\n",
        "",
    ),
    "or->none": ("def f(a, b, x, n):\n    return a or b\n", "def f(a, b, x, n):\n    return a if a is not None else b\n", ""),
    "none attr": (
        "def f(a, b, x, n):\n    return a.x\n",
        "def f(a, b, x, n):\n    return a.x if a is not None else None\n",
        "'NoneType' object has no attribute 'x'",
    ),
    "none early": (
        "def f(a, b, x, n):\n    return a.strip()\n",
        "def f(a, b, x, n):\n    if a is None:\n        return None\n    return a.strip()\n",
        "'NoneType' object has no attribute 'strip'",
    ),
    "none early2": (
        "def f(a, b, x, n):\n    return a.strip()\n",
        "def f(a, b, x, n):\n    if a is None:\n        return ''\n    return a.strip()\n",
        "'NoneType' object has no attribute 'strip'",
    ),
    "skip None loop": (
        "def f(a, b, x, n):\n    for y in x:\n        n += y\n    return n\n",
        "def f(a, b, x, n):\n    for y in x:\n        if y is None:\n            continue\n        n += y\n    return n\n",
        "unsupported operand type(s) for +=: 'int' and 'NoneType'",
    ),
    "filter None comp": (
        "def f(a, b, x, n):\n    return sum(y for y in x)\n",
        "def f(a, b, x, n):\n    return sum(y for y in x if y is not None)\n",
        "unsupported operand type(s) for +: 'int' and 'NoneType'",
    ),
    "filter empty comp": (
        "def f(a, b, x, n):\n    return [g(y) for y in x]\n",
        "def f(a, b, x, n):\n    return [g(y) for y in x if y]\n",
        "",
    ),
    "int->round": ("def f(a, b, x, n):\n    return int(a * 100)\n", "def f(a, b, x, n):\n    return round(a * 100)\n", ""),
    "floordiv/div": ("def f(a, b, x, n):\n    return a // b\n", "def f(a, b, x, n):\n    return a / b\n", ""),
    "round 2": ("def f(a, b, x, n):\n    return a * b\n", "def f(a, b, x, n):\n    return round(a * b, 2)\n", ""),
    "Decimal str": ("def f(a, b, x, n):\n    return Decimal(a)\n", "def f(a, b, x, n):\n    return Decimal(str(a))\n", ""),
    "paren": ("def f(a, b, x, n):\n    return a + b / 2\n", "def f(a, b, x, n):\n    return (a + b) / 2\n", ""),
    "paren2": ("def f(a, b, x, n):\n    return (a + b) * n\n", "def f(a, b, x, n):\n    return a + b * n\n", ""),
    "paren3": ("def f(a, b, x, n):\n    return a - b * n\n", "def f(a, b, x, n):\n    return (a - b) * n\n", ""),
    "async to_thread": ("async def f(a):\n    return g(a)\n", "async def f(a):\n    return await asyncio.to_thread(g, a)\n", ""),
    "task_done": (
        "async def f(q):\n    while True:\n        item = await q.get()\n        await g(item)\n",
        "async def f(q):\n    while True:\n        item = await q.get()\n        await g(item)\n        q.task_done()\n",
        "",
    ),
    "await task": (
        "async def f(x):\n    tasks = [asyncio.create_task(g(y)) for y in x]\n    return tasks\n",
        "async def f(x):\n    tasks = [asyncio.create_task(g(y)) for y in x]\n    return await asyncio.gather(*tasks)\n",
        "",
    ),
    "wait_for": (
        "async def f(x, timeout):\n    return await g(x)\n",
        "async def f(x, timeout):\n    return await asyncio.wait_for(g(x), timeout)\n",
        "",
    ),
    "cancelled": (
        "async def f(x):\n    try:\n        await x\n    except BaseException:\n        return 0\n",
        "async def f(x):\n    try:\n        await x\n    except Exception:\n        return 0\n",
        "",
    ),
    "aiter anext": ("async def f(x):\n    for y in x:\n        g(y)\n", "async def f(x):\n    async for y in x:\n        g(y)\n", ""),
    "rel import head": ("from models import A\nx = A\n", "from .models import A\nx = A\n", "ModuleNotFoundError: No module named 'models'"),
    "raise missing": ("def f(a, b, x, n):\n    KeyError(a)\n", "def f(a, b, x, n):\n    raise KeyError(a)\n", ""),
    "return missing rec": (
        "def f(a, b, x, n):\n    if n == 0:\n        return 0\n    f(a, b, x, n - 1)\n",
        "def f(a, b, x, n):\n    if n == 0:\n        return 0\n    return f(a, b, x, n - 1)\n",
        "",
    ),
    "rec depth": ("def f(a, b, x, n):\n    return f(a, b, x, n)\n", "def f(a, b, x, n):\n    return f(a, b, x, n - 1)\n", ""),
    "rec depth+": ("def f(a, b, x, n):\n    return f(a, b, x, n)\n", "def f(a, b, x, n):\n    return f(a, b, x, n + 1)\n", ""),
    "rec extend": (
        "def f(a, b, x, n):\n    for y in x:\n        out.append(f(y))\n    return out\n",
        "def f(a, b, x, n):\n    for y in x:\n        out.extend(f(y))\n    return out\n",
        "",
    ),
    "yield->yield from": ("def f(a, b, x, n):\n    yield g(a)\n", "def f(a, b, x, n):\n    yield from g(a)\n", ""),
    "base node none": (
        "def f(a):\n    return 1 + max(f(a.left), f(a.right))\n",
        "def f(a):\n    if a is None:\n        return 0\n    return 1 + max(f(a.left), f(a.right))\n",
        "'NoneType' object has no attribute 'left'",
    ),
    "base len<=1": (
        "def f(x):\n    m = len(x) // 2\n    return g(f(x[:m]), f(x[m:]))\n",
        "def f(x):\n    if len(x) <= 1:\n        return x\n    m = len(x) // 2\n    return g(f(x[:m]), f(x[m:]))\n",
        "RecursionError: maximum recursion depth exceeded",
    ),
    "base n0 1": (
        "def f(n):\n    return n * f(n - 1)\n",
        "def f(n):\n    if n == 0:\n        return 1\n    return n * f(n - 1)\n",
        "RecursionError: maximum recursion depth exceeded",
    ),
    "base n<=1": (
        "def f(n):\n    return n * f(n - 1)\n",
        "def f(n):\n    if n <= 1:\n        return 1\n    return n * f(n - 1)\n",
        "RecursionError: maximum recursion depth exceeded",
    ),
    "continue else": (
        "def f(a, b, x, n):\n    for y in x:\n        if y:\n            break\n        n += y\n",
        "def f(a, b, x, n):\n    for y in x:\n        if y:\n            continue\n        n += y\n",
        "",
    ),
    "if->elif": (
        "def f(a, b, x, n):\n    if a > 2:\n        n = 1\n    if a > 1:\n        n = 2\n    return n\n",
        "def f(a, b, x, n):\n    if a > 2:\n        n = 1\n    elif a > 1:\n        n = 2\n    return n\n",
        "",
    ),
    "str.join arg": ("def f(a, b, x, n):\n    return a.join(b)\n", "def f(a, b, x, n):\n    return b.join(a)\n", ""),
    "isinstance swap": (
        "def f(a, b, x, n):\n    return isinstance(a, int)\n",
        "def f(a, b, x, n):\n    return isinstance(a, (int, float))\n",
        "",
    ),
    "strip text": ("def f(a, b, x, n):\n    return a == b\n", "def f(a, b, x, n):\n    return a.strip() == b.strip()\n", ""),
    "lower both": ("def f(a, b, x, n):\n    return a == b\n", "def f(a, b, x, n):\n    return a.lower() == b.lower()\n", ""),
    "lower one": ("def f(a, b, x, n):\n    return a in x\n", "def f(a, b, x, n):\n    return a.lower() in x\n", ""),
    "enumerate 1": (
        "def f(a, b, x, n):\n    for i, y in enumerate(x):\n        g(i)\n",
        "def f(a, b, x, n):\n    for i, y in enumerate(x, 1):\n        g(i)\n",
        "",
    ),
    "enumerate start=1": (
        "def f(a, b, x, n):\n    for i, y in enumerate(x):\n        g(i)\n",
        "def f(a, b, x, n):\n    for i, y in enumerate(x, start=1):\n        g(i)\n",
        "",
    ),
    "zip longest": ("def f(a, b, x, n):\n    return zip(a, b)\n", "def f(a, b, x, n):\n    return zip_longest(a, b)\n", ""),
    "setdefault": ("def f(a, b, x, n):\n    x[a].append(b)\n", "def f(a, b, x, n):\n    x.setdefault(a, []).append(b)\n", ""),
    "dict count": ("def f(a, b, x, n):\n    x[a] += 1\n", "def f(a, b, x, n):\n    x[a] = x.get(a, 0) + 1\n", ""),
    "defaultdict": (
        "def f(a, b, x, n):\n    x = {}\n    x[a].append(b)\n    return x\n",
        "def f(a, b, x, n):\n    x = defaultdict(list)\n    x[a].append(b)\n    return x\n",
        "",
    ),
    "defaultdict int": (
        "def f(a, b, x, n):\n    x = {}\n    x[a] += b\n    return x\n",
        "def f(a, b, x, n):\n    x = defaultdict(int)\n    x[a] += b\n    return x\n",
        "",
    ),
    "iterate copy": (
        "def f(a, b, x, n):\n    for y in x:\n        x.remove(y)\n",
        "def f(a, b, x, n):\n    for y in list(x):\n        x.remove(y)\n",
        "",
    ),
    "finally": (
        "def f(a, b, x, n):\n    a.open()\n    g(a)\n    a.close()\n",
        "def f(a, b, x, n):\n    a.open()\n    try:\n        g(a)\n    finally:\n        a.close()\n",
        "",
    ),
    "exit False": (
        "def f(self, kind, error, trace):\n    g()\n    return True\n",
        "def f(self, kind, error, trace):\n    g()\n    return False\n",
        "",
    ),
    "time to monotonic": ("def f(a, b, x, n):\n    return time.time()\n", "def f(a, b, x, n):\n    return time.monotonic()\n", ""),
    "abs": ("def f(a, b, x, n):\n    return a - b\n", "def f(a, b, x, n):\n    return abs(a - b)\n", ""),
    "abs cmp": ("def f(a, b, x, n):\n    return a - b < 1\n", "def f(a, b, x, n):\n    return abs(a - b) < 1\n", ""),
    "min clamp": ("def f(a, b, x, n):\n    return a\n", "def f(a, b, x, n):\n    return min(a, b)\n", ""),
    "max clamp 0": ("def f(a, b, x, n):\n    return a - b\n", "def f(a, b, x, n):\n    return max(0, a - b)\n", ""),
    "mod wrap": ("def f(a, b, x, n):\n    return a + 1\n", "def f(a, b, x, n):\n    return (a + 1) % n\n", ""),
    "not all": ("def f(a, b, x, n):\n    return any(y > 0 for y in x)\n", "def f(a, b, x, n):\n    return all(y > 0 for y in x)\n", ""),
    "sorted set": ("def f(a, b, x, n):\n    return list(set(x))\n", "def f(a, b, x, n):\n    return sorted(set(x))\n", ""),
    "dict.fromkeys": ("def f(a, b, x, n):\n    return list(set(x))\n", "def f(a, b, x, n):\n    return list(dict.fromkeys(x))\n", ""),
    "unpack star": ("def f(a, b, x, n):\n    return g(x)\n", "def f(a, b, x, n):\n    return g(*x)\n", ""),
    "unpack 2star": ("def f(a, b, x, n):\n    return g(x)\n", "def f(a, b, x, n):\n    return g(**x)\n", ""),
    "call parens too much": (
        "def f(a, b, x, n):\n    return a.x()\n",
        "def f(a, b, x, n):\n    return a.x\n",
        "'int' object is not callable",
    ),
    "swap kwargs": ("def f(a, b, x, n):\n    return g(a=b, b=a)\n", "def f(a, b, x, n):\n    return g(a=a, b=b)\n", ""),
    "cond swap then else": ("def f(a, b, x, n):\n    return a if n else b\n", "def f(a, b, x, n):\n    return b if n else a\n", ""),
    "chained cmp": ("def f(a, b, x, n):\n    return a < x < b\n", "def f(a, b, x, n):\n    return a <= x <= b\n", ""),
    "chained 1": ("def f(a, b, x, n):\n    return a < x < b\n", "def f(a, b, x, n):\n    return a <= x < b\n", ""),
    "neg idx": ("def f(a, b, x, n):\n    return x[0]\n", "def f(a, b, x, n):\n    return x[-1]\n", ""),
    "step": ("def f(a, b, x, n):\n    return x[::-1]\n", "def f(a, b, x, n):\n    return x\n", ""),
    "pop side": ("def f(a, b, x, n):\n    return x.pop()\n", "def f(a, b, x, n):\n    return x.pop(0)\n", ""),
    "insert 0": ("def f(a, b, x, n):\n    x.append(a)\n", "def f(a, b, x, n):\n    x.insert(0, a)\n", ""),
    "nonlocal": (
        "def f(a, b, x, n):\n    def g():\n        n += 1\n    g()\n    return n\n",
        "def f(a, b, x, n):\n    def g():\n        nonlocal n\n        n += 1\n    g()\n    return n\n",
        "UnboundLocalError: cannot access local variable 'n'",
    ),
}
"""Name -> (before, after, what the failure says)."""


@pytest.mark.parametrize("mistake", MISTAKES)
def test_the_edit_that_mends_it_is_among_those_that_are_tried(mistake):
    before, after, said = MISTAKES[mistake]
    tree = parse(before)
    assert tree is not None
    found = definitions(tree)
    unit = unit_of("m.py", before, *found[0]) if found else unit_at("m.py", before, 0)
    assert unit is not None
    made = [tree for edit in edits(unit, said=said) if (tree := parse(edit.source)) is not None]
    assert ast.dump(ast.parse(after)) in {ast.dump(tree) for tree in made}


REMOVED = {
    "fractions.gcd(a, b)": "math.gcd(a, b)",
    "string.letters": "string.ascii_letters",
    "asyncio.Task.all_tasks()": "asyncio.all_tasks()",
    "itertools.izip(a, b)": "zip(a, b)",
    "urllib.urlencode(a)": "urllib.parse.urlencode(a)",
    "isinstance(a, basestring)": "isinstance(a, str)",
    "xrange(a)": "range(a)",
    "string.join(a, b)": "b.join(a)",
    "json.loads(a, encoding='utf-8')": "json.loads(a)",
    "HTMLParser().unescape(a)": "html.unescape(a)",
    "plistlib.readPlist(a)": "plistlib.load(a)",
    "types.StringType": "str",
    "a.isAlive()": "a.is_alive()",
    "importlib.resources.read_text(a, b)": "importlib.resources.files(a).joinpath(b).read_text()",
}


@pytest.mark.parametrize("old", REMOVED)
def test_what_python_has_removed_is_replaced_by_what_its_documentation_names(old):
    before, after = f"def f(a, b):\n    return {old}\n", f"def f(a, b):\n    return {REMOVED[old]}\n"
    name = old.split("(")[0]
    said = f"name '{name}' is not defined, name 'basestring' is not defined" if "." not in name else f"no attribute '{name}'"
    found = [definition for definition in definitions(ast.parse(before)) if definition[0] == "f"]
    made = [tree for edit in edits(unit_of("m.py", before, *found[0]), said=said) if (tree := parse(edit.source)) is not None]
    assert ast.dump(ast.parse(after)) in {ast.dump(tree) for tree in made}
