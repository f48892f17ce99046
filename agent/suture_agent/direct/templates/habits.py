"""Habits of the language and its library that are easily got wrong, each as one line: what is written, what was meant.

The form of the lines is `pattern.py`'s. A mistake that needs more than a pattern to be found is code in one of the other files.
"""

from __future__ import annotations

import ast

from suture_agent.direct.templates.pattern import Rewrite, by_type, filled, matches
from suture_agent.direct.templates.scene import Found, Scene

_CONTAINERS = r"""
X.get(K, D).append(V) => X.setdefault(K, D).append(V)
X.get(K, D).add(V) => X.setdefault(K, D).add(V)
X.get(K, D).extend(V) => X.setdefault(K, D).extend(V)
X.get(K, D).update(V) => X.setdefault(K, D).update(V)
X.get(K, D)[I] = V => X.setdefault(K, D)[I] = V
X = Y.get(K, D) => X = Y.setdefault(K, D)
X += Y => X.append(Y)
X += Y => X += [Y]
X += Y => X = X + Y
X.extend(Y) => X.append(Y)
X.extend(Y) => X.extend([Y])
X.append(Y) => X += Y
X.insert(I, Y) => X[I:I] = Y
set(X) => {X}
tuple(X) => (X,)
list(X) => [X]
dict(X) => dict([X])
X | Y => Y | X
{**X, **Y} => {**Y, **X}
collections.ChainMap(X, Y) => collections.ChainMap(Y, X)
X.update(Y) => X = {**Y, **X}
collections.deque(X) => collections.deque(X, maxlen=N)
collections.deque() => collections.deque(maxlen=N)
collections.Counter(X).most_common(1)[0] => collections.Counter(X).most_common(1)[0][0]
X.most_common() => X.most_common(N)
X.most_common(1) => X.most_common(1)[0]
X.most_common(1)[0] => X.most_common(1)[0][0]
X.most_common(1)[0][1] => X.most_common(1)[0][0]
X.most_common(1)[0][0] => X.most_common(1)[0][1]
X.pop(K) => X.pop(K, None)
X.pop(0) <=> X.pop()
del X[K] => X.pop(K, None)
X = [Y for Y in X if C] => X[:] = [Y for Y in X if C]
X[I] = Y => X[I] += Y
X[I] += Y => X[I] = Y
X = Y => X = max(X, Y)
X = Y => X = min(X, Y)
[X] * Y => [list(X) for _ in range(Y)]
X * Y => [X] * Y
sum(X) => len(X)
len(X) => len(set(X))
len(X) => sum(X)
[list(R) for R in X] => [list(R) for R in zip(*X)]
zip(X) => zip(*X)
zip(X, X) => zip(X, X[1:])
zip(X[1:], X) => zip(X, X[1:])
zip(X, X[1:]) => zip(X[1:], X)
X in Y => X in Y.values()
X - Y => X
X + Y => X
X in Y.values() => X in Y
X in Y.keys() => X in Y.values()
X.sort() => X = sorted(X)
sorted(X)[::-1] => sorted(X, reverse=True)
X.remove(Y) => X.discard(Y)
X.index(Y) => X.index(Y, I)
X[0] => X[-1]
X[-1] => X[0]
X[:] => copy.deepcopy(X)
{X: Y} => {Y: X}
"""

