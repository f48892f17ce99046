"""Redaction: takes secrets out of text before it is written, and leaves code, hashes and test data as they are.

Three layers. Fixed shapes (tokens with a prefix) come from `detect-secrets` and a table beside it; context (a key's name, a URL, a PEM
frame) finds what has no shape; entropy finds long random tokens that neither knows. Every pattern is bounded or possessive, so that no
text costs more than linear time. Not covered: secrets that look like words and stand in prose, hexadecimal keys without a telling name
(they look like hashes), and anything inside binary data.
"""

from __future__ import annotations

import base64
import functools
import importlib
import itertools
import math
import os
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

Span = tuple[int, int, str]
"""Start, end, kind."""


class Redaction(msgspec.Struct, frozen=True):
    """One thing that was taken out."""

    kind: str
    """What it was: `github-token`, `password`, `private-key`, `entropy`, `home`."""
    start: int
    """Where it began in the text as it was."""
    end: int


LIBRARY: Mapping[str, tuple[str, str, tuple[str, ...]]] = {
    "aws-key": ("aws", "AWSKeyDetector", ("AKIA", "ASIA", "ABIA", "ACCA", "A3T")),
    "azure-key": ("azure_storage_key", "AzureStorageKeyDetector", ("AccountKey=",)),
    "github-token": ("github_token", "GitHubTokenDetector", ("ghp_", "gho_", "ghu_", "ghs_", "ghr_")),
    "gitlab-token": ("gitlab_token", "GitLabTokenDetector", ("GR1348941",)),
    "slack-token": ("slack", "SlackDetector", ("xox", "XOX", "hooks.slack.com")),
    "stripe-key": ("stripe", "StripeDetector", ("k_live_",)),
    "sendgrid-key": ("sendgrid", "SendGridDetector", ("SG.",)),
    "square-key": ("square_oauth", "SquareOAuthDetector", ("sq0csp-",)),
    "pypi-token": ("pypi_token", "PypiTokenDetector", ("pypi-Ag",)),
    "mailchimp-key": ("mailchimp", "MailchimpDetector", ("-us",)),
}
"""Kind -> module and class of detect-secrets whose patterns are used, and strings one of which stands in every match.

Its other detectors are left out: some take quadratic time on hostile text (JWT, OpenAI, npm, basic auth), some match ordinary code.
"""

_GITLAB = tuple(f"gl{short}-" for short in ("pat", "ptt", "rt", "dt", "cbt", "soat", "ft", "agent", "imt"))
SHAPES: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "aws-key": (r"(?<![A-Za-z0-9])(?:AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{16}(?![A-Za-z0-9])", ("AKIA", "ASIA", "ABIA", "ACCA")),
    "google-key": (r"AIza[\w-]{35}|GOCSPX-[\w-]{28}|(?<![\w.-])ya29\.[\w-]{20,}+", ("AIza", "GOCSPX-", "ya29.")),
    "azure-key": (
        (
            r"(?:AccountKey|SharedAccessKey|SharedSecret)=[A-Za-z0-9+/]{40,}+={0,2}|[?&]sig=[A-Za-z0-9%+/]{40,}+=*+"
            r"|(?<![\w~.-])[\w~.-]{3}\dQ~[\w~.-]{31,34}(?![\w~.-])"
        ),
        ("AccountKey=", "SharedAccessKey=", "SharedSecret=", "sig=", "Q~"),
    ),
    "github-token": (r"(?<!\w)(?:gh[pousr]_\w{36,255}|github_pat_\w{22,255})", ("ghp_", "gho_", "ghu_", "ghs_", "ghr_", "github_pat_")),
    "gitlab-token": (r"(?<![\w-])gl(?:pat|ptt|rt|dt|cbt|soat|ft|agent|imt)-[\w.-]{20,255}", _GITLAB),
    "slack-token": (r"(?<![\w-])(?:xapp-|xox[abeoprs]-)[A-Za-z0-9-]{12,255}", ("xapp-", "xox")),
    "stripe-key": (r"(?<!\w)(?:[rs]k_(?:live|test)_|whsec_)[A-Za-z0-9+/]{16,255}", ("k_live_", "k_test_", "whsec_")),
    "openai-key": (r"(?<![\w-])sk-(?=[A-Za-z_-]{0,60}\d)[\w-]{32,255}", ("sk-",)),
    "huggingface-token": (r"(?<!\w)(?:hf|api_org)_[A-Za-z0-9]{30,80}(?!\w)", ("hf_", "api_org_")),
    "npm-token": (r"(?<!\w)npm_[A-Za-z0-9]{36}(?!\w)", ("npm_",)),
    "jwt": (r"(?<![\w-])eyJ[\w-]{8,}+\.[\w-]{8,}+(?:\.[\w-]*+)?", ("eyJ",)),
    "bearer-token": (
        r"\b(?:[Bb]earer|BEARER|[Bb]asic|BASIC) (?=[\w.~+/-]{0,60}\d)[\w.~+/-]{16,}+=*+",
        ("earer ", "EARER ", "asic ", "ASIC "),
    ),
}
"""Kind -> pattern, and strings one of which stands in every match: looking for a string is a hundred times faster than for a pattern."""

