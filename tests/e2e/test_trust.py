"""A repository whose own files name programs is run with once the user trusts it."""

import json
import os
from pathlib import Path

import pytest

from pex_tui.adapters.trust_store import TrustStore, digest_of
from tests.e2e.conftest import Shell

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