_ITERATION = r"""
random.choice(X, N) => random.choices(X, k=N)
itertools.chain(X) => itertools.chain.from_iterable(X)
itertools.chain.from_iterable(X) => itertools.chain(X)
itertools.combinations(X, N) <=> itertools.permutations(X, N)
itertools.combinations(X, N) <=> itertools.combinations_with_replacement(X, N)
itertools.product(X, N) => itertools.product(X, repeat=N)
itertools.product(X) => itertools.product(X, repeat=2)
itertools.product(X, Y) => itertools.product(Y, X)
itertools.accumulate(X) => itertools.accumulate(X, initial=0)
itertools.islice(X, N) => itertools.islice(X, N, None)
itertools.islice(X, N) => itertools.islice(X, N + 1)
itertools.islice(X, N) => X[:N]
itertools.takewhile(F, X) <=> itertools.dropwhile(F, X)
itertools.takewhile(F, X) <=> filter(F, X)
itertools.filterfalse(F, X) <=> filter(F, X)
zip(X, Y) => itertools.zip_longest(X, Y)
zip(X, Y) => itertools.product(X, Y)
itertools.product(X, Y) => zip(X, Y)
itertools.cycle(X) => itertools.chain(X)
itertools.repeat(X) => itertools.repeat(X, N)
itertools.count() <=> itertools.count(1)
itertools.tee(X) => itertools.tee(list(X))
functools.reduce(F, X) => functools.reduce(F, X, 0)
iter(X) => iter(list(X))
next(X) => next(X, None)
next(iter(X)) => next(iter(X), None)
operator.itemgetter(0) <=> operator.itemgetter(1)
operator.itemgetter(X) => operator.itemgetter(1, 0)
operator.itemgetter(X) => operator.itemgetter(0, 1)
map(F, X) => list(map(F, X))
filter(None, X) => (each for each in X if each is not None)
any(X) => all(X)
enumerate(X, 1) => enumerate(X)
heapq.nlargest(N, X) <=> heapq.nsmallest(N, X)
heapq.heappop(X) => X.pop(0)
heapq.heapreplace(X, Y) <=> heapq.heappushpop(X, Y)
random.choices(X) => random.choice(X)
random.randint(X, Y) => random.randint(X, Y - 1)
random.randint(X, Y) <=> random.randrange(X, Y)
random.randrange(X, Y) => random.randrange(X, Y + 1)
return random.shuffle(X) => random.shuffle(X); return X
bisect.insort(X, Y) => bisect.insort_left(X, Y)
X.append(Y) => bisect.insort(X, Y)
"""

_TEXT = r"""
K, V = X.split(S) => K, _, V = X.partition(S)
K, V = X.split(S) => K, V = X.split(S, 1)
K, V = X.split(S) => K, V = X.rsplit(S, 1)
X.split(S)[0] <=> X.rsplit(S, 1)[0]
X.split(S)[1] <=> X.split(S)[-1]
X.split(S)[1] => X.split(S, 1)[1]
X.partition(S)[0] <=> X.partition(S)[2]
X.partition(S)[0] => X.rpartition(S)[0]
X.splitlines() <=> X.splitlines(keepends=True)
X.splitlines() <=> X.split("\n")
X.strip().split("\n") => X.splitlines()
X.strip() => X.rstrip("\n")
X.strip(S) => X.removeprefix(S).removesuffix(S)
X.replace(Y, Z) => X.replace(Y, Z, 1)
X.replace(Y, Z) => X.replace(Z, Y)
X.replace(Y, Z) => X.removeprefix(Y)
X.replace(Y, Z) => X.removesuffix(Y)
X.find(Y) => X.index(Y)
X.title() <=> X.capitalize()
X.title() => string.capwords(X)
X.isalpha() <=> X.isalnum()
X.isalnum() <=> X.isidentifier()
X.isdigit() <=> X.isalnum()
X.isdigit() => X.lstrip("-").isdigit()
X.ljust(*REST) <=> X.rjust(*REST)
X.ljust(*REST) <=> X.center(*REST)
str(X) => str(X).zfill(N)
str(X) <=> repr(X)
str(X) => X.decode()
str(X) => X.isoformat()
X.decode(S) => X.decode(S, errors="replace")
X.decode() => X.decode(errors="replace")
X.encode(S) => X.encode(S, errors="replace")
X.encode() => X.encode("utf-8")
X[:N].encode(*REST) => X.encode(*REST)[:N]
X.encode(*REST)[:N] => X[:N].encode(*REST)
X.ljust(N).encode(*REST) => X.encode(*REST).ljust(N)
X.rjust(N).encode(*REST) => X.encode(*REST).rjust(N)
A + "|".join(X) + B => A + "(?:" + "|".join(X) + ")" + B
len(X) => len(X.encode())
len(X.encode()) => len(X)
ord(X) - 97 <=> ord(X) - ord("a")
ord(X) - 97 <=> ord(X) - 65
ord(X) - ord("a") <=> ord(X) - ord("A")
ord(X) => ord(X.lower())
ord(X) - 48 => int(X)
chr(X + 97) => chr(X % 26 + 97)
chr(X + 65) => chr(X % 26 + 65)
chr(X + ord(Y)) => chr(X % 26 + ord(Y))
S.join(X) => S.join(X) + S
S.join(X) => S + S.join(X)
hex(X) => f"{X:x}"
hex(X) => hex(X)[2:]
bin(X) => bin(X)[2:]
bin(X) => f"{X:b}"
int(X) => int(X, 16)
int(X) => int(X, 2)
int(X) => int(X, 8)
int(X) => int(X, 0)
int(X) => int(float(X))
int(X, 16) <=> int(X, 2)
re.sub(P, R, X, F) => re.sub(P, R, X, flags=F)
re.split(P, X, F) => re.split(P, X, flags=F)
re.sub(P, R, X) => re.sub(P, R, X, count=1)
re.sub(P, R, X, count=1) => re.sub(P, R, X)
re.sub(P, R, X) => re.sub(P, X, R)
re.split(P, X) => re.split(P, X, maxsplit=1)
re.findall(P, X) => re.finditer(P, X)
re.compile(X) => re.compile(re.escape(X))
re.search(P, X) => re.search(re.escape(P), X)
re.match(P, X) => re.match(re.escape(P), X)
re.sub(P, R, X) => re.sub(re.escape(P), R, X)
X.group() => X.group(1)
X.group(1) => X.group()
X.group(1) <=> X.group(2)
X.groups() => X.group()
X.start() <=> X.end()
X.span()[0] <=> X.span()[1]
textwrap.wrap(X, N) => textwrap.wrap(X, N, break_long_words=False)
textwrap.dedent(X) => textwrap.dedent(X).strip()
html.escape(X) => html.escape(X, quote=False)
html.escape(X) <=> html.unescape(X)
unicodedata.normalize("NFC", X) <=> unicodedata.normalize("NFKC", X)
unicodedata.normalize("NFD", X) <=> unicodedata.normalize("NFC", X)
unicodedata.normalize("NFD", X) <=> unicodedata.normalize("NFKD", X)
unicodedata.normalize("NFKC", X) <=> unicodedata.normalize("NFKD", X)
"""

