"""Permission requests, assembled from all updates, and the targets of their paths."""

import json
from pathlib import Path
from typing import Any

import pytest

from pex_tui.adapters.agents.agent_paths import is_own, touched
from pex_tui.adapters.agents.protocols.protocol import ProtocolMachine
from pex_tui.adapters.agents.protocols.registry import machine_of
from pex_tui.adapters.agents.record import AgentRecord, read_agent_record, write_agent_record
from pex_tui.core.model.task_state import ONLY_THIS, Verdict
from pex_tui.engine.attempt import Asked

SESSION = "0b6c1c1e-0000-4000-8000-000000000001"
OPTIONS = [{"optionId": "yes", "kind": "allow_once"}, {"optionId": "no", "kind": "reject_once"}]
NO_PUSH = ("Bash(git push *)",)


def acp(folder: str = "/checkout") -> ProtocolMachine:
    return machine_of(AgentRecord("acp", 1, folder, "Do it.", session=SESSION))


def claude(folder: str = "/checkout", **fields: Any) -> ProtocolMachine:
    return machine_of(AgentRecord("claude", 1, folder, "Do it.", session=SESSION, **fields))


def hear(machine: ProtocolMachine, event: dict[str, Any]) -> list[Asked]:
    reports = machine.hear(json.dumps(event).encode()).reports
    return [report for report in reports if isinstance(report, Asked)]


def update(machine: ProtocolMachine, said: str, call: str, **fields: Any) -> None:
    told = {"sessionUpdate": said, "toolCallId": call, **fields}
    hear(machine, {"jsonrpc": "2.0", "method": "session/update", "params": {"update": told}})


def ask(machine: ProtocolMachine, number: int, call: str, **fields: Any) -> Asked:
    params = {"toolCall": {"toolCallId": call, **fields}, "options": OPTIONS}
    request = {"jsonrpc": "2.0", "id": number, "method": "session/request_permission"}
    (asked,) = hear(machine, {**request, "params": params})
    return asked


def chosen(machine: ProtocolMachine, request: str, verdict: Verdict = Verdict.ALLOW_ALWAYS) -> str:
    say = machine.answer(request, verdict)
    assert say is not None
    return str(json.loads(say.line)["result"]["outcome"]["optionId"])


def test_a_request_that_names_its_call_alone_is_about_all_that_was_said_of_it() -> None:
    machine = acp()
    update(machine, "tool_call", "c1", title="Terminal", kind="execute", rawInput={}, content=[])
    update(machine, "tool_call_update", "c1", rawInput={"command": "touch x"}, title="touch x")
    update(machine, "tool_call", "c2", kind="edit", locations=[{"path": "/checkout/a.py"}])

    assert ask(machine, 1, "c1") == Asked("1", "Bash", "run touch x", ("touch x",), "Bash(touch x)")
    assert ask(machine, 2, "c2") == Asked(
        "2", "Edit", "change a.py", ("a.py",), "Edit(a.py)", edits=True
    )
    assert machine.is_busy
    assert [chosen(machine, "2"), chosen(machine, "1")] == ["yes", "yes"]


def test_a_request_about_an_unknown_call_is_no_wider_than_itself() -> None:
    asked = ask(acp(), 1, "never-announced")

    assert (asked.tool, asked.touches, asked.scope) == ("Tool", (), ONLY_THIS)
    assert not asked.edits


@pytest.mark.parametrize(
    "told",
    [
        {"kind": "execute", "rawInput": {"command": ["bash", "-lc", "git push x"]}},
        {"kind": "other", "rawInput": {"command": "git push x"}},
        {"kind": "read", "rawInput": {"cmd": "git push x"}},
        {"kind": "execute", "title": "git push x"},
    ],
)
def test_a_command_is_one_wherever_it_is_told(told: dict[str, Any]) -> None:
    asked = ask(acp(), 1, "c1", **told)

    assert asked.tool == "Bash"
    assert asked.touches[0] in {"git push x", "bash -lc 'git push x'"}
    assert asked.scope == f"Bash({asked.touches[0]})"


def test_an_id_that_is_used_again_is_another_call() -> None:
    machine = acp()
    update(machine, "tool_call", "c1", kind="execute", rawInput={"command": "ls"})
    update(machine, "tool_call_update", "c1", status="completed")
    assert ask(machine, 1, "c1").touches == ()
    update(machine, "tool_call", "c1", kind="execute", rawInput={"command": "make"})
    assert ask(machine, 2, "c1").touches == ("make",)


def test_what_became_another_thing_after_the_question_is_refused() -> None:
    machine = acp()
    ask(machine, 1, "c1", kind="execute", rawInput={"command": "ls"})
    ask(machine, 2, "c2", kind="execute", rawInput={"command": "ls"})
    update(machine, "tool_call_update", "c1", rawInput={"command": "git push x"})
    update(machine, "tool_call_update", "c2", status="in_progress")

    assert [chosen(machine, "1"), chosen(machine, "2")] == ["no", "yes"]


def test_claudes_own_name_of_a_tool_counts() -> None:
    meta = {"claudeCode": {"toolName": "mcp__db__query"}}
    asked = ask(acp(), 1, "c1", kind="other", _meta=meta, rawInput={"sql": "select 1"})

    assert asked.tool == "mcp__db__query"
    assert asked.scope == 'mcp__db__query({"sql": "select 1"})'


