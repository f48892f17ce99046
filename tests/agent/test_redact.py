"""Redaction takes out every kind of secret, leaves code and hashes alone, and costs linear time on any text."""

from __future__ import annotations

import base64
import hashlib
import os
import random
import re
import string
import subprocess
import sys
import sysconfig
import uuid
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from suture_agent.redact import redact, redact_value

GENERATOR = random.Random(7)
LETTERS = string.ascii_letters + string.digits


def drawn(length: int, letters: str = LETTERS) -> str:
    return "".join(GENERATOR.choice(letters) for _ in range(length))


def pem(kind: str, lines: int = 6) -> str:
    body = "\n".join(drawn(64) for _ in range(lines))
    return f"-----BEGIN {kind}PRIVATE KEY-----\n{body}\n-----END {kind}PRIVATE KEY-----"


JWT = ".".join(
    base64.urlsafe_b64encode(part).decode().rstrip("=") for part in (b'{"alg":"HS256"}', b'{"sub":"1234567890"}', bytes(range(32)))
)
# Joined from parts, so that no scanner takes this file for a leak.
SECRETS = {
    "aws": ("aws-key", "AKIA" + drawn(16, string.ascii_uppercase + string.digits)),
    "aws session": ("aws-key", "ASIA" + drawn(16, string.ascii_uppercase)),
    "google": ("google-key", "AIza" + drawn(35)),
    "google oauth": ("google-key", "GOCSPX-" + drawn(28)),
    "azure storage": ("azure-key", "AccountKey=" + drawn(86) + "=="),
    "azure bus": ("azure-key", "SharedAccessKey=" + drawn(43) + "="),
    "azure client": ("azure-key", drawn(3) + "8Q~" + drawn(34)),
    "github": ("github-token", "ghp_" + drawn(36)),
    "github app": ("github-token", "ghs_" + drawn(36)),
    "github fine": ("github-token", "github_pat_" + drawn(22) + "_" + drawn(59)),
    "gitlab": ("gitlab-token", "glpat-" + drawn(20)),
    "slack": ("slack-token", "xoxb-" + drawn(12, string.digits) + "-" + drawn(24)),
    "slack app": ("slack-token", "xapp-1-" + drawn(30)),
    "slack hook": ("slack-token", "https://hooks.slack.com/services/T" + drawn(8) + "/B" + drawn(8) + "/" + drawn(24)),
    "stripe": ("stripe-key", "sk_live_" + drawn(24)),
    "stripe hook": ("stripe-key", "whsec_" + drawn(32)),
    "openai": ("openai-key", "sk-" + drawn(47) + "7"),
    "openai project": ("openai-key", "sk-proj-" + "1" + drawn(60)),
    "anthropic": ("openai-key", "sk-ant-api03-" + drawn(60)),
    "huggingface": ("huggingface-token", "hf_" + drawn(34)),
    "npm": ("npm-token", "npm_" + drawn(36)),
    "pypi": ("pypi-token", "pypi-AgEIcHlwaS5vcmc" + drawn(80)),
    "sendgrid": ("sendgrid-key", "SG." + drawn(22) + "." + drawn(43)),
    "jwt": ("jwt", JWT),
    "pem": ("private-key", pem("")),
    "rsa pem": ("private-key", pem("RSA ")),
    "openssh pem": ("private-key", pem("OPENSSH ")),
    "random": ("entropy", "q7ZkX2mVb9Rt4LsWc8Yd3HnGf6Pj5Ae1KuTo0BiM"),
}
AROUND = ("{}", "x = '{}'\n", 'print("{}")', "curl -H 'X: {}' ;", "see {} here", "[{}]", "a={}&b=1")


@pytest.mark.parametrize("around", AROUND)
@pytest.mark.parametrize("name", SECRETS)
def test_a_secret_is_taken_out_wherever_it_stands(name, around):
    kind, secret = SECRETS[name]
    clean, found = redact(around.format(secret))
    assert secret not in clean
    assert not [part for part in re.findall(r"[A-Za-z0-9+/]{16,}", secret.partition("=")[2] or secret) if part in clean]
    assert f"[redacted:{kind}]" in clean
    assert kind in {redaction.kind for redaction in found}


