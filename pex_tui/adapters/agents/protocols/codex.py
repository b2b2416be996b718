"""`codex exec --json`: threads, turns and items; observed with 0.169."""

from typing import Any

from pex_tui.adapters.agents.protocols.agent_protocol import AgentProtocol, as_argument
from pex_tui.adapters.agents.protocols.checklist import DONE, Item
from pex_tui.adapters.agents.protocols.one_way import OneWayMachine
from pex_tui.adapters.agents.protocols.protocol import (
    Heard,
    amount,
    entries,
    section,
    shown,
    text_of,
)
from pex_tui.adapters.agents.record import AgentRecord
from pex_tui.adapters.sandbox.policy import Grant
from pex_tui.core.model.plan import Brief, PermissionMode

_SANDBOXES = {
    PermissionMode.ASK: "read-only",
    PermissionMode.EDITS: "workspace-write",
    PermissionMode.ALL: "danger-full-access",
}


class CodexMachine(OneWayMachine):
    """One attempt of Codex, which asks for no permission: its sandbox decides."""

    def _event(self, event: dict[str, Any], heard: Heard) -> None:
        match event.get("type"):
            case "thread.started":
                self._session = text_of(event.get("thread_id"))
            case "item.started" | "item.updated" | "item.completed":
                is_over = event["type"] == "item.completed"
                self._item(section(event, "item"), heard, is_over=is_over)
            case "turn.completed":
                usage = section(event, "usage")
                tokens = amount(usage.get("input_tokens")) + amount(usage.get("output_tokens"))
                self._spends(int(tokens), None, heard)
                self._succeeds(heard)
            case "turn.failed":
                self._fails(text_of(section(event, "error").get("message")), heard)
            case "error":  # it retries by itself: only a failed turn is the end
                problem = text_of(event.get("message"))
                heard.shown += shown(problem, "! ")
                self._list.latest = problem
            case _:
                pass

    def _item(self, item: dict[str, Any], heard: Heard, *, is_over: bool) -> None:
        match item.get("type"):
            case "agent_message" if is_over:
                self._says(text_of(item.get("text")), heard)
            case "todo_list":
                steps = entries(item.get("items"))
                self._list.replace(
                    [
                        Item(text_of(one.get("text")), DONE if one.get("completed") else "")
                        for one in steps
                    ]
                )
            case "error":
                heard.shown += shown(text_of(item.get("message")), "! ")
            case "command_execution" | "file_change" | "mcp_tool_call" | "web_search":
                call = text_of(item.get("id"))
                self._begins(call, _title(item), heard)
                if is_over:
                    self._calls.discard(call)
            case _:
                pass


def _title(item: dict[str, Any]) -> str:
    paths = [text_of(change.get("path")) for change in entries(item.get("changes"))]
    if paths:
        return f"Edit {', '.join(paths)}"
    command = text_of(item.get("command"))
    return f"Bash {command}" if command else text_of(item.get("tool") or item.get("query"))


def _options(brief: Brief, record: AgentRecord) -> tuple[str, ...]:
    mode = PermissionMode.ASK if record.read_only else record.mode
    is_confined = record.sandboxed and (record.read_only or mode is not PermissionMode.ASK)
    own = "danger-full-access" if is_confined else _SANDBOXES[mode]  # sandboxes rarely nest
    options = ["exec", "--json", "--skip-git-repo-check", "-s", own]
    if brief.model:
        options += ["-m", brief.model]
    if record.resumes:
        options += ["resume", record.session]
    return (*options, as_argument(record.prompt))


PROTOCOL = AgentProtocol(
    machine=CodexMachine,
    options=_options,
    variables=("OPENAI_*", "CODEX_*"),
    grant=Grant(
        hosts=("api.openai.com", "auth.openai.com", "chatgpt.com"),
        homes=("~/.codex/", "$CODEX_HOME/"),
        kept=tuple(
            f"{folder}/{name}"
            for folder in ("~/.codex", "$CODEX_HOME")
            for name in ("config.toml", "AGENTS.md", "prompts", "rules", "skills", "hooks.json")
        ),
    ),
    is_bound_to_folder=False,
)
