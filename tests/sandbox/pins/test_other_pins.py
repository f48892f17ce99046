"""Containers, commands, npm, cargo, go, maven, gradle, actions, pre-commit: what floats, and what does not."""

from __future__ import annotations

import json

import pytest

SHA = "sha256:" + "a" * 64
COMMIT = "0123456789abcdef0123456789abcdef01234567"


def test_dockerfile(floating):
    text = f"""\
# FROM commented:latest
ARG VERSION=3.11
ARG UNKNOWN
FROM --platform=linux/amd64 python:${{VERSION}}-slim AS base
FROM ubuntu
FROM $UNKNOWN
FROM base AS next
FROM registry.example.org:5000/team/image@{SHA}
FROM scratch
COPY --from=base /a /b
COPY --from=0 /a /b
COPY --from=busybox:1 /bin/sh /bin/sh
"""
    assert floating({"docker/Dockerfile": text}) == [
        ("docker/Dockerfile", 4, "python:3.11-slim"),
        ("docker/Dockerfile", 5, "ubuntu"),
        ("docker/Dockerfile", 12, "busybox:1"),
    ]


def test_compose(floating):
    text = (
        f"services:\n"
        f"  db:\n"
        f"    image: postgres:16\n"
        f"  cache:\n"
        f"    image: redis@{SHA}\n"
        f"  app:\n"
        f"    build: .\n"
        f"    image: mine:dev\n"
        f"  other:\n"
        f"    image: ${{IMAGE}}\n"
        f"  fallback:\n"
        f"    image: ${{IMAGE:-nginx:latest}}\n"
    )
    assert floating({"compose.yaml": text}) == [("compose.yaml", 3, "postgres:16"), ("compose.yaml", 12, "nginx:latest")]


def test_commands(floating):
    dockerfile = f"""\
FROM x@{SHA}
RUN --mount=type=cache,target=/c apt-get update && \\
    apt-get install -y --no-install-recommends curl git=1:2.39.2-1.1 $EXTRA "${{MORE[@]}}" ./local.deb
RUN apk add --no-cache bash python3=3.11.1-r0
RUN pip install -r requirements.txt && pip3 install --no-cache-dir requests && python3 -m pip install attrs==23.1.0 .
RUN npm ci && npm install -g typescript @scope/tool@1.2.3 && npx prettier --check . && npx cowsay@latest
"""
    script = (
        "#!/bin/sh\n"
        "# apt-get install nothing\n"
        "echo apt-get install nothing\n"
        "sudo apt-get install -y jq # for json\n"
        "go install example.org/tool@latest\n"
        "go install example.org/tool@v1.2.3\n"
        "cargo install ripgrep\n"
        "cargo install --locked bat --version 0.24.0\n"
    )
    make = "lint:\n\t@pip install ruff\n"
    assert floating({"Dockerfile": dockerfile, "scripts/ci.sh": script, "Makefile": make}) == [
        ("Dockerfile", 2, "curl"),
        ("Dockerfile", 4, "bash"),
        ("Dockerfile", 5, "requests"),
        ("Dockerfile", 6, "typescript"),
        ("Dockerfile", 6, "cowsay@latest"),
        ("Makefile", 2, "ruff"),
        ("scripts/ci.sh", 4, "jq"),
        ("scripts/ci.sh", 5, "example.org/tool@latest"),
        ("scripts/ci.sh", 7, "ripgrep"),
    ]


PACKAGE = {
    "name": "shop",
    "dependencies": {
        "react": "^18.2.0",
        "left-pad": "1.3.0",
        "mine": "file:../mine",
        "forked": "user/repo#main",
        "fixed": f"user/repo#{COMMIT}",
    },
    "devDependencies": {"typescript": "latest", "alias": "npm:real@2.0.0"},
}


def test_npm_without_a_lock(floating):
    assert [what for _, _, what in floating({"package.json": json.dumps(PACKAGE, indent=1)})] == [
        "react ^18.2.0",
        "forked user/repo#main",
        "typescript latest",
    ]
    exact = json.dumps({"dependencies": {"left-pad": "1.3.0"}})
    assert floating({"package.json": exact}) == [("package.json", 1, "1 dependencies without a lock file")]


@pytest.mark.parametrize("lock", ["yarn.lock", "pnpm-lock.yaml", "bun.lock"])
def test_npm_with_another_lock(floating, lock):
    assert floating({"package.json": json.dumps(PACKAGE), lock: "x\n"}) == []


