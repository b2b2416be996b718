"""`opencode run --format json`: parts of steps; the last step's end is its result."""

from typing import Any

from pex_tui.adapters.agents.protocols.agent_protocol import AgentProtocol, as_argument
from pex_tui.adapters.agents.protocols.one_way import OneWayMachine
from pex_tui.adapters.agents.protocols.protocol import (
    Heard,
    amount,
    entries,
    section,
    text_of,
)
from pex_tui.adapters.agents.record import AgentRecord
from pex_tui.adapters.sandbox.policy import Grant
from pex_tui.core.model.plan import Brief


class OpencodeMachine(OneWayMachine):
    """One attempt of opencode."""

    def _event(self, event: dict[str, Any], heard: Heard) -> None:
        self._session = text_of(event.get("sessionID")) or self._session
        part = section(event, "part")
        match event.get("type"):
            case "text":
                self._says(text_of(part.get("text")), heard)
            case "tool_use":
                self._tool(part, heard)
            case "step_start":
                self._verdict = None
            case "step_finish":
                self._finished(part, heard)
            case "error":
                error = section(event, "error")
                message = text_of(section(error, "data").get("message"))
                self._fails(message or text_of(error.get("name")), heard)
            case _:
                pass

    def _tool(self, part: dict[str, Any], heard: Heard) -> None:
        state = section(part, "state")
        call, given = text_of(part.get("callID")), section(state, "input")
        if part.get("tool") == "todowrite":
            self._plans(entries(given.get("todos")), "content")
            return
        subject = given.get("command") or given.get("filePath") or given.get("path")
        title = f"{text_of(part.get('tool'))} {text_of(subject)}".strip()
        self._begins(call, title, heard)
        if state.get("status") in {"completed", "error"}:
            self._calls.discard(call)

    def _finished(self, part: dict[str, Any], heard: Heard) -> None:
        tokens = section(part, "tokens")
        used = sum(amount(tokens.get(name)) for name in ("input", "output", "reasoning"))
        cost = part.get("cost")
        self._spends(int(used), None if cost is None else amount(cost), heard)
        if part.get("reason") == "stop":
            self._succeeds(heard)


def _options(brief: Brief, record: AgentRecord) -> tuple[str, ...]:
    options = ["run", "--format", "json"]
    if brief.model:
        options += ["-m", brief.model]
    if record.resumes:
        options += ["--session", record.session]
    return (*options, as_argument(record.prompt))


PROTOCOL = AgentProtocol(
    machine=OpencodeMachine,
    options=_options,
    variables=("OPENCODE_*", "*_API_KEY"),
    grant=Grant(
        hosts=("opencode.ai", "*.opencode.ai", "models.dev"),
        homes=(
            *("~/.config/opencode/", "~/.local/share/opencode/", "~/.local/state/opencode/"),
            "~/.cache/opencode/",
        ),
        kept=tuple(
            f"~/.config/opencode/{name}"
            for name in (
                "opencode.json",
                "opencode.jsonc",
                "AGENTS.md",
                "agent",
                "command",
                "plugin",
            )
        ),
    ),
)
