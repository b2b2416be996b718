"""Every command has a summary, and examples that parse."""

import re
import shlex
from importlib import import_module
from pathlib import Path

import pytest

from pex_tui.cli.main import main
from pex_tui.cli.parser import NAMES, build_parser, command

COMMANDS = Path(import_module("pex_tui.cli.commands").__file__ or "").parent
UNLISTED = {"app", "goal", "__init__"}
EXAMPLES = [(name, line) for name in NAMES for line, _ in command(name).examples]


def test_every_module_of_a_command_is_listed_once() -> None:
    modules = {path.stem for path in COMMANDS.glob("*.py")} - UNLISTED

    assert sorted(NAMES) == sorted(modules)


@pytest.mark.parametrize(("name", "line"), EXAMPLES, ids=[line for _, line in EXAMPLES])
def test_an_example_can_be_typed(name: str, line: str) -> None:
    words = shlex.split(re.split(r" (?:--|>|\|) ", line)[0])

    options = build_parser().parse_args(words)

    assert options.handler == name == words[0]


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        (["rollback"], "the following arguments are required: RUN\n"),
        (["rollback", ""], "argument RUN: it is empty"),
        (["land", ""], "argument RUN: it is empty"),
    ],
)
def test_a_missing_run_is_named(
    typed: list[str], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        build_parser().parse_args(typed)
    assert told in capsys.readouterr().err


@pytest.mark.parametrize("name", NAMES)
def test_help_is_good_to_read(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        build_parser((name,)).parse_args([name, "--help"])
    text = capsys.readouterr().out

    assert text.startswith(f"usage: pex-tui {name} ")
    assert "\nexamples:\n  pex-tui " in text
    assert [line for line in text.splitlines() if len(line) > 100] == []


def test_the_overview_lists_every_command_by_purpose(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--help"])
    text = capsys.readouterr().out

    assert all(f"  {name:<10}  {command(name).summary}\n" in text for name in NAMES)
    assert text.index("plan and run:") < text.index("inside an agent:") < text.index("options:")


@pytest.mark.parametrize(
    ("typed", "meant"), [("status", "runs"), ("merge", "land"), ("rnu", "run"), ("watch", "attach")]
)
def test_the_name_that_another_program_has_for_a_command_is_understood(
    typed: str, meant: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([typed]) == 2
    assert f"Did you mean `pex-tui {meant}`?" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["agents"], True),
        (["agents", "show", "x"], True),
        (["agents", "add", "x"], False),
        (["lock", "x"], True),
        (["run", "x.yaml"], False),
        (["clean"], False),
        ([], False),
    ],
    ids=str,
)
def test_an_agent_may_call_what_only_looks(words: list[str], expected: bool) -> None:
    assert build_parser().parse_args(words).is_open_to_agents is expected


def test_what_runs_the_repositorys_programs_needs_trust() -> None:
    needing = {name for name in NAMES if command(name).needs_trust}

    assert needing == {"plan", "run", "resume", "land", "resolve"}
    assert build_parser().parse_args([]).needs_trust
    assert build_parser().parse_args(["open:goal", "Fix it"]).needs_trust
