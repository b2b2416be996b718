"""Land a run on the branch that it started from."""

import asyncio
import time
from functools import partial
from pathlib import Path

from pex_tui.adapters.git.maintenance.runs_by_refs import find_runs
from pex_tui.adapters.ipc.control_socket import ControlError, ask
from pex_tui.adapters.storage.engine_lock import Holder, current_holder
from pex_tui.application.project.command_context import Options, await_command, find_run, project_of
from pex_tui.application.project.project import Project, pinned
from pex_tui.application.runs.composition import lander_of_refs, make_lander
from pex_tui.application.runs.engine_lock import take_lock
from pex_tui.application.runs.rollback import finish_rollbacks
from pex_tui.application.runs.runs import YOU
from pex_tui.application.runs.stored_state import known_state
from pex_tui.core.events.run_events import (
    Event,
    LandRequested,
    Noticed,
    RunLanded,
    RunLandRefused,
)
from pex_tui.core.formatting import counted
from pex_tui.core.model.ids import RunId
from pex_tui.core.model.phases import Phase
from pex_tui.core.model.state import RunState
from pex_tui.core.step import step
from pex_tui.engine.ports import LandingError
from pex_tui.errors import UserError
from pex_tui.headless.streams import Streams, printing

NOT_LANDED = 1
Row = tuple[int, Event]


def land(options: Options) -> int:
    """Land a run on the branch it started from."""
    return await_command(printing(partial(_land, options)))


async def _land(options: Options, streams: Streams) -> int:
    project = await project_of(options)
    holder = current_holder(project.places.lock)
    journal = project.open_journal()
    try:
        run = find_run(journal, options.run).run
    except UserError as error:
        return await _land_by_refs(project, options.run, error, streams)
    finally:
        journal.close_now()
    if holder is not None and holder.run == run:
        return await _ask_engine(holder, streams)
    lock = await take_lock(project.places.lock)
    try:
        _tell(await finish_rollbacks(project, run), streams)
        return await _land_now(project, run, streams)
    finally:
        lock.release()


async def _land_by_refs(
    project: Project, wanted: str | None, unknown: UserError, streams: Streams
) -> int:
    """Land a run that the journal lost, if its refs identify it; raise UserError."""
    runs = await find_runs(project.repository.git)
    named = [found for found in runs if wanted is None or found.run == wanted]
    if len(named) != 1:
        others = ", ".join(f"{found.run} ({counted(len(found.tasks), 'task')})" for found in runs)
        hint = f" Found by their branches and refs: {others}." if runs else ""
        raise UserError(f"{unknown.message}{hint}") from unknown
    (found,) = named
    target = await project.repository.current_branch()
    if target is None:
        raise UserError(
            f"The journal does not know run {found.run}, so its branch is not known either. Switch "
            "to the branch to land on, then try again."
        )
    streams.notes.write(
        f"! The journal does not know run {found.run}; it was found by its refs, with "
        f"{', '.join(found.tasks)} landed. Its plan is not known, so no gate is run.\n"
    )
    lock = await take_lock(project.places.lock)
    try:
        identity = await project.repository.check_identity()
        lander = lander_of_refs(await pinned(project, found.run), found, identity)
        _, detail = await lander.land_run(target)
    except LandingError as error:
        streams.notes.write(f"{error}")
        return NOT_LANDED
    finally:
        lock.release()
    _tell(await lander.guard(), streams)
    streams.output.write(f"{detail}")
    return 0


async def _ask_engine(holder: Holder, streams: Streams) -> int:
    try:
        await ask(Path(holder.control), request="land", by=YOU)
    except ControlError as error:
        raise UserError(str(error)) from error
    streams.output.write(f"Asked the engine of run {holder.run} to land; it reports the result.")
    return 0


async def _land_now(project: Project, run: RunId, streams: Streams) -> int:
    journal = project.open_journal()
    try:
        state, told = known_state(journal, run)
        for line in told:
            streams.notes.write(f"! {line}")
        if state.target is None:
            raise UserError(
                f"Run {run} started from a detached HEAD, so there is no branch to land on. "
                f"Merge it where you want it: git merge {state.branch}"
            )
        target, rows = state.target, list[Row]()
        state = _stepped(state, rows, LandRequested(YOU, at=time.time()))
        while True:
            outcome, notices = await _attempt(project, state, target)
            _tell(notices, streams)
            state = _stepped(
                state, rows, *(Noticed(line, at=outcome.at) for line in notices), outcome
            )
            if state.land_retry_at is None:
                break
            streams.notes.write(f"! {state.land_detail}")
            await asyncio.sleep(max(0.0, state.land_retry_at - time.time()))
        await journal.append(run, rows)
    finally:
        await journal.close()
    if isinstance(outcome, RunLandRefused):
        streams.notes.write(f"{outcome.reason}")
        return NOT_LANDED
    streams.output.write(f"{state.land_detail}")
    left = [task.id for task in state.tasks if task.phase not in {Phase.LANDED, Phase.DONE}]
    if left:
        streams.notes.write(f"! Not included, because they have not landed: {', '.join(left)}")
    return 0


def _stepped(state: RunState, rows: list[Row], *events: Event) -> RunState:
    """Return the state after the events, which still have to be journaled."""
    for event in events:
        state, _ = step(state, event)
        rows.append((state.seq, event))
    return state


def _tell(notices: tuple[str, ...], streams: Streams) -> None:
    for line in notices:
        streams.output.write(line)


async def _attempt(
    project: Project, state: RunState, target: str
) -> tuple[RunLanded | RunLandRefused, tuple[str, ...]]:
    """Return the outcome, and notices for the user."""
    project = await pinned(project, state.run)
    identity = await project.repository.check_identity()
    lander = make_lander(project, state, identity)
    event: RunLanded | RunLandRefused
    try:
        commit, detail = await lander.land_run(target)
        event = RunLanded(target, commit, detail, at=time.time())
    except LandingError as error:
        event = RunLandRefused(str(error), error.passing, at=time.time())
    return event, await lander.guard()