IN_CONTEXT = {
    "https://joe:hunter22@db.example.net/x": ("hunter22", "url-password"),
    "postgresql://app:s3cr3tpw@10.0.0.1:5432/shop": ("s3cr3tpw", "url-password"),
    "redis://:longpass9@cache:6379/0": ("longpass9", "url-password"),
    'password = "correcthorse"': ("correcthorse", "password"),
    "db_password='tr0ub4dor'": ("tr0ub4dor", "password"),
    '{"password": "correcthorse"}': ("correcthorse", "password"),
    '{\\"password\\": \\"correcthorse\\"}': ("correcthorse", "password"),
    'PASSWD: str = "correcthorse"': ("correcthorse", "password"),
    "settings['password'] = 'correcthorse'": ("correcthorse", "password"),
    'connect(user="joe", passwd="correcthorse")': ("correcthorse", "password"),
    "api_key = 'a8f5f167f44f4964e6c998dee827110c'": ("a8f5f167f44f4964e6c998dee827110c", "key"),
    'client_secret: "9c1185a5c5e9fc54"': ("9c1185a5c5e9fc54", "secret"),
    "aws_secret_access_key = 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYzQ8kLq3v'": ("wJalrXUtnFEMI", "secret"),
    "export DB_PASSWORD=correcthorse\n": ("correcthorse", "password"),
    "password = 'p$ss%w0rd('": ("p$ss%w0rd(", "password"),
    "password = '$ecret99'": ("$ecret99", "password"),
    "ftp://joe:(hun$er%2@host/": ("(hun$er", "url-password"),
    "API_TOKEN=abc123def456": ("abc123def456", "token"),
    "Server=db;Uid=sa;Pwd=correcthorse;": ("correcthorse", "password"),
    "Authorization: Bearer abcdef0123456789abcdef": ("abcdef0123456789", "bearer-token"),
    "Authorization: Basic am9lOmh1bnRlcjIyIQ==": ("am9lOmh1bnRlcjIyIQ", "bearer-token"),
}


@pytest.mark.parametrize("text", IN_CONTEXT)
def test_a_secret_is_known_by_its_surroundings(text):
    secret, kind = IN_CONTEXT[text]
    clean, _ = redact(f"first line\n{text}\nlast line")
    assert secret not in clean
    assert f"[redacted:{kind}]" in clean
    assert clean.startswith("first line\n")
    assert clean.endswith("\nlast line")


INNOCENT = (
    hashlib.sha1(b"a").hexdigest(),
    f"commit {hashlib.sha1(b'b').hexdigest()}",
    hashlib.sha256(b"a").hexdigest(),
    hashlib.sha512(b"a").hexdigest(),
    f"sha256={base64.urlsafe_b64encode(hashlib.sha256(b'x').digest()).decode().rstrip('=')}",
    f'"integrity": "sha512-{base64.b64encode(hashlib.sha512(b"x").digest()).decode()}"',
    str(uuid.UUID(int=0x1234567890ABCDEF1234567890ABCDEF)),
    "def test_password_is_required(password):\n    assert password == other.password",
    "password = getpass()",
    "password = None",
    'password = ""',
    'password = "<your password>"',
    "url = f'https://{user}:{password}@{host}/'",
    "https://user:$PASSWORD@host/",
    "https://user:${DB_PASSWORD}@host/",
    "https://user:<password>@host/",
    "password = '%s'",
    "password = f'{prefix}-{number}'",
    'passwd = "********"',
    "https://user:%(password)s@host/",
    "token = tokens[0]",
    'token = "identifier"',
    'secret_key = os.environ["SECRET_KEY"]',
    "for key, value in items.items():",
    'key = "primary"',
    "tokenizer_class='Qwen2Tokenizer'",
    "return self.a_rather_long_name_of_a_method_2_that_goes_on_for_some_time()",
    "ThisIsTheNameOfAVeryLongJavaStyleClassFactoryFactory2Impl",
    "/usr/lib/python3.11/site-packages/_pytest/assertion/rewrite.py:185",
    "tests/test_shop.py::TestCart::test_total_of_3_articles[10-20-30]",
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789",
    "0x" + "f" * 40,
    "1" * 60,
    "=" * 80,
    "-----BEGIN PRIVATE KEY-----",
    'if "-----BEGIN RSA PRIVATE KEY-----" in text: return text.partition("-----END")[0]',
    "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----",
    "sk-learn and sk-image are packages; task-oriented-programming-in-plain-words-only",
    "class='btn sk-circle-fade-dot-animation-delay-something'",
    "AKIA is the prefix",
    "gh = ghp_",
)


@pytest.mark.parametrize("text", INNOCENT)
def test_ordinary_text_stays(text):
    assert redact(text) == (text, ())


def test_the_home_folder_becomes_a_tilde(monkeypatch):
    monkeypatch.setenv("HOME", "/home/alice")
    text = "/home/alice/src/a.py, '/home/alice', file:///home/alice/x, /home/alicet/b, /x/home/alice/c, /home/alice-2"
    clean, found = redact(text)
    assert clean == "~/src/a.py, '~', file://~/x, /home/alicet/b, /x/home/alice/c, /home/alice-2"
    assert {redaction.kind for redaction in found} == {"home"}


def test_a_home_folder_at_the_root_is_left_alone(monkeypatch):
    monkeypatch.setenv("HOME", "/")
    assert redact("/etc/passwd") == ("/etc/passwd", ())


def test_a_user_without_a_home_folder_is_no_trouble():
    code = (
        "import os, pwd\nfrom suture_agent.redact import redact\nredact('x')\nos.getuid() or os.setuid(54321)\n"
        "print(redact(pwd.getpwuid(0).pw_dir + '/b')[0])"
    )
    variables = {name: value for name, value in os.environ.items() if name != "HOME"}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=variables, check=True)
    assert done.stdout.endswith("/b\n")