_NUMBERS = r"""
(X + Y) / 2 => (X + Y) // 2
X / Y => X // Y
X // Y => int(X / Y)
X % Y => math.fmod(X, Y)
math.floor(X) => math.trunc(X)
math.floor(X) <=> int(X)
math.floor(X) <=> round(X)
math.ceil(X) <=> int(X)
math.ceil(X) <=> round(X)
math.ceil(X / Y) => -(-X // Y)
int(math.sqrt(X)) => math.isqrt(X)
math.log(X) => math.log2(X)
math.log(X) => math.log10(X)
math.log(X) => math.log1p(X)
math.log(X) => math.log(X, N)
math.log(X, N) => math.log(N, X)
math.exp(X) => math.expm1(X)
math.sin(X) => math.sin(math.radians(X))
math.cos(X) => math.cos(math.radians(X))
math.tan(X) => math.tan(math.radians(X))
math.sin(X) <=> math.cos(X)
math.atan2(X, Y) => math.degrees(math.atan2(X, Y))
math.atan2(X, Y) => math.atan2(Y, X)
math.atan(X / Y) => math.atan2(X, Y)
math.acos(X) => math.degrees(math.acos(X))
math.radians(X) <=> math.degrees(X)
math.isclose(X, Y) => math.isclose(X, Y, abs_tol=1e-9)
math.comb(X, Y) <=> math.perm(X, Y)
math.gcd(X, Y) <=> math.lcm(X, Y)
math.prod(X) <=> sum(X)
sum(X) => math.fsum(X)
sum(X) / len(X) => sum(X) / max(len(X), 1)
sum(X) / len(X) => sum(X) / len(X) if X else 0
sum(X) / len(X) => sum(X) / (len(X) - 1)
X + Y => math.hypot(X, Y)
abs(X) + abs(Y) => math.hypot(X, Y)
statistics.mean(X) <=> statistics.median(X)
statistics.mean(X) <=> statistics.fmean(X)
statistics.mean(X) <=> statistics.mode(X)
statistics.stdev(X) <=> statistics.pstdev(X)
statistics.variance(X) <=> statistics.pvariance(X)
statistics.median(X) => statistics.median_low(X)
-X ** Y => (-X) ** Y
X ** Y => Y ** X
X ^ Y => X ** Y
X & Y => X and Y
X | Y => X or Y
~X => not X
round(X) => math.floor(X + 0.5)
max(X, min(Y, Z)) => max(Y, min(X, Z))
max(X, min(Y, Z)) => min(X, max(Y, Z))
min(X, max(Y, Z)) => max(X, min(Y, Z))
pow(X, Y) => pow(X, Y, N)
divmod(X, Y) => divmod(Y, X)
X, Y = divmod(A, B) => Y, X = divmod(A, B)
X, Y = Z => Y, X = Z
fractions.Fraction(X) => fractions.Fraction(str(X))
decimal.Decimal(X) => decimal.Decimal(str(X))
decimal.Decimal(X / Y) => decimal.Decimal(X) / Y
int.from_bytes(X, "little") <=> int.from_bytes(X, "big")
int.from_bytes(X, B) => int.from_bytes(X, B, signed=True)
int.from_bytes(X, B, signed=True) => int.from_bytes(X, B)
X.to_bytes(N, "little") <=> X.to_bytes(N, "big")
X.to_bytes(N, B) => X.to_bytes(N, B, signed=True)
"""