def control(tool: str, **given: Any) -> dict[str, Any]:
    request = {"subtype": "can_use_tool", "tool_name": tool, "input": given}
    return {"type": "control_request", "request_id": "p1", "request": request}


@pytest.mark.parametrize(
    ("event", "scope"),
    [
        (control("Bash", command="make"), "Bash(make)"),
        (control("Write", file_path="/checkout/a.py", content="x"), "Write(a.py)"),
        (control("Read", file_path="/etc/passwd"), "Read(/etc/passwd)"),
        (control("WebFetch", url="https://x.org", prompt="p"), "WebFetch(https://x.org)"),
        (control("mcp__db__query", sql="drop"), 'mcp__db__query({"sql": "drop"})'),
        (control("Mystery"), ONLY_THIS),
        (control(""), ONLY_THIS),
    ],
)
def test_always_means_that_very_use_of_a_tool(event: dict[str, Any], scope: str) -> None:
    (asked,) = hear(claude(), event)

    assert asked.scope == scope


def hook(tool: str, **given: Any) -> dict[str, Any]:
    told = {"tool_name": tool, "tool_input": given}
    request = {"subtype": "hook_callback", "callback_id": "before-tool", "input": told}
    return {"type": "control_request", "request_id": "h1", "request": request}


def test_claude_is_held_to_rules_also_where_it_would_not_ask() -> None:
    machine = claude(deny=NO_PUSH)
    (asked,) = hear(machine, hook("Bash", command="env git  push x"))
    assert (asked.tool, asked.touches, asked.announced) == ("Bash", ("env git  push x",), True)

    say = machine.answer("h1", Verdict.DENY)
    assert say is not None
    decided = json.loads(say.line)["response"]["response"]["hookSpecificOutput"]
    assert decided["permissionDecision"] == "deny"


def test_claude_has_to_ask_for_what_no_rule_can_be_sure_of() -> None:
    heard = claude(deny=NO_PUSH).hear(json.dumps(hook("Bash", command="$X")).encode())

    (say,) = heard.says
    assert not [one for one in heard.reports if isinstance(one, Asked)]
    decided = json.loads(say.line)["response"]["response"]["hookSpecificOutput"]
    assert decided["permissionDecision"] == "ask"


def test_claude_goes_on_at_once_with_what_no_rule_is_about() -> None:
    heard = claude(deny=NO_PUSH).hear(json.dumps(hook("Bash", command="make")).encode())

    assert json.loads(heard.says[0].line)["response"]["response"] == {}
    assert not [one for one in heard.reports if isinstance(one, Asked)]


def test_the_rules_are_kept_with_the_attempt(tmp_path: Path) -> None:
    record = AgentRecord("claude", 1, "/checkout", "Do it.", deny=NO_PUSH)
    write_agent_record(tmp_path, record)

    assert read_agent_record(tmp_path) == record


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A workspace with links that lead in and out."""
    folder = tmp_path / "workspace"
    (folder / "src").mkdir(parents=True)
    (tmp_path / "outside").mkdir()
    (folder / "out").symlink_to(tmp_path / "outside")
    (folder / "up").symlink_to("..")
    (folder / "in").symlink_to("src")
    (folder / "file").symlink_to(tmp_path / "outside" / "f")
    (tmp_path / "alias").symlink_to(folder)
    return folder


@pytest.mark.parametrize(
    "path",
    [
        *("out/a", "out/new/deep/a", "up/outside/a", "file", "in/../../outside/a", "../outside/a"),
        *("/etc/passwd", "~/x", "~", "~nobody-of-this-name/x", "", ".", "src/..", "x\0y"),
        *("/proc/self/root/etc/passwd", ".git/config", ".git", "src/.git/hooks/x", "in/../.git/a"),
    ],
)
def test_a_change_that_leads_out_of_the_workspace_is_no_own_one(folder: Path, path: str) -> None:
    assert not is_own(path, str(folder))
    (asked,) = hear(claude(str(folder)), control("Write", file_path=path))
    assert not asked.edits


@pytest.mark.parametrize("path", ["src/a", "in/a", "new/deep/a", "./src/../a", "in", ".gitignore"])
def test_a_change_inside_is_an_own_one_however_it_is_written(folder: Path, path: str) -> None:
    assert is_own(path, str(folder))
    assert is_own(str(folder / path), str(folder))
    assert is_own(path, str(folder.parent / "alias"))


def test_rules_see_a_path_as_written_and_where_it_leads(folder: Path) -> None:
    outside = folder.parent / "outside"
    assert touched("out/a", str(folder)) == ("out/a", str(outside / "a"))
    assert touched("in/a", str(folder)) == ("in/a", "src/a")
    assert touched("src/a", str(folder)) == ("src/a",)
    assert touched("../outside/a", str(folder)) == (str(outside / "a"),)

    (asked,) = hear(claude(str(folder)), control("Edit", file_path=str(folder / "in/a")))
    assert (asked.touches, asked.edits) == (("in/a", "src/a"), True)
    link = ask(acp(str(folder)), 1, "c1", kind="edit", locations=[{"path": str(folder / "out/a")}])
    assert (link.touches, link.edits) == (("out/a", str(outside / "a")), False)
