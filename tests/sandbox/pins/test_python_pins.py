"""Python's manifests with and without locks: what floats is named with its line, what a lock pins is not."""

from __future__ import annotations

import pytest

SHA = "a" * 64
COMMIT = "0123456789abcdef0123456789abcdef01234567"

PROJECT = """\
[project]
name = "shop"
version = "1"
dependencies = ["requests>=2", "attrs==23.1.0", "rich"]
[project.optional-dependencies]
test = ["pytest ~= 8.0", "shop[fast]"]
[dependency-groups]
dev = ["ruff", {include-group = "test"}]
"""


def test_ranges_without_a_lock(floating):
    assert floating({"pyproject.toml": PROJECT}) == [
        ("pyproject.toml", 4, "requests>=2"),
        ("pyproject.toml", 4, "rich"),
        ("pyproject.toml", 6, "pytest ~= 8.0"),
        ("pyproject.toml", 8, "ruff"),
    ]


@pytest.mark.parametrize("lock", ["uv.lock", "poetry.lock", "pdm.lock", "pylock.toml", "pylock.suture.toml"])
def test_what_a_lock_names_does_not_float_and_what_it_does_not_name_does(floating, lock):
    table = "packages" if lock.startswith("pylock") else "package"
    text = "".join(f'[[{table}]]\nname = "{name}"\nversion = "1"\n' for name in ("requests", "rich", "pytest", "attrs"))
    assert floating({"pyproject.toml": PROJECT, lock: text}) == [("pyproject.toml", 8, "ruff")]


def test_a_lock_holds_the_members_of_its_workspace(floating):
    lock = "".join(f'[[package]]\nname = "{name}"\n' for name in ("requests", "rich", "pytest", "ruff", "Attrs"))
    assert floating({"packages/shop/pyproject.toml": PROJECT, "uv.lock": lock}) == []


def test_requirements_with_hashes_pin_pyproject_and_what_builds_it(floating):
    build = '[build-system]\nrequires = ["hatchling>=1.27"]\n'
    assert floating({"pyproject.toml": build}) == [("pyproject.toml", 2, "hatchling>=1.27")]
    hashed = f"hatchling==1.27.0 \\\n    --hash=sha256:{SHA}\n    # via shop\n"
    assert floating({"pyproject.toml": build, "requirements/build.txt": hashed}) == []


def test_requirements_files(floating):
    text = f"""\
# a comment
-r other.txt
--no-binary :all:
requests>=2  # any
attrs==23.*
click == 8.1.7
-e .
./local
flask @ git+https://example.org/flask.git@main
jinja2 @ git+https://example.org/jinja.git@{COMMIT}
-e git+https://example.org/x.git#egg=x
tool @ https://example.org/tool.whl
fixed @ https://example.org/fixed.whl#sha256={SHA}
"""
    assert floating({"requirements.txt": text}) == [
        ("requirements.txt", 4, "requests>=2"),
        ("requirements.txt", 5, "attrs==23.*"),
        ("requirements.txt", 6, "1 requirements without hashes"),
        ("requirements.txt", 9, "flask @ git+https://example.org/flask.git@main"),
        ("requirements.txt", 11, "-e git+https://example.org/x.git#egg=x"),
        ("requirements.txt", 12, "tool @ https://example.org/tool.whl"),
    ]


def test_hashed_requirements_constraints_and_inputs_that_were_compiled_are_silent(floating):
    hashed = (
        f"requests==2.32.3 ; python_version >= '3.9' \\\n"
        f"    --hash=sha256:{SHA} \\\n"
        f"    --hash=sha256:{SHA}\n"
        f"click==8.1.7 --hash=sha256:{SHA}\n"
    )
    files = {"requirements.txt": hashed, "requirements.in": "requests\n", "requirements-dev.txt": "-c requirements.txt\nrequests\n"}
    assert floating(files) == []
    assert floating({"requirements-new.in": "requests\n"}) == [], "held by the hashes beside it"


def test_poetry_and_pipenv(floating):
    poetry = f"""\
[tool.poetry.dependencies]
python = "^3.11"
requests = "^2.31"
attrs = "23.1.0"
mine = {{path = "../mine"}}
forked = {{git = "https://example.org/f.git", branch = "main"}}
fixed = {{git = "https://example.org/f.git", rev = "{COMMIT}"}}
[tool.poetry.group.dev.dependencies]
pytest = "*"
"""
    assert floating({"pyproject.toml": poetry}) == [
        ("pyproject.toml", 3, "requests ^2.31"),
        ("pyproject.toml", 6, "forked https://example.org/f.git"),
        ("pyproject.toml", 9, "pytest *"),
    ]
    pipfile = '[packages]\nrequests = "*"\nattrs = "==23.1.0"\n[dev-packages]\npytest = ">=8"\n'
    assert floating({"pyproject.toml": "", "Pipfile": pipfile}) == [("Pipfile", 2, "requests *"), ("Pipfile", 5, "pytest >=8")]
    assert floating({"Pipfile.lock": '{"default": {"requests": {}}, "develop": {"pytest": {}}}'}) == []


def test_setuptools(floating):
    cfg = (
        "[metadata]\n"
        "name = x\n"
        "[options]\n"
        "install_requires =\n"
        "    requests>=2\n"
        "    attrs==23.1.0\n"
        "[options.extras_require]\n"
        "test =\n"
        "    pytest\n"
    )
    program = (
        "from setuptools import setup\n"
        "setup(\n"
        "    install_requires=[\n"
        "        'requests>=2',\n"
        "        VARIABLE,\n"
        "    ],\n"
        "    extras_require={'x': ('rich',)},\n"
        ")\n"
    )
    assert floating({"setup.cfg": cfg, "setup.py": program}) == [
        ("setup.cfg", 5, "requests>=2"),
        ("setup.cfg", 9, "pytest"),
        ("setup.py", 4, "requests>=2"),
        ("setup.py", 7, "rich"),
    ]


def test_conda(floating):
    text = (
        "dependencies:\n"
        "  - python=3.11\n"
        "  - numpy=1.26.4=py311_0\n"
        "  - conda-forge::scipy\n"
        "  - pandas==2.2.0\n"
        "  - pip:\n"
        "      - requests\n"
        "      - attrs==23.1.0\n"
    )
    assert floating({"environment.yml": text}) == [
        ("environment.yml", 2, "python=3.11"),
        ("environment.yml", 4, "conda-forge::scipy"),
        ("environment.yml", 7, "requests"),
    ]
    assert floating({"environment.yml": text, "conda-lock.yml": "package: []\n"}) == []


def test_a_name_that_stands_in_many_lines_is_found_where_it_is_required(floating):
    text = '[project]\nname = "Flask-Thing"\ndescription = "For Flask"\ndependencies = [\n  "Flask",\n]\n'
    assert floating({"pyproject.toml": text}) == [("pyproject.toml", 5, "Flask")]


def test_what_is_not_the_workspaces_own_is_not_looked_at(floating):
    for folder in (".venv", "node_modules/x", "tests/fixtures/a", "vendor", ".git"):
        assert floating({f"{folder}/requirements.txt": "requests\n"}) == []
    assert floating({"env/pyvenv.cfg": "", "env/requirements.txt": "requests\n"}) == []
