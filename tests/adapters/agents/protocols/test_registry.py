"""The dialects as pure state machines: the meaning of each agent's lines."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pex_tui.adapters.agents.protocols import registry
from pex_tui.adapters.agents.protocols.protocol import ProtocolMachine, judge_error
from pex_tui.adapters.agents.protocols.registry import machine_of, protocol_of
from pex_tui.adapters.agents.record import AgentRecord
from pex_tui.core.model.plan import PermissionMode
from pex_tui.core.model.task_state import FailureKind, Verdict
from pex_tui.engine.attempt import AgentReport, Asked, Exited, Judgement, Limited, Progress, Spent
from pex_tui.planning.agent_definitions.runners import TALKS

SESSION = "0b6c1c1e-0000-4000-8000-000000000001"
ENDED = Exited(0, None, 1.0, 2.0)


def machine_for(talk: str) -> ProtocolMachine:
    return machine_of(AgentRecord(talk, 1, "/checkout", "Do it.", session=SESSION))


def hear(machine: ProtocolMachine, *events: dict[str, Any]) -> list[AgentReport]:
    """Return what the machine reported about the events."""
    return [
        report
        for event in events
        for report in machine.hear(json.dumps(event).encode()).reports
        if not isinstance(report, Progress)
    ]


CODEX = (
    {"type": "thread.started", "thread_id": "01a2"},
    {"type": "turn.started"},
    {"type": "item.completed", "item": {"id": "i0", "type": "error", "message": "no metadata"}},
    {
        "type": "item.updated",
        "item": {
            "id": "i1",
            "type": "todo_list",
            "items": [{"text": "Look", "completed": True}, {"text": "Write", "completed": False}],
        },
    },
    {
        "type": "item.started",
        "item": {"id": "i2", "type": "command_execution", "command": "make", "exit_code": None},
    },
)


def test_codex_tells_its_thread_its_steps_and_its_tokens() -> None:
    machine = machine_for("codex")
    hear(machine, *CODEX)
    assert (machine.session, machine.is_busy) == ("01a2", True)
    assert machine.judge(ENDED).failure is FailureKind.AGENT  # exit 0 alone is not success

    usage = {"input_tokens": 900, "cached_input_tokens": 500, "output_tokens": 100}
    done = {"id": "i2", "type": "command_execution", "command": "make", "exit_code": 0}
    said = {"id": "i3", "type": "agent_message", "text": "All done."}
    reports = hear(
        machine,
        {"type": "item.completed", "item": done},
        {"type": "item.completed", "item": said},
        {"type": "turn.completed", "usage": usage},
    )

    assert reports == [Spent(1000, None, 1)]  # cached tokens are part of the input
    assert machine.judge(ENDED) == Judgement(None)
    assert (machine.last_words, machine.is_busy) == ("All done.", False)


def test_codex_fails_by_its_turn_not_by_an_error_that_it_tries_again() -> None:
    machine = machine_for("codex")
    hear(machine, {"type": "error", "message": "Reconnecting... 1/5"})
    reports = hear(
        machine, {"type": "turn.failed", "error": {"message": "exceeded retry limit, 429"}}
    )

    assert reports == [Limited(None, "exceeded retry limit, 429")]
    assert machine.judge(ENDED).failure is FailureKind.LIMIT


def test_gemini_speaks_in_pieces() -> None:
    machine = machine_for("gemini")
    reports = hear(
        machine,
        {"type": "init", "session_id": "g1", "model": "gemini-pro"},
        {"type": "message", "role": "assistant", "content": "I will ", "delta": True},
        {"type": "message", "role": "assistant", "content": "look.", "delta": True},
        {"type": "tool_use", "tool_name": "Bash", "tool_id": "t1", "parameters": {"command": "ls"}},
        {"type": "tool_result", "tool_id": "t1", "status": "success", "output": ""},
        {"type": "result", "status": "success", "stats": {"total_tokens": 77}},
    )

    assert reports == [Spent(77, None, 1)]
    assert (machine.session, machine.last_words) == ("g1", "I will look.")
    assert machine.judge(ENDED) == Judgement(None)


def test_gemini_fails_by_its_result() -> None:
    machine = machine_for("gemini")
    hear(machine, {"type": "result", "status": "error", "error": {"message": "Quota exceeded"}})

    assert machine.judge(ENDED).failure is FailureKind.LIMIT


def progress(machine: ProtocolMachine, event: dict[str, Any]) -> Progress:
    """Return the progress after the event."""
    last = machine.hear(json.dumps(event).encode()).reports[-1]
    assert isinstance(last, Progress)
    return last


def test_the_steps_of_gemini_and_opencode_are_their_progress() -> None:
    steps = [("Look", "completed"), ("Write", "in_progress")]
    todos = [{"content": title, "description": title, "status": status} for title, status in steps]
    gemini = {"type": "tool_use", "tool_name": "write_todos", "parameters": {"todos": todos}}
    part = {"tool": "todowrite", "callID": "c", "state": {"input": {"todos": todos}}}

    assert progress(machine_for("gemini"), gemini) == Progress(0.5, "Write")
    opencode = {"type": "tool_use", "part": part}
    assert progress(machine_for("opencode"), opencode) == Progress(0.5, "Write")


def test_paths_of_the_own_checkout_are_told_as_the_repository_has_them() -> None:
    item = {"id": "i1", "type": "file_change", "changes": [{"path": "/checkout/src/a.py"}]}

    told = progress(machine_for("codex"), {"type": "item.started", "item": item})

    assert told.activity == "Edit src/a.py"


def test_opencode_succeeds_with_its_last_step() -> None:
    machine = machine_for("opencode")
    tokens = {"input": 10, "output": 5, "reasoning": 1, "cache": {"read": 4, "write": 0}}
    step = {"type": "step-finish", "tokens": tokens, "cost": 0.5}
    hear(machine, {"type": "step_start", "sessionID": "ses_1", "part": {"type": "step-start"}})
    first = hear(machine, {"type": "step_finish", "part": {**step, "reason": "tool-calls"}})
    assert machine.judge(ENDED).failure is FailureKind.AGENT

    text = {"type": "text", "part": {"type": "text", "text": "All done."}}
    second = hear(machine, text, {"type": "step_finish", "part": {**step, "reason": "stop"}})

    assert first + second == [Spent(16, 0.5, 1), Spent(16, 0.5, 2)]
    assert machine.judge(ENDED) == Judgement(None)
    assert machine.session == "ses_1"


def test_opencode_fails_by_an_error() -> None:
    machine = machine_for("opencode")
    error = {"name": "ProviderAuthError", "data": {"message": "401 invalid api key"}}
    hear(machine, {"type": "error", "error": error})

    assert machine.judge(ENDED).failure is FailureKind.AUTH


@pytest.mark.parametrize("talk", TALKS)
def test_an_agent_without_a_last_word_has_failed(talk: str) -> None:
    lost = Exited(None, None, 1.0, 2.0, lost=True)

    assert machine_for(talk).judge(ENDED).failure is FailureKind.AGENT
    assert machine_for(talk).judge(lost).failure is FailureKind.LOST


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("API Error: 401 Unauthorized", FailureKind.AUTH),
        ("You are not logged in", FailureKind.AUTH),
        ("Incorrect API key provided: sk-abc", FailureKind.AUTH),
        ("Missing environment variable: `OPENAI_API_KEY`.", FailureKind.AUTH),
        ("429 Too Many Requests", FailureKind.LIMIT),
        ("Overloaded", FailureKind.LIMIT),
        ("line 4290 of file 401k.txt is broken", FailureKind.AGENT),
    ],
)
def test_an_error_says_what_trying_again_is_worth(text: str, kind: FailureKind) -> None:
    assert judge_error(text).failure is kind


_words = st.sampled_from(
    [
        *(
            "type",
            "subtype",
            "message",
            "content",
            "id",
            "name",
            "input",
            "result",
            "update",
            "part",
        ),
        *("params", "method", "system", "assistant", "user", "control_request", "request", "usage"),
        *("session/update", "sessionUpdate", "tool_call", "plan", "entries", "item", "is_error"),
        *(
            "session/request_permission",
            "toolCall",
            "options",
            "tool_use",
            "jsonrpc",
            "2.0",
            "error",
        ),
        *(
            "item.completed",
            "step_finish",
            "total_cost_usd",
            "tokens",
            "todos",
            "TodoWrite",
            "init",
        ),
    ]
)
_scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | _words
_values = st.recursive(
    _scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_words, inner, max_size=6),
    max_leaves=30,
)


@given(events=st.lists(st.dictionaries(_words, _values, max_size=8) | _values, max_size=8))
def test_no_line_of_an_agent_breaks_any_dialect(events: list[Any]) -> None:
    for talk in TALKS:
        machine = machine_for(talk)
        machine.opening()
        for event in events:
            for report in machine.hear(json.dumps(event).encode()).reports:
                if hasattr(report, "request"):
                    machine.answer(report.request, Verdict.DENY)
        machine.message("hello")
        machine.interrupt()
        machine.judge(ENDED)
        assert machine.spent_usd >= 0, talk


@given(raw=st.binary(max_size=200))
def test_no_byte_breaks_a_dialect(raw: bytes) -> None:
    for talk in TALKS:
        machine = machine_for(talk)
        machine.hear(raw)
        machine.key_of(raw)


def announced(tool: str, path: str) -> dict[str, Any]:
    told = {"tool_name": tool, "tool_input": {"file_path": path}}
    request = {"subtype": "hook_callback", "callback_id": "before-tool", "input": told}
    return {"type": "control_request", "request_id": "h1", "request": request}


def test_claude_waits_with_a_write_where_leases_count_and_with_nothing_else() -> None:
    record = AgentRecord("claude", 1, "/checkout", "Do it.", session=SESSION, leases=True)
    machine = machine_of(record)
    (asked,) = hear(machine, announced("Write", "/checkout/src/a.py"))
    assert asked == Asked(
        "h1", "Write", "write src/a.py", ("src/a.py",), edits=True, announced=True
    )
    assert machine.asks
    say = machine.answer("h1", Verdict.ALLOW_ONCE)
    assert say is not None
    assert json.loads(say.line)["response"]["response"] == {}
    for tool, path in (("Read", "/checkout/src/a.py"), ("Write", "/elsewhere/a.py")):
        heard = machine.hear(json.dumps(announced(tool, path)).encode())
        assert not heard.reports
        assert len(heard.says) == 1
    assert not hear(machine_for("claude"), announced("Write", "/checkout/src/a.py"))


def test_acp_agents_ask_before_each_edit_where_leases_count() -> None:
    record = AgentRecord("acp", 1, "/checkout", "Do it.", mode=PermissionMode.ASK, leases=True)
    machine = machine_of(record)
    modes = {"availableModes": [{"id": "default"}, {"id": "acceptEdits"}]}
    session = {"jsonrpc": "2.0", "id": 2, "result": {"sessionId": "s", "modes": modes}}
    heard = machine.hear(json.dumps(session).encode())
    assert [json.loads(say.line)["params"]["modeId"] for say in heard.says] == ["default"]


@pytest.mark.parametrize("talk", TALKS)
def test_a_protocol_is_the_module_of_its_name(talk: str) -> None:
    protocol = protocol_of(talk)

    assert protocol.machine.__module__ == f"{registry.__package__}.{talk}"


def test_a_protocol_that_no_runner_is_listed_with_is_none() -> None:
    with pytest.raises(ValueError, match="no protocol checklist"):
        protocol_of("checklist")
