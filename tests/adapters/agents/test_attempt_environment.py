"""The environment of an agent: variables it must have, and variables it must not have."""

import subprocess
from pathlib import Path

import pytest

from pex_tui.adapters.agents.attempt_environment import attempt_environment
from pex_tui.adapters.agents.invocations import needed_environment, own_environment
from pex_tui.core.model.argument_limits import MOST_BYTES, variable_bytes
from pex_tui.core.model.ids import RunId, SlotId, TaskId
from pex_tui.core.model.plan import Brief, TaskSpec
from pex_tui.engine.attempt import AttemptKey

KEY = AttemptKey(RunId("7f3a"), TaskId("audit"), 2)


def environment(
    user: dict[str, str],
    *,
    spec: TaskSpec | None = None,
    passed: tuple[str, ...] = (),
    inputs: tuple[Path, ...] = (),
) -> dict[str, str]:
    return attempt_environment(
        user,
        KEY,
        spec or TaskSpec(KEY.task, ("true",)),
        slot=SlotId(3),
        workspace=Path("/pool/1"),
        port=20_001,
        outputs=Path("/runs/audit/outputs"),
        prompt_file=Path("/runs/audit/2/prompt.txt"),
        inputs=inputs,
        socket=Path("/run/pex.sock"),
        passed=passed,
    )


def test_the_contract_is_in_every_environment() -> None:
    inputs = (Path("/runs/a/outputs"), Path("/runs/b/outputs"))
    spec = TaskSpec(KEY.task, ("true",), prompt="Look at it")
    assert environment({}, spec=spec, inputs=inputs) == {
        "PWD": "/pool/1",
        "PEX_RUN": "7f3a",
        "PEX_TASK": "audit",
        "PEX_ATTEMPT": "2",
        "PEX_SLOT": "3",
        "PEX_WORKSPACE": "/pool/1",
        "PEX_SOCKET": "/run/pex.sock",
        "PEX_PORT": "20001",
        "PEX_OUTPUTS": "/runs/audit/outputs",
        "PEX_INPUTS": "/runs/a/outputs:/runs/b/outputs",
        "PEX_TOKEN": "",
        "PEX_PROMPT": "Look at it",
        "PEX_PROMPT_FILE": "/runs/audit/2/prompt.txt",
    }


@pytest.mark.parametrize(
    "name",
    ["PATH", "HOME", "LC_ALL", "XDG_CACHE_HOME", "NO_COLOR", "VIRTUAL_ENV", "PYTHONPATH", "CI"],
)
def test_what_programs_need_passes(name: str) -> None:
    assert environment({name: "x"})[name] == "x"


@pytest.mark.parametrize(
    "name",
    [
        "AWS_SECRET_ACCESS_KEY",
        "GITHUB_TOKEN",
        "NODE_AUTH_TOKEN",
        "PIP_PASSWORD",
        "PYTHONHOME",
        "GIT_DIR",
        "GIT_INDEX_FILE",
        "SSH_AUTH_SOCK",
        "LD_PRELOAD",
        "PEX_TREE",
        "MY_OWN",
    ],
)
def test_secrets_and_what_misleads_stay_out(name: str) -> None:
    assert name not in environment({name: "x"})


def test_patterns_of_the_configuration_let_more_pass_but_never_gits_directory() -> None:
    user = {"ANTHROPIC_API_KEY": "k", "GIT_DIR": "/x", "GIT_AUTHOR_NAME": "Ada", "PEX_RUN": "outer"}
    found = environment(user, passed=("ANTHROPIC_*", "GIT_*", "PEX_*"))
    assert found["ANTHROPIC_API_KEY"] == "k"
    assert found["GIT_AUTHOR_NAME"] == "Ada"
    assert "GIT_DIR" not in found
    assert found["PEX_RUN"] == "7f3a"


def test_the_tasks_own_variables_win() -> None:
    spec = TaskSpec(KEY.task, ("true",), env=(("PATH", "/mine"), ("PGDATABASE", "test")))
    found = environment({"PATH": "/usr/bin"}, spec=spec)
    assert (found["PATH"], found["PGDATABASE"]) == ("/mine", "test")


@pytest.mark.parametrize("length", [MOST_BYTES // 2 - 6, MOST_BYTES])
def test_the_kernel_takes_the_prompt_whatever_its_length(length: int) -> None:
    spec = TaskSpec(KEY.task, ("true",), prompt="é" * length + "\0")
    found = environment({}, spec=spec)
    assert variable_bytes("PEX_PROMPT", found["PEX_PROMPT"]) == MOST_BYTES
    assert set(found["PEX_PROMPT"]) == {"é"}
    said = subprocess.run(["printenv", "PEX_PROMPT"], env=found, capture_output=True, check=True)
    assert len(said.stdout.decode()) == min(length, MOST_BYTES // 2 - 6) + 1


def test_an_agent_with_a_model_gets_its_own_providers_login_whatever_its_runner_is_called() -> None:
    spec = TaskSpec(KEY.task, ("/opt/bin/claude",), brief=Brief("mine", "claude"))
    user = {"ANTHROPIC_API_KEY": "k", "OPENAI_API_KEY": "other"}
    found = environment(user, spec=spec, passed=needed_environment(spec))

    assert found["ANTHROPIC_API_KEY"] == "k"
    assert "OPENAI_API_KEY" not in found


@pytest.mark.parametrize(
    ("talk", "argv", "retries"),
    [
        ("acp", ("claude-agent-acp",), "3"),
        ("claude", ("claude",), None),  # which names each
        ("acp", ("codex-acp",), None),
    ],
)
def test_claude_under_the_protocol_brings_refusals_to_light_soon(
    talk: str, argv: tuple[str, ...], retries: str | None
) -> None:
    spec = TaskSpec(KEY.task, argv, brief=Brief("mine", talk))

    assert own_environment(spec, {}).get("CLAUDE_CODE_MAX_RETRIES") == retries
    kept = own_environment(spec, {"CLAUDE_CODE_MAX_RETRIES": "9"})
    assert kept["CLAUDE_CODE_MAX_RETRIES"] == "9"


def test_claude_tells_its_steps_under_either_protocol() -> None:
    for talk, program in (("claude", "claude"), ("acp", "claude-agent-acp")):
        found = own_environment(TaskSpec(KEY.task, (program,), brief=Brief("mine", talk)), {})
        assert found["CLAUDE_CODE_ENABLE_TODO_TOOLS"] == "1"