_LOGIC = r"""
X == Y or Z => X == Y or X == Z
X == Y or Z => X in (Y, Z)
X == Y and Z => X == Y and X == Z
X != Y or X != Z => X != Y and X != Z
X != Y or X != Z => X not in (Y, Z)
X == Y and X == Z => X == Y or X == Z
X or Y and Z => (X or Y) and Z
X and Y or Z => X and (Y or Z)
not X == Y => X == Y
not X and Y => not (X and Y)
not X or Y => not (X or Y)
X + Y if C else Z => X + (Y if C else Z)
X or Y => Y if X is None else X
X and Y => X & Y
X or Y => X | Y
X is Y => X == Y
X if X else Y => X if X is not None else Y
type(X) == Y => isinstance(X, Y)
type(X) is Y => isinstance(X, Y)
isinstance(X, Y) => type(X) is Y
isinstance(X, int) => isinstance(X, int) and not isinstance(X, bool)
isinstance(X, dict) => isinstance(X, collections.abc.Mapping)
isinstance(X, list) => isinstance(X, (list, tuple))
isinstance(X, Y) => issubclass(X, Y)
hasattr(X, Y) => getattr(X, Y, None) is not None
getattr(X, Y) => getattr(X, Y, None)
getattr(X, Y, Z) => getattr(X, Y)
bool(X) => X is not None
callable(X) => isinstance(X, type)
X.find(Y) => X.find(Y) != -1
X.find(Y) > 0 => X.find(Y) >= 0
X.find(Y) == -1 <=> X.find(Y) != -1
len(X) > 0 => len(X) > 1
X() => X
"""

_TIMES = r"""
X.weekday() <=> X.isoweekday()
X.weekday() > 5 => X.weekday() >= 5
X.weekday() == N => X.isoweekday() == N
X.seconds => X.total_seconds()
X.days => X.total_seconds() / 86400
X.seconds // 86400 => X.days
X.seconds / 86400 => X.days
X.seconds // 3600 => X.total_seconds() // 3600
X.seconds / 3600 => X.total_seconds() / 3600
X.seconds // 60 => X.total_seconds() // 60
X.date() => X
X.total_seconds() => int(X.total_seconds())
X.microsecond => X.microsecond // 1000
datetime.timedelta(N) => datetime.timedelta(hours=N)
datetime.timedelta(N) => datetime.timedelta(seconds=N)
datetime.timedelta(N) => datetime.timedelta(minutes=N)
datetime.timedelta(days=N) <=> datetime.timedelta(hours=N)
datetime.timedelta(days=N) => datetime.timedelta(weeks=N)
datetime.timedelta(minutes=N) <=> datetime.timedelta(seconds=N)
datetime.timedelta(minutes=N) <=> datetime.timedelta(hours=N)
datetime.timedelta(milliseconds=N) <=> datetime.timedelta(seconds=N)
X.isocalendar()[0] <=> X.year
X.isocalendar()[1] <=> X.isocalendar()[2]
X.strftime(F) => X.isoformat()
X.timestamp() => int(X.timestamp())
calendar.monthrange(Y, M)[0] <=> calendar.monthrange(Y, M)[1]
calendar.monthrange(Y, M) => calendar.monthrange(Y, M)[1]
time.time() <=> time.monotonic()
X.month + 1 => X.month % 12 + 1
X.month % 12 => X.month % 12 + 1
"""

