"""A repository whose own files name programs runs only once the user trusts it."""

import asyncio
import json
import os
import subprocess
from pathlib import Path

import pytest

from pex_tui.adapters.git.plumbing.repository import discover
from pex_tui.adapters.storage.trust_store import TrustStore, digest_of
from pex_tui.application.project.project import Project
from pex_tui.application.project.settings_trust import powers_of
from pex_tui.settings.load import load_settings
from tests.e2e.conftest import Shell
from tests.e2e.terminal import Terminal

PLAN = "version: 1\ntasks:\n  - {id: a, command: 'echo x > x.txt'}\n"
SETUP = "workspaces:\n  setup: [sh, -c, 'echo ran >> %s']\n"


def test_what_a_repository_names_runs_once_it_is_trusted(shell: Shell) -> None:
    mark = shell.top.parent / "mark"
    shell.write("plan.yaml", PLAN)
    shell.write(".pex/pex.yaml", SETUP % mark)

    refused = shell.pex("run", "plan.yaml", "--headless")
    assert refused.returncode == 2
    assert "workspaces.setup" in refused.stderr
    assert "pex-tui trust" in refused.stderr
    assert not mark.exists()
    assert shell.pex("check", "plan.yaml").returncode == 0  # it runs nothing

    trusted = shell.pex("trust")
    assert trusted.returncode == 0, trusted.stderr
    assert str(mark) in trusted.stdout
    assert shell.pex("run", "plan.yaml", "--headless", "--name", "one").returncode == 0
    assert mark.exists()

    shell.write(".pex/pex.yaml", SETUP % f"{mark}2")
    assert shell.pex("run", "plan.yaml", "--headless").returncode == 2
    shell.write(".pex/pex.yaml", "thread_pool: {max_concurrent: 2}\n")
    assert shell.pex("run", "plan.yaml", "--headless", "--name", "two").returncode == 0


@pytest.mark.parametrize(
    ("users", "repositorys", "named"),
    [
        ("", "budget: {usd: 500}", []),  # there was no limit
        ("budget: {usd: 5}", "budget: {usd: 500}", ["budget.usd: 500"]),
        ("budget: {tokens: 5}", "budget: {tokens: null}", ["budget.tokens: null"]),
        ("budget: {usd: 5}", "budget: {usd: 2}", []),
        ("", "thread_pool: {max_concurrent: 4, emergency_boost: 8}", []),
        ("", "Thread_Pool_Config: {max_concurrent: 6}", ["thread_pool.max_concurrent: 6"]),
        ("", "conflict_resolution: {max_retries: 9}", ["conflict_resolution.max_retries: 9"]),
        ("", "agents: {use: {'*': codex}}", ['agents.use: {"*": "codex"}']),
        ("agents: {use: {'*': codex}}", "agents: {use: {'*': codex}}", []),
        (
            "agents: {permissions: {deny: ['Bash(git push *)']}}",
            "agents: {permissions: {deny: []}}",
            ["agents.permissions.deny: []"],
        ),
        ("", "conflict_resolution: {union: ['**']}", ['conflict_resolution.union: ["**"]']),
        ("", "workspaces: {include_file: secrets}", ["workspaces.include_file: secrets"]),
        ("", "compatibility: {never: []}", ["compatibility.never: []"]),
        ("", "gate: {timeout: 5s}\nmonitoring: {theme: paper}", []),
    ],
)
def test_what_costs_more_or_guards_less_than_the_users_settings_needs_trust(
    tmp_path: Path, users: str, repositorys: str, named: list[str]
) -> None:
    for file, text in (("user/pex-tui", users), ("repo/.pex", repositorys)):
        (tmp_path / file).mkdir(parents=True)
        (tmp_path / file / "pex.yaml").write_text(text)
    repository = tmp_path / "repo"
    subprocess.run(["git", "init", "--quiet", repository], check=True)
    environ = {"XDG_CONFIG_HOME": str(tmp_path / "user"), "HOME": str(tmp_path)}
    settings = load_settings(repository, (), environ)
    project = Project(asyncio.run(discover(repository)), settings, (), environ)

    found = [line.removeprefix(".pex/pex.yaml: ") for line in powers_of(project)]

    assert found == named


@pytest.mark.parametrize(("answer", "runs"), [("y", True), ("n", False), ("", False)])
def test_trust_is_asked_for_at_the_terminal_and_noted(
    shell: Shell, answer: str, *, runs: bool
) -> None:
    shell.write(".pex/pex.yaml", "thread_pool: {max_concurrent: 9}\n")
    with Terminal(("plan", "Fix the failing tests"), shell.top, shell.env, 120, 30) as terminal:
        terminal.until("[y/N]")
        assert "thread_pool.max_concurrent: 9" in terminal.text
        terminal.press(f"{answer}\r")
        assert terminal.ended() == (0 if runs else 2)

    assert (shell.pex("plan", "Fix the failing tests").returncode == 0) is runs


def test_planning_runs_no_runner_of_a_repository_that_is_not_trusted(shell: Shell) -> None:
    mark = shell.top.parent / "mark"
    command = json.dumps(["sh", "-c", f"touch {mark}"])
    runner = f"agents:\n  runner: own\n  runners: {{own: {{talk: claude, command: {command}}}}}\n"
    shell.write(".pex/pex.yaml", runner)
    shell.env["PEX_AGENTS__PLANNER"] = "auto"
    refused = shell.pex("plan", "Fix the failing tests")
    assert refused.returncode == 2
    assert not mark.exists()

    shell.pex("plan", "Fix the failing tests", "--trust")
    assert mark.exists()


def test_an_agent_that_is_a_command_of_the_repository_needs_trust(shell: Shell) -> None:
    agent = "---\nname: qa-engineer\npex: {command: [sh, -c, 'exit 1']}\n---\nTest.\n"
    shell.write(".claude/agents/qa-engineer.md", agent)
    shell.write("plan.yaml", PLAN)

    refused = shell.pex("run", "plan.yaml", "--headless")

    assert refused.returncode == 2
    assert "the agent qa-engineer is the command" in refused.stderr


def test_what_is_trusted_is_kept_by_place_and_content(tmp_path: Path) -> None:
    store = TrustStore(tmp_path / "state")
    first, second = digest_of(tmp_path, ["a"]), digest_of(tmp_path, ["b"])
    assert not store.holds(first)
    store.add(first)

    assert store.holds(first)
    assert not store.holds(second)
    assert not store.holds(digest_of(tmp_path / "other", ["a"]))
    store.add(second)
    assert store.holds(first)
    (file,) = (tmp_path / "state").glob("*.json")
    assert file.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("content", [b"", b"{}", b"[1", b"\xff", b"[" * 100_000])
def test_a_store_that_cant_be_read_trusts_nothing(tmp_path: Path, content: bytes) -> None:
    store = TrustStore(tmp_path)
    (tmp_path / "trusted.json").write_bytes(content)

    assert not store.holds("x")
    store.add("x")
    assert store.holds("x")
    assert os.listdir(tmp_path)  # noqa: PTH208
