"""The architecture is kept: imports point down, and a headless run loads no screen."""

import ast
import subprocess
import sys
from collections import Counter
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "pex_tui"
MODULES = sorted(PACKAGE.rglob("*.py"))
MOST_LINES = 400
MOST_FUNCTION_LINES = 60
QUESTIONS = {
    *("How", "That", "What", "When", "Where", "Whether", "Which", "Who", "Whom", "Whose", "Why")
}
MOST_APP_LINES = 250
MOST_FILES = 18
LARGE_FOLDERS = {"cli/commands", "adapters/process"}  # one file a command; one a part of the shim


@cache
def nodes_of(path: Path) -> tuple[ast.AST, ...]:
    """Return all parts of a module."""
    return tuple(ast.walk(ast.parse(path.read_text(encoding="utf-8"))))


def loaded_by(module: str) -> set[str]:
    """Return the modules that a new Python has after importing one."""
    code = f"import {module}, sys; print(*sys.modules)"
    answer = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, check=True, capture_output=True, text=True
    )
    return set(answer.stdout.split())


@pytest.mark.parametrize(
    "module",
    ["pex_tui.cli.main", "pex_tui.core.step", "pex_tui.headless.run", "pex_tui.cli.commands"],
)
def test_a_run_without_a_screen_never_loads_textual(module: str) -> None:
    loaded = loaded_by(module)

    assert not {name for name in loaded if name.split(".")[0] in {"textual", "rich"}}


@pytest.mark.parametrize(
    "module", ["pex_tui.cli.main", "pex_tui.core.step", "pex_tui.engine.engine"]
)
def test_networkx_and_pydantic_stay_off_the_start_up_path(module: str) -> None:
    loaded = loaded_by(module)

    assert not loaded & {"networkx", "pydantic", "pydantic_settings"}


@pytest.mark.parametrize(
    "module",
    [
        "pex_tui.application.project.doctor_checks",
        "pex_tui.application.runs.headless_runs",
        "pex_tui.cli.actions.land_run",
        "pex_tui.cli.actions.list_runs",
        "pex_tui.cli.output.check",
        "pex_tui.reports.formats",
    ],
)
def test_commands_without_a_screen_load_no_large_library(module: str) -> None:
    assert not loaded_by(module) & {"textual", "pydantic", "jinja2"}


def test_a_run_of_a_plan_file_loads_nothing_that_makes_plans() -> None:
    loaded = loaded_by("pex_tui.application.runs.headless_runs")

    assert not loaded & {"pex_tui.planning.goals.planner", "pex_tui.planning.prediction.predictor"}


@pytest.mark.parametrize(
    "statement",
    [
        "pex_tui.cli.parser; pex_tui.cli.parser.build_parser().format_help(); import sys",
        "pex_tui.cli.completion; pex_tui.cli.completion.candidates(['--set', '']); import re",
    ],
)
def test_help_and_completion_load_little(statement: str) -> None:
    loaded = loaded_by(statement)

    assert not loaded & {"networkx", "pydantic", "textual", "yaml", "pex_tui.application"}


def test_home_loads_what_it_shows() -> None:
    loaded = loaded_by("pex_tui.application.app.tui_startup, pex_tui.tui.screens.home")

    assert not loaded & {
        "networkx",
        "pydantic_settings",
        "pex_tui.core.step",
        "pex_tui.engine.engine",
        "pex_tui.reports.report",
    }


def test_the_shim_loads_next_to_nothing() -> None:
    loaded = loaded_by("pex_tui.adapters.process.server")

    assert not {name for name in loaded if name.split(".")[0] in {"asyncio", "yaml", "psutil"}}


def test_modules_and_functions_stay_small() -> None:
    long: list[str] = []
    for path in MODULES:
        text = path.read_text(encoding="utf-8")
        name = path.relative_to(ROOT)
        if text.count("\n") > MOST_LINES:
            long.append(f"{name} has {text.count(chr(10))} lines")
        for node in nodes_of(path):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                lines = (node.end_lineno or node.lineno) - node.lineno + 1
                if lines > MOST_FUNCTION_LINES:
                    long.append(f"{name}: {node.name} has {lines} lines")
    assert long == []


def test_folders_stay_small() -> None:
    files = Counter(
        str(path.parent.relative_to(PACKAGE)) for path in MODULES if path.name != "__init__.py"
    )

    assert {name for name, count in files.items() if count > MOST_FILES} == LARGE_FOLDERS


def test_docstrings_open_with_a_verb_or_a_noun() -> None:
    questions = [
        f"{path.relative_to(ROOT)}:{node.lineno}"
        for path in MODULES
        for node in nodes_of(path)
        if isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Constant)
        and isinstance(node.value.value, str)
        and node.value.value.partition(" ")[0] in QUESTIONS
    ]
    assert questions == []


def test_the_app_does_not_become_a_god_object() -> None:
    lines = (PACKAGE / "tui" / "app.py").read_text(encoding="utf-8").count("\n")

    assert lines < MOST_APP_LINES


def test_only_three_places_catch_everything() -> None:
    """The command line, an attempt's slot, and advisory parts that may not end the run."""
    broad = [
        f"{path.relative_to(PACKAGE)}"
        for path in MODULES
        for node in nodes_of(path)
        if isinstance(node, ast.ExceptHandler) and _swallows_everything(node)
    ]

    assert broad == [
        "cli/main.py",
        "engine/contained.py",
        "engine/contained.py",
        "engine/supervisor.py",
    ]


def _swallows_everything(handler: ast.ExceptHandler) -> bool:
    """Return whether a handler swallows everything; cleaning up and raising again does not."""
    names = {"bare"} if handler.type is None else set()
    if handler.type is not None:
        names = {node.id for node in ast.walk(handler.type) if isinstance(node, ast.Name)}
    last = handler.body[-1]
    raises_again = isinstance(last, ast.Raise) and last.exc is None
    return bool(names & {"bare", "Exception", "BaseException"}) and not raises_again


def test_no_picture_is_left_without_its_test() -> None:
    snapshots = ROOT / "snapshots"
    folders = {path.relative_to(snapshots) for path in snapshots.rglob("*") if path.is_dir()}
    tests = {
        path.relative_to(ROOT / "tests").with_suffix("") for path in ROOT.glob("tests/**/*.py")
    }
    parents = {parent for test in tests for parent in test.parents}

    assert folders <= tests | parents


def test_the_names_of_refs_are_spelled_in_one_place() -> None:
    owner = PACKAGE / "core" / "model" / "run_refs.py"
    strings = (
        (path, node.value)
        for path in MODULES
        if path != owner
        for node in nodes_of(path)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    )
    spelled = [
        f"{path.relative_to(ROOT)}: {text}"
        for path, text in strings
        if text.startswith(("refs/pex", "refs/heads/pex", "pex/"))
    ]

    assert spelled == []
