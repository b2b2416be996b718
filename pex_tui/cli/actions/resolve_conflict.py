"""List or resolve the open conflicts of a run."""

import asyncio
import os
import shlex
import subprocess
import tempfile
from functools import partial
from pathlib import Path

from pex_tui.application.project.command_context import Options, await_command, find_run, project_of
from pex_tui.application.project.project import Project
from pex_tui.application.runs.headless_driver import drive_headless
from pex_tui.application.runs.lost_runs import telling_of_lost
from pex_tui.application.runs.run_options import RunOptions
from pex_tui.application.runs.runs import resume_run
from pex_tui.application.runs.stored_state import read_state
from pex_tui.core.model.conflict import Conflict, ConflictKind, ConflictPath, Decision
from pex_tui.core.model.ids import TaskId
from pex_tui.core.model.state import RunState
from pex_tui.core.sanitize import clean
from pex_tui.engine.conflict_sides import ConflictSides
from pex_tui.engine.ports import LandingError
from pex_tui.errors import UserError
from pex_tui.headless.streams import Streams, printing

_OPEN = 3
_DECISIONS = {"edit": Decision.EDITED, "abort": Decision.ABORTED}
_READ_SECONDS = 1.0


def resolve(options: Options) -> int:
    """List open conflicts, or resolve one and continue the run."""
    return await_command(printing(partial(_resolve, options)))


async def _resolve(options: Options, streams: Streams) -> int:
    project = await project_of(options)
    journal = project.open_journal()
    try:
        async with telling_of_lost(project, options.run):
            state = read_state(journal, find_run(journal, options.run).run)
    finally:
        journal.close_now()
    if options.task is None:
        if options.choice:
            raise UserError("Say whose conflict to resolve: pex-tui resolve RUN TASK --ours")
        return _list(state, streams)
    task = _task(state, options.task)
    if options.choice is None:
        return _list(state, streams)
    return await _resolve_one(project, state, task, options.choice, streams)


def _list(state: RunState, streams: Streams) -> int:
    if not state.conflicts:
        streams.output.write(f"Run {state.run} has no conflicts.")
    for conflict in state.conflicts:
        streams.output.write(clean(_told(state, conflict)))
    return _OPEN if state.open_conflicts else 0


def _told(state: RunState, conflict: Conflict) -> str:
    who = str(conflict.tasks[0])
    if conflict.kind is not ConflictKind.PROTECTED:
        who = f"{who} with {', '.join(conflict.tasks[1:]) or 'what had landed'}"
    paths = ", ".join(_what(file) for file in conflict.files) or conflict.detail
    if not conflict.is_open:
        how = f" ({conflict.detail})" if conflict.decision is Decision.COMBINED else ""
        return f"  resolved {who}: {paths}: {conflict.decision}{how} by {conflict.resolved_by}"
    flags = "--ours|--theirs|--edit|--rerun|--abort"
    return f"  OPEN     {who}: {paths}: pex-tui resolve {state.run} {conflict.tasks[0]} {flags}"


def _what(file: ConflictPath) -> str:
    """Return a path with its conflicting lines, if known, or else with the kind of conflict."""
    return f"{file.path} ({file.lines or file.kind})"


def _task(state: RunState, wanted: str) -> TaskId:
    open_tasks = [conflict.tasks[0] for conflict in state.open_conflicts]
    if wanted not in open_tasks:
        named = ", ".join(open_tasks) or "none"
        raise UserError(
            f"Task {clean(wanted)} has no open conflict in run {state.run}; with one: {named}."
        )
    return TaskId(wanted)


async def _resolve_one(
    project: Project, state: RunState, task: TaskId, choice: str, streams: Streams
) -> int:
    """Resume the run, resolve this one conflict, and drive the run to its end."""
    session = await resume_run(project, state.run, RunOptions(resolves=True))
    decision = _DECISIONS.get(choice) or Decision(choice)
    try:
        contents: dict[str, bytes | None] = {}
        if decision is Decision.EDITED:
            sides = await session.sides(task)
            contents = await asyncio.to_thread(_edit_all, sides, streams)
        await session.resolve(task, decision, contents)
    except (LandingError, UserError) as error:
        await session.close()
        raise UserError(str(error)) from error
    return await drive_headless(project, session, streams, as_json=False)


def _edit_all(sides: tuple[ConflictSides, ...], streams: Streams) -> dict[str, bytes | None]:
    """Edit each conflicting file in the user's editor.

    Raises UserError, with nothing done, if one fails.
    """
    editor = os.environ.get("VISUAL") or os.environ.get("EDITOR")
    if not editor:
        raise UserError("--edit needs an editor: set $EDITOR, or choose --ours, --theirs, --rerun.")
    unmergeable = [side.path for side in sides if side.merged is None]
    if unmergeable:
        raise UserError(
            f"{clean(', '.join(unmergeable))}: this can't be edited as text. "
            "Choose --ours, --theirs or --rerun."
        )
    with tempfile.TemporaryDirectory(prefix="pex-tui-") as folder:
        return {side.path: _edit(editor, Path(folder), side, streams) for side in sides}


def _edit(editor: str, folder: Path, side: ConflictSides, streams: Streams) -> bytes:
    path = folder / Path(side.path).name
    path.write_bytes(side.merged or b"" if side.proposal is None else side.proposal)
    if side.proposal is not None:
        streams.notes.write(f"! {clean(side.path)} is proposed {clean(side.proposed)}.")
        streams.notes.drain(_READ_SECONDS)
    try:
        ended = subprocess.run([*shlex.split(editor), str(path)], check=False)
    except (OSError, ValueError) as error:
        raise UserError(
            f"The editor {clean(editor)} can't be started: {clean(str(error))}. Set $EDITOR to one "
            "that is there; nothing was resolved."
        ) from error
    edited = path.read_bytes()
    if ended.returncode != 0:
        raise UserError(f"The editor ended with {ended.returncode}; nothing was resolved.")
    left = side.markers_left(edited)
    if left:
        raise UserError(
            f"{clean(side.path)} still has conflict markers (line {left[0]}); nothing was resolved."
        )
    return edited