_PEM_BEGIN = re.compile(r"-----BEGIN (?:[A-Z0-9]{1,12} ){0,3}PRIVATE KEY(?: BLOCK)?-----")
_PEM_BODY = re.compile(r"""(?:[A-Za-z0-9+/=\s\\"':,.()]++|-(?!----))*""")  # no possessive group: Python 3.11.2 matches it wrongly
_PEM_END = re.compile(r"-----END (?:[A-Z0-9]{1,12} ){0,3}PRIVATE KEY(?: BLOCK)?-----")
_PEM_LINE = re.compile(r"[A-Za-z0-9+/]{40,}+=*+")
_URL = re.compile(r"://([^\s/:@\"'<>\\]{0,80}):([^\s/@\"'<>\\]{1,200})@(?=[\w\[.-])")
_NAMED = re.compile(
    r"""(?P<name>pass(?:word|wd|phrase|code)?|pwd|secret(?:[_-]?(?:access)?[_-]?key)?|(?:api|access|auth|private|signing|encryption|account)[_-]?key"""
    r"""|token(?!i[sz])|credentials?)[A-Za-z0-9_]{0,16}\\?["']?\]?\s{0,4}(?::\s{0,4}str\s{0,4})?(?::=|=>|[:=])\s{0,4}[rbuRBU]{0,2}\\?(?P<quote>["'])"""
    r"""(?P<value>[^"'\\\s]{4,256})\\?(?P=quote)""",
    re.IGNORECASE,
)
_UNQUOTED = re.compile(
    r"^[ \t]{0,8}(?:export[ \t]{1,4})?[A-Z0-9_]{0,40}?"
    r"(?P<name>PASSWORD|PASSWD|PWD|SECRET|TOKEN|API_?KEY|ACCESS_?KEY|PRIVATE_?KEY)[A-Z0-9_]{0,20}"
    r"[ \t]{0,2}[=:][ \t]{0,2}(?P<value>[^\s\"'#;,(){}\[\]]{6,256})(?=$|[\s#;])",
    re.MULTILINE,
)
_CONNECTION = re.compile(r"(?i:\b(?P<name>password|pwd))=(?P<value>[^;\s\"'{}()]{4,128})(?=;)")
_NAMES = re.compile(r"pass|pwd|secret|token|credential|(?:api|access|auth|private|signing|encryption|account)[_-]?key")
_KEY_NAME = re.compile(
    r"(?i)(?:^|[_.-]|\b)(?P<name>pass(?:word|wd|phrase)|pwd|secret|token|api[_-]?key|access[_-]?key|private[_-]?key|credentials?)$"
)
_PLACEHOLDER = re.compile(
    r"(?:<[^<>]*>|\[[^\[\]]*\]|\$\{\w+\}|\$[A-Z_]+|\$\(.*|%s|%\(\w+\)s|\*+|\.+)\Z|.*\{[^{}]{0,80}\}"
    r"|(?i:.*(?:\.\.\.|xxx|\*\*\*|example|placeholder|changeme|change_me|redacted|dummy|your[_-]))"
)
_RUN = "[A-Za-z0-9_+/-]"
"""One letter of a long random token."""
_LONG = re.compile(r"(?<![A-Za-z0-9_+/.-])[A-Za-z0-9_+/-]{32,160}(?![A-Za-z0-9_+/.-])={0,2}")
_HEX = re.compile(r"(?:0x)?[0-9a-fA-F-]+\Z")
_DIGEST_BEFORE = re.compile(r"(?i)(?:sha\d{1,3}|md5|blake2[bs]?|integrity|digest|checksum|hash)[\"']?\s{0,3}[-:=]\s{0,3}[\"']?\Z")
_BLOCK_BEFORE = re.compile(r"""[A-Za-z0-9+/]{24}=*(?:\\n)?["']?\s{1,60}[bB]?["']?\Z|=\?[\w-]+\?[bBqQ]\?\Z""")
_BLOCK_AFTER = re.compile(r"""=*(?:\\n)?["']?\s{1,60}[bB]?["']?[A-Za-z0-9+/]{24}""")
_BITS = 4.4
"""Shannon entropy, in bits a character, from which a long mixed token counts as random; words joined by case stay below it."""