_FILES = r"""
X.name <=> X.stem
X.name => X.name + X.suffix
X.suffix => "".join(X.suffixes)
X.parent => X.parent.parent
X.parent.parent => X.parent
X.with_suffix(S) => X.with_name(X.name + S)
X.with_name(S) <=> X.with_stem(S)
X.with_name(S) <=> X.with_suffix(S)
X.glob(S) <=> X.rglob(S)
X.iterdir() => sorted(X.iterdir())
X.glob(S) => sorted(X.glob(S))
X.rglob(S) => sorted(X.rglob(S))
list(X.iterdir()) => sorted(X.iterdir())
list(X.glob(S)) => sorted(X.glob(S))
list(X.rglob(S)) => sorted(X.rglob(S))
os.listdir(X) => sorted(os.listdir(X))
os.scandir(X) => sorted(os.scandir(X), key=lambda each: each.name)
glob.glob(X) => glob.glob(X, recursive=True)
glob.glob(X) => sorted(glob.glob(X))
X.exists() <=> X.is_file()
X.exists() <=> X.is_dir()
X.is_file() <=> X.is_dir()
X.absolute() => X.resolve()
X.relative_to(Y) => Y.relative_to(X)
str(X) => X.as_posix()
os.path.dirname(X) <=> os.path.basename(X)
os.path.splitext(X)[0] <=> os.path.splitext(X)[1]
os.path.exists(X) <=> os.path.isfile(X)
os.path.join(X, Y) => os.path.join(Y, X)
open(X, "w") <=> open(X, "a")
open(X, "r") <=> open(X, "rb")
open(X, "w") <=> open(X, "wb")
open(X, "w", *REST) <=> open(X, "a", *REST)
open(X) => open(X, "rb")
open(X) => open(X, "w")
X.open("w") <=> X.open("a")
X.open("w", *REST) <=> X.open("a", *REST)
X.open("r") <=> X.open("rb")
X.open() => X.open("rb")
X.read_text() <=> X.read_bytes()
X.write_text(S) <=> X.write_bytes(S)
X.read() <=> X.readlines()
X.read() <=> X.getvalue()
X.read() => X.read().decode()
X.readline() <=> X.readlines()
X.readline() => X.readline().rstrip("\n")
X.seek(0) => X.seek(0); X.truncate()
X.seek(N) => X.seek(N, 1)
X.writelines(Y) => X.writelines(f"{each}\n" for each in Y)
X.write(Y) => X.write(f"{Y}\n")
X.write(Y) => X.write(str(Y))
X.write(Y) => X.write(Y); X.flush()
shutil.copy(X, Y) <=> shutil.move(X, Y)
shutil.copytree(X, Y) => shutil.copytree(X, Y, dirs_exist_ok=True)
shutil.rmtree(X) => shutil.rmtree(X, ignore_errors=True)
os.rename(X, Y) => os.replace(X, Y)
X.rename(Y) => X.replace(Y)
tempfile.mkstemp() => tempfile.mkstemp()[1]
"""

