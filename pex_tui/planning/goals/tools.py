"""Detection of a repository's tools from file names and a few configuration files."""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from pex_tui.planning.goals.outline import Tool, ToolKind

CONFIG_FILES = (
    *("pyproject.toml", "setup.cfg", "tox.ini", "requirements-dev.txt", "package.json"),
    *("Makefile", "justfile", ".pre-commit-config.yaml", "Gemfile", "composer.json"),
)
"""The top-level files whose content names the tools in use."""

_TARGET = re.compile(r"^([A-Za-z][\w.-]*)\s*:(?![=])", re.MULTILINE)
_TARGETS = {
    **dict.fromkeys(("test", "tests"), ToolKind.TESTS),
    **dict.fromkeys(("lint", "check"), ToolKind.LINT),
    **dict.fromkeys(("typecheck", "types", "type-check"), ToolKind.TYPES),
    **dict.fromkeys(("format", "fmt"), ToolKind.FORMAT),
    **dict.fromkeys(("audit", "security"), ToolKind.SECURITY),
    **dict.fromkeys(("bench", "benchmark"), ToolKind.PROFILE),
    **dict.fromkeys(("e2e", "test:e2e"), ToolKind.SCREENS),
    **dict.fromkeys(("licenses", "licences"), ToolKind.LICENCES),
    "docs": ToolKind.DOCS,
    "build": ToolKind.BUILD,
}
_PYTHON_TOOLS = (
    ("pytest", ToolKind.TESTS, ("pytest", "-q")),
    ("pytest", ToolKind.PROFILE, ("pytest", "-q", "--durations=20")),
    ("ruff", ToolKind.LINT, ("ruff", "check", ".")),
    ("flake8", ToolKind.LINT, ("flake8",)),
    ("pylint", ToolKind.LINT, ("pylint", "--recursive=y", ".")),
    ("mypy", ToolKind.TYPES, ("mypy", ".")),
    ("pyright", ToolKind.TYPES, ("pyright",)),
    ("ruff", ToolKind.FORMAT, ("ruff", "format", ".")),
    ("black", ToolKind.FORMAT, ("black", "-q", ".")),
    ("bandit", ToolKind.SECURITY, ("bandit", "-q", "-r", ".")),
    ("pip-audit", ToolKind.SECURITY, ("pip-audit",)),
    ("pip-licenses", ToolKind.LICENCES, ("pip-licenses",)),
    ("import-linter", ToolKind.STRUCTURE, ("lint-imports",)),
    ("importlinter", ToolKind.STRUCTURE, ("lint-imports",)),
)
_BY_FILE: tuple[tuple[str, ToolKind, tuple[str, ...]], ...] = (
    ("pytest.ini", ToolKind.TESTS, ("pytest", "-q")),
    ("conftest.py", ToolKind.TESTS, ("pytest", "-q")),
    ("tests/conftest.py", ToolKind.TESTS, ("pytest", "-q")),
    (".importlinter", ToolKind.STRUCTURE, ("lint-imports",)),
    ("ruff.toml", ToolKind.LINT, ("ruff", "check", ".")),
    ("mypy.ini", ToolKind.TYPES, ("mypy", ".")),
    ("Cargo.toml", ToolKind.TESTS, ("cargo", "test", "--quiet")),
    ("Cargo.toml", ToolKind.LINT, ("cargo", "clippy", "--quiet")),
    ("Cargo.toml", ToolKind.TYPES, ("cargo", "check", "--quiet")),
    ("Cargo.toml", ToolKind.FORMAT, ("cargo", "fmt")),
    ("go.mod", ToolKind.TESTS, ("go", "test", "./...")),
    ("go.mod", ToolKind.LINT, ("go", "vet", "./...")),
    ("go.mod", ToolKind.TYPES, ("go", "build", "./...")),
    ("go.mod", ToolKind.FORMAT, ("gofmt", "-w", ".")),
    ("go.mod", ToolKind.PROFILE, ("go", "test", "-run=^$", "-bench=.", "./...")),
    ("pom.xml", ToolKind.TESTS, ("mvn", "-q", "test")),
    ("gradlew", ToolKind.TESTS, ("./gradlew", "test")),
    ("Rakefile", ToolKind.TESTS, ("rake", "test")),
    (".rspec", ToolKind.TESTS, ("rspec",)),
    ("mkdocs.yml", ToolKind.DOCS, ("mkdocs", "build", "--strict")),
    ("alembic.ini", ToolKind.STATE, ("alembic", "check")),
    ("deny.toml", ToolKind.LICENCES, ("cargo", "deny", "check", "licenses")),
)
_NODE_TOOLS = (
    ("playwright", ToolKind.SCREENS, ("npx", "--no-install", "playwright", "test")),
    ("cypress", ToolKind.SCREENS, ("npx", "--no-install", "cypress", "run")),
    ("eslint", ToolKind.LINT, ("npx", "--no-install", "eslint", ".")),
    ("typescript", ToolKind.TYPES, ("npx", "--no-install", "tsc", "--noEmit")),
    ("prettier", ToolKind.FORMAT, ("npx", "--no-install", "prettier", "--write", ".")),
    ("dependency-cruiser", ToolKind.STRUCTURE, ("npx", "--no-install", "depcruise", ".")),
    ("license-checker", ToolKind.LICENCES, ("npx", "--no-install", "license-checker")),
)
_PYTHON_TESTS = re.compile(r"(^|/)(test_[^/]*|[^/]*_test)\.py$")


