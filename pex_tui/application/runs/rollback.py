"""Roll back what a run has landed, and bring it back.

The undo log's entry and an event of the journal are written first. A rollback that was interrupted
is finished by the next command that changes this repository's runs. The caller holds the engine
lock, except for a preview.
"""

import time
from collections.abc import AsyncIterator, Collection, Iterable, Iterator
from contextlib import asynccontextmanager, contextmanager

from msgspec import Struct
from msgspec.structs import replace

from pex_tui.adapters.git.landing.run_rollback import NothingLandedError, RunRollback
from pex_tui.adapters.git.maintenance.runs_by_refs import FoundRun, find_runs
from pex_tui.adapters.git.maintenance.undo_log import UndoLog
from pex_tui.adapters.git.plumbing.git_runner import GitError
from pex_tui.adapters.storage.journal import SqliteJournal
from pex_tui.application.project.command_context import UnknownRunError, find_run
from pex_tui.application.project.project import Project, pinned
from pex_tui.application.runs.composition import lander_of_refs, make_lander
from pex_tui.application.runs.engine_lock import take_lock
from pex_tui.application.runs.stored_state import known_state
from pex_tui.core.events.rollback_events import (
    RollbackBegun,
    RollbackRefused,
    RollbackUndone,
    RunRolledBack,
)
from pex_tui.core.events.run_events import Event
from pex_tui.core.formatting import counted
from pex_tui.core.model.ids import CommitId, RunId, TaskId
from pex_tui.core.model.run_refs import BRANCHES
from pex_tui.core.model.state import RunState
from pex_tui.core.sanitize import clean
from pex_tui.core.undo_values import (
    RollbackDone,
    RollbackPlan,
    RollbackPreview,
    UndoEntry,
    UndoOffer,
    UndoStage,
)
from pex_tui.engine.ports import LandingError
from pex_tui.errors import UserError
from pex_tui.reports.rollback_text import rollback_lines

_REFUSED = 1


class NothingToUndoError(UserError):
    """Nothing of the run is landed now."""


class _Subject(Struct, frozen=True):
    """A run with the means to roll it back; `state` is None if the journal does not know it."""

    rollback: RunRollback
    state: RunState | None
    notices: tuple[str, ...]


def undo_log(project: Project) -> UndoLog:
    """Return the repository's undo log."""
    return UndoLog(project.repository.git, project.places)


async def preview_rollback(
    project: Project, wanted: str | None, tasks: Collection[TaskId]
) -> RollbackPreview:
    """Return what a rollback would do; raise UserError if it is impossible, and why."""
    run, found = await _named(project, wanted)
    with _told():
        async with _opened(project, run) as journal:
            subject = await _subject(project, journal, run, found)
        plan = await subject.rollback.plan(tasks, int(time.time()))
        others = ", ".join(map(clean, await subject.rollback.other_branches(plan)))
    staying = _staying(subject.state, plan.tasks) if subject.state is not None else ()
    kept = (f"It stays on {others}: undo it there with `git revert`.",) if others else ()
    return RollbackPreview(plan, staying, (*subject.notices, *kept), is_lost=subject.state is None)


async def roll_back(project: Project, shown: RollbackPreview, by: str) -> RollbackDone:
    """Do what was shown; raise UserError, with nothing changed, if that is no longer possible."""
    run, log = shown.plan.run, undo_log(project)
    found = _found(shown.plan, shown.plan.tip) if shown.is_lost else None
    with _told():
        async with _opened(project, run) as journal:
            subject = await _subject(project, journal, run, found)
            plan = await subject.rollback.plan(shown.plan.tasks, shown.plan.at)
            if plan != shown.plan:
                raise UserError(f"Run {run} has changed meanwhile. Look again, then decide.")
            entry = _entry(log.new_id(), plan)
            log.write(entry)
            await log.keep_refs(entry, removes=False)
            await _record(journal, run, RollbackBegun(entry.id, plan.tasks, by))
            done = await _perform(log, journal, subject.rollback, entry, by)
    return RollbackDone(entry.id, (*subject.notices, *done))


