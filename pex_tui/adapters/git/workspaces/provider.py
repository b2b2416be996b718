"""Workspaces for attempts: a pooled worktree for each writer, a shared checkout for readers."""

import asyncio
import os
from pathlib import Path

from msgspec.structs import replace

from pex_tui.adapters.git.capture.capture import Answers, Capture
from pex_tui.adapters.git.isolation.user_watch import UserWatch
from pex_tui.adapters.git.plumbing.attributes import Attributes
from pex_tui.adapters.git.plumbing.git_runner import GitError
from pex_tui.adapters.git.plumbing.merge_tree import TreeMerger
from pex_tui.adapters.git.plumbing.objects import read_commits
from pex_tui.adapters.git.plumbing.ref_names import read_ref, rescue_ref, work_ref, write_refs
from pex_tui.adapters.git.plumbing.repository import Identity, Repository
from pex_tui.adapters.git.plumbing.worktree_record import Worktree
from pex_tui.adapters.git.workspaces.shared_checkouts import Views
from pex_tui.adapters.git.workspaces.workspace_options import WorkspaceOptions
from pex_tui.adapters.git.workspaces.worktree_pool import Pool
from pex_tui.adapters.git.workspaces.worktree_provisioner import WorktreeSupply
from pex_tui.core.model.ids import CommitId, TaskId
from pex_tui.core.model.plan import Isolation, TaskSpec
from pex_tui.core.sanitize import clean
from pex_tui.engine.attempt import AttemptKey
from pex_tui.engine.overlap_probe import ChangeSet
from pex_tui.engine.ports import Captured, Workspace, WorkspaceError, WorkspaceGoneError
from pex_tui.engine.run_paths import Places


