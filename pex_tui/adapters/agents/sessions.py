"""Choose the session of an attempt: the earlier attempt's, if it can be continued."""

import uuid
from pathlib import Path

from msgspec import Struct

from pex_tui.adapters.agents.conversation import hear_all
from pex_tui.adapters.agents.prompts import lesson_prompt, task_prompt, taught_prompt
from pex_tui.adapters.agents.protocols.registry import machine_of, protocol_of
from pex_tui.adapters.agents.record import AgentRecord, read_agent_record
from pex_tui.core.model.plan import Brief, PermissionMode, TaskSpec
from pex_tui.engine.attempt import AttemptKey
from pex_tui.engine.ports import Workspace
from pex_tui.engine.run_paths import RunPaths


class _Before(Struct, frozen=True):
    """The result of an earlier attempt: session (empty if none began), cost, last message."""

    session: str
    cost_usd: float
    last_words: str


def next_record(
    places: RunPaths,
    key: AttemptKey,
    spec: TaskSpec,
    workspace: Workspace,
    lesson: str,
    *,
    leases: bool = False,
) -> AgentRecord | None:
    """Return the agent record of the attempt; None for a plain command."""
    brief = spec.brief
    if brief is None:
        return None
    before = _before(places, key, brief.talk, workspace.path) if lesson else None
    resumes = before is not None and bool(before.session)
    if before is None:
        prompt = fresh = task_prompt(spec, workspace)
    else:
        fresh = taught_prompt(spec, workspace, lesson, before.last_words)
        prompt = lesson_prompt(lesson, workspace) if resumes else fresh
    return AgentRecord(
        talk=brief.talk,
        attempt=key.attempt,
        cwd=str(workspace.path),
        prompt=prompt,
        fresh_prompt=fresh,
        session=before.session if before and resumes else str(uuid.uuid4()),
        resumes=resumes,
        cost_before=before.cost_usd if before and resumes else 0.0,
        mode=_mode(brief, leases=leases),
        read_only=spec.is_read_only,
        leases=leases,
        deny=brief.permissions.deny,
    )


def _mode(brief: Brief, *, leases: bool) -> PermissionMode:
    """Return the agent's own permission mode: the strictest if it would not know what is denied."""
    asks = protocol_of(brief.talk).asks_by_mode and (brief.permissions.deny or leases)
    return PermissionMode.ASK if asks else brief.permissions.mode


def _before(places: RunPaths, key: AttemptKey, talk: str, workspace: Path) -> _Before:
    """Return the latest earlier attempt that can be continued, else only its last message."""
    words = ""
    for number in range(key.attempt - 1, 0, -1):
        folder = places.attempt(key.run, key.task, number)
        record = read_agent_record(folder)
        if record is None or record.talk != talk:
            continue
        machine = machine_of(record)
        hear_all(folder, machine)
        words = words or machine.last_words
        is_here = record.cwd == str(workspace) or not protocol_of(talk).is_bound_to_folder
        if machine.session and is_here:
            return _Before(machine.session, machine.spent_usd, words)
        if machine.session:
            break  # older sessions know less than this attempt's last message
    return _Before("", 0.0, words)
