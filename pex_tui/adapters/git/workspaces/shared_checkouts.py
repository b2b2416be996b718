"""Checkouts for readers: exclusive while a reader uses one, then reused if it is unchanged.

A reader that writes anyway is identified at once, and no other reader sees its changes. The readers
of a checkout are also on disk (an empty file each), so that a checkout is never reset under an
agent that outlived its engine.
"""

import asyncio
from collections.abc import Awaitable
from pathlib import Path

from msgspec import Struct, field

from pex_tui.adapters.git.capture.snapshot import is_foreign
from pex_tui.adapters.git.capture.unlanded_files import (
    baseline_of,
    changed_foreign,
    untracked_paths,
)
from pex_tui.adapters.git.plumbing.shadow_index import shadow_of
from pex_tui.adapters.git.plumbing.worktree_record import Worktree, load_all, unused_path
from pex_tui.adapters.git.workspaces.change_detector import ChangeDetector
from pex_tui.adapters.git.workspaces.worktree_provisioner import WorktreeProvisioner
from pex_tui.core.model.ids import CommitId, RunId, TaskId
from pex_tui.engine.attempt import AttemptKey

# This many unused checkouts are kept, because their commit may be requested again.
_SPARE = 3
_SEPARATOR = "~"  # no run or task id contains it


class Traces(Struct, frozen=True):
    """Changes left by a reader: tracked paths that differ from the commit, and new paths."""

    changed: tuple[str, ...] = ()
    new: tuple[str, ...] = ()


class SharedCheckout(Struct):
    """A checkout and its readers; `is_good` if this process made it or saw it clean."""

    worktree: Worktree
    users: set[AttemptKey] = field(default_factory=set)
    is_good: bool = False
    last_used: int = 0
    touches: ChangeDetector = field(default_factory=ChangeDetector)


class SharedCheckouts:
    """The readers' checkouts in one folder."""

    def __init__(self, folder: Path, supply: WorktreeProvisioner) -> None:
        self._folder = folder
        self._supply = supply
        self._views: list[SharedCheckout] = []
        self._of: dict[AttemptKey, SharedCheckout] = {}
        self._making_at: set[Path] = set()
        self._uses = 0
        self._loaded = False

    @property
    def keys(self) -> list[AttemptKey]:
        """Return the attempts that have a checkout."""
        self._load()
        return list(self._of)

    def of(self, key: AttemptKey) -> Worktree | None:
        """Return the attempt's checkout."""
        self._load()
        view = self._of.get(key)
        return view.worktree if view else None

    async def give(self, key: AttemptKey, commit: CommitId) -> Worktree:
        """Return a checkout of the commit for this attempt alone; raise WorkspaceError."""
        self._load()
        known = self._of.get(key)
        if known is not None:
            return known.worktree
        view = self._find(commit)
        if view is None:
            view = await self._make(commit)
            self._enter(view, key)
        else:
            self._enter(view, key)  # before the first await: nobody else may choose it
            await self._supply.lay(view.worktree, commit)
        return view.worktree

    async def check(self, key: AttemptKey) -> Traces:
        """Return the attempt's changes to its checkout; raise GitError.

        A checkout that differs from its commit is not given out again before a reset.
        """
        view = self._of.get(key)
        if view is None:
            return Traces()
        found = await self._traces(view)
        view.is_good = view.is_good and not (found.changed or found.new)
        return found

    def leave(self, key: AttemptKey) -> None:
        """Release the attempt's checkout."""
        view = self._of.pop(key, None)
        if view is not None:
            view.users.discard(key)
            _mark(view.worktree, key).unlink(missing_ok=True)

    def _find(self, commit: CommitId) -> SharedCheckout | None:
        """Return an unused, good checkout of the commit."""
        for view in self._views:
            if view.is_good and not view.users and view.worktree.commit == commit:
                view.is_good = view.worktree.is_ready
                if view.is_good:
                    return view
        return None

    async def _traces(self, view: SharedCheckout) -> Traces:
        if not view.worktree.is_ready:
            return Traces(changed=(".",))  # all of it is gone
        shadow = await shadow_of(view.worktree, self._supply.git)
        changed = await view.touches.changes(shadow)
        baseline = baseline_of(view.worktree)
        found = await untracked_paths(shadow, "--no-empty-directory")  # ignored or not
        new = tuple(name for name in found if not is_foreign(name, baseline.foreign))
        if baseline.foreign:
            new += tuple(await asyncio.to_thread(changed_foreign, view.worktree.path, baseline))
        return Traces(changed, new)

    async def _make(self, commit: CommitId) -> SharedCheckout:
        unused = self._unused(commit)
        if unused is None:
            path = unused_path(self._folder, {*self._making_at, *self._paths})
            made = await self._reserved(path, self._supply.make(path, commit, None))
        else:
            self._views.remove(unused)  # nobody else may choose it meanwhile
            path = unused.worktree.path
            made = await self._reserved(path, self._supply.renew(unused.worktree, commit, None))
        view = SharedCheckout(made, is_good=True)
        self._views.append(view)
        return view

    def _unused(self, commit: CommitId) -> SharedCheckout | None:
        """Return a checkout to reset to the commit; a good one only if there are enough of them."""
        unused = [view for view in self._views if not view.users]
        good = sorted((view for view in unused if view.is_good), key=lambda view: view.last_used)
        others = sorted(
            (view for view in unused if not view.is_good),
            key=lambda view: view.worktree.commit != commit,
        )
        return next(iter([*others, *good[: max(0, len(good) - _SPARE + 1)]]), None)

    async def _reserved(self, path: Path, making: Awaitable[Worktree]) -> Worktree:
        self._making_at.add(path)
        try:
            return await making
        finally:
            self._making_at.discard(path)

    def _enter(self, view: SharedCheckout, key: AttemptKey) -> None:
        self._uses += 1
        view.last_used = self._uses
        view.users.add(key)
        self._of[key] = view
        mark = _mark(view.worktree, key)
        try:
            mark.touch()
        except FileNotFoundError:
            mark.parent.mkdir()
            mark.touch()

    @property
    def _paths(self) -> set[Path]:
        return {view.worktree.path for view in self._views}

    def _load(self) -> None:
        if self._loaded:
            return
        self._loaded = True
        for worktree in load_all(self._folder):
            view = SharedCheckout(worktree, set(readers_of(worktree)))
            self._views.append(view)
            self._of.update(dict.fromkeys(view.users, view))


def _mark(worktree: Worktree, key: AttemptKey) -> Path:
    return worktree.users / _SEPARATOR.join((key.run, key.task, str(key.attempt)))


def readers_of(worktree: Worktree) -> list[AttemptKey]:
    """Return the attempts that read in a checkout, as recorded on disk."""
    if not worktree.users.is_dir():
        return []
    found = [mark.name.split(_SEPARATOR) for mark in sorted(worktree.users.iterdir())]
    return [AttemptKey(RunId(run), TaskId(task), int(number)) for run, task, number in found]
