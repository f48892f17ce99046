"""More mistakes that the language and its library invite, each with the edit by rule that mends it.

The rules were written from this list, so it shows that they do what they say and nothing about how often they help. About ten of its
entries are general forms of mistakes first seen in bench cases, which are `dev` since.
"""

from __future__ import annotations

import ast

import pytest

from suture_agent.direct.templates import edits
from suture_agent.direct.units import definitions, parse, unit_of

MISTAKES: dict[str, tuple[str, str, str, str, tuple[str, ...]]] = {
    "computed and not kept": ("def f(n):\n    n + 1\n    return n\n", "def f(n):\n    n += 1\n    return n\n", "", "", ()),
    "minus after equals": ("def f(n, x):\n    n =- x\n    return n\n", "def f(n, x):\n    n -= x\n    return n\n", "", "", ()),
    "quotient and rest": (
        "def f(n):\n    t = n // 10\n    n = n % 10\n    return t, n\n",
        "def f(n):\n    t = n % 10\n    n = n // 10\n    return t, n\n",
        "",
        "",
        (),
    ),
    "sign in both": ("def f(x, k):\n    return x[k:] + x[:k]\n", "def f(x, k):\n    return x[-k:] + x[:-k]\n", "", "", ()),
    "not beyond": ("def f(x, hi, lo):\n    return hi - lo\n", "def f(x, hi, lo):\n    return min(x, hi) - lo\n", "", "", ()),
    "and of an or": ("def f(a, b, c):\n    return a and b and c\n", "def f(a, b, c):\n    return a and (b or c)\n", "", "", ()),
    "all fields": ("def f(a, b):\n    return f'{a:x}{b:x}'\n", "def f(a, b):\n    return f'{a:02x}{b:02x}'\n", "", "", ()),
    "all fields but the first": (
        "def f(a, b, c):\n    return f'{a}:{b}:{c}'\n",
        "def f(a, b, c):\n    return f'{a}:{b:02}:{c:02}'\n",
        "",
        "",
        (),
    ),
    "round the alphabet": ("def f(a, k):\n    return chr(a + k + 97)\n", "def f(a, k):\n    return chr((a + k) % 26 + 97)\n", "", "", ()),
    "default made once": (
        "def f(a, now=datetime.now()):\n    return now - a\n",
        "def f(a, now=None):\n    if now is None:\n        now = datetime.now()\n    return now - a\n",
        "",
        "",
        (),
    ),
    "get->setdefault append": (
        "def f(a, b, x, n):\n    x.get(a, []).append(b)\n",
        "def f(a, b, x, n):\n    x.setdefault(a, []).append(b)\n",
        "",
        "",
        (),
    ),
    "get->setdefault add": (
        "def f(a, b, x, n):\n    x.get(a, set()).add(b)\n",
        "def f(a, b, x, n):\n    x.setdefault(a, set()).add(b)\n",
        "",
        "",
        (),
    ),
    "get->setdefault assign": (
        "def f(a, b, x, n):\n    bag = x.get(a, [])\n    bag.append(b)\n",
        "def f(a, b, x, n):\n    bag = x.setdefault(a, [])\n    bag.append(b)\n",
        "",
        "",
        (),
    ),
    "sub flags": (
        "def f(a, b, x, n):\n    return re.sub(a, b, x, re.IGNORECASE)\n",
        "def f(a, b, x, n):\n    return re.sub(a, b, x, flags=re.IGNORECASE)\n",
        "",
        "",
        (),
    ),
    "split maxsplit": (
        "def f(a, b, x, n):\n    k, v = a.split('=')\n    return k, v\n",
        "def f(a, b, x, n):\n    k, v = a.split('=', 1)\n    return k, v\n",
        "",
        "",
        (),
    ),
    "partition": (
        "def f(a, b, x, n):\n    k, v = a.split('=')\n    return k, v\n",
        "def f(a, b, x, n):\n    k, _, v = a.partition('=')\n    return k, v\n",
        "",
        "",
        (),
    ),
    "isocal": ("def f(a, b, x, n):\n    return a.weekday()\n", "def f(a, b, x, n):\n    return a.isoweekday()\n", "", "", ()),
    "isoweek2": ("def f(a, b, x, n):\n    return a.isoweekday()\n", "def f(a, b, x, n):\n    return a.weekday()\n", "", "", ()),
    "weekday ge5": ("def f(a, b, x, n):\n    return a.weekday() > 5\n", "def f(a, b, x, n):\n    return a.weekday() >= 5\n", "", "", ()),
    "total_seconds": (
        "def f(a, b, x, n):\n    return (a - b).seconds\n",
        "def f(a, b, x, n):\n    return (a - b).total_seconds()\n",
        "",
        "",
        (),
    ),
    "days": ("def f(a, b, x, n):\n    return (a - b).seconds // 86400\n", "def f(a, b, x, n):\n    return (a - b).days\n", "", "", ()),
    "extend str": ("def f(a, b, x, n):\n    x.extend(a)\n", "def f(a, b, x, n):\n    x.append(a)\n", "", "", ()),
    "iadd str": ("def f(a, b, x, n):\n    x += a\n", "def f(a, b, x, n):\n    x.append(a)\n", "", "", ()),
    "list iadd": ("def f(a, b, x, n):\n    x += a\n", "def f(a, b, x, n):\n    x += [a]\n", "", "", ()),
    "update add": ("def f(a, b, x, n):\n    x.update(a)\n", "def f(a, b, x, n):\n    x.add(a)\n", "", "", ()),
    "set(str)": ("def f(a, b, x, n):\n    return set(a)\n", "def f(a, b, x, n):\n    return {a}\n", "", "", ()),
    "tuple(str)": ("def f(a, b, x, n):\n    return tuple(a)\n", "def f(a, b, x, n):\n    return (a,)\n", "", "", ()),
    "list(str)": ("def f(a, b, x, n):\n    return list(a)\n", "def f(a, b, x, n):\n    return [a]\n", "", "", ()),
    "frombytes": (
        "def f(a, b, x, n):\n    return int.from_bytes(a, 'little')\n",
        "def f(a, b, x, n):\n    return int.from_bytes(a, 'big')\n",
        "",
        "",
        (),
    ),
    "frombytes2": (
        "def f(a, b, x, n):\n    return int.from_bytes(a, 'big')\n",
        "def f(a, b, x, n):\n    return int.from_bytes(a, 'big', signed=True)\n",
        "",
        "",
        (),
    ),
    "tobytes": (
        "def f(a, b, x, n):\n    return a.to_bytes(4, 'little')\n",
        "def f(a, b, x, n):\n    return a.to_bytes(4, 'big')\n",
        "",
        "",
        (),
    ),
    "hexdigest": (
        "def f(a, b, x, n):\n    return hashlib.sha256(a).digest()\n",
        "def f(a, b, x, n):\n    return hashlib.sha256(a).hexdigest()\n",
        "",
        "",
        (),
    ),
    "encode for hash": (
        "def f(a, b, x, n):\n    return hashlib.sha256(a).hexdigest()\n",
        "def f(a, b, x, n):\n    return hashlib.sha256(a.encode()).hexdigest()\n",
        "",
        "",
        (),
    ),
    "b64 decode": (
        "def f(a, b, x, n):\n    return base64.b64encode(a)\n",
        "def f(a, b, x, n):\n    return base64.b64encode(a).decode()\n",
        "",
        "",
        (),
    ),
    "b64 url": (
        "def f(a, b, x, n):\n    return base64.b64encode(a)\n",
        "def f(a, b, x, n):\n    return base64.urlsafe_b64encode(a)\n",
        "",
        "",
        (),
    ),
    "urlencode doseq": (
        "def f(a, b, x, n):\n    return urlencode(a)\n",
        "def f(a, b, x, n):\n    return urlencode(a, doseq=True)\n",
        "",
        "",
        (),
    ),
    "quote safe": ("def f(a, b, x, n):\n    return quote(a)\n", "def f(a, b, x, n):\n    return quote(a, safe='')\n", "", "", ()),
    "quote plus": ("def f(a, b, x, n):\n    return quote(a)\n", "def f(a, b, x, n):\n    return quote_plus(a)\n", "", "", ()),
    "unquote": ("def f(a, b, x, n):\n    return unquote(a)\n", "def f(a, b, x, n):\n    return unquote_plus(a)\n", "", "", ()),
    "parse_qs": (
        "def f(a, b, x, n):\n    return parse_qs(a)\n",
        "def f(a, b, x, n):\n    return parse_qs(a, keep_blank_values=True)\n",
        "",
        "",
        (),
    ),
    "parse_qs0": ("def f(a, b, x, n):\n    return parse_qs(a)['q']\n", "def f(a, b, x, n):\n    return parse_qs(a)['q'][0]\n", "", "", ()),
    "csv dictreader": (
        "def f(a, b, x, n):\n    return list(csv.reader(x))\n",
        "def f(a, b, x, n):\n    return list(csv.DictReader(x))\n",
        "",
        "",
        (),
    ),
    "csv lineterm": (
        "def f(a, b, x, n):\n    w = csv.writer(a)\n",
        "def f(a, b, x, n):\n    w = csv.writer(a, lineterminator='\\n')\n",
        "",
        "",
        (),
    ),
    "csv delimiter": (
        "def f(a, b, x, n):\n    return csv.reader(x)\n",
        "def f(a, b, x, n):\n    return csv.reader(x, delimiter=';')\n",
        "",
        "",
        (),
    ),
    "writerow": ("def f(a, b, x, n):\n    w.writerow(x)\n", "def f(a, b, x, n):\n    w.writerows(x)\n", "", "", ()),
    "most_common": (
        "def f(a, b, x, n):\n    return Counter(x).most_common(1)[0]\n",
        "def f(a, b, x, n):\n    return Counter(x).most_common(1)[0][0]\n",
        "",
        "",
        (),
    ),
    "most_common n": (
        "def f(a, b, x, n):\n    return Counter(x).most_common()\n",
        "def f(a, b, x, n):\n    return Counter(x).most_common(n)\n",
        "",
        "",
        (),
    ),
    "chainmap": ("def f(a, b, x, n):\n    return ChainMap(a, b)\n", "def f(a, b, x, n):\n    return ChainMap(b, a)\n", "", "", ()),
    "or merge": ("def f(a, b, x, n):\n    return a | b\n", "def f(a, b, x, n):\n    return b | a\n", "", "", ()),
    "star merge": ("def f(a, b, x, n):\n    return {**a, **b}\n", "def f(a, b, x, n):\n    return {**b, **a}\n", "", "", ()),
    "deque maxlen": ("def f(a, b, x, n):\n    return deque(x)\n", "def f(a, b, x, n):\n    return deque(x, maxlen=n)\n", "", "", ()),
    "islice": (
        "def f(a, b, x, n):\n    return list(islice(x, n))\n",
        "def f(a, b, x, n):\n    return list(islice(x, n, None))\n",
        "",
        "",
        (),
    ),
    "accumulate initial": (
        "def f(a, b, x, n):\n    return list(accumulate(x))\n",
        "def f(a, b, x, n):\n    return list(accumulate(x, initial=0))\n",
        "",
        "",
        (),
    ),
    "combinations": (
        "def f(a, b, x, n):\n    return list(permutations(x, 2))\n",
        "def f(a, b, x, n):\n    return list(combinations(x, 2))\n",
        "",
        "",
        (),
    ),
    "comb repl": (
        "def f(a, b, x, n):\n    return list(combinations(x, 2))\n",
        "def f(a, b, x, n):\n    return list(combinations_with_replacement(x, 2))\n",
        "",
        "",
        (),
    ),
    "product repeat": (
        "def f(a, b, x, n):\n    return product(x, n)\n",
        "def f(a, b, x, n):\n    return product(x, repeat=n)\n",
        "",
        "",
        (),
    ),
    "chain": (
        "def f(a, b, x, n):\n    return list(chain(x))\n",
        "def f(a, b, x, n):\n    return list(chain.from_iterable(x))\n",
        "",
        "",
        (),
    ),
    "zip longest": (
        "def f(a, b, x, n):\n    return list(zip(a, b))\n",
        "def f(a, b, x, n):\n    return list(zip_longest(a, b))\n",
        "",
        "",
        (),
    ),
    "pairwise": ("def f(a, b, x, n):\n    return list(zip(x, x))\n", "def f(a, b, x, n):\n    return list(zip(x, x[1:]))\n", "", "", ()),
    "pairwise2": ("def f(a, b, x, n):\n    return zip(x[1:], x)\n", "def f(a, b, x, n):\n    return zip(x, x[1:])\n", "", "", ()),
    "itemgetter": (
        "def f(a, b, x, n):\n    return sorted(x, key=itemgetter(0))\n",
        "def f(a, b, x, n):\n    return sorted(x, key=itemgetter(1))\n",
        "",
        "",
        (),
    ),
    "itemgetter2": (
        "def f(a, b, x, n):\n    return sorted(x, key=itemgetter(0))\n",
        "def f(a, b, x, n):\n    return sorted(x, key=itemgetter(0, 1))\n",
        "",
        "",
        (),
    ),
    "mean": ("def f(a, b, x, n):\n    return statistics.mean(x)\n", "def f(a, b, x, n):\n    return statistics.median(x)\n", "", "", ()),
    "stdev": ("def f(a, b, x, n):\n    return statistics.stdev(x)\n", "def f(a, b, x, n):\n    return statistics.pstdev(x)\n", "", "", ()),
    "isclose": (
        "def f(a, b, x, n):\n    return math.isclose(a, b)\n",
        "def f(a, b, x, n):\n    return math.isclose(a, b, abs_tol=1e-9)\n",
        "",
        "",
        (),
    ),
    "radians": ("def f(a, b, x, n):\n    return math.sin(a)\n", "def f(a, b, x, n):\n    return math.sin(math.radians(a))\n", "", "", ()),
    "degrees": (
        "def f(a, b, x, n):\n    return math.atan2(a, b)\n",
        "def f(a, b, x, n):\n    return math.degrees(math.atan2(a, b))\n",
        "",
        "",
        (),
    ),
    "atan2": ("def f(a, b, x, n):\n    return math.atan2(a, b)\n", "def f(a, b, x, n):\n    return math.atan2(b, a)\n", "", "", ()),
    "atan": ("def f(a, b, x, n):\n    return math.atan(a / b)\n", "def f(a, b, x, n):\n    return math.atan2(a, b)\n", "", "", ()),
    "log base": ("def f(a, b, x, n):\n    return math.log(a)\n", "def f(a, b, x, n):\n    return math.log(a, b)\n", "", "", ()),
    "log2": ("def f(a, b, x, n):\n    return math.log(a)\n", "def f(a, b, x, n):\n    return math.log2(a)\n", "", "", ()),
    "log10": ("def f(a, b, x, n):\n    return math.log(a)\n", "def f(a, b, x, n):\n    return math.log10(a)\n", "", "", ()),
    "isqrt": ("def f(a, b, x, n):\n    return int(math.sqrt(a))\n", "def f(a, b, x, n):\n    return math.isqrt(a)\n", "", "", ()),
    "hypot": ("def f(a, b, x, n):\n    return a + b\n", "def f(a, b, x, n):\n    return math.hypot(a, b)\n", "", "", ()),
    "fsum": ("def f(a, b, x, n):\n    return sum(x)\n", "def f(a, b, x, n):\n    return math.fsum(x)\n", "", "", ()),
    "trunc": ("def f(a, b, x, n):\n    return math.floor(a)\n", "def f(a, b, x, n):\n    return math.trunc(a)\n", "", "", ()),
    "int()": ("def f(a, b, x, n):\n    return math.floor(a)\n", "def f(a, b, x, n):\n    return int(a)\n", "", "", ()),
    "fmod": ("def f(a, b, x, n):\n    return a % b\n", "def f(a, b, x, n):\n    return math.fmod(a, b)\n", "", "", ()),
    "divmod": ("def f(a, b, x, n):\n    m, s = divmod(60, n)\n", "def f(a, b, x, n):\n    m, s = divmod(n, 60)\n", "", "", ()),
    "divmod unpack": ("def f(a, b, x, n):\n    s, m = divmod(n, 60)\n", "def f(a, b, x, n):\n    m, s = divmod(n, 60)\n", "", "", ()),
    "pad": ("def f(a, b, x, n):\n    return f'{a}'\n", "def f(a, b, x, n):\n    return f'{a:02d}'\n", "", "", ()),
    "2f": ("def f(a, b, x, n):\n    return f'{a}'\n", "def f(a, b, x, n):\n    return f'{a:.2f}'\n", "", "", ()),
    "repr": ("def f(a, b, x, n):\n    return f'{a}'\n", "def f(a, b, x, n):\n    return f'{a!r}'\n", "", "", ()),
    "align": ("def f(a, b, x, n):\n    return f'{a:<8}'\n", "def f(a, b, x, n):\n    return f'{a:>8}'\n", "", "", ()),
    "zfill": ("def f(a, b, x, n):\n    return str(a)\n", "def f(a, b, x, n):\n    return str(a).zfill(n)\n", "", "", ()),
    "ljust": ("def f(a, b, x, n):\n    return a.ljust(n)\n", "def f(a, b, x, n):\n    return a.rjust(n)\n", "", "", ()),
    "splitlines": ("def f(a, b, x, n):\n    return a.split('\\n')\n", "def f(a, b, x, n):\n    return a.splitlines()\n", "", "", ()),
    "keepends": (
        "def f(a, b, x, n):\n    return a.splitlines()\n",
        "def f(a, b, x, n):\n    return a.splitlines(keepends=True)\n",
        "",
        "",
        (),
    ),
    "strip chars": ("def f(a, b, x, n):\n    return a.strip('/')\n", "def f(a, b, x, n):\n    return a.rstrip('/')\n", "", "", ()),
    "title": ("def f(a, b, x, n):\n    return a.title()\n", "def f(a, b, x, n):\n    return a.capitalize()\n", "", "", ()),
    "casefold eq": ("def f(a, b, x, n):\n    return a == b\n", "def f(a, b, x, n):\n    return a.casefold() == b.casefold()\n", "", "", ()),
    "lower eq": ("def f(a, b, x, n):\n    return a == b\n", "def f(a, b, x, n):\n    return a.lower() == b.lower()\n", "", "", ()),
    "count": ("def f(a, b, x, n):\n    return a.count(b)\n", "def f(a, b, x, n):\n    return x.count(b)\n", "", "", ()),
    "find -1": (
        "def f(a, b, x, n):\n    if a.find(b):\n        return 1\n",
        "def f(a, b, x, n):\n    if a.find(b) != -1:\n        return 1\n",
        "",
        "",
        (),
    ),
    "find ge 0": (
        "def f(a, b, x, n):\n    if a.find(b) > 0:\n        return 1\n",
        "def f(a, b, x, n):\n    if a.find(b) >= 0:\n        return 1\n",
        "",
        "",
        (),
    ),
    "index": ("def f(a, b, x, n):\n    return a.find(b)\n", "def f(a, b, x, n):\n    return a.index(b)\n", "", "", ()),
    "replace n": ("def f(a, b, x, n):\n    return a.replace(b, x)\n", "def f(a, b, x, n):\n    return a.replace(b, x, 1)\n", "", "", ()),
    "isalpha": ("def f(a, b, x, n):\n    return a.isalpha()\n", "def f(a, b, x, n):\n    return a.isalnum()\n", "", "", ()),
    "isident": ("def f(a, b, x, n):\n    return a.isalnum()\n", "def f(a, b, x, n):\n    return a.isidentifier()\n", "", "", ()),
    "path stem": ("def f(a, b, x, n):\n    return a.name\n", "def f(a, b, x, n):\n    return a.stem\n", "", "", ()),
    "path suffix": ("def f(a, b, x, n):\n    return a.suffix\n", "def f(a, b, x, n):\n    return ''.join(a.suffixes)\n", "", "", ()),
    "path parent": ("def f(a, b, x, n):\n    return a.parent\n", "def f(a, b, x, n):\n    return a.parent.parent\n", "", "", ()),
    "with_name": (
        "def f(a, b, x, n):\n    return a.with_suffix('.bak')\n",
        "def f(a, b, x, n):\n    return a.with_name(a.name + '.bak')\n",
        "",
        "",
        (),
    ),
    "rglob": (
        "def f(a, b, x, n):\n    return list(a.glob('*.py'))\n",
        "def f(a, b, x, n):\n    return list(a.rglob('*.py'))\n",
        "",
        "",
        (),
    ),
    "glob **": (
        "def f(a, b, x, n):\n    return glob.glob(a)\n",
        "def f(a, b, x, n):\n    return glob.glob(a, recursive=True)\n",
        "",
        "",
        (),
    ),
    "is_file": ("def f(a, b, x, n):\n    return a.exists()\n", "def f(a, b, x, n):\n    return a.is_file()\n", "", "", ()),
    "sorted iterdir": (
        "def f(a, b, x, n):\n    return [p.name for p in a.iterdir()]\n",
        "def f(a, b, x, n):\n    return [p.name for p in sorted(a.iterdir())]\n",
        "",
        "",
        (),
    ),
    "sorted iterdir2": (
        "def f(a, b, x, n):\n    return list(a.iterdir())\n",
        "def f(a, b, x, n):\n    return sorted(a.iterdir())\n",
        "",
        "",
        (),
    ),
    "os.path.basename": (
        "def f(a, b, x, n):\n    return os.path.dirname(a)\n",
        "def f(a, b, x, n):\n    return os.path.basename(a)\n",
        "",
        "",
        (),
    ),
    "splitext": (
        "def f(a, b, x, n):\n    return os.path.splitext(a)[1]\n",
        "def f(a, b, x, n):\n    return os.path.splitext(a)[0]\n",
        "",
        "",
        (),
    ),
    "walk prune": (
        "def f(dirs):\n    dirs = [d for d in dirs if d != '.git']\n",
        "def f(dirs):\n    dirs[:] = [d for d in dirs if d != '.git']\n",
        "",
        "",
        (),
    ),
    "open append": (
        "def f(a, b, x, n):\n    with open(a, 'w') as h:\n        h.write(b)\n",
        "def f(a, b, x, n):\n    with open(a, 'a') as h:\n        h.write(b)\n",
        "",
        "",
        (),
    ),
    "open binary": (
        "def f(a, b, x, n):\n    with open(a, 'r') as h:\n        return h.read()\n",
        "def f(a, b, x, n):\n    with open(a, 'rb') as h:\n        return h.read()\n",
        "",
        "",
        (),
    ),
    "read lines": ("def f(h):\n    return h.read()\n", "def f(h):\n    return h.readlines()\n", "", "", ()),
    "json dumps/dump": ("def f(a, b, x, n):\n    json.dumps(a, b)\n", "def f(a, b, x, n):\n    json.dump(a, b)\n", "", "", ()),
    "json loads/load": ("def f(a, b, x, n):\n    return json.loads(a)\n", "def f(a, b, x, n):\n    return json.load(a)\n", "", "", ()),
    "json load read": (
        "def f(a, b, x, n):\n    return json.loads(a)\n",
        "def f(a, b, x, n):\n    return json.loads(a.read_text())\n",
        "",
        "",
        (),
    ),
    "json keys": (
        "def f(a, b, x, n):\n    return json.dumps(a)\n",
        "def f(a, b, x, n):\n    return json.dumps(a, separators=(',', ':'))\n",
        "",
        "",
        (),
    ),
    "json indent": (
        "def f(a, b, x, n):\n    return json.dumps(a)\n",
        "def f(a, b, x, n):\n    return json.dumps(a, indent=2)\n",
        "",
        "",
        (),
    ),
    "enum name": ("def f(a, b, x, n):\n    return a.value\n", "def f(a, b, x, n):\n    return a.name\n", "", "", ()),
    "enum by value": ("def f(a, b, x, n):\n    return Color[a]\n", "def f(a, b, x, n):\n    return Color(a)\n", "", "", ()),
    "enum by name": ("def f(a, b, x, n):\n    return Color(a)\n", "def f(a, b, x, n):\n    return Color[a]\n", "", "", ()),
    "enum upper": ("def f(a, b, x, n):\n    return Color[a]\n", "def f(a, b, x, n):\n    return Color[a.upper()]\n", "", "", ()),
    "vars copy": ("def f(self):\n    return self.__dict__\n", "def f(self):\n    return dict(self.__dict__)\n", "", "", ()),
    "getattr default": (
        "def f(a, b, x, n):\n    return getattr(a, b)\n",
        "def f(a, b, x, n):\n    return getattr(a, b, None)\n",
        "",
        "",
        (),
    ),
    "type ==": ("def f(a, b, x, n):\n    return type(a) == int\n", "def f(a, b, x, n):\n    return isinstance(a, int)\n", "", "", ()),
    "isinstance bool": (
        "def f(a, b, x, n):\n    return isinstance(a, int)\n",
        "def f(a, b, x, n):\n    return isinstance(a, int) and not isinstance(a, bool)\n",
        "",
        "",
        (),
    ),
    "lambda wrap": ("def f(a, b, x, n):\n    on(g(a))\n", "def f(a, b, x, n):\n    on(lambda: g(a))\n", "", "", ()),
    "call handler": ("def f(a, b, x, n):\n    on(g())\n", "def f(a, b, x, n):\n    on(g)\n", "", "", ()),
    "thread target": (
        "def f(a, b, x, n):\n    return Thread(target=g())\n",
        "def f(a, b, x, n):\n    return Thread(target=g)\n",
        "",
        "",
        (),
    ),
    "thread args": (
        "def f(a, b, x, n):\n    return Thread(target=g, args=(a))\n",
        "def f(a, b, x, n):\n    return Thread(target=g, args=(a,))\n",
        "",
        "",
        (),
    ),
    "sql params": ("def f(c, a, b):\n    c.execute(a, (b))\n", "def f(c, a, b):\n    c.execute(a, (b,))\n", "", "", ()),
    "sql fetchone": (
        "def f(c, a):\n    return c.execute(a).fetchone()\n",
        "def f(c, a):\n    return c.execute(a).fetchone()[0]\n",
        "",
        "",
        (),
    ),
    "commit": ("def f(c, a):\n    c.execute(a)\n", "def f(c, a):\n    c.execute(a)\n    c.commit()\n", "", "", ()),
    "rowcount": ("def f(c):\n    return c.fetchall()\n", "def f(c):\n    return c.fetchone()\n", "", "", ()),
    "flush": ("def f(h, a):\n    h.write(a)\n", "def f(h, a):\n    h.write(a)\n    h.flush()\n", "", "", ()),
    "getvalue": ("def f(a, b, x, n):\n    return a.read()\n", "def f(a, b, x, n):\n    return a.getvalue()\n", "", "", ()),
    "shuffle": (
        "def f(a, b, x, n):\n    return random.shuffle(x)\n",
        "def f(a, b, x, n):\n    random.shuffle(x)\n    return x\n",
        "",
        "",
        (),
    ),
    "randint": (
        "def f(a, b, x, n):\n    return random.randint(0, len(x))\n",
        "def f(a, b, x, n):\n    return random.randint(0, len(x) - 1)\n",
        "",
        "",
        (),
    ),
    "randrange": (
        "def f(a, b, x, n):\n    return random.randrange(1, n)\n",
        "def f(a, b, x, n):\n    return random.randrange(1, n + 1)\n",
        "",
        "",
        (),
    ),
    "choices": (
        "def f(a, b, x, n):\n    return random.choice(x, n)\n",
        "def f(a, b, x, n):\n    return random.choices(x, k=n)\n",
        "",
        "",
        (),
    ),
    "reversed sort": (
        "def f(a, b, x, n):\n    return sorted(x)[::-1]\n",
        "def f(a, b, x, n):\n    return sorted(x, reverse=True)\n",
        "",
        "",
        (),
    ),
    "nlargest": (
        "def f(a, b, x, n):\n    return heapq.nsmallest(n, x)\n",
        "def f(a, b, x, n):\n    return heapq.nlargest(n, x)\n",
        "",
        "",
        (),
    ),
    "insort": (
        "def f(a, b, x, n):\n    x.append(a)\n    return x\n",
        "def f(a, b, x, n):\n    bisect.insort(x, a)\n    return x\n",
        "",
        "",
        (),
    ),
    "environ": ("def f(a, b, x, n):\n    return os.environ[a]\n", "def f(a, b, x, n):\n    return os.environ.get(a)\n", "", "", ()),
    "cache list": ("def f(a, b, x, n):\n    return cached(x)\n", "def f(a, b, x, n):\n    return cached(tuple(x))\n", "", "", ()),
    "key tuple": ("def f(memo, x):\n    return memo[x]\n", "def f(memo, x):\n    return memo[tuple(x)]\n", "", "", ()),
    "sorted key join": ("def f(a, b, x, n):\n    key = a\n", "def f(a, b, x, n):\n    key = ''.join(sorted(a))\n", "", "", ()),
    "max len": ("def f(a, b, x, n):\n    return max(x)\n", "def f(a, b, x, n):\n    return max(x, key=len)\n", "", "", ()),
    "min abs": ("def f(a, b, x, n):\n    return min(x)\n", "def f(a, b, x, n):\n    return min(x, key=abs)\n", "", "", ()),
    "sum gen": ("def f(a, b, x, n):\n    return sum(y for y in x)\n", "def f(a, b, x, n):\n    return sum(1 for y in x)\n", "", "", ()),
    "len set": ("def f(a, b, x, n):\n    return len(x)\n", "def f(a, b, x, n):\n    return len(set(x))\n", "", "", ()),
    "any eq": ("def f(a, b, x, n):\n    return x == a or b\n", "def f(a, b, x, n):\n    return x == a or x == b\n", "", "", ()),
    "or in": (
        "def f(a, b, x, n):\n    if a == 'y' or 'yes':\n        return 1\n",
        "def f(a, b, x, n):\n    if a == 'y' or a == 'yes':\n        return 1\n",
        "",
        "",
        (),
    ),
    "or in2": (
        "def f(a, b, x, n):\n    if a == 'y' or 'yes':\n        return 1\n",
        "def f(a, b, x, n):\n    if a in ('y', 'yes'):\n        return 1\n",
        "",
        "",
        (),
    ),
    "not a in b prec": ("def f(a, b, x, n):\n    return not a == b\n", "def f(a, b, x, n):\n    return a == b\n", "", "", ()),
    "neg pow": ("def f(a, b, x, n):\n    return -a ** 2\n", "def f(a, b, x, n):\n    return (-a) ** 2\n", "", "", ()),
    "paren and or": ("def f(a, b, x, n):\n    return a or b and n\n", "def f(a, b, x, n):\n    return (a or b) and n\n", "", "", ()),
    "ternary prec": (
        "def f(a, b, x, n):\n    return a + b if n else 0\n",
        "def f(a, b, x, n):\n    return a + (b if n else 0)\n",
        "",
        "",
        (),
    ),
    "or default zero": ("def f(a, b, x, n):\n    return a or 10\n", "def f(a, b, x, n):\n    return 10 if a is None else a\n", "", "", ()),
    "if not x none": (
        "def f(a, b, x, n):\n    if not a:\n        return 1\n",
        "def f(a, b, x, n):\n    if a is None:\n        return 1\n",
        "",
        "",
        (),
    ),
    "if x not none": (
        "def f(a, b, x, n):\n    if a:\n        return 1\n",
        "def f(a, b, x, n):\n    if a is not None:\n        return 1\n",
        "",
        "",
        (),
    ),
    "del iter": (
        "def f(a, b, x, n):\n    for y in x:\n        x.remove(y)\n",
        "def f(a, b, x, n):\n    for y in list(x):\n        x.remove(y)\n",
        "",
        "",
        (),
    ),
    "dict iter del": (
        "def f(a, b, x, n):\n    for y in x:\n        del x[y]\n",
        "def f(a, b, x, n):\n    for y in list(x):\n        del x[y]\n",
        "",
        "",
        (),
    ),
    "items list": (
        "def f(a, b, x, n):\n    for k, v in x.items():\n        x.pop(k)\n",
        "def f(a, b, x, n):\n    for k, v in list(x.items()):\n        x.pop(k)\n",
        "",
        "",
        (),
    ),
    "else of for": (
        "def f(a, b, x, n):\n    for y in x:\n        if y:\n            return y\n        else:\n            return None\n",
        "def f(a, b, x, n):\n    for y in x:\n        if y:\n            return y\n    return None\n",
        "",
        "",
        (),
    ),
    "return indent": (
        "def f(a, b, x, n):\n    for y in x:\n        n += y\n        return n\n",
        "def f(a, b, x, n):\n    for y in x:\n        n += y\n    return n\n",
        "",
        "",
        (),
    ),
    "break->continue": (
        "def f(a, b, x, n):\n    for y in x:\n        if y:\n            break\n        n += 1\n    return n\n",
        "def f(a, b, x, n):\n    for y in x:\n        if y:\n            continue\n        n += 1\n    return n\n",
        "",
        "",
        (),
    ),
    "return->continue": (
        "def f(a, b, x, n):\n    for y in x:\n        if y:\n            return\n        n += 1\n",
        "def f(a, b, x, n):\n    for y in x:\n        if y:\n            continue\n        n += 1\n",
        "",
        "",
        (),
    ),
    "pass->raise": (
        "def f(a, b, x, n):\n    try:\n        g()\n    except ValueError:\n        pass\n",
        "def f(a, b, x, n):\n    try:\n        g()\n    except ValueError:\n        raise\n",
        "",
        "",
        (),
    ),
    "missing return": ("def f(a, b, x, n):\n    g(a)\n", "def f(a, b, x, n):\n    return g(a)\n", "", "", ()),
    "yield from": ("def f(a, b, x, n):\n    yield g(a)\n", "def f(a, b, x, n):\n    yield from g(a)\n", "", "", ()),
    "yield from2": (
        ("def f(a, b, x, n):\n    for y in x:\n        if isinstance(y, list):\n            f(y)\n        else:\n            yield y\n"),
        (
            "def f(a, b, x, n):\n"
            "    for y in x:\n"
            "        if isinstance(y, list):\n"
            "            yield from f(y)\n"
            "        else:\n"
            "            yield y\n"
        ),
        "",
        "",
        (),
    ),
    "return->yield": (
        "def f(a, b, x, n):\n    for y in x:\n        return y\n",
        "def f(a, b, x, n):\n    for y in x:\n        yield y\n",
        "",
        "",
        (),
    ),
    "raise from": (
        "def f(a, b, x, n):\n    try:\n        g()\n    except KeyError:\n        raise ValueError(a)\n",
        "def f(a, b, x, n):\n    try:\n        g()\n    except KeyError as error:\n        raise ValueError(a) from error\n",
        "",
        "",
        (),
    ),
    "raise from None": (
        "def f(a, b, x, n):\n    try:\n        g()\n    except KeyError as e:\n        raise ValueError(a)\n",
        "def f(a, b, x, n):\n    try:\n        g()\n    except KeyError as e:\n        raise ValueError(a) from e\n",
        "",
        "",
        (),
    ),
    "except tuple": (
        "def f(a, b, x, n):\n    try:\n        g()\n    except KeyError:\n        return 1\n",
        "def f(a, b, x, n):\n    try:\n        g()\n    except (KeyError, ValueError):\n        return 1\n",
        "",
        "",
        ("ValueError",),
    ),
    "while cond": (
        "def f(a, b, x, n):\n    while a < b:\n        a += 1\n",
        "def f(a, b, x, n):\n    while a <= b:\n        a += 1\n",
        "",
        "",
        (),
    ),
    "recursion arg": ("def f(n):\n    return f(n) + 1\n", "def f(n):\n    return f(n - 1) + 1\n", "", "", ()),
    "recursion half": ("def f(x):\n    return f(x[1:])\n", "def f(x):\n    return f(x[2:])\n", "", "", ()),
    "mid": (
        "def f(a, b, x, n):\n    m = (a + b) / 2\n    return m\n",
        "def f(a, b, x, n):\n    m = (a + b) // 2\n    return m\n",
        "",
        "",
        (),
    ),
    "lo=mid": ("def f(m):\n    lo = m\n    return lo\n", "def f(m):\n    lo = m + 1\n    return lo\n", "", "", ()),
    "aug index": ("def f(a, b, x, n):\n    x[a] = n\n", "def f(a, b, x, n):\n    x[a] += n\n", "", "", ()),
    "aug2": ("def f(a, b, x, n):\n    x[a] += n\n", "def f(a, b, x, n):\n    x[a] = n\n", "", "", ()),
    "max aug": (
        "def f(best, n):\n    best = n\n    return best\n",
        "def f(best, n):\n    best = max(best, n)\n    return best\n",
        "",
        "",
        (),
    ),
    "str mult": ("def f(a, b, x, n):\n    return a * n\n", "def f(a, b, x, n):\n    return [a] * n\n", "", "", ()),
    "nested idx": ("def f(a, b, x, n):\n    return x[a][b]\n", "def f(a, b, x, n):\n    return x[b][a]\n", "", "", ()),
    "transposed": (
        "def f(a, b, x, n):\n    return [list(r) for r in x]\n",
        "def f(a, b, x, n):\n    return [list(r) for r in zip(*x)]\n",
        "",
        "",
        (),
    ),
    "dict comp swap": (
        "def f(a, b, x, n):\n    return {k: v for k, v in x.items()}\n",
        "def f(a, b, x, n):\n    return {v: k for k, v in x.items()}\n",
        "",
        "",
        (),
    ),
    "comp filter": (
        "def f(a, b, x, n):\n    return [y for y in x if y]\n",
        "def f(a, b, x, n):\n    return [y for y in x if y is not None]\n",
        "",
        "",
        (),
    ),
    "comp filter neg": (
        "def f(a, b, x, n):\n    return [y for y in x if y > 0]\n",
        "def f(a, b, x, n):\n    return [y for y in x if not y > 0]\n",
        "",
        "",
        (),
    ),
    "comp elt": ("def f(a, b, x, n):\n    return [y for y in x]\n", "def f(a, b, x, n):\n    return [y.strip() for y in x]\n", "", "", ()),
    "comp filter add": (
        "def f(a, b, x, n):\n    return [y.strip() for y in x]\n",
        "def f(a, b, x, n):\n    return [y.strip() for y in x if y.strip()]\n",
        "",
        "",
        (),
    ),
    "comp filter add2": (
        "def f(a, b, x, n):\n    return [g(y) for y in x]\n",
        "def f(a, b, x, n):\n    return [g(y) for y in x if y]\n",
        "",
        "",
        (),
    ),
    "comp flat": (
        "def f(a, b, x, n):\n    return [y for r in x for y in r]\n",
        "def f(a, b, x, n):\n    return [[y for y in r] for r in x]\n",
        "",
        "",
        (),
    ),
    "comp order": (
        "def f(a, b, x, n):\n    return [y for y in r for r in x]\n",
        "def f(a, b, x, n):\n    return [y for r in x for y in r]\n",
        "",
        "",
        (),
    ),
    "set comp": ("def f(a, b, x, n):\n    return [y for y in x]\n", "def f(a, b, x, n):\n    return {y for y in x}\n", "", "", ()),
    "strip cmp": ("def f(a, b, x, n):\n    return a == b\n", "def f(a, b, x, n):\n    return a.strip() == b\n", "", "", ()),
    "strip int": ("def f(a, b, x, n):\n    return int(a)\n", "def f(a, b, x, n):\n    return int(a.strip())\n", "", "", ()),
    "int base": ("def f(a, b, x, n):\n    return int(a)\n", "def f(a, b, x, n):\n    return int(a, 16)\n", "", "", ()),
    "int base2": ("def f(a, b, x, n):\n    return int(a)\n", "def f(a, b, x, n):\n    return int(a, 2)\n", "", "", ()),
    "hex": ("def f(a, b, x, n):\n    return hex(a)\n", "def f(a, b, x, n):\n    return f'{a:x}'\n", "", "", ()),
    "ord": ("def f(a, b, x, n):\n    return ord(a) - 97\n", "def f(a, b, x, n):\n    return ord(a) - ord('a')\n", "", "", ()),
    "copy deep": ("def f(a, b, x, n):\n    return copy.copy(a)\n", "def f(a, b, x, n):\n    return copy.deepcopy(a)\n", "", "", ()),
    "list slice copy": (
        "def f(a, b, x, n):\n    y = x\n    y.append(a)\n    return y\n",
        "def f(a, b, x, n):\n    y = x[:]\n    y.append(a)\n    return y\n",
        "",
        "",
        (),
    ),
    "dict copy": (
        "def f(a, b, x, n):\n    y = x\n    y[a] = b\n    return y\n",
        "def f(a, b, x, n):\n    y = dict(x)\n    y[a] = b\n    return y\n",
        "",
        "",
        (),
    ),
    "sort copy": ("def f(a, b, x, n):\n    x.sort()\n    return x\n", "def f(a, b, x, n):\n    return sorted(x)\n", "", "", ()),
    "reverse copy": ("def f(a, b, x, n):\n    x.reverse()\n    return x\n", "def f(a, b, x, n):\n    return x[::-1]\n", "", "", ()),
    "async shield arg": (
        "async def f(self, a, x, n):\n    return await asyncio.wait_for(a, n)\n",
        "async def f(self, a, x, n):\n    return await asyncio.wait_for(asyncio.shield(a), n)\n",
        "",
        "",
        (),
    ),
    "async create_task": (
        "async def f(self, a, x, n):\n    g(a)\n",
        "async def f(self, a, x, n):\n    asyncio.create_task(g(a))\n",
        "",
        "",
        (),
    ),
    "async await task": (
        "async def f(self, a, x, n):\n    asyncio.create_task(g(a))\n",
        "async def f(self, a, x, n):\n    await asyncio.create_task(g(a))\n",
        "",
        "",
        (),
    ),
    "async not await": (
        "async def f(self, a, x, n):\n    t = await g(a)\n    return t\n",
        "async def f(self, a, x, n):\n    t = asyncio.create_task(g(a))\n    return t\n",
        "",
        "",
        (),
    ),
    "async gather star": (
        "async def f(self, a, x, n):\n    return await asyncio.gather(x)\n",
        "async def f(self, a, x, n):\n    return await asyncio.gather(*x)\n",
        "",
        "",
        (),
    ),
    "async gather list": (
        "async def f(self, a, x, n):\n    return await asyncio.gather(*x)\n",
        "async def f(self, a, x, n):\n    return list(await asyncio.gather(*x))\n",
        "",
        "",
        (),
    ),
    "async sleep": (
        "async def f(self, a, x, n):\n    time.sleep(n)\n",
        "async def f(self, a, x, n):\n    await asyncio.sleep(n)\n",
        "",
        "",
        (),
    ),
    "async sleep0": (
        "async def f(self, a, x, n):\n    while a:\n        pass\n",
        "async def f(self, a, x, n):\n    while a:\n        await asyncio.sleep(0)\n",
        "",
        "",
        (),
    ),
    "async async for": (
        "async def f(self, a, x, n):\n    for y in x:\n        g(y)\n",
        "async def f(self, a, x, n):\n    async for y in x:\n        g(y)\n",
        "",
        "",
        (),
    ),
    "async async with": (
        "async def f(self, a, x, n):\n    with a:\n        g()\n",
        "async def f(self, a, x, n):\n    async with a:\n        g()\n",
        "",
        "",
        (),
    ),
    "async await list comp": (
        "async def f(self, a, x, n):\n    return [g(y) for y in x]\n",
        "async def f(self, a, x, n):\n    return [await g(y) for y in x]\n",
        "",
        "",
        (),
    ),
    "async aiter comp": (
        "async def f(self, a, x, n):\n    return [y for y in x]\n",
        "async def f(self, a, x, n):\n    return [y async for y in x]\n",
        "",
        "",
        (),
    ),
    "async cancelled except": (
        "async def f(self, a, x, n):\n    try:\n        await g()\n    except asyncio.CancelledError:\n        pass\n",
        "async def f(self, a, x, n):\n    try:\n        await g()\n    except asyncio.CancelledError:\n        raise\n",
        "",
        "",
        (),
    ),
    "async cancelled except2": (
        "async def f(self, a, x, n):\n    try:\n        await g()\n    except BaseException:\n        pass\n",
        "async def f(self, a, x, n):\n    try:\n        await g()\n    except Exception:\n        pass\n",
        "",
        "",
        (),
    ),
    "async event wait": (
        "async def f(self, a, x, n):\n    while not self.e.is_set():\n        pass\n",
        "async def f(self, a, x, n):\n    await self.e.wait()\n",
        "",
        "",
        (),
    ),
    "async run_in_ex": (
        "async def f(self, a, x, n):\n    return g(a)\n",
        "async def f(self, a, x, n):\n    return await asyncio.to_thread(g, a)\n",
        "",
        "",
        (),
    ),
    "async put": ("async def f(self, a, x, n):\n    self.q.put(a)\n", "async def f(self, a, x, n):\n    await self.q.put(a)\n", "", "", ()),
    "async put_nowait": (
        "async def f(self, a, x, n):\n    self.q.put(a)\n",
        "async def f(self, a, x, n):\n    self.q.put_nowait(a)\n",
        "",
        "",
        (),
    ),
    "async as_completed": (
        "async def f(self, a, x, n):\n    for t in asyncio.as_completed(x):\n        n.append(t)\n",
        "async def f(self, a, x, n):\n    for t in asyncio.as_completed(x):\n        n.append(await t)\n",
        "",
        "",
        (),
    ),
    "async wait": (
        "async def f(self, a, x, n):\n    done = await asyncio.wait(x)\n",
        "async def f(self, a, x, n):\n    done, _ = await asyncio.wait(x)\n",
        "",
        "",
        (),
    ),
    "async wait result": (
        "async def f(self, a, x, n):\n    done, _ = await asyncio.wait(x)\n    return [t for t in done]\n",
        "async def f(self, a, x, n):\n    done, _ = await asyncio.wait(x)\n    return [t.result() for t in done]\n",
        "",
        "",
        (),
    ),
    "async timeout err": ("async def f(self, a, x, n):\n    except_ = 1\n", "async def f(self, a, x, n):\n    except_ = 2\n", "", "", ()),
    "cm finally": (
        "@contextmanager\ndef f(a):\n    g(a)\n    yield a\n    h(a)\n",
        "@contextmanager\ndef f(a):\n    g(a)\n    try:\n        yield a\n    finally:\n        h(a)\n",
        "",
        "",
        (),
    ),
    "cm yield value": (
        "@contextmanager\ndef f(a):\n    b = g(a)\n    yield\n    h(b)\n",
        "@contextmanager\ndef f(a):\n    b = g(a)\n    yield b\n    h(b)\n",
        "",
        "",
        (),
    ),
    "pop_all": (
        "def f(self, x):\n    with ExitStack() as stack:\n        self.a = stack\n    return self\n",
        "def f(self, x):\n    with ExitStack() as stack:\n        self.a = stack.pop_all()\n    return self\n",
        "",
        "",
        (),
    ),
    "enter self": (
        "class A:\n    def __enter__(self):\n        g()\n    def __exit__(self, *a):\n        h()\n",
        "class A:\n    def __enter__(self):\n        g()\n        return self\n    def __exit__(self, *a):\n        h()\n",
        "A.__enter__",
        "",
        (),
    ),
    "exit true": (
        "class A:\n    def __exit__(self, kind, error, trace):\n        self.h()\n        return True\n",
        "class A:\n    def __exit__(self, kind, error, trace):\n        self.h()\n        return False\n",
        "A.__exit__",
        "",
        (),
    ),
    "exit ret": (
        "class A:\n    def __exit__(self, kind, error, trace):\n        self.h()\n        return True\n",
        "class A:\n    def __exit__(self, kind, error, trace):\n        self.h()\n",
        "A.__exit__",
        "",
        (),
    ),
    "exit cond2": (
        (
            "class A:\n"
            "    def __exit__(self, kind, error, trace):\n"
            "        if kind:\n"
            "            self.commit()\n"
            "        else:\n"
            "            self.rollback()\n"
        ),
        (
            "class A:\n"
            "    def __exit__(self, kind, error, trace):\n"
            "        if kind is None:\n"
            "            self.commit()\n"
            "        else:\n"
            "            self.rollback()\n"
        ),
        "A.__exit__",
        "",
        (),
    ),
    "exit pop order": (
        "class A:\n    def __exit__(self, *x):\n        self.s.pop(0)\n",
        "class A:\n    def __exit__(self, *x):\n        self.s.pop()\n",
        "A.__exit__",
        "",
        (),
    ),
    "restore old": (
        "def f(a):\n    a.x = 1\n    try:\n        yield\n    finally:\n        a.x = None\n",
        "def f(a):\n    old = a.x\n    a.x = 1\n    try:\n        yield\n    finally:\n        a.x = old\n",
        "",
        "",
        (),
    ),
    "suppress": (
        "def f(a):\n    with suppress(KeyError):\n        g(a)\n",
        "def f(a):\n    with suppress(KeyError, ValueError):\n        g(a)\n",
        "",
        "",
        ("ValueError",),
    ),
    "with order": ("def f(a, b):\n    with a, b:\n        g()\n", "def f(a, b):\n    with b, a:\n        g()\n", "", "", ()),
    "bases order": ("class C(A, B):\n    x = 1\n", "class C(B, A):\n    x = 1\n", "C", "", ()),
    "super name": (
        "class C(A):\n    def f(self):\n        return A.f(self)\n",
        "class C(A):\n    def f(self):\n        return super().f()\n",
        "C.f",
        "",
        (),
    ),
    "super args": (
        "class C(A):\n    def f(self):\n        return super(A, self).f()\n",
        "class C(A):\n    def f(self):\n        return super().f()\n",
        "C.f",
        "",
        (),
    ),
    "super other": (
        "class C(A):\n    def f(self, x):\n        return super().g(x)\n",
        "class C(A):\n    def f(self, x):\n        return super().f(x)\n",
        "C.f",
        "",
        (),
    ),
    "super result": (
        "class C(A):\n    def f(self, x):\n        super().f(x)\n",
        "class C(A):\n    def f(self, x):\n        return super().f(x)\n",
        "C.f",
        "",
        (),
    ),
    "super dict": (
        "class C(A):\n    def f(self):\n        return {'a': 1}\n",
        "class C(A):\n    def f(self):\n        return {**super().f(), 'a': 1}\n",
        "C.f",
        "",
        (),
    ),
    "super list": (
        "class C(A):\n    def f(self):\n        return [1]\n",
        "class C(A):\n    def f(self):\n        return [*super().f(), 1]\n",
        "C.f",
        "",
        (),
    ),
    "super plus": (
        "class C(A):\n    def f(self):\n        return self.x\n",
        "class C(A):\n    def f(self):\n        return super().f() + self.x\n",
        "C.f",
        "",
        (),
    ),
    "super and": (
        "class C(A):\n    def f(self, y):\n        return y > 1\n",
        "class C(A):\n    def f(self, y):\n        return super().f(y) and y > 1\n",
        "C.f",
        "",
        (),
    ),
    "super init order": (
        "class C(A):\n    def __init__(self, x):\n        super().__init__(x)\n        self.y = 1\n",
        "class C(A):\n    def __init__(self, x):\n        self.y = 1\n        super().__init__(x)\n",
        "C.__init__",
        "",
        (),
    ),
    "super kwargs": (
        "class C(A):\n    def __init__(self, x, **kw):\n        super().__init__()\n        self.x = x\n",
        "class C(A):\n    def __init__(self, x, **kw):\n        super().__init__(**kw)\n        self.x = x\n",
        "C.__init__",
        "",
        (),
    ),
    "init_subclass": (
        "class A:\n    def __init_subclass__(cls, **kw):\n        g(cls)\n",
        "class A:\n    def __init_subclass__(cls, **kw):\n        super().__init_subclass__(**kw)\n        g(cls)\n",
        "A.__init_subclass__",
        "",
        (),
    ),
    "cls registry": (
        "class A:\n    def f(self):\n        self.n += 1\n",
        "class A:\n    def f(self):\n        type(self).n += 1\n",
        "A.f",
        "",
        (),
    ),
    "cls registry2": (
        "class A:\n    def f(self):\n        A.n += 1\n",
        "class A:\n    def f(self):\n        type(self).n += 1\n",
        "A.f",
        "",
        (),
    ),
    "notimpl": (
        "class A:\n    def __lt__(self, o):\n        raise NotImplementedError\n",
        "class A:\n    def __lt__(self, o):\n        return NotImplemented\n",
        "A.__lt__",
        "",
        (),
    ),
    "repr name": (
        "class A:\n    def __repr__(self):\n        return f'A({self.x})'\n",
        "class A:\n    def __repr__(self):\n        return f'{type(self).__name__}({self.x})'\n",
        "A.__repr__",
        "",
        (),
    ),
    "repr !r": (
        "class A:\n    def __repr__(self):\n        return f'A({self.x})'\n",
        "class A:\n    def __repr__(self):\n        return f'A({self.x!r})'\n",
        "A.__repr__",
        "",
        (),
    ),
    "eq type": (
        "class A:\n    def __eq__(self, o):\n        return self.x == o.x\n",
        "class A:\n    def __eq__(self, o):\n        return isinstance(o, A) and self.x == o.x\n",
        "A.__eq__",
        "",
        (),
    ),
    "iter self": (
        "class A:\n    def __iter__(self):\n        return self.x\n",
        "class A:\n    def __iter__(self):\n        return iter(self.x)\n",
        "A.__iter__",
        "",
        (),
    ),
    "next stop": (
        "class A:\n    def __next__(self):\n        return None\n",
        "class A:\n    def __next__(self):\n        raise StopIteration\n",
        "A.__next__",
        "",
        (),
    ),
    "bool": (
        "class A:\n    def __bool__(self):\n        return self.x\n",
        "class A:\n    def __bool__(self):\n        return bool(self.x)\n",
        "A.__bool__",
        "",
        (),
    ),
    "len": (
        "class A:\n    def __len__(self):\n        return self.x\n",
        "class A:\n    def __len__(self):\n        return len(self.x)\n",
        "A.__len__",
        "",
        (),
    ),
    "iadd ret": (
        "class A:\n    def __iadd__(self, o):\n        self.x += o\n",
        "class A:\n    def __iadd__(self, o):\n        self.x += o\n        return self\n",
        "A.__iadd__",
        "",
        (),
    ),
    "radd": (
        "class A:\n    def __radd__(self, o):\n        return self.x - o\n",
        "class A:\n    def __radd__(self, o):\n        return o - self.x\n",
        "A.__radd__",
        "",
        (),
    ),
    "cached prop": (
        "class A:\n    @cached_property\n    def x(self):\n        return 1\n",
        "class A:\n    @property\n    def x(self):\n        return 1\n",
        "A.x",
        "",
        (),
    ),
    "lru_cache rm": (
        "class A:\n    @lru_cache\n    def x(self):\n        return 1\n",
        "class A:\n    def x(self):\n        return 1\n",
        "A.x",
        "",
        (),
    ),
    "wraps": (
        "def d(fn):\n    def inner(*a):\n        return fn(*a)\n    return inner\n",
        "def d(fn):\n    @functools.wraps(fn)\n    def inner(*a):\n        return fn(*a)\n    return inner\n",
        "d",
        "",
        (),
    ),
    "deco ret": (
        "def d(fn):\n    def inner(*a):\n        fn(*a)\n    return inner\n",
        "def d(fn):\n    def inner(*a):\n        return fn(*a)\n    return inner\n",
        "d",
        "",
        (),
    ),
    "deco kwargs": (
        "def d(fn):\n    def inner(*a):\n        return fn(*a)\n    return inner\n",
        "def d(fn):\n    def inner(*a, **kwargs):\n        return fn(*a, **kwargs)\n    return inner\n",
        "d",
        "",
        (),
    ),
    "deco ret inner": (
        "def d(fn):\n    def inner(*a):\n        return fn(*a)\n    return inner()\n",
        "def d(fn):\n    def inner(*a):\n        return fn(*a)\n    return inner\n",
        "d",
        "",
        (),
    ),
    "dc field order": (
        "@dataclass\nclass A:\n    x: int = 0\n    y: int\n",
        "@dataclass\nclass A:\n    y: int\n    x: int = 0\n",
        "A",
        "",
        (),
    ),
    "dc post": (
        "@dataclass\nclass A:\n    x: int\n    def __post__init__(self):\n        g()\n",
        "@dataclass\nclass A:\n    x: int\n    def __post_init__(self):\n        g()\n",
        "A",
        "",
        (),
    ),
    "dc post frozen": (
        "@dataclass(frozen=True)\nclass A:\n    x: int\n    def __post_init__(self):\n        self.x = 1\n",
        ("@dataclass(frozen=True)\nclass A:\n    x: int\n    def __post_init__(self):\n        object.__setattr__(self, 'x', 1)\n"),
        "A.__post_init__",
        "",
        (),
    ),
    "dc compare": (
        "@dataclass(order=True)\nclass A:\n    x: int\n    y: str\n",
        "@dataclass(order=True)\nclass A:\n    x: int\n    y: str = field(compare=False)\n",
        "A",
        "",
        (),
    ),
    "dc repr": (
        "@dataclass\nclass A:\n    x: int\n    y: str\n",
        "@dataclass\nclass A:\n    x: int\n    y: str = field(repr=False)\n",
        "A",
        "",
        (),
    ),
    "dc classvar": (
        "@dataclass\nclass A:\n    x: int\n    y: str = ''\n",
        "@dataclass\nclass A:\n    x: int\n    y: ClassVar[str] = ''\n",
        "A",
        "",
        (),
    ),
    "dc noann": ("@dataclass\nclass A:\n    x: int\n    y = 0\n", "@dataclass\nclass A:\n    x: int\n    y: int = 0\n", "A", "", ()),
    "lambda aug": (
        "def f(x, h):\n    start = 0\n    for y in x:\n        h.append(lambda v: v[start])\n        start += y\n",
        ("def f(x, h):\n    start = 0\n    for y in x:\n        h.append(lambda v, start=start: v[start])\n        start += y\n"),
        "",
        "",
        (),
    ),
    "lambda comp": (
        "def f(a, b, x, n):\n    return [lambda v: v * y for y in x]\n",
        "def f(a, b, x, n):\n    return [lambda v, y=y: v * y for y in x]\n",
        "",
        "",
        (),
    ),
    "lambda dict comp": (
        "def f(a, b, x, n):\n    return {y: lambda: g(y) for y in x}\n",
        "def f(a, b, x, n):\n    return {y: lambda y=y: g(y) for y in x}\n",
        "",
        "",
        (),
    ),
    "leftover": (
        (
            "def f(a, b, x, n):\n"
            "    out, cur = [], []\n"
            "    for y in x:\n"
            "        if y:\n"
            "            out.append(cur)\n"
            "            cur = []\n"
            "        cur.append(y)\n"
            "    return out\n"
        ),
        (
            "def f(a, b, x, n):\n"
            "    out, cur = [], []\n"
            "    for y in x:\n"
            "        if y:\n"
            "            out.append(cur)\n"
            "            cur = []\n"
            "        cur.append(y)\n"
            "    if cur:\n"
            "        out.append(cur)\n"
            "    return out\n"
        ),
        "",
        "",
        (),
    ),
    "leftover yield": (
        (
            "def f(a, b, x, n):\n"
            "    cur = []\n"
            "    for y in x:\n"
            "        cur.append(y)\n"
            "        if len(cur) == n:\n"
            "            yield cur\n"
            "            cur = []\n"
        ),
        (
            "def f(a, b, x, n):\n"
            "    cur = []\n"
            "    for y in x:\n"
            "        cur.append(y)\n"
            "        if len(cur) == n:\n"
            "            yield cur\n"
            "            cur = []\n"
            "    if cur:\n"
            "        yield cur\n"
        ),
        "",
        "",
        (),
    ),
    "while inc": (
        "def f(a, b, x, n):\n    i = 0\n    while i < n:\n        g(i)\n    return i\n",
        "def f(a, b, x, n):\n    i = 0\n    while i < n:\n        g(i)\n        i += 1\n    return i\n",
        "",
        "",
        (),
    ),
    "reset inner": (
        (
            "def f(a, b, x, n):\n"
            "    out = []\n"
            "    cur = []\n"
            "    for y in x:\n"
            "        if y:\n"
            "            out.append(cur)\n"
            "        cur.append(y)\n"
            "    return out\n"
        ),
        (
            "def f(a, b, x, n):\n"
            "    out = []\n"
            "    cur = []\n"
            "    for y in x:\n"
            "        if y:\n"
            "            out.append(cur)\n"
            "            cur = []\n"
            "        cur.append(y)\n"
            "    return out\n"
        ),
        "",
        "",
        (),
    ),
    "reset loop": (
        ("def f(a, b, x, n):\n    t = 0\n    for r in x:\n        for y in r:\n            t += y\n        a.append(t)\n    return a\n"),
        (
            "def f(a, b, x, n):\n"
            "    t = 0\n"
            "    for r in x:\n"
            "        t = 0\n"
            "        for y in r:\n"
            "            t += y\n"
            "        a.append(t)\n"
            "    return a\n"
        ),
        "",
        "",
        (),
    ),
    "hoist": (
        "def f(a, b, x, n):\n    for y in x:\n        t = 0\n        t += y\n    return t\n",
        "def f(a, b, x, n):\n    t = 0\n    for y in x:\n        t += y\n    return t\n",
        "",
        "",
        (),
    ),
    "store": (
        "class A:\n    def __init__(self, x, y):\n        self.x = x\n",
        "class A:\n    def __init__(self, x, y):\n        self.x = x\n        self.y = y\n",
        "A.__init__",
        "",
        (),
    ),
    "seen add": (
        (
            "def f(a, b, x, n):\n"
            "    seen = set()\n"
            "    out = []\n"
            "    for y in x:\n"
            "        if y not in seen:\n"
            "            out.append(y)\n"
            "    return out\n"
        ),
        (
            "def f(a, b, x, n):\n"
            "    seen = set()\n"
            "    out = []\n"
            "    for y in x:\n"
            "        if y not in seen:\n"
            "            seen.add(y)\n"
            "            out.append(y)\n"
            "    return out\n"
        ),
        "",
        "",
        (),
    ),
    "seen continue": (
        "def f(a, b, x, n):\n    seen = set()\n    for y in x:\n        if y in seen:\n            continue\n        g(y)\n",
        (
            "def f(a, b, x, n):\n"
            "    seen = set()\n"
            "    for y in x:\n"
            "        if y in seen:\n"
            "            continue\n"
            "        seen.add(y)\n"
            "        g(y)\n"
        ),
        "",
        "",
        (),
    ),
    "memo": (
        "def f(n, memo):\n    if n in memo:\n        return memo[n]\n    r = f(n - 1) + f(n - 2)\n    return r\n",
        ("def f(n, memo):\n    if n in memo:\n        return memo[n]\n    r = f(n - 1) + f(n - 2)\n    memo[n] = r\n    return memo[n]\n"),
        "",
        "",
        (),
    ),
    "break": (
        "def f(a, b, x, n):\n    r = None\n    for y in x:\n        if y > a:\n            r = y\n    return r\n",
        ("def f(a, b, x, n):\n    r = None\n    for y in x:\n        if y > a:\n            r = y\n            break\n    return r\n"),
        "",
        "",
        (),
    ),
    "mirror": (
        (
            "class A:\n"
            "    def add(self, x):\n"
            "        self.items.append(x)\n"
            "        self.n += 1\n"
            "\n"
            "    def drop(self):\n"
            "        self.items.pop()\n"
        ),
        (
            "class A:\n"
            "    def add(self, x):\n"
            "        self.items.append(x)\n"
            "        self.n += 1\n"
            "\n"
            "    def drop(self):\n"
            "        self.items.pop()\n"
            "        self.n -= 1\n"
        ),
        "A",
        "",
        (),
    ),
    "mirror2": (
        (
            "class A:\n"
            "    def add(self, x):\n"
            "        self.items.append(x)\n"
            "        self._cache = None\n"
            "\n"
            "    def drop(self):\n"
            "        self.items.pop()\n"
        ),
        (
            "class A:\n"
            "    def add(self, x):\n"
            "        self.items.append(x)\n"
            "        self._cache = None\n"
            "\n"
            "    def drop(self):\n"
            "        self.items.pop()\n"
            "        self._cache = None\n"
        ),
        "A",
        "",
        (),
    ),
    "clause idx": (
        "def f(a, b, x, n):\n    if x[a] == 1:\n        return 1\n",
        "def f(a, b, x, n):\n    if a < len(x) and x[a] == 1:\n        return 1\n",
        "",
        "",
        (),
    ),
    "clause none": (
        "def f(a, b, x, n):\n    if a.b > 1:\n        return 1\n",
        "def f(a, b, x, n):\n    if a is not None and a.b > 1:\n        return 1\n",
        "",
        "",
        (),
    ),
    "clause drop": (
        "def f(a, b, x, n):\n    if a and b:\n        return 1\n",
        "def f(a, b, x, n):\n    if a:\n        return 1\n",
        "",
        "",
        (),
    ),
    "sorted first": ("def f(a, b, x, n):\n    return x[0]\n", "def f(a, b, x, n):\n    x = sorted(x)\n    return x[0]\n", "", "", ()),
    "none->raise": (
        "def f(a, b, x, n):\n    v = g(a)\n    if v is None:\n        return 'none'\n    return v\n",
        "def f(a, b, x, n):\n    try:\n        v = g(a)\n    except Gone:\n        return 'none'\n    return v\n",
        "",
        "",
        ("Gone",),
    ),
    "alt": (
        "def f(a, b, x, n):\n    return re.match(r'(?:a|ab|c)x', a)\n",
        "def f(a, b, x, n):\n    return re.match(r'(?:ab|a|c)x', a)\n",
        "",
        "",
        (),
    ),
    "alt2": (
        "def f(a, b, x, n):\n    return re.match('(int|integer)', a)\n",
        "def f(a, b, x, n):\n    return re.match('(integer|int)', a)\n",
        "",
        "",
        (),
    ),
    "decoder": (
        "class A:\n    def __init__(self):\n        self.x = ''\n\n    def feed(self, c):\n        self.x += c.decode()\n",
        (
            "class A:\n"
            "    def __init__(self):\n"
            "        self._decoder = codecs.getincrementaldecoder('utf-8')()\n"
            "        self.x = ''\n"
            "\n"
            "    def feed(self, c):\n"
            "        self.x += self._decoder.decode(c)\n"
        ),
        "A",
        "",
        (),
    ),
}
"""Name -> (before, after, the unit in question, what the failure says, the exceptions that it names)."""


@pytest.mark.parametrize("mistake", MISTAKES)
def test_what_was_meant_is_among_the_edits(mistake):
    before, after, name, said, raised = MISTAKES[mistake]
    unit, wanted = (unit_of("m.py", text, *_definition(text, name)) for text in (before, after))
    made = [tree for edit in edits(unit, said=said, raised=raised) if (tree := parse(edit.source)) is not None]
    assert ast.dump(ast.parse(wanted.source)) in {ast.dump(tree) for tree in made}


def _definition(text, name):
    return next(each for each in definitions(ast.parse(text)) if not name or each[0] == name)
