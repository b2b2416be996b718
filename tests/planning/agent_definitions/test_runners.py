"""The runner of an agent, and its permissions."""

import pytest

from pex_tui.core.model.ids import AgentName
from pex_tui.core.model.plan import PermissionMode, PermissionRules
from pex_tui.planning.agent_definitions.definition_file import parse_agent
from pex_tui.planning.agent_definitions.runners import Runner, Runners

ASK, EDITS, ALL = PermissionMode.ASK, PermissionMode.EDITS, PermissionMode.ALL


@pytest.mark.parametrize(
    ("configured", "defined", "expected"),
    [
        (EDITS, "mode: ask", ASK),
        (ALL, "mode: edits", EDITS),
        (ASK, "mode: edits", ASK),
        (ASK, "allow: [WebFetch]", ASK),
        (ALL, "allow: [WebFetch]", ALL),
    ],
)
def test_a_definition_may_narrow_the_users_mode_and_never_widen_it(
    configured: PermissionMode, defined: str, expected: PermissionMode
) -> None:
    text = f"---\nname: a\npex:\n  permissions: {{{defined}}}\n---\nGo.\n"
    agent = parse_agent(text, "a", layer="user", path="a.md")
    runners = Runners(permissions=PermissionRules(configured, deny=("Bash(git push *)",)))

    found = runners.permissions_of(agent)

    assert agent.name == AgentName("a")
    assert found.mode is expected
    assert found.deny == ("Bash(git push *)",)


@pytest.mark.parametrize(
    ("runner", "provider"),
    [
        (Runner("claude", "claude", ("claude",)), "claude"),
        (Runner("mine", "claude", ("/opt/my-claude",)), "claude"),
        (Runner("mine", "codex", ("codex",)), "codex"),
        (
            Runner("mine", "acp", ("npx", "-y", "@google/gemini-cli", "--experimental-acp")),
            "gemini",
        ),
        (Runner("claude-mine", "acp", ("./start.sh",)), "claude"),
        (Runner("mine", "acp", ("./start.sh",)), "mine"),
    ],
    ids=str,
)
def test_whose_model_a_runner_uses(runner: Runner, provider: str) -> None:
    assert runner.provider == provider
