"""Start and resume runs: lock, journal, ports, engine."""

import asyncio
import os
import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from pex_tui.adapters.agents.lock_server import LockServer
from pex_tui.adapters.agents.tokens import AttemptTokens
from pex_tui.adapters.git.capture.user_snapshot import snapshot_uncommitted
from pex_tui.adapters.git.landing.lander import GitLander
from pex_tui.adapters.git.maintenance.runs_by_refs import find_attempts
from pex_tui.adapters.git.plumbing.git_runner import GitError
from pex_tui.adapters.git.plumbing.ref_names import uncommitted_ref
from pex_tui.adapters.git.plumbing.repository import Identity
from pex_tui.adapters.git.user_repository.promised_files import fetch_promised
from pex_tui.adapters.ipc.control_socket import ControlServer
from pex_tui.adapters.process.runtime import socket_folder
from pex_tui.adapters.storage.engine_lock import EngineLock
from pex_tui.adapters.storage.journal import SqliteJournal
from pex_tui.adapters.storage.journal_file import JournalError
from pex_tui.adapters.system.private_folder import make_private
from pex_tui.adapters.system.probe import TreeMeter
from pex_tui.adapters.system.programs import offer_program
from pex_tui.application.project.guards import guards_of
from pex_tui.application.project.project import Project, check_slots, pinned
from pex_tui.application.project.sandboxing import (
    missing_sandbox,
    open_network,
    sandbox_name,
    sandbox_policy,
)
from pex_tui.application.runs.composition import Assembly, assemble, repair_landing_of
from pex_tui.application.runs.engine_lock import take_lock
from pex_tui.application.runs.rollback import finish_rollbacks
from pex_tui.application.runs.run_ids import new_run_id
from pex_tui.application.runs.run_options import RunOptions
from pex_tui.application.runs.stored_state import read_state
from pex_tui.core.events.landing_events import BranchMoved
from pex_tui.core.events.run_events import (
    AttemptFound,
    ConflictDecided,
    Event,
    Noticed,
    RunAbortRequested,
    RunAdopted,
    RunPlanned,
    SlotsRequested,
)
from pex_tui.core.model.conflict import ConflictKind, Decision
from pex_tui.core.model.ids import CommitId, RunId
from pex_tui.core.model.phases import SUCCEEDED
from pex_tui.core.model.run_refs import branch_name
from pex_tui.core.model.state import RunState
from pex_tui.core.sanitize import clean
from pex_tui.core.step import begin
from pex_tui.core.views.resumption import resumption_text
from pex_tui.engine.engine import Engine
from pex_tui.engine.local import LocalSession
from pex_tui.engine.ports import JournalFull, LandingError
from pex_tui.engine.session import PlanDraft
from pex_tui.errors import UserError

YOU = "you"


async def start_run(project: Project, draft: PlanDraft, options: RunOptions) -> LocalSession:
    """Start a run of the plan; raise UserError, with nothing started, if that is impossible."""
    repository = project.repository
    await asyncio.to_thread(sandbox_policy, project)  # an unusable one is told before anything
    await repository.head()
    repaired = await repair_landing_of(repository, project.places)
    identity = await _identity(project, draft)
    target = await _target(project, draft)
    if options.land:
        await _check_landing(project, target)
    base = await repository.resolve_commit(draft.plan.base)
    await fetch_promised(repository, base)
    lock = await take_lock(project.places.lock, wait=options.wait)
    with ExitStack() as held:
        held.callback(lock.release)
        journal = project.open_journal()
        run = await new_run_id(project, journal, options.name)
        if options.include_uncommitted:
            base = await snapshot_uncommitted(repository, uncommitted_ref(run))
        gaps = (missing_sandbox(project), open_network(project.settings.safety))
        found = (*repaired, journal.notice, *gaps)
        planned = _planned(project, draft, run, base, target, tuple(filter(None, found)))
        state = begin(planned)
        try:
            with _disk_in_words(project):
                await journal.append(run, [(1, planned)])
                session = await _open_session(project, state, journal, identity, lock, options)
        except UserError:
            with suppress(JournalError, GitError):
                journal.forget(run)
                await repository.git.run("update-ref", "-d", uncommitted_ref(run))
            raise
        held.pop_all()
    return session


async def resume_run(project: Project, run: RunId, options: RunOptions) -> LocalSession:
    """Resume a run; raise UserError if there is nothing to resume."""
    check_slots(options.slots)
    await asyncio.to_thread(sandbox_policy, project)
    lock = await take_lock(project.places.lock, wait=options.wait, takes_over=True)
    with ExitStack() as held:
        held.callback(lock.release)
        finished = await finish_rollbacks(project, run)
        journal = project.open_journal()
        state = read_state(journal, run)
        repaired = await repair_landing_of(project.repository, project.places)
        identity = await _identity(project, PlanDraft("", state.plan, state.graph, state.rules))
        with _disk_in_words(project):
            session = await _open_session(project, state, journal, identity, lock, options)
        held.pop_all()
    if options.aborts:  # before anything could start
        session.post(RunAbortRequested(YOU))
    bystands = options.resolves or options.background or options.aborts
    retries = not (options.attended or bystands)
    session.post(
        RunAdopted(
            os.getpid(),
            YOU,
            retry_failed=retries,
            keep_pauses=options.background,
            retry_aborted=retries,
            sandbox=sandbox_name(project),
            retry_run_abort=options.continues and not bystands,
            guards=() if options.aborts else guards_of(project.settings),
        )
    )
    found = () if options.background else (resumption_text(state, time.time()),)
    for notice in (*found, *finished, *repaired):
        session.post(Noticed(notice))
    if options.slots is not None:
        session.post(SlotsRequested(options.slots, YOU))
    if retries:
        undecided = (
            one
            for one in state.open_conflicts
            if state.task(one.tasks[0]).own_work is None and one.kind is not ConflictKind.PROTECTED
        )
        for conflict in undecided:  # decisions and permissions of people wait for them
            session.post(ConflictDecided(conflict.tasks[0], Decision.RERUN, None, "resume"))
    return session