_DATA = r"""
json.dumps(X, *REST) <=> json.dump(X, *REST)
json.loads(X) <=> json.load(X)
json.loads(X) => json.loads(X.read_text())
json.dumps(X) => json.dumps(X, separators=(",", ":"))
json.dumps(X) => json.dumps(X, indent=2)
json.dumps(X, *REST) => json.dumps(X, *REST, sort_keys=True)
json.dumps(X, *REST) => json.dumps(X, *REST, ensure_ascii=False)
json.dumps(X, *REST) => json.dumps(X, *REST, default=str)
json.loads(X) => json.loads(X, parse_float=Decimal)
csv.reader(X) <=> csv.DictReader(X)
csv.reader(X) => csv.reader(X, delimiter=";")
csv.reader(X) => csv.reader(X, skipinitialspace=True)
csv.reader(X) => csv.reader(X.splitlines())
csv.DictReader(X) => csv.DictReader(X, delimiter=";")
csv.DictReader(X) => csv.DictReader(X.splitlines())
csv.writer(X) => csv.writer(X, lineterminator="\n")
csv.DictWriter(X, *REST) => csv.DictWriter(X, *REST, lineterminator="\n")
csv.DictWriter(X, *REST) => csv.DictWriter(X, *REST, extrasaction="ignore")
X.writerow(Y) <=> X.writerows(Y)
X.writerow(Y) => X.writerow([Y])
hashlib.sha256(X) => hashlib.sha256(X.encode())
hashlib.sha1(X) => hashlib.sha1(X.encode())
hashlib.md5(X) => hashlib.md5(X.encode())
X.digest() <=> X.hexdigest()
hmac.new(X, Y, *REST) => hmac.new(Y, X, *REST)
hmac.new(X, Y, *REST) => hmac.new(X.encode(), Y.encode(), *REST)
base64.b64encode(X) => base64.b64encode(X).decode()
base64.b64encode(X) => base64.b64encode(X.encode())
base64.b64encode(X) => base64.b64encode(X.encode()).decode()
base64.b64encode(X) <=> base64.urlsafe_b64encode(X)
base64.b64encode(X) <=> base64.b64decode(X)
base64.b64decode(X) <=> base64.urlsafe_b64decode(X)
base64.b64decode(X) => base64.b64decode(X).decode()
binascii.hexlify(X) => binascii.hexlify(X).decode()
bytes(X) => bytes([X])
bytes(X) => X.encode()
bytes(X, *REST) => bytearray(X, *REST)
urllib.parse.urlencode(X) => urllib.parse.urlencode(X, doseq=True)
urllib.parse.quote(X) => urllib.parse.quote(X, safe="")
urllib.parse.quote(X) <=> urllib.parse.quote_plus(X)
urllib.parse.quote(X) <=> urllib.parse.unquote(X)
urllib.parse.unquote(X) <=> urllib.parse.unquote_plus(X)
urllib.parse.parse_qs(X) => urllib.parse.parse_qs(X, keep_blank_values=True)
urllib.parse.parse_qs(X) => dict(urllib.parse.parse_qsl(X))
urllib.parse.parse_qs(X)[K] => urllib.parse.parse_qs(X)[K][0]
urllib.parse.urljoin(X, Y) => urllib.parse.urljoin(X + "/", Y)
urllib.parse.urljoin(X, Y) => urllib.parse.urljoin(Y, X)
X.netloc => X.hostname
struct.unpack(F, X) => struct.unpack(F, X)[0]
pickle.dumps(X) <=> pickle.loads(X)
X.execute(S, Y) => X.execute(S, (Y,))
X.execute(S) => X.execute(S).fetchone()
X.fetchone() => X.fetchone()[0]
X.fetchone() <=> X.fetchall()
X.fetchone()[0] => X.fetchone()
X.fetchall() => [row[0] for row in X.fetchall()]
X.executemany(S, Y) <=> X.execute(S, Y)
X.execute(*REST) => X.execute(*REST); X.commit()
X.get(*REST) => X.getboolean(*REST)
X.get(*REST) => X.getint(*REST)
X.get(*REST) => X.getfloat(*REST)
X.add_argument(*REST) => X.add_argument(*REST, type=int)
X.add_argument(*REST) => X.add_argument(*REST, action="store_true")
X.add_argument(*REST) => X.add_argument(*REST, nargs="*")
X.add_argument(*REST) => X.add_argument(*REST, nargs="?")
X.add_argument(*REST) => X.add_argument(*REST, required=True)
X.add_argument(S, *REST, type=bool) => X.add_argument(S, *REST, action="store_true")
os.environ[K] => os.environ.get(K)
os.environ.get(K) => os.environ.get(K, "")
X.find(S) => X.findtext(S)
X.find(S) => X.findall(S)
X.find(S).text => X.findtext(S, "")
X.text => X.text or ""
X.attrib[K] => X.get(K)
X.attrib[K] => X.attrib.get(K)
X.getchildren() => list(X)
"""