class GitWorkspaces:
    """The workspaces of one repository. `identity` is who captured work is committed by.

    Without one git's configuration decides at each commit, and an agent may have changed that.
    """

    def __init__(
        self,
        repository: Repository,
        places: Places,
        options: WorkspaceOptions = WorkspaceOptions(),  # noqa: B008  # it is a value
        identity: Identity | None = None,
    ) -> None:
        self.repository = repository
        self.places = places
        self.options = options
        self.identity = identity
        real = Places(places.root.resolve())  # git records real paths
        supply = WorktreeSupply(repository, options)
        self._pool = Pool(real.pool, supply)
        self._views = Views(real.views, supply)
        environment = identity.environment if identity else {}
        self._capture = Capture(repository.git, real, environment, options.keep)
        self._answers = Answers(real)
        pinned = repository.stand_in or real.root
        self._watch = UserWatch(repository, pinned / "seen.json", pinned / "put-aside")
        self._looking = asyncio.Lock()

    async def prepare(
        self,
        key: AttemptKey,
        spec: TaskSpec,
        commit: CommitId,
        seed: CommitId | None = None,
        near: Path | None = None,
    ) -> Workspace:
        """A clean checkout of the commit, setup included; raise WorkspaceError.

        An attempt that has a workspace of this commit already keeps it as it is. What `seed`
        changed since its parent is put on top if it fits; `near` is the place wanted most.
        """
        try:
            await self._watch.begin(is_quiet=not self._live_tasks(key))
            if spec.isolation is Isolation.SHARED:
                return Workspace((await self._views.give(key, commit)).path, commit)
            workspace = await self._prepared_worktree(key, commit, near)
            planted = seed is not None and await self._plant(key, commit, seed)
            return Workspace(workspace.path, commit, holds_work=planted)
        except (GitError, OSError) as error:
            raise _failure(key, "prepared", error) from error

    async def capture(self, key: AttemptKey, spec: TaskSpec) -> Captured:
        """Put the attempt's changes under its ref, then give the workspace back.

        Raises WorkspaceError and leaves the workspace alone when git can't keep the work.
        """
        try:
            answer = self._answers.read(key)
            # Before the work is looked at: it must not lean on objects that somebody lent us.
            intrusions = await self._watch.compare(
                key.run, lambda: {key.task, *self._live_tasks(key)}
            )
            outputs = await asyncio.to_thread(self._count_outputs, key)
            if spec.isolation is Isolation.SHARED:
                answer = answer or await self._captured_view(key, intrusions)
                return replace(answer, outputs=outputs)
            worktree = self._pool.of(key)
            if answer is None:
                found = await self._captured_work(key, spec, worktree)
                answer = replace(found, intrusions=intrusions)
                self._answers.store(key, answer)
            if worktree is not None:
                await self._pool.release(worktree)
        except (GitError, OSError) as error:
            raise _failure(key, "captured", error) from error
        return replace(answer, outputs=outputs)

    def _count_outputs(self, key: AttemptKey) -> int:
        """How many files the task has for those that need it; no link is followed."""
        walk = os.walk(self.places.outputs(key.run, key.task))
        return sum(len(files) for _, _, files in walk)

    def path(self, key: AttemptKey) -> Path | None:
        """Where the attempt works right now, or None."""
        worktree = self._pool.of(key) or self._views.of(key)
        return worktree.path if worktree and worktree.is_ready else None

    async def diff(self, key: AttemptKey) -> str:
        """What a live attempt has changed so far, as a unified diff; empty when it is over.

        Also empty for readers. It is cut at 2 MB, and says so when git can't tell.
        """
        async with self._looking:
            worktree = self._pool.at_work(key)
            if worktree is None:
                return ""
            try:
                found = await self._capture.diff(worktree)
            except (GitError, OSError) as error:
                found = f"… git can't tell what has changed: {clean(str(error))}\n"
            # By now it may be another attempt's, and the files another task's.
            return found if self._pool.at_work(key) is worktree else ""

    async def change_set(self, key: AttemptKey, before: ChangeSet | None) -> ChangeSet | None:
        """What a live attempt has changed so far; `before` itself when nothing else has.

        None for readers, and when the attempt is over. Raises WorkspaceError.
        """
        worktree = self._pool.at_work(key)
        if worktree is None:
            return None
        try:
            found = await self._capture.change_set(worktree, before)
        except (GitError, OSError) as error:
            raise WorkspaceError(f"git can't tell what {key.task} changes: {error}") from error
        return found if self._pool.at_work(key) is worktree else None

    def _live_tasks(self, but: AttemptKey) -> set[TaskId]:
        """The tasks of the other attempts that have a workspace."""
        return {key.task for key in (*self._pool.keys, *self._views.keys) if key != but}

    async def close(self) -> None:
        """Let go; who has which workspace is on the disk."""

    async def _plant(self, key: AttemptKey, commit: CommitId, seed: CommitId) -> bool:
        """Put an earlier attempt's work into the attempt's worktree; False when it does not fit."""
        worktree = self._pool.of(key)
        git = self.repository.git
        merger = TreeMerger(git, Attributes(git, self.places.root / "attributes"))
        tip, work = await read_commits(git, commit, seed)
        merged = await merger.merge(tip, work)
        if worktree is None or merged.conflicts:
            return False
        await self._pool.plant(worktree, merged.tree)
        return True

    async def _prepared_worktree(
        self, key: AttemptKey, commit: CommitId, near: Path | None
    ) -> Workspace:
        worktree = self._pool.of(key)
        if worktree is not None and worktree.is_ready:
            if worktree.commit == commit:
                return Workspace(worktree.path, commit)
            await self._capture.reading(worktree, key)
        if self._answers.forget(key):
            await self._set_aside(key)
        return Workspace((await self._pool.give(key, commit, near)).path, commit)

    async def _captured_work(
        self, key: AttemptKey, spec: TaskSpec, worktree: Worktree | None
    ) -> Captured:
        if worktree is not None:
            return await self._capture.work(worktree, key, spec)
        found = await self._capture.found(key, spec)
        if found is None:
            raise WorkspaceGoneError(
                f"the workspace of attempt {key.attempt} was removed, with all it had done"
            )
        return found

    async def _captured_view(self, key: AttemptKey, intrusions: tuple[str, ...]) -> Captured:
        view = self._views.of(key)
        traces = await self._views.check(key)
        answer = Captured(None, trespass=traces.changed)
        is_touched = traces.changed or traces.new
        if view and view.is_ready and (is_touched or await self._capture.has_own_commits(view)):
            answer = replace(await self._capture.reading(view, key), trespass=traces.changed)
        answer = replace(answer, intrusions=intrusions)
        if answer != Captured(None):
            self._answers.store(key, answer)
        self._views.leave(key)
        return answer

    async def _set_aside(self, key: AttemptKey) -> None:
        """An attempt's number is used again: what it captured before stays, elsewhere."""
        git = self.repository.git
        commit = await read_ref(git, work_ref(key))
        if commit is not None:
            await write_refs(git, {rescue_ref(key): commit})
            await git.run("update-ref", "-d", work_ref(key), commit)


def _failure(key: AttemptKey, done: str, error: GitError | OSError) -> WorkspaceError:
    return WorkspaceError(
        f"The workspace of {key.task} can't be {done}: {clean(str(error))}. "
        "Free disk space, or mend the repository (`git fsck`), then try again."
    )