@contextmanager
def _disk_in_words(project: Project) -> Iterator[None]:
    """Raise UserError where the state directory takes nothing more."""
    where = f"Nothing was started: {project.places.root}"
    try:
        yield
    except JournalFull as error:
        raise UserError(f"{where} has no room left. Free disk space, then try again.") from error
    except OSError as error:
        why = error.strerror or str(error)
        raise UserError(f"{where} can't be written ({clean(why)}).") from error


async def _open_session(
    project: Project,
    state: RunState,
    journal: SqliteJournal,
    identity: Identity | None,
    lock: EngineLock,
    options: RunOptions,
) -> LocalSession:
    project = await pinned(project, state.run)
    control = _socket_path(project)
    lock_server = LockServer(_agents_socket(project), AttemptTokens(project.places.run(state.run)))
    assembly = assemble(project, state, journal, identity, lock_server)
    try:
        notices = await assembly.lander.begin()
    except LandingError as error:
        raise UserError(str(error)) from error
    engine = Engine(state, assembly.ports, attended=options.attended)
    assembly.runner.tell_through(lambda text: engine.post(Noticed(text)))
    journal.say = lambda text: engine.post(Noticed(text))
    session = _Closer(assembly, lock_server, lock)
    local = LocalSession(
        engine, assembly.ports, project.places, TreeMeter(), session.close, actor=YOU
    )
    let_go = _letting_go(local) if options.background else None
    for notice in notices:
        local.post(Noticed(notice))
    for event in await _found(project, state, assembly.lander):
        local.post(event)
    session.server = ControlServer(
        control,
        lambda: engine.state,
        engine.post,
        local.diff,
        let_go,
        engine.stored,
        engine.attend,
    )
    await session.server.start()
    await lock_server.start(lambda: engine.state, engine.post)
    await asyncio.to_thread(offer_program, project.places.programs(state.run))
    lock.describe(state.run, control=control, is_background=options.background)
    return local


class _Closer(Struct):
    """Releases what a session holds."""

    assembly: Assembly
    lock_server: LockServer
    lock: EngineLock
    server: ControlServer | None = None

    def close(self) -> None:
        if self.server is not None:
            self.server.close()
        self.lock_server.close()
        self.assembly.leases.close()
        self.lock.release()


async def _found(project: Project, state: RunState, lander: GitLander) -> list[Event]:
    """Return what git and the disk know of the run that its journal, an older copy, lacks."""
    found: list[Event] = [
        BranchMoved(task, state.task(task).attempt, commit, found=True)
        for commit, task in await lander.unknown_landings()
        if task in state.graph.index and state.task(task).phase not in SUCCEEDED
    ]
    newest = await find_attempts(project.repository.git, project.places, state.run)
    return found + [
        AttemptFound(task.id, newest[task.id])
        for task in state.tasks
        if newest.get(task.id, 0) > task.attempt
    ]


def _letting_go(session: LocalSession) -> Callable[[], None]:
    tasks: list[asyncio.Task[None]] = []

    def let_go() -> None:
        tasks.append(asyncio.create_task(session.let_go(), name="let go"))

    return let_go


def _socket_path(project: Project) -> Path:
    return socket_folder() / f"{project.places.root.name[-12:]}.sock"


def _agents_socket(project: Project) -> Path:
    """Return the path of the agents' socket, whose folder stays as engines come and go.

    A sandbox has the folder, and would keep the socket of an engine that has ended.
    """
    folder = socket_folder() / f"{project.places.root.name[-12:]}-agents"
    make_private(folder)
    return folder / "lock.sock"


def _planned(
    project: Project,
    draft: PlanDraft,
    run: RunId,
    base: CommitId,
    target: str | None,
    notices: tuple[str, ...],
) -> RunPlanned:
    return RunPlanned(
        run,
        replace(draft.plan, base=draft.plan.base or "HEAD"),
        draft.rules,
        base,
        branch_name(run),
        target,
        seed=secrets.randbits(32),
        notices=tuple(dict.fromkeys((*draft.notices, *notices))),
        sandbox=sandbox_name(project),
        guards=guards_of(project.settings),
        at=time.time(),
    )


async def _identity(project: Project, draft: PlanDraft) -> Identity | None:
    """Return the committer; required only if something may be committed."""
    if all(spec.is_read_only for spec in draft.plan.tasks):
        return None
    return await project.repository.check_identity()


async def _target(project: Project, draft: PlanDraft) -> str | None:
    """Return the branch that the run starts from, None for a bare commit."""
    base = draft.plan.base
    if base is None or base == "HEAD":
        return await project.repository.current_branch()
    answer = await project.repository.git.run(
        "show-ref", "--verify", "--quiet", f"refs/heads/{base}", ok=(0, 1, 128)
    )
    return base if answer.status == 0 else None


async def _check_landing(project: Project, target: str | None) -> None:
    if target is None:
        raise UserError(
            "--land needs a branch, and HEAD is detached. Check a branch out, or run without "
            "--land and use `git merge` yourself."
        )
    dirt = await project.repository.dirty()
    if dirt.tracked and await project.repository.current_branch() == target:
        raise UserError(
            f"--land would change {target}, which is checked out here with uncommitted work "
            f"({dirt.summary}). Commit or stash it, or run without --land."
        )