def redact(text: str) -> tuple[str, tuple[Redaction, ...]]:
    """The text with secrets replaced by `[redacted:KIND]` and the home folder by `~`, and what was replaced."""
    spans = _merged([*_private_keys(text), *_shaped(text), *_in_context(text), *_random(text), *_home(text)])
    if not spans:
        return text, ()
    pieces: list[str] = []
    position = 0
    for start, end, kind in spans:
        pieces += [text[position:start], "~" if kind == "home" else f"[redacted:{kind}]"]
        position = end
    pieces.append(text[position:])
    return "".join(pieces), tuple(Redaction(kind, start, end) for start, end, kind in spans)


class Sign(msgspec.Struct, frozen=True):
    """What a text holds that `redact` changes: something that `first` finds, and something that one of `then` finds where there are any."""

    first: re.Pattern[str]
    then: tuple[re.Pattern[str], ...] = ()


def signs() -> tuple[Sign, ...]:
    """Every text that `redact` changes shows one of these: for scanners of many texts, which are quicker than `redact`."""
    shapes = _patterns()
    strings = dict.fromkeys(re.escape(anchor) for _, _, anchors in shapes for anchor in anchors)
    home = os.path.expanduser("~")  # noqa: PTH111  # as in `_home`
    plain = ["PRIVATE KEY", *([re.escape(home)] if len(home) > 2 else [])]
    return (
        Sign(re.compile("|".join(strings)), tuple(pattern for _, pattern, _ in shapes)),
        Sign(re.compile("|".join(plain))),
        *(Sign(pattern) for pattern in (_URL, _NAMED, _UNQUOTED, _CONNECTION)),
        Sign(re.compile(f"{_RUN}{{32}}"), (re.compile(_mixed()),)),
    )


def _mixed() -> str:
    """Finds each run of 32 letters that has an upper one and two digits: of the four stretches around those three one has at least 8."""
    any_number, eight = f"{_RUN}*", f"{_RUN}{{8}}"
    found: list[str] = []
    for first, second, third in (("[A-Z]", "[0-9]", "[0-9]"), ("[0-9]", "[A-Z]", "[0-9]"), ("[0-9]", "[0-9]", "[A-Z]")):
        for long in range(4):
            stretches = [eight if long == at else "" for at in range(4)]
            found.append(f"{stretches[0]}{first}{stretches[1]}{any_number}{second}{stretches[2]}{any_number}{third}{stretches[3]}")
    return "|".join(found)