async def bring_back(project: Project, entry: UndoEntry, by: str) -> str:
    """Bring back what a rollback undid; return what was done. Raises UserError."""
    plan, log = entry.rollback, undo_log(project)
    if plan is None:
        raise UserError(f"{entry.id} is no rollback.")
    with _told():
        async with _opened(project, plan.run) as journal:
            known = journal is not None and journal.has(plan.run)
            if not known:
                _refuse_cleaned(log, entry, plan.run)
            found = None if known else _found(plan, plan.new_tip)
            subject = await _subject(project, journal, plan.run, found)
            log.write(replace(entry, stage=UndoStage.UNDOING))
            try:
                commit, notice = await subject.rollback.undo(plan)
            except (LandingError, GitError):
                log.write(replace(entry, stage=UndoStage.KEPT))
                raise
            event = RollbackUndone(entry.id, plan.tasks, plan.tip, plan.target, commit, by)
            await _record(journal, plan.run, event)
            await log.drop([entry])
    tasks, mine = ", ".join(plan.tasks), subject.rollback.mine
    where = f" and on {plan.target}, at {commit[:10]}" if commit else ""
    step = f" `pex-tui land {plan.run}` lands it on {mine.branch.name}." if mine else ""
    told = notice if commit else step
    return f"Run {plan.run}: {tasks} landed again on {plan.branch}{where}.{told}"


def _refuse_cleaned(log: UndoLog, entry: UndoEntry, run: RunId) -> None:
    """Raise UserError if the run's history can be restored first, to know of what comes back."""
    for other in log.entries():
        if other.run == run and other.has_journal and entry.stage is UndoStage.KEPT:
            raise UserError(
                f"Run {run} was cleaned since. Restore it first: `pex-tui recover {other.id}`, "
                f"then `pex-tui recover {entry.id}`.",
                _REFUSED,
            )


async def finish_rollbacks(project: Project, run: RunId | None = None) -> tuple[str, ...]:
    """Finish what interrupted commands have begun, of one run if given; return notices.

    Raises UserError.
    """
    if not project.places.undo.is_dir():
        return ()
    log, notices = undo_log(project), list[str]()
    for entry in log.pending():
        plan = entry.rollback
        if plan is None or run not in {None, plan.run}:
            continue
        if entry.stage is UndoStage.UNDOING:
            notices.append(await bring_back(project, entry, "you"))
            continue
        with _told():
            async with _opened(project, plan.run) as journal:
                known = journal is not None and journal.has(plan.run)
                found = None if known else _found(plan, plan.tip)
                subject = await _subject(project, journal, plan.run, found)
                await log.keep_refs(entry, removes=False)
                notices += await _perform(log, journal, subject.rollback, entry, "you")
        notices.append(f"An interrupted rollback of run {plan.run} was finished.")
    return tuple(notices)


async def undo_offer(project: Project, run: RunId) -> UndoOffer:
    """Return what can be undone of a run; raise UserError if nothing can.

    That is the newest rollback, if all that had landed is rolled back; otherwise its landings.
    """
    entries = undo_log(project).entries()
    entry = next((one for one in entries if one.run == run and one.rollback is not None), None)
    try:
        preview = await preview_rollback(project, run, ())
    except (NothingToUndoError, UnknownRunError):
        if entry is None or entry.rollback is None:
            raise
        plan = entry.rollback
        on = " and ".join(filter(None, (plan.branch, plan.target)))
        line = f"Run {run}: brings back {', '.join(plan.tasks)} on {on}"
        return UndoOffer((line,), entry=entry)
    return UndoOffer(tuple(rollback_lines(preview)), rollback=preview)


async def undo(project: Project, offer: UndoOffer) -> str:
    """Do what was offered, with the engine lock; return what was done. Raises UserError."""
    lock = await take_lock(project.places.lock)
    try:
        await finish_rollbacks(project)
        if offer.entry is not None:
            return await bring_back(project, offer.entry, "you")
        if offer.rollback is None:
            raise UserError("There is nothing to undo.")
        done = await roll_back(project, offer.rollback, "you")
    finally:
        lock.release()
    back = f"Rolled back. `pex-tui recover {done.undo}`, or the key again, brings it back."
    return "\n".join((back, *done.notices))