def test_redactions_tell_where_they_were():
    secret = SECRETS["github"][1]
    text = f"a {secret} b"
    clean, (found,) = redact(text)
    assert clean == "a [redacted:github-token] b"
    assert text[found.start : found.end] == secret


def test_a_private_key_that_is_cut_off_is_taken_out():
    cut = pem("RSA ")[:250]
    clean, _ = redact(f"before\n{cut}")
    assert clean.startswith("before\n[redacted:private-key]")
    assert cut.splitlines()[2] not in clean


def test_a_private_key_in_a_json_string_is_taken_out():
    text = msgspec.json.encode({"private_key": pem("")}).decode()
    clean, _ = redact(text)
    assert clean == '{"private_key":"[redacted:private-key]"}'


def test_what_stands_between_two_keys_stays():
    clean, found = redact(f"{pem('')}\ndef f():\n    return 1\n{pem('EC ')}\n")
    assert clean == "[redacted:private-key]\ndef f():\n    return 1\n[redacted:private-key]\n"
    assert len(found) == 2


class Held(msgspec.Struct):
    text: str
    more: dict[str, list[str]]
    data: bytes
    number: int = 3


def test_values_are_walked_to_the_bottom():
    secret = SECRETS["gitlab"][1]
    value, found = redact_value(Held(text=secret, more={secret: [secret, "fine"]}, data=secret.encode()))
    assert value == {
        "text": "[redacted:gitlab-token]",
        "more": {"[redacted:gitlab-token]": ["[redacted:gitlab-token]", "fine"]},
        "data": "[redacted:gitlab-token]",
        "number": 3,
    }
    assert len(found) == 4


def test_a_member_is_known_by_its_key():
    value, _ = redact_value({"password": "hunter22", "db_password": "correcthorse", "api_key": "a8f5f167f44f4964", "tokens": "12 tokens"})
    assert value == {
        "password": "[redacted:password]",
        "db_password": "[redacted:password]",
        "api_key": "[redacted:key]",
        "tokens": "12 tokens",
    }


def test_binary_and_broken_text_become_text():
    value, _ = redact_value([b"\xff\xfe", b"ok", "\ud800", None, 1.5, True])
    assert value == ["[binary: 2 bytes]", "ok", "?", None, 1.5, True]


def test_redacting_twice_changes_nothing_more():
    for _, secret in SECRETS.values():
        once, _ = redact(f"x = '{secret}'")
        assert redact(once) == (once, ())


def test_false_alarms_on_the_standard_library_are_rare():
    root = Path(sysconfig.get_path("stdlib"))
    files = sorted(path for path in root.rglob("*.py") if not {"site-packages", "test", "tests"} & set(path.parts))[::4]
    lines, alarms = 0, []
    for path in files:
        try:
            text = path.read_text("utf-8")
        except UnicodeDecodeError:
            continue
        lines += text.count("\n")
        alarms += [(path.name, found.kind, text[found.start : found.end]) for found in redact(text)[1] if found.kind != "home"]
    assert lines > 30_000
    assert len(alarms) <= lines / 10_000, alarms


def test_importing_it_does_not_import_the_library():
    code = "import sys, suture_agent.redact; print('detect_secrets' in sys.modules, 'requests' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "False"]


# fmt: off
HOSTILE = (
    "a", "A1", "aB3", "eyJ", "eyJhbGciOiJ.", "-----BEGIN PRIVATE KEY-----", "-----BEGIN RSA PRIVATE KEY-----\nAAAA", "://a:", "://",
    "sk-", "xoxb-1-", "ghp_", "password='", "password: ", 'secret_key = "', "password", "pwd=", "token=token", "AccountKey=", "/root",
    "PASSWORD=A", "\nPASSWORD", "Bearer ", "npm_", "hf_", "gl", "glpat-", "sig=", "3Q~", "SG.", "-us1", "AKIA", "https://hooks.slack.com/services/T",
    "=?b?", "ya29.", "\\\"", "[redacted:", "\ud800", "0" * 31 + " ", "aB3+/" * 8 + "\n", "api_key_", "{", "%", "xxx",
)
# fmt: on


@pytest.mark.parametrize("unit", HOSTILE)
def test_half_a_million_characters_of_hostile_text_come_to_an_end(unit):
    """A pattern that takes quadratic time would be at it for half an hour; what is not a secret stays."""
    text = unit * (500_000 // len(unit))
    clean, found = redact(text)
    assert found or clean == text


@settings(max_examples=150, deadline=None)
@given(st.lists(st.one_of(st.sampled_from(HOSTILE), st.text(max_size=12), st.sampled_from([s for _, s in SECRETS.values()])), max_size=12))
def test_any_text_can_be_redacted_and_only_the_told_places_change(pieces):
    text = "".join(pieces)
    clean, found = redact(text)
    rebuilt, position = [], 0
    for redaction in found:
        assert position <= redaction.start < redaction.end <= len(text)
        rebuilt += [text[position : redaction.start], "~" if redaction.kind == "home" else f"[redacted:{redaction.kind}]"]
        position = redaction.end
    assert "".join([*rebuilt, text[position:]]) == clean
