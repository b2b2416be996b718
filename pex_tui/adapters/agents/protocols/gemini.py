"""`gemini -o stream-json`: messages, tools and one result."""

from typing import Any

from pex_tui.adapters.agents.protocols.agent_protocol import (
    AgentProtocol,
    Environment,
    as_argument,
)
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

_MODES = {
    PermissionMode.ASK: "default",
    PermissionMode.EDITS: "auto_edit",
    PermissionMode.ALL: "yolo",
}
_TRUST = "GEMINI_CLI_TRUST_WORKSPACE"


class GeminiMachine(OneWayMachine):
    """One attempt of Gemini CLI; its messages come in chunks that only the next event ends."""

    _words = ""

    def _event(self, event: dict[str, Any], heard: Heard) -> None:
        kind = event.get("type")
        if kind == "message" and event.get("role") == "assistant":
            self._words += text_of(event.get("content"))
            return
        self._says(self._words, heard)
        self._words = ""
        match kind:
            case "init":
                self._session = text_of(event.get("session_id"))
            case "tool_use" if event.get("tool_name") == "write_todos":
                self._plans(entries(section(event, "parameters").get("todos")), "description")
            case "tool_use":
                given = section(event, "parameters")
                subject = given.get("command") or given.get("file_path") or given.get("path") or ""
                title = f"{text_of(event.get('tool_name'))} {text_of(subject)}".strip()
                self._begins(text_of(event.get("tool_id")), title, heard)
            case "tool_result":
                self._calls.discard(text_of(event.get("tool_id")))
            case "error":
                heard.shown += shown(text_of(event.get("message")), "! ")
            case "result":
                self._result(event, heard)
            case _:
                pass

    def _result(self, event: dict[str, Any], heard: Heard) -> None:
        tokens = int(amount(section(event, "stats").get("total_tokens")))
        if tokens:
            self._spends(tokens, None, heard)
        if event.get("status") == "success":
            self._succeeds(heard)
        else:
            self._fails(text_of(section(event, "error").get("message")), heard)


def _options(brief: Brief, record: AgentRecord) -> tuple[str, ...]:
    mode = PermissionMode.ASK if record.read_only else record.mode
    options = ["-o", "stream-json", "--approval-mode", _MODES[mode]]
    if brief.model:
        options += ["-m", brief.model]
    if record.resumes:
        options += ["--resume", record.session]
    return (*options, "-p", as_argument(record.prompt))


def _environment(talk: str, passed: Environment) -> Environment:
    """Return the environment with its workspace trusted: the user trusts what it is a copy of.

    Without that Gemini CLI (tried: 0.61) does not start where nobody is there to be asked, and
    falls back to its mode `default`.
    """
    del talk
    return {_TRUST: "true", **passed}


PROTOCOL = AgentProtocol(
    machine=GeminiMachine,
    options=_options,
    variables=("GEMINI_*", "GOOGLE_*"),
    environment=_environment,
    grant=Grant(
        hosts=("*.googleapis.com", "accounts.google.com"),
        homes=("~/.gemini/",),
        kept=tuple(
            f"~/.gemini/{name}" for name in ("settings.json", "GEMINI.md", "extensions", "commands")
        ),
    ),
)