def find_tools(files: tuple[str, ...], texts: Mapping[str, str]) -> tuple[Tool, ...]:
    """Return the tools: the repository's own commands first, the standard library's and git's last.

    `texts` are the contents of configuration files at the top, by name.
    """
    found = (
        *_from_package(texts.get("package.json", ""), files),
        *_from_targets(texts),
        *_from_python(texts),
        *_from_files(files),
        *_always_there(files),
    )
    return tuple({(tool.kind, tool.argv): tool for tool in reversed(found)}.values())[::-1]


def find_ci(files: tuple[str, ...]) -> str | None:
    """Return the configuration file of continuous integration."""
    names = (".gitlab-ci.yml", "Jenkinsfile", ".circleci/config.yml", "azure-pipelines.yml")
    for path in files:
        if path in names or path.startswith(".github/workflows/"):
            return path
    return None


def _from_package(text: str, files: tuple[str, ...]) -> Iterator[Tool]:
    try:
        content = json.loads(text) if text else {}
    except (ValueError, RecursionError):
        return
    if not isinstance(content, dict):
        return
    scripts = _mapping(content, "scripts")
    for script, kind in _TARGETS.items():
        if script in scripts:
            yield Tool(
                kind, f"npm run {script}", ("npm", "run", "--silent", script), "package.json"
            )
    wanted = {**_mapping(content, "dependencies"), **_mapping(content, "devDependencies")}
    for name, kind, argv in _NODE_TOOLS:
        if any(name in package for package in wanted):
            yield Tool(kind, name, argv, "package.json")
    if "package-lock.json" in files:
        yield Tool(ToolKind.SECURITY, "npm audit", ("npm", "audit"), "package-lock.json")


def _mapping(content: dict[str, Any], key: str) -> dict[str, Any]:
    value = content.get(key)
    return value if isinstance(value, dict) else {}


def _from_targets(texts: Mapping[str, str]) -> Iterator[Tool]:
    for name, program in (("Makefile", "make"), ("justfile", "just")):
        for target in dict.fromkeys(_TARGET.findall(texts.get(name, ""))):
            if target in _TARGETS:
                yield Tool(_TARGETS[target], f"{program} {target}", (program, target), name)


def _from_python(texts: Mapping[str, str]) -> Iterator[Tool]:
    sources = ("pyproject.toml", "setup.cfg", "tox.ini", "requirements-dev.txt")
    for name, kind, argv in _PYTHON_TOOLS:
        for source in (*sources, ".pre-commit-config.yaml"):
            if re.search(rf"(?<![\w-]){name}(?![\w-])", texts.get(source, "")):
                yield Tool(kind, name, argv, source)
                break


def _from_files(files: tuple[str, ...]) -> Iterator[Tool]:
    known = set(files)
    for path, kind, argv in _BY_FILE:
        if path in known:
            yield Tool(kind, argv[0] if argv[0] != "cargo" else " ".join(argv[:2]), argv, path)
    for path in files:
        if path.startswith("playwright.config."):
            argv = ("npx", "--no-install", "playwright", "test")
            yield Tool(ToolKind.SCREENS, "playwright", argv, path)


def _always_there(files: tuple[str, ...]) -> Iterator[Tool]:
    """Yield the tools that need only the language itself, or git."""
    if any(path.endswith(".py") for path in files):
        if any(_PYTHON_TESTS.search(path) for path in files):
            unittest = ("python", "-m", "unittest")
            yield Tool(ToolKind.TESTS, "unittest", unittest, "the standard library")
            profile = ("python", "-m", "cProfile", "-s", "cumulative", "-m", "unittest")
            yield Tool(ToolKind.PROFILE, "cProfile", profile, "the standard library")
        compiler = ("python", "-m", "compileall", "-q", ".")
        yield Tool(ToolKind.SYNTAX, "compileall", compiler, "the standard library")
    scripts = [path for path in files if path.endswith(".sh")]
    if scripts:
        yield Tool(ToolKind.SYNTAX, "sh -n", ("sh", "-n", scripts[0]), scripts[0])
    recent = ("git", "log", "--stat", "--max-count=10")
    yield Tool(ToolKind.HISTORY, "git log", recent, "git")
