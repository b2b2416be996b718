"""Stop a run at once, whether or not its engine lives.

A live engine is asked before the modules to follow or take over a run are imported.
"""

import asyncio
from functools import partial
from pathlib import Path

from pex_tui.adapters.agents.emergency import end_attempts, live_attempts
from pex_tui.adapters.ipc.control_socket import ControlError, ask
from pex_tui.adapters.storage.engine_lock import Holder, current_holder
from pex_tui.application.project.command_context import (
    Options,
    UnknownRunError,
    await_command,
    find_run,
    project_of,
)
from pex_tui.application.project.project import Project
from pex_tui.core.formatting import counted
from pex_tui.core.model.ids import RunId
from pex_tui.core.model.phases import HOLDS_SLOT, Phase, RunStage
from pex_tui.core.model.state import RunState
from pex_tui.engine.attempt import AttemptKey
from pex_tui.engine.pool import TaskPool
from pex_tui.errors import UserError
from pex_tui.headless.streams import Streams, printing

_LEFT = 1
_YOU = "you"
_ANSWER_SECONDS = 3.0  # then the engine counts as hung: this is an emergency
_SLACK_SECONDS = 20.0  # beyond the grace, for capturing work


def abort(options: Options) -> int:
    """Stop a run at once."""
    return await_command(printing(partial(_abort, options)))


async def _abort(options: Options, streams: Streams) -> int:
    project = await project_of(options)
    holder = current_holder(project.places.lock)
    run = _chosen(project, options.run, holder)
    engine = holder if holder is not None and holder.run == run else None
    alive = live_attempts(project.places, run)
    try:
        if engine is None:
            state = await _taken_over(project, run)
        else:
            state = await _through_engine(project, engine)
    except UserError as error:
        # Neither an engine nor a journal is needed to end processes.
        if engine is None and not alive:
            raise
        return await _without_engine(project, run, error, streams, engine)
    if state is None:
        streams.output.write(f"Run {run} has ended already; nothing of it is at work.")
        return 0
    streams.output.write(_told(state, alive))
    return 0


def _chosen(project: Project, wanted: str | None, holder: Holder | None) -> RunId:
    """Return the named run, else the one at work now, else the newest; raise UserError."""
    alive = live_attempts(project.places)
    if wanted is None and holder is not None:
        return holder.run
    if wanted is None and alive:
        return alive[-1].run
    journal = project.open_journal()
    try:
        return find_run(journal, wanted).run
    except UnknownRunError:
        meant = {key.run for key in alive if key.run.startswith(wanted or "")}
        if len(meant) != 1:
            raise
        return meant.pop()
    finally:
        journal.close_now()


async def _through_engine(project: Project, engine: Holder) -> RunState:
    """Have the engine abort its run; return the state at its end. Raises UserError."""
    try:
        async with asyncio.timeout(_ANSWER_SECONDS):
            await ask(Path(engine.control), request="abort_run", by=_YOU)
    except (ControlError, TimeoutError) as error:
        raise UserError(f"Its engine, process {engine.pid}, does not answer.") from error
    from pex_tui.application.runs.attach import follow_run  # noqa: PLC0415  # after the request

    session = await follow_run(project, engine.run)
    over = asyncio.Event()

    def look(state: RunState) -> None:
        if state.stage is RunStage.FINISHED:
            over.set()

    look(session.state)
    session.subscribe(look)
    following = asyncio.create_task(session.serve(TaskPool()), name="follow")
    ends = asyncio.create_task(over.wait(), name="end")
    try:
        async with asyncio.timeout(session.state.rules.grace_seconds + _SLACK_SECONDS):
            await asyncio.wait({ends, following}, return_when=asyncio.FIRST_COMPLETED)
    except TimeoutError:
        raise UserError("Its engine did not end it in time.") from None
    finally:
        ends.cancel()
        await session.let_go()
        await asyncio.wait({following})
    return session.state


async def _taken_over(project: Project, run: RunId) -> RunState | None:
    """Abort a run without an engine; return its state, None if it had ended. Raises UserError."""
    journal = project.open_journal()
    try:
        has_ended = journal.state(run).stage is RunStage.FINISHED
    finally:
        journal.close_now()
    if has_ended and not live_attempts(project.places, run):
        return None
    from pex_tui.application.runs.run_options import RunOptions  # noqa: PLC0415  # only here
    from pex_tui.application.runs.runs import resume_run  # noqa: PLC0415  # likewise

    session = await resume_run(project, run, RunOptions(aborts=True))
    await session.serve(TaskPool())
    return session.state


async def _without_engine(
    project: Project, run: RunId, error: UserError, streams: Streams, holder: Holder | None
) -> int:
    """End the agents themselves; their work stays in their workspaces."""
    streams.notes.write(f"! {error.message}")
    alive = live_attempts(project.places, run)
    await end_attempts(project.places, alive, project.settings.safety.grace)
    left = live_attempts(project.places, run)
    streams.output.write(
        f"Run {run}: {counted(len(alive) - len(left), 'agent')} ended without its engine. Their "
        f"work is in their workspaces; `pex-tui resume {run}` captures it and continues."
    )
    if holder is not None:
        streams.notes.write(
            f"! Process {holder.pid} still holds the run and may start agents again: `kill -9 "
            f"{holder.pid}` ends it."
        )
    return _LEFT if left or holder is not None else 0


def _told(state: RunState, alive: list[AttemptKey]) -> str:
    stopped = [task for task in state.tasks if task.aborted_with_run]
    kept = [task.id for task in state.tasks if task.phase is Phase.ABORTED and task.work]
    ended, undone = counted(len(alive), "agent"), counted(len(stopped), "task")
    lines = [f"Run {state.run} is aborted: {ended} ended, {undone} not done."]
    if kept:
        lines.append(f"Work so far is kept under refs/pex/{state.run}: {', '.join(kept)}.")
    if any(task.phase in HOLDS_SLOT for task in state.tasks):
        lines.append("Some agents have not ended yet: `pex-tui attach` shows them.")
    lines.append(f"`pex-tui resume {state.run}` continues it.")
    return "\n".join(lines)