def redact_value(value: Any) -> tuple[Any, tuple[Redaction, ...]]:  # noqa: ANN401  # anything msgspec encodes
    """The value as builtins with every text in it redacted; bytes become redacted text, or their number."""
    found: list[Redaction] = []
    return _walk(msgspec.to_builtins(value, builtin_types=(bytes, bytearray)), "", found), tuple(found)


def _walk(value: object, key: str, found: list[Redaction]) -> object:
    if isinstance(value, str):
        return _redact_member(value, key, found)
    if isinstance(value, bytes | bytearray):
        content = bytes(value)
        try:
            return _redact_member(content.decode("utf-8"), key, found)
        except UnicodeDecodeError:
            return f"[binary: {len(content)} bytes]"
    if isinstance(value, Mapping):
        items: Mapping[object, object] = value  # pyright: ignore[reportUnknownVariableType]  # to_builtins leaves only builtins
        return {_walk(name, "", found): _walk(member, str(name), found) for name, member in items.items()}
    if isinstance(value, list | tuple | set | frozenset):
        members: list[object] = list(value)  # pyright: ignore[reportUnknownArgumentType]  # to_builtins leaves only builtins
        return [_walk(member, key, found) for member in members]
    return value


def _redact_member(text: str, key: str, found: list[Redaction]) -> str:
    """Redact a text; a member whose key says that it is a secret goes as a whole. Lone surrogates, which no file holds, become `?`."""
    text = text.encode("utf-8", "replace").decode("utf-8")
    named = _KEY_NAME.search(key[-64:]) if key else None
    if named is not None and not any(letter.isspace() for letter in text) and _telling(named["name"], text):
        found.append(Redaction(_kind(named["name"]), 0, len(text)))
        return f"[redacted:{_kind(named['name'])}]"
    clean, redactions = redact(text)
    found += redactions
    return clean


def _merged(spans: list[Span]) -> list[Span]:
    """The spans in order, overlapping ones made one that bears the kind of the first (the earlier start, then the longer)."""
    merged: list[Span] = []
    for start, end, kind in sorted(spans, key=lambda span: (span[0], -span[1])):
        if merged and start < merged[-1][1]:
            before = merged[-1]
            merged[-1] = (before[0], max(before[1], end), kind if before[2] == "home" else before[2])
        else:
            merged.append((start, end, kind))
    return merged


def _private_keys(text: str) -> Iterator[Span]:
    """PEM and PGP private keys, whole ones and ones that are cut off."""
    if "PRIVATE KEY" not in text:
        return
    for begin in _PEM_BEGIN.finditer(text):
        body = _PEM_BODY.match(text, begin.end())
        stop = body.end() if body else begin.end()
        end = _PEM_END.match(text, stop)
        if end is not None:
            yield begin.start(), end.end(), "private-key"
            continue
        lines = [line.end() for line in _PEM_LINE.finditer(text, begin.end(), stop)]
        if lines:
            yield begin.start(), lines[-1], "private-key"


def _shaped(text: str) -> Iterator[Span]:
    for kind, pattern, anchors in _patterns():
        if any(anchor in text for anchor in anchors):
            yield from ((found.start(), found.end(), kind) for found in pattern.finditer(text))


@functools.cache
def _patterns() -> tuple[tuple[str, re.Pattern[str], tuple[str, ...]], ...]:
    """The fixed shapes of the library and of the table. The library is imported at the first use: it costs 0.15 s."""
    found: list[tuple[str, re.Pattern[str], tuple[str, ...]]] = []
    for kind, (module, name, anchors) in LIBRARY.items():
        detector = getattr(importlib.import_module(f"detect_secrets.plugins.{module}"), name)
        found += [(kind, pattern, anchors) for pattern in detector.denylist]
    found += [(kind, re.compile(pattern), anchors) for kind, (pattern, anchors) in SHAPES.items()]
    return tuple(found)


