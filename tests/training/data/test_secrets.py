"""Secrets are looked for again, and quickly: what the quick look lets pass, `redact` itself would not have changed."""

from __future__ import annotations

import re
import sysconfig
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from suture_agent.policies import Message
from suture_agent.redact import redact, signs
from suture_training.data.rows import Preference

pytest.importorskip("pyarrow")

from suture_training.data.secrets import BETWEEN, Scanner, loosened

TOKEN = "ghp_" + "a1B2c3D4e5" * 4
SECRETS = [
    TOKEN,
    "AKIA" + "Z7Q4" * 4,
    "password = 'tr0ub4dor'",
    '{"api_key": "k3yk3yk3y9"}',
    "DATABASE_PASSWORD=hunter2hunter2",
    "postgres://admin:s3cr3t@db/x",
    "-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBgkqhkiG9w0BAQEFAASC\n-----END PRIVATE KEY-----",
    "Pwd=s3cr3tpw;",
    "pa\u017fsword=s3cr3tpw;",  # to `re` the long s is an s where case does not count
    "Authorization: Bearer abcdefgh12345678",
    "aZ9bY8cX7dW6eV5fU4gT3hS2iR1jQ0kP",
    "xoxb-123456789012-abcdefABCDEF",
    "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N",
    "AccountKey=" + "Ab1/" * 21 + "Ab1=",
]
PLAIN = [
    "def f(x):\n    return x\n",
    "tests/test_a.py::test_something_long_and_telling",
    "=" * 60,
    "-" * 60,
    "password: str",
    "é\u2028",
    "\0",
]


@pytest.fixture(scope="module")
def scanner():
    return Scanner()


@pytest.mark.parametrize("secret", SECRETS)
@pytest.mark.parametrize("around", ["{}", "x = '{}'\n", "é {} ü", "\n\n{}\n", '{{"a": "{}"}}'])
def test_whatever_redact_changes_is_suspicious(scanner, secret, around):
    text = around.format(secret)
    if redact(text)[0] != text:
        assert scanner.suspicious([text]) == [True]


PIECES = st.one_of(st.sampled_from(SECRETS + PLAIN), st.text(max_size=20), st.from_regex(r"[A-Za-z0-9_+/-]{30,40}", fullmatch=True))


@settings(max_examples=60, deadline=None)
@given(pieces=st.lists(PIECES, max_size=6), between=st.sampled_from(["", " ", "\n", BETWEEN]))
@example(pieces=[TOKEN, TOKEN], between=BETWEEN)
def test_nothing_gets_by(scanner, pieces, between):
    text = between.join(pieces).encode("utf-8", "replace").decode()
    if redact(text)[0] != text:
        assert scanner.suspicious([text]) == [True]


def test_the_standard_library_is_hardly_suspicious(scanner):
    folder = Path(sysconfig.get_paths()["stdlib"])
    texts = [path.read_text(encoding="utf-8")[:2000] for path in sorted(folder.glob("*.py"))[:60]]
    found = scanner.suspicious(texts)
    assert all(doubt for text, doubt in zip(texts, found, strict=True) if redact(text)[0] != text)
    assert sum(found) < 8


@pytest.mark.parametrize("sign", signs(), ids=lambda sign: sign.first.pattern[:24])
def test_every_pattern_becomes_one_that_finds_more(sign):
    pa, pc = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.compute")
    texts = [text for text in (*SECRETS, *PLAIN, "é".join(SECRETS), " ".join(SECRETS)) if "\u017f" not in text]  # see `_FOLDED`
    column = pa.array(texts, pa.large_string()).cast(pa.large_binary())
    for pattern in (sign.first, *sign.then):
        found = pc.match_substring_regex(column, pattern=loosened(pattern)).to_pylist()
        assert [text for text, hit in zip(texts, found, strict=True) if pattern.search(text) and not hit] == []


def test_brackets_groups_and_counts_are_read_as_re_reads_them():
    assert loosened(re.compile(r"(?<![\w)])a{2,4}+(?P<n>[]x\]]|b)(?=[)])\(")) == r"(?:a{2,}(?:[]x\]]|b)\()"
    assert loosened(re.compile(r"\wb*+c?+[^\w]", re.IGNORECASE)) == r"(?i:[\w\x80-\xff]b*c?[^\w])"


def test_a_secret_in_a_prompt_is_taken_out_and_the_row_kept(scanner, make_row):
    (found,) = scanner.checked([make_row(asked=f"It fails with token {TOKEN}.", patch=f"+{TOKEN}\n")])
    assert found.refused == ""
    assert found.row.secrets == "redacted"
    assert found.row.messages[1].content == "It fails with token [redacted:github-token]."
    assert found.row.patch == "+[redacted:github-token]\n"


@pytest.mark.parametrize(
    "fields", [{"answer": f"x = '{TOKEN}'"}, {"arguments": f'{{"search": "{TOKEN}"}}'}, {"answer": "x = '[redacted:password]'"}]
)
def test_an_answer_that_held_a_secret_is_not_learnt(scanner, make_row, fields):
    (found,) = scanner.checked([make_row(**fields)])
    assert found.refused == "the answer held a secret"


def test_an_earlier_answer_that_held_one_is_masked(scanner, make_row):
    row = make_row()
    earlier = (Message(role="assistant", content=f"I use {TOKEN}."), Message(role="user", content="No."))
    (found,) = scanner.checked([make_row(messages=(*row.messages[:2], *earlier, row.messages[2]))])
    assert (found.row.masked, found.row.secrets) == ((2,), "redacted")
    assert TOKEN not in str(found.row)


def test_a_row_without_one_is_as_it_was_and_says_so(scanner, make_row):
    row = make_row(arguments='{"path": "a.py"}')
    (found,) = scanner.checked([row])
    assert found.row.secrets == "clean"
    assert found.row.messages == row.messages
    assert found.row.tools is row.tools


def test_preferences_are_looked_through_too(scanner, make_row):
    row = make_row()
    preference = Preference(
        origin=row.origin, prompt=row.messages[:2], completion=Message(role="assistant", content=TOKEN), label=True, weight=1.0
    )
    (found,) = scanner.checked([preference])
    assert found.refused


def test_secrets_of_tools_and_system_prompts_are_found(scanner, make_row):
    row = make_row()
    system = Message(role="system", content=f"Use {TOKEN}.")
    found = scanner.checked([make_row(messages=(system, *row.messages[1:])), make_row(1)])
    assert [each.row.secrets for each in found] == ["redacted", "clean"]
    assert TOKEN not in str(found[0].row)