async def _perform(
    log: UndoLog,
    journal: SqliteJournal | None,
    rollback: RunRollback,
    entry: UndoEntry,
    by: str,
) -> tuple[str, ...]:
    """Roll back what the entry says; if git refuses and nothing has changed, forget the entry."""
    plan = entry.rollback
    if plan is None:
        return ()
    try:
        commit, notice = await rollback.perform(plan)
    except LandingError as error:
        if await rollback.is_untouched(plan):
            await _record(journal, plan.run, RollbackRefused(entry.id, str(error)))
            await log.drop([entry])
        raise
    event = RunRolledBack(entry.id, plan.tasks, plan.new_tip, plan.target, commit, by)
    await _record(journal, plan.run, event)
    log.write(replace(entry, stage=UndoStage.KEPT))
    return (notice.strip(),) if notice else ()


def _entry(name: str, plan: RollbackPlan) -> UndoEntry:
    on = " and ".join(filter(None, (plan.branch, plan.target)))
    return UndoEntry(
        name,
        time.time(),
        "rollback",
        plan.run,
        f"{counted(len(plan.tasks), 'landing')} on {on}: {', '.join(plan.tasks)}",
        refs=(
            (f"{BRANCHES}/{plan.run}", plan.tip),
            (f"{BRANCHES}/{plan.run}-after", plan.new_tip),
        ),
        rollback=plan,
        stage=UndoStage.BEGUN,
    )


async def _named(project: Project, wanted: str | None) -> tuple[RunId, FoundRun | None]:
    """Return the run, from its refs if the journal does not know it; raise UserError."""
    if project.places.journal.exists():
        journal = project.open_journal()
        try:
            return find_run(journal, wanted).run, None
        except UnknownRunError:
            pass
        finally:
            journal.close_now()
    found = await find_runs(project.repository.git)
    named = [one for one in found if wanted is None or one.run.startswith(wanted)]
    if len(named) != 1:
        names = ", ".join(one.run for one in found)
        hint = f" Found by their branches and refs: {names}." if names else ""
        raise UnknownRunError(f"There is no run {clean(wanted or '')} with landings.{hint}")
    return named[0].run, named[0]


@asynccontextmanager
async def _opened(project: Project, run: RunId) -> AsyncIterator[SqliteJournal | None]:
    """Open the journal if it knows the run."""
    if not project.places.journal.exists():
        yield None
        return
    journal = project.open_journal()
    try:
        yield journal if journal.has(run) else None
    finally:
        await journal.close()


async def _subject(
    project: Project, journal: SqliteJournal | None, run: RunId, found: FoundRun | None
) -> _Subject:
    project = await pinned(project, run)
    identity = await project.repository.check_identity()
    if journal is not None:
        state, notices = known_state(journal, run)
        return _Subject(
            make_lander(project, state, identity).rollback(state.target), state, notices
        )
    if found is None:
        raise UserError(f"There is no run {run} here. `pex-tui runs` lists them.")
    lander = lander_of_refs(project, found, identity)
    target = await project.repository.current_branch()
    told = f"The journal does not know run {run}; it was found by its refs."
    return _Subject(lander.rollback(target), None, (told,))


def _found(plan: RollbackPlan, tip: CommitId) -> FoundRun:
    return FoundRun(plan.run, plan.base, tip, plan.tasks, 0.0)


async def _record(journal: SqliteJournal | None, run: RunId, event: Event) -> None:
    """Append the event to the run's journal, if there is one."""
    if journal is not None:
        _, last = journal.planned(run)
        await journal.append(run, [(last + 1, replace(event, at=time.time()))])


def _staying(state: RunState, undone: Iterable[TaskId]) -> tuple[TaskId, ...]:
    """Return the landed tasks that need an undone one, directly or through others."""
    graph, gone = state.graph, {*undone}
    if not state.tasks:
        return ()
    stack = [graph.index[task] for task in gone if task in graph.index]
    seen: set[int] = set()
    while stack:
        for dependent in graph.dependents[stack.pop()]:
            if dependent not in seen:
                seen.add(dependent)
                stack.append(dependent)
    found = (state.tasks[position] for position in sorted(seen))
    return tuple(task.id for task in found if task.landed is not None and task.id not in gone)


@contextmanager
def _told() -> Iterator[None]:
    """Turn refusals of git and of the disk into errors for a person."""
    try:
        yield
    except NothingLandedError as error:
        raise NothingToUndoError(str(error), _REFUSED) from error
    except (LandingError, GitError, OSError) as error:
        raise UserError(clean(str(error)), _REFUSED) from error