def test_npm_with_its_lock(floating):
    names = ("react", "left-pad", "forked", "typescript", "alias", "fixed")
    locked = {f"node_modules/{name}": {"version": "1.0.0", "integrity": "sha512-x"} for name in names}
    lock = {"lockfileVersion": 3, "packages": {"": {}, **locked}}
    assert floating({"package.json": json.dumps(PACKAGE), "package-lock.json": json.dumps(lock)}) == []
    del locked["node_modules/react"]
    locked["node_modules/odd"] = {"version": "1.0.0"}
    locked["node_modules/linked"] = {"resolved": "packages/linked", "link": True}
    lock = json.dumps({"lockfileVersion": 3, "packages": {"": {}, **locked}}, indent=1)
    found = floating({"package.json": json.dumps(PACKAGE), "package-lock.json": lock})
    assert [what for _, _, what in found] == ["1 packages without a hash, such as odd", "react ^18.2.0"]
    assert '"node_modules/odd"' in lock.split("\n")[found[0][1] - 1]


def test_npm_workspaces_share_the_lock_of_their_root(floating):
    root = json.dumps({"workspaces": ["packages/*"]})
    lock = json.dumps({"packages": {"node_modules/react": {"integrity": "x"}}})
    member = json.dumps({"dependencies": {"react": "^18"}})
    assert floating({"package.json": root, "package-lock.json": lock, "packages/a/package.json": member}) == []
    assert floating({"package.json": "{}"}) == [("packages/a/package.json", 1, "react ^18")], "no workspace, so no lock of its own"


def test_cargo(floating):
    manifest = f"""\
[package]
name = "shop"
[dependencies]
serde = {{ version = "1", features = ["derive"] }}
exact = "=1.2.3"
any = "*"
mine = {{ path = "../mine" }}
forked = {{ git = "https://example.org/f", branch = "main" }}
fixed = {{ git = "https://example.org/f", rev = "{COMMIT}" }}
shared.workspace = true
renamed = {{ package = "real", version = "2" }}
[target.'cfg(unix)'.dependencies]
libc = "0.2"
"""
    files = {"Cargo.toml": manifest, "rust-toolchain.toml": '[toolchain]\nchannel = "stable"\n'}
    assert floating(files) == [
        ("Cargo.toml", 4, "serde 1"),
        ("Cargo.toml", 6, "any *"),
        ("Cargo.toml", 8, "forked https://example.org/f"),
        ("Cargo.toml", 11, "renamed 2"),
        ("Cargo.toml", 13, "libc 0.2"),
        ("rust-toolchain.toml", 2, "stable"),
    ]
    lock = "".join(f'[[package]]\nname = "{name}"\n' for name in ("serde", "any", "forked", "real"))
    assert floating({"Cargo.lock": lock, "rust-toolchain.toml": '[toolchain]\nchannel = "1.85.0"\n'}) == [("Cargo.toml", 13, "libc 0.2")]


def test_go(floating):
    module = (
        "module example.org/shop\n"
        "go 1.22\n"
        "require (\n"
        "\texample.org/a v1.2.3\n"
        "\texample.org/b v0.1.0 // indirect\n"
        ")\n"
        "require example.org/c master\n"
        "replace example.org/a => ../a\n"
        "replace example.org/b => example.org/fork dev\n"
    )
    assert floating({"go.mod": module}) == [
        ("go.mod", 4, "2 modules without a sum, such as example.org/a v1.2.3"),
        ("go.mod", 7, "example.org/c master"),
        ("go.mod", 9, "example.org/fork dev"),
    ]
    sums = "example.org/a v1.2.3 h1:x=\nexample.org/b v0.1.0/go.mod h1:x=\n"
    assert floating({"go.mod": module.replace("master", "v1.0.0").replace(" dev", " v1.0.0"), "go.sum": sums}) == [
        ("go.mod", 7, "1 modules without a sum, such as example.org/c v1.0.0")
    ]
    assert floating({"go.sum": sums + "example.org/c v1.0.0 h1:x=\n"}) == []


