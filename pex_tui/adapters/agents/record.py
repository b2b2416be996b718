"""The agent record in an attempt's folder, from which a later engine follows the agent again."""

import json
from pathlib import Path

from msgspec import Struct, to_builtins

from pex_tui.adapters.system.whole_file import write_whole
from pex_tui.core.model.plan import PermissionMode
from pex_tui.planning.agent_definitions.runners import TALKS

RECORD = "agent.json"
_MESSAGES = "messages.jsonl"
TRANSCRIPT = "transcript.log"


class AgentRecord(Struct, frozen=True):
    """One attempt of an agent with a model.

    `session` is chosen by us (Claude), or is the earlier attempt's session, which `resumes`
    continues with `prompt`; if it cannot be continued, `fresh_prompt` starts another one.
    `cost_before` is the session's cost before this attempt, in US dollars. With `leases`, each
    write is announced and waits for the answer. A `sandboxed` agent needs no sandbox of its own.
    `deny` are the rules for calls that the agent does not ask about.
    """

    talk: str
    attempt: int
    cwd: str
    prompt: str
    fresh_prompt: str = ""
    session: str = ""
    resumes: bool = False
    cost_before: float = 0.0
    mode: PermissionMode = PermissionMode.EDITS
    read_only: bool = False
    leases: bool = False
    sandboxed: bool = False
    deny: tuple[str, ...] = ()


def write_agent_record(folder: Path, record: AgentRecord) -> None:
    """Write the record atomically; raise OSError."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    write_whole(folder / RECORD, json.dumps(to_builtins(record)).encode())


def read_agent_record(folder: Path) -> AgentRecord | None:
    """Read the record; None for a plain command's attempt, or if the record cannot be read."""
    try:
        fields = json.loads((folder / RECORD).read_bytes())
        mode, deny = PermissionMode(fields["mode"]), tuple(fields.get("deny", ()))
        record = AgentRecord(**{**fields, "mode": mode, "deny": deny})
    except (OSError, ValueError, TypeError, KeyError):
        return None
    return record if record.talk in TALKS else None


def keep_message(folder: Path, text: str) -> None:
    """Keep a person's message until the agent's turn ends; raise OSError."""
    with (folder / _MESSAGES).open("a", encoding="utf-8") as stream:
        stream.write(json.dumps(text) + "\n")


def kept_messages(folder: Path) -> list[str]:
    """Return the waiting messages in order, without a line that was cut off by a crash."""
    try:
        lines = (folder / _MESSAGES).read_text(encoding="utf-8").split("\n")
    except OSError:
        return []
    return [str(json.loads(line)) for line in lines[:-1]]
