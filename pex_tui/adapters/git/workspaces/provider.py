"""Provide attempts with workspaces: a pooled worktree for a writer, a checkout for a reader."""

import asyncio
import os
from pathlib import Path

from msgspec.structs import replace

from pex_tui.adapters.git.capture.capture import Capture, CaptureRecords
from pex_tui.adapters.git.isolation.user_watch import UserWatch
from pex_tui.adapters.git.plumbing.attributes import Attributes
from pex_tui.adapters.git.plumbing.git_runner import Git, GitError
from pex_tui.adapters.git.plumbing.merge_tree import TreeMerger
from pex_tui.adapters.git.plumbing.objects import read_commits
from pex_tui.adapters.git.plumbing.ref_names import read_ref, rescue_ref, work_ref
from pex_tui.adapters.git.plumbing.ref_writer import update_refs, write_refs
from pex_tui.adapters.git.plumbing.repository import Identity, Repository
from pex_tui.adapters.git.plumbing.stand_in_directory import why_unusable
from pex_tui.adapters.git.plumbing.worktree_record import Worktree
from pex_tui.adapters.git.workspaces.shared_checkouts import SharedCheckouts
from pex_tui.adapters.git.workspaces.workspace_options import WorkspaceOptions
from pex_tui.adapters.git.workspaces.worktree_pool import WorktreePool
from pex_tui.adapters.git.workspaces.worktree_provisioner import WorktreeProvisioner
from pex_tui.core.model.ids import CommitId, TaskId
from pex_tui.core.model.plan import Isolation, TaskSpec
from pex_tui.core.sanitize import clean
from pex_tui.engine.attempt import AttemptKey
from pex_tui.engine.overlap_probe import ChangeSet
from pex_tui.engine.ports import Captured, Workspace, WorkspaceError, WorkspaceGoneError
from pex_tui.engine.run_paths import RunPaths


class GitWorkspaces:
    """The workspaces of one repository; captured work is committed as `identity`.

    Without one, git's configuration decides at each commit, and an agent may have changed it.
    """

    def __init__(
        self,
        repository: Repository,
        places: RunPaths,
        options: WorkspaceOptions = WorkspaceOptions(),  # noqa: B008  # it is a value
        identity: Identity | None = None,
    ) -> None:
        self.repository = repository
        self.places = places
        self.options = options
        self.identity = identity
        real = RunPaths(places.root.resolve())  # git records real paths
        supply = WorktreeProvisioner(repository, options)
        self._pool = WorktreePool(real.pool, supply)
        self._views = SharedCheckouts(real.views, supply)
        environment = identity.environment if identity else {}
        self._capture = Capture(repository.git, real, environment, options.keep)
        self._answers = CaptureRecords(real)
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
        """Return a clean checkout of the commit, setup included; raise WorkspaceError.

        An attempt that already has a workspace of this commit keeps it as it is. The changes of
        `seed` since its parent are applied on top if they fit; `near` is the preferred place.
        """
        try:
            await self._watch.begin(is_quiet=not self._live_tasks(key))
            if spec.isolation is Isolation.SHARED:
                return Workspace((await self._views.give(key, commit)).path, commit)
            workspace = await self._prepared_worktree(key, commit, near)
            planted = seed is not None and await self._plant(key, commit, seed)
            return Workspace(workspace.path, commit, holds_work=planted)
        except (GitError, OSError) as error:
            raise _failure(key, "prepared", error, self.repository.git) from error

    async def capture(self, key: AttemptKey, spec: TaskSpec) -> Captured:
        """Put the attempt's changes under its ref, then release the workspace.

        Raises WorkspaceError and leaves the workspace alone if git cannot keep the work.
        """
        try:
            answer = self._answers.read(key)
            # First of all: the work must not depend on borrowed objects.
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
            raise _failure(key, "captured", error, self.repository.git) from error
        return replace(answer, outputs=outputs)

    def _count_outputs(self, key: AttemptKey) -> int:
        """Count the files that the task hands to its dependents; no link is followed."""
        walk = os.walk(self.places.outputs(key.run, key.task))
        return sum(len(files) for _, _, files in walk)

    def path(self, key: AttemptKey) -> Path | None:
        """Return the attempt's current workspace, or None."""
        worktree = self._pool.of(key) or self._views.of(key)
        return worktree.path if worktree and worktree.is_ready else None

    async def diff(self, key: AttemptKey) -> str:
        """Return a live attempt's changes so far as a unified diff; empty once it has ended.

        Also empty for readers. Cut at 2 MB; says so if git cannot tell.
        """
        async with self._looking:
            worktree = self._pool.at_work(key)
            if worktree is None:
                return ""
            try:
                found = await self._capture.diff(worktree)
            except (GitError, OSError) as error:
                found = f"… git can't tell what has changed: {clean(str(error))}\n"
            # The workspace may be another attempt's by now, with another task's files.
            return found if self._pool.at_work(key) is worktree else ""

    async def change_set(self, key: AttemptKey, before: ChangeSet | None) -> ChangeSet | None:
        """Return a live attempt's changes so far; `before` itself if nothing has changed.

        Returns None for readers, and once the attempt has ended. Raises WorkspaceError.
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
        """Return the tasks of the other attempts that have a workspace."""
        return {key.task for key in (*self._pool.keys, *self._views.keys) if key != but}

    async def close(self) -> None:
        """Let go; the assignment of workspaces is on disk."""

    async def _plant(self, key: AttemptKey, commit: CommitId, seed: CommitId) -> bool:
        """Apply an earlier attempt's work to the attempt's worktree.

        Return False if it does not fit.
        """
        worktree = self._pool.of(key)
        git = self.repository.git
        merger = TreeMerger(git, Attributes(git, self.places.root / "attributes"))
        tip, work = await read_commits(git, commit, seed)
        merged = await merger.merge(tip, work)
        if worktree is None or merged.conflicts:
            return False
        await self._pool.apply_tree(worktree, merged.tree)
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
                f"the workspace of attempt {key.attempt} was removed, with all of its changes"
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
        """Rename the earlier capture of a reused attempt number, so that it is kept."""
        git = self.repository.git
        commit = await read_ref(git, work_ref(key))
        if commit is not None:
            await write_refs(git, {rescue_ref(key): commit})
            await update_refs(git, f"delete {work_ref(key)} {commit}\n")


def _failure(key: AttemptKey, done: str, error: GitError | OSError, git: Git) -> WorkspaceError:
    why = why_unusable(git, key.run)
    if why:
        return WorkspaceError(f"The workspace of {key.task} can't be {done}: {why}.", passing=False)
    return WorkspaceError(
        f"The workspace of {key.task} can't be {done}: {clean(str(error))}. "
        "Free disk space, or repair the repository (`git fsck`), then try again."
    )