POM = """\
<project xmlns="http://maven.apache.org/POM/4.0.0">
  <groupId>g</groupId><artifactId>shop</artifactId><version>1-SNAPSHOT</version>
  <properties>
    <junit.version>[5.0,6.0)</junit.version>
  </properties>
  <dependencies>
    <dependency><groupId>a</groupId><artifactId>fixed</artifactId><version>1.2.3</version></dependency>
    <dependency><groupId>a</groupId><artifactId>exact</artifactId><version>[1.2.3]</version></dependency>
    <dependency><groupId>a</groupId><artifactId>junit</artifactId>
      <version>${junit.version}</version>
    </dependency>
    <dependency><groupId>a</groupId><artifactId>late</artifactId><version>LATEST</version></dependency>
    <dependency><groupId>a</groupId><artifactId>managed</artifactId></dependency>
    <dependency><groupId>g</groupId><artifactId>module</artifactId><version>${project.version}</version></dependency>
    <dependency><groupId>g</groupId><artifactId>sibling</artifactId><version>1-SNAPSHOT</version></dependency>
  </dependencies>
</project>
"""


def test_maven(floating):
    sibling = "<project><artifactId>sibling</artifactId></project>"
    assert floating({"pom.xml": POM, "sibling/pom.xml": sibling}) == [
        ("pom.xml", 10, "a:junit [5.0,6.0)"),
        ("pom.xml", 12, "a:late LATEST"),
    ]


def test_gradle(floating):
    build = """\
version = "1.0-SNAPSHOT"
/* implementation "a:comment:1.+"
   more */
dependencies {
    // implementation "a:comment:1.+"
    implementation "org.a:fixed:1.2.3"
    implementation 'org.a:any:1.+'
    implementation("org.a:late:latest.release")
    implementation "org.a:given:$version"
    testImplementation group: 'org.a', name: 'named', version: '[1,2)'
}
plugins { id("org.x") version "3.+" }
"""
    catalogue = (
        "[versions]\n"
        'a = "1.+"\n'
        'b = { strictly = "1.2.3" }\n'
        "[libraries]\n"
        'x = "g:x:latest.release"\n'
        'y = { module = "g:y", version = { ref = "a" } }\n'
    )
    wrapper = "distributionBase=GRADLE_USER_HOME\ndistributionUrl=https\\://example.org/gradle-8.5-bin.zip\n"
    files = {"build.gradle": build, "gradle/libs.versions.toml": catalogue, "gradle/wrapper/gradle-wrapper.properties": wrapper}
    assert floating(files) == [
        ("build.gradle", 7, "org.a:any:1.+"),
        ("build.gradle", 8, "org.a:late:latest.release"),
        ("build.gradle", 10, "version [1,2)"),
        ("build.gradle", 12, "version 3.+"),
        ("gradle/libs.versions.toml", 2, "a 1.+"),
        ("gradle/libs.versions.toml", 5, "x latest.release"),
        ("gradle/wrapper/gradle-wrapper.properties", 2, "gradle-8.5-bin.zip"),
    ]
    assert floating({"gradle.lockfile": "", "gradle/wrapper/gradle-wrapper.properties": f"{wrapper}distributionSha256Sum=abc\n"}) == []


def test_actions(floating):
    text = f"""\
on: push
jobs:
  test:
    runs-on: ubuntu-latest
    container: python:3.11
    services:
      db: {{image: "postgres@{SHA}"}}
    steps:
      - uses: actions/checkout@v4
      - uses: actions/setup-python@{COMMIT} # v5
      - uses: ./local
      - uses: someone/thing@main
      - run: |
          set -e
          pip install tox
  call:
    uses: org/repo/.github/workflows/x.yml@{COMMIT}
    runs-on: [self-hosted, linux]
"""
    assert floating({".github/workflows/ci.yml": text}) == [
        (".github/workflows/ci.yml", 15, "tox"),
        (".github/workflows/ci.yml", 4, "ubuntu-latest"),
        (".github/workflows/ci.yml", 5, "python:3.11"),
        (".github/workflows/ci.yml", 9, "actions/checkout@v4"),
        (".github/workflows/ci.yml", 12, "someone/thing@main"),
    ]


def test_pre_commit(floating):
    text = f"""\
repos:
  - repo: https://example.org/a
    rev: v1.2.3
    hooks: [{{id: a, additional_dependencies: [types-requests, attrs==23.1.0]}}]
  - repo: https://example.org/b
    rev: main
    hooks: []
  - repo: https://example.org/c
    rev: {COMMIT}
    hooks: []
  - repo: local
    hooks: [{{id: x}}]
"""
    assert floating({".pre-commit-config.yaml": text}) == [
        (".pre-commit-config.yaml", 4, "types-requests"),
        (".pre-commit-config.yaml", 6, "https://example.org/b main"),
    ]