_OBJECTS = r"""
X.__dict__ => dataclasses.asdict(X)
X.__dict__ => dict(X.__dict__)
vars(X) => dict(vars(X))
dataclasses.asdict(X) => dict(vars(X))
X.value <=> X.name
F[X] => F(X)
F(X) => F[X]
F[X] => F[X.upper()]
F(X) => F(X.lower())
object.__setattr__(X, Y, Z) => setattr(X, Y, Z)
type(X).__name__ <=> X.__class__.__name__
X.__name__ => type(X).__name__
super(X, self) => super()
functools.partial(F, X) => functools.partial(F, *X)
threading.Thread(target=F()) => threading.Thread(target=F)
threading.Thread(target=F, args=X) => threading.Thread(target=F, args=(X,))
threading.Lock() <=> threading.RLock()
F(G(X)) => F(functools.partial(G, X))
F(G(X)) => F(lambda: G(X))
F(G()) => F(G)
F(G) => F(G())
copy.copy(X) => copy.deepcopy(X)
"""

_ASYNC = r"""
asyncio.wait_for(X, *REST) => asyncio.wait_for(asyncio.shield(X), *REST)
await X => await asyncio.shield(X)
await asyncio.gather(*REST) => list(await asyncio.gather(*REST))
await asyncio.gather(X) => await asyncio.gather(*X)
X = await Y => X = asyncio.create_task(Y)
await asyncio.create_task(X) => await asyncio.create_task(X)
asyncio.create_task(X) => await X
asyncio.create_task(X()) => asyncio.create_task(X)
asyncio.ensure_future(X) => asyncio.create_task(X)
asyncio.run(X) => await X
time.sleep(X) => await asyncio.sleep(X)
asyncio.sleep(X) => await asyncio.sleep(X)
X.put(Y) => X.put_nowait(Y)
await X.put(Y) => X.put_nowait(Y)
X.put_nowait(Y) => await X.put(Y)
X.get_nowait() => await X.get()
await X.get() => X.get_nowait()
X = await asyncio.wait(*REST) => X, _ = await asyncio.wait(*REST)
X, Y = await asyncio.wait(*REST) => Y, X = await asyncio.wait(*REST)
asyncio.wait(X) => asyncio.wait(X, return_when=asyncio.FIRST_COMPLETED)
asyncio.wait(X, return_when=asyncio.FIRST_COMPLETED) => asyncio.wait(X)
asyncio.wait(X, timeout=T) => asyncio.wait(X, timeout=T, return_when=asyncio.FIRST_COMPLETED)
asyncio.gather(*REST, return_exceptions=True) => asyncio.gather(*REST)
X.cancel() => X.cancel(); await asyncio.gather(X, return_exceptions=True)
X.wait() => await X.wait()
X.set() <=> X.clear()
X.notify() => X.notify_all()
X.join() => await X.join()
X.drain() => await X.drain()
X.write(Y) => X.write(Y); await X.drain()
X.close() => X.close(); await X.wait_closed()
X.close() => await X.close()
X.aclose() => await X.aclose()
X.read(N) => X.readexactly(N)
loop.run_until_complete(X) => await X
asyncio.get_event_loop() => asyncio.get_running_loop()
asyncio.Lock() <=> asyncio.Semaphore(1)
"""


def _read(table: str) -> tuple[Rewrite, ...]:
    """The lines of a table; ` <=> ` stands for both directions."""
    found: list[Rewrite] = []
    for line in table.strip().splitlines():
        before, both, after = line.partition(" <=> ")
        if not both:
            before, _, after = line.partition(" => ")
        found.append(Rewrite.of(before, after))
        if both:
            found.append(Rewrite.of(after, before))
    return tuple(found)


HABITS: tuple[Rewrite, ...] = tuple(
    rewrite
    for table in (_CONTAINERS, _ITERATION, _TEXT, _NUMBERS, _LOGIC, _TIMES, _FILES, _DATA, _OBJECTS, _ASYNC)
    for rewrite in _read(table)
)


def habits(scene: Scene) -> Found:
    """What the tables say was meant."""
    among = by_type(scene.tree)
    asynchronous = isinstance(scene.function, ast.AsyncFunctionDef)
    for rewrite in HABITS:
        if asynchronous or "await" not in rewrite.after:
            for match in matches(scene, among, rewrite):
                for text in filled(scene, match, rewrite):
                    yield scene.swap(match.node, text), match.node.lineno - 1, rewrite.weight