def _in_context(text: str) -> Iterator[Span]:
    """What a name or a URL around it gives away."""
    if "://" in text:
        for found in _URL.finditer(text):
            if not _PLACEHOLDER.match(found[2]):
                yield *found.span(2), "url-password"
    lowered = text.lower() if text.isascii() else "".join(letter.lower() if letter.isascii() else letter for letter in text)
    names = [found.start() for found in _NAMES.finditer(lowered)]
    if not names:
        return
    matches = (_NAMED.match(text, start) for start in names)
    for found in (*filter(None, matches), *_UNQUOTED.finditer(text), *_CONNECTION.finditer(text)):
        if _telling(found["name"], found["value"]):
            yield *found.span("value"), _kind(found["name"])


def _kind(name: str) -> str:
    lowered = name.lower()
    return next((kind for kind in ("pass", "pwd", "token", "secret", "credential") if kind in lowered), "key").replace("pwd", "pass") + (
        "word" if "pass" in lowered or "pwd" in lowered else ""
    )


def _telling(name: str, value: str) -> bool:
    """Whether a value under such a name is a secret and no placeholder; a password may be any word that is not dull."""
    if len(value) < 4 or _PLACEHOLDER.match(value):
        return False
    lowered = value.lower()
    if _kind(name) == "password":
        return lowered.strip("_:-") not in _DULL and not lowered.startswith(("pass", "pwd"))
    return len(value) >= 8 and any(letter.isdigit() for letter in value) and len(set(value)) >= 6 and not value.isdigit()


_DULL = frozenset(
    {"none", "null", "true", "false", "test", "text", "string", "secret", "token", "prompt", "hidden", "required", "optional", "user"}
)


def _random(text: str) -> Iterator[Span]:
    """Long tokens of mixed letters and digits without the rhythm of words, paths, numbers or digests."""
    for found in _LONG.finditer(text):
        token = found[0]
        if not _looks_random(token) or _DIGEST_BEFORE.search(text, max(0, found.start() - 24), found.start()):
            continue
        if not _is_data(text, found.start(), found.end()) and not _hides_text(token):
            yield found.start(), found.end(), "entropy"


def _is_data(text: str, start: int, end: int) -> bool:
    """Whether the token is one line of an encoded block, or a word of an encoded mail header: test data far more often than a secret."""
    around = text[max(0, start - 120) : start], text[end : end + 120]
    return _BLOCK_BEFORE.search(around[0]) is not None or _BLOCK_AFTER.match(around[1]) is not None


def _hides_text(token: str) -> bool:
    """Whether the token is plain text in base64; a random one decodes to noise."""
    try:
        content = base64.b64decode(token[: len(token) // 4 * 4], altchars=b"-_")
    except ValueError:
        return False
    return sum(32 <= byte < 127 or byte in b"\t\n\r" for byte in content) > 0.9 * len(content)


def _looks_random(token: str) -> bool:
    if _HEX.match(token):
        return False
    digits = sum(letter.isdigit() for letter in token)
    if digits < 3 or not any(letter.islower() for letter in token) or not any(letter.isupper() for letter in token):
        return False
    changes = sum(_class(left) != _class(right) for left, right in itertools.pairwise(token))
    return changes >= len(token) * 0.4 and _entropy(token) >= min(_BITS, math.log2(len(token)) - 0.6)


def _class(letter: str) -> int:
    return 0 if letter.islower() else 1 if letter.isupper() else 2 if letter.isdigit() else 3


def _entropy(token: str) -> float:
    return -sum(count / len(token) * math.log2(count / len(token)) for count in Counter(token).values())


def _home(text: str) -> Iterator[Span]:
    home = os.path.expanduser("~")  # noqa: PTH111  # Path.home() raises where a user has none, as in many containers
    if len(home) > 2 and home in text:
        yield from ((found.start(), found.end(), "home") for found in re.finditer(rf"(?<![\w.~<-]){re.escape(home)}(?![\w.-])", text))
