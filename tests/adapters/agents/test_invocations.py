"""Command lines of agents under rules and with unusual prompts."""

from pathlib import Path

import pytest

from pex_tui.adapters.agents.invocations import argv_of, own_environment
from pex_tui.adapters.agents.record import AgentRecord
from pex_tui.adapters.agents.sessions import next_record
from pex_tui.core.model.ids import CommitId, RunId, TaskId
from pex_tui.core.model.plan import Brief, PermissionMode, PermissionRules, TaskSpec
from pex_tui.engine.attempt import AttemptKey
from pex_tui.engine.ports import Workspace
from pex_tui.engine.run_paths import RunPaths

DENYING = PermissionRules(deny=("Edit(src/*)", "--dangerously-skip-permissions"))


def argv(talk: str, prompt: str = "Do it.") -> tuple[str, ...]:
    spec = TaskSpec(TaskId("a"), ("agent",), brief=Brief("mine", talk, permissions=DENYING))
    return argv_of(spec, AgentRecord(talk, 1, "/checkout", prompt, session="s"))


def test_claude_is_told_what_is_denied_as_it_asks_only_for_a_part() -> None:
    found = argv("claude")

    assert "--disallowedTools=Edit(src/*)" in found
    assert "--dangerously-skip-permissions" not in found


def test_gemini_trusts_its_workspace_unless_the_user_says_otherwise() -> None:
    name = "GEMINI_CLI_TRUST_WORKSPACE"
    spec = TaskSpec(TaskId("a"), ("gemini",), brief=Brief("mine", "gemini"))

    assert own_environment(spec, {})[name] == "true"
    assert own_environment(spec, {name: "false"})[name] == "false"


@pytest.mark.parametrize("talk", ["codex", "gemini", "opencode"])
def test_a_prompt_that_is_an_argument_is_never_taken_for_an_option(talk: str) -> None:
    assert argv(talk)[-1] == "Do it."
    assert argv(talk, "- look\n- mend")[-1] == "\n- look\n- mend"


@pytest.mark.parametrize(
    ("talk", "deny", "mode"),
    [
        ("acp", ("Edit(src/*)",), PermissionMode.ASK),  # otherwise no rule would be checked
        ("acp", (), PermissionMode.EDITS),
        ("claude", ("Edit(src/*)",), PermissionMode.EDITS),  # it knows the rules itself
    ],
)
def test_an_agent_of_the_protocol_asks_before_edits_where_rules_deny_anything(
    tmp_path: Path, talk: str, deny: tuple[str, ...], mode: PermissionMode
) -> None:
    brief = Brief("mine", talk, permissions=PermissionRules(deny=deny))
    key = AttemptKey(RunId("7f3a"), TaskId("a"), 1)
    spec = TaskSpec(key.task, ("agent",), brief=brief)
    workspace = Workspace(tmp_path, CommitId("c" * 40))

    record = next_record(RunPaths(tmp_path), key, spec, workspace, "")

    assert record is not None
    assert record.mode is mode
