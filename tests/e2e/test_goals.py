"""Goals on the command line: planned, written, reviewed, run; and arguments that are not goals."""

import subprocess
import sys

import pytest
import yaml

from tests.e2e.conftest import Shell
from tests.e2e.terminal import Terminal

GOAL = "Find out why the shop fails and is slow"
TEST = (
    "import unittest\n\nclass ShopTest(unittest.TestCase):\n"
    "    def test_one(self) -> None:\n        self.assertEqual(1, 1)\n"
)


@pytest.fixture
def shop(shell: Shell) -> Shell:
    """A small Python project whose tests need only Python."""
    shell.write("shop.py", "PRICE = 1\n")
    shell.write("test_shop.py", TEST)
    shell.git("add", "-A")
    shell.git("commit", "--quiet", "-m", "shop")
    return shell


def test_a_goal_is_planned_on_stdout_and_explained_on_stderr(shop: Shell) -> None:
    ended = shop.pex("plan", GOAL)

    assert ended.returncode == 0, ended.stderr
    assert "version: 1" in ended.stdout
    assert "pattern investigation" in ended.stderr
    assert 'performance-agent: the goal says "slow"' in ended.stderr
    assert "one agent alone would take" in ended.stderr
    assert shop.traces() == ""


def test_a_written_plan_is_checked_and_run(shop: Shell) -> None:
    assert shop.pex("plan", GOAL, "-o", "plan.yaml").returncode == 0
    assert shop.pex("check", "plan.yaml").returncode == 0
    ended = shop.pex("run", "plan.yaml", "--headless")

    assert ended.returncode == 0, ended.stderr
    assert "qa-engineer" in ended.stdout


def test_a_file_is_written_over_only_with_force(shop: Shell) -> None:
    shop.write("plan.yaml", "mine\n")
    refused = shop.pex("plan", GOAL, "-o", "plan.yaml")

    assert refused.returncode == 2
    assert "--force" in refused.stderr
    assert (shop.top / "plan.yaml").read_text() == "mine\n"
    assert shop.pex("plan", GOAL, "-o", "plan.yaml", "--force").returncode == 0
    assert "version: 1" in (shop.top / "plan.yaml").read_text()


def test_a_plan_that_cannot_be_written_is_told(shop: Shell) -> None:
    ended = shop.pex("plan", GOAL, "-o", "nowhere/plan.yaml")

    assert ended.returncode == 2
    assert "nowhere/plan.yaml: the plan can't be written" in ended.stderr


def test_headless_a_goal_needs_yes(shop: Shell) -> None:
    refused = shop.pex("run", GOAL, "--headless")

    assert refused.returncode == 2
    assert "--yes" in refused.stderr
    assert refused.stdout == ""
    assert shop.traces() == ""
    ended = shop.pex("run", GOAL, "--headless", "--yes")
    assert ended.returncode == 0, ended.stderr
    assert "all tasks succeeded" in ended.stdout


def test_a_plan_that_can_do_nothing_is_not_started(shop: Shell) -> None:
    ended = shop.pex("run", "Fix the typo in shop.py", "--headless", "--yes")

    assert ended.returncode == 2
    assert "coding agent" in ended.stderr
    assert shop.traces() == ""


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("statsu",), "Did you mean `pex-tui runs`"),
        (("rnu",), "Did you mean `pex-tui run`"),
        (("statsu",), "pex-tui plan statsu"),
        (("Fix", "the", "tests"), "in quotes"),
        (("shop.py",), "is a file"),
        (("run", "statsu", "--headless"), "pex-tui plan statsu"),
        (("run", "nope.yaml", "--headless"), "no such plan"),
        (("run", "plans/nope", "--headless"), "no such plan"),
        (("plan", " \n "), "empty"),
        (("",), "empty"),
        (("Fix the tests",), "pex-tui plan 'Fix the tests'"),
    ],
)
def test_what_is_no_goal_is_told_with_the_next_step(
    shop: Shell, arguments: tuple[str, ...], words: str
) -> None:
    ended = shop.pex(*arguments)

    assert ended.returncode == 2
    assert words in ended.stderr
    assert "Traceback" not in ended.stderr


def test_one_word_is_a_goal_for_plan(shop: Shell) -> None:
    assert "version: 1" in shop.pex("plan", "faster").stdout


def test_a_sentence_that_names_a_path_is_a_goal(shop: Shell) -> None:
    ended = shop.pex("run", "Find out why src/a.txt fails", "--headless")

    assert "--yes" in ended.stderr


HOSTILE = """Find out why "shop" fails $(touch one) `touch two` it's slow; touch three
\\ && ${HOME} 'and' !touch *
"""


def test_a_goal_on_stdin_reaches_the_plan_as_it_was_written(shop: Shell) -> None:
    ended = shop.pex("plan", "-", "-o", "plan.yaml", stdin=HOSTILE)

    assert ended.returncode == 0, ended.stderr
    plan = yaml.safe_load((shop.top / "plan.yaml").read_text())
    assert plan["goal"].split() == HOSTILE.split()
    assert not {"one", "two", "three"} & {path.name for path in shop.top.iterdir()}


def test_a_goal_on_stdin_is_run(shop: Shell) -> None:
    refused = shop.pex("run", "-", "--headless", stdin=GOAL)

    assert refused.returncode == 2
    assert "--yes" in refused.stderr
    ended = shop.pex("run", "-", "--headless", "--yes", stdin=GOAL)
    assert ended.returncode == 0, ended.stderr
    assert "all tasks succeeded" in ended.stdout


@pytest.mark.parametrize("command", [("plan", "-"), ("run", "-", "--headless", "--yes")])
def test_nothing_on_stdin_is_no_goal(shop: Shell, command: tuple[str, ...]) -> None:
    ended = shop.pex(*command, stdin=" \n")

    assert ended.returncode == 2
    assert "The goal is empty" in ended.stderr
    assert shop.traces() == ""


@pytest.mark.parametrize(
    ("redirection", "words"),
    [
        ("<&-", "stdin is closed"),
        ("0> written", "stdin: the goal can't be read: Bad file descriptor"),
        (r"< <(printf 'one\n\377')", "stdin:2: the goal is not UTF-8"),
    ],
)
def test_a_stdin_that_holds_no_text_is_told(shop: Shell, redirection: str, words: str) -> None:
    line = f'"{sys.executable}" -m pex_tui plan - {redirection}'
    ended = subprocess.run(
        ["bash", "-c", line],
        cwd=shop.top,
        env=shop.env,
        capture_output=True,
        text=True,
        check=False,
    )

    assert ended.returncode == 2
    assert words in ended.stderr
    assert "Traceback" not in ended.stderr


def test_a_goal_is_typed_at_a_terminal(shop: Shell) -> None:
    with Terminal(("plan", "-", "-o", "plan.yaml"), shop.top, shop.env, 120, 36) as terminal:
        terminal.until("Type the goal")
        terminal.press(f"{GOAL}\n\x04")
        terminal.until("The plan is in plan.yaml")
        assert terminal.ended() == 0


def test_a_goal_opens_the_app_on_its_plan(shop: Shell) -> None:
    with Terminal((GOAL,), shop.top, shop.env, 120, 36) as terminal:
        terminal.until("Approve & run", "qa-engineer", "performance-agent")
        terminal.press("!")
        terminal.until("Why this plan", "pattern investigation")
        terminal.press("\x1b")
        terminal.until("Approve & run", absent="Why this plan")
        terminal.press("q")
        assert terminal.ended() == 0
    assert shop.traces() == ""
