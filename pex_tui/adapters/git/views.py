"""Shared checkouts for readers: one a commit, made once, counted, replaced when damaged.

Who reads where is on the disk as well (an empty file each), so that a checkout is never reset under
an agent that outlived its engine.
"""

import asyncio
from collections.abc import Awaitable
from dataclasses import dataclass, field
from pathlib import Path

from pex_tui.adapters.git.cli import GitError
from pex_tui.adapters.git.shadow import shadow_of
from pex_tui.adapters.git.touches import Touches
from pex_tui.adapters.git.worktree_record import Worktree, load_all, unused_path
from pex_tui.adapters.git.worktree_supply import WorktreeSupply
from pex_tui.core.ids import CommitId, RunId, TaskId
from pex_tui.engine.attempt import AttemptKey

# As many checkouts that nobody uses stay, for the commit may be asked for again.
_SPARE = 3
_SEPARATOR = "~"  # no run's and no task's id holds one


@dataclass(slots=True)
class View:
    """A shared checkout and its readers. `is_good` says that it was made, or seen clean, by us."""

    worktree: Worktree
    users: set[AttemptKey] = field(default_factory=set)
    is_good: bool = False
    last_used: int = 0
    checking: asyncio.Lock = field(default_factory=asyncio.Lock)
    checks_begun: int = 0
    checks_done: int = 0
    findings: tuple[str, ...] = ()
    leftovers: tuple[str, ...] = ()
    touches: Touches = field(default_factory=Touches)


class Views:
    """The shared checkouts in one folder."""

    def __init__(self, folder: Path, supply: WorktreeSupply) -> None:
        self._folder = folder
        self._supply = supply
        self._views: list[View] = []
        self._of: dict[AttemptKey, View] = {}
        self._good: dict[CommitId, View] = {}
        self._making: dict[CommitId, asyncio.Lock] = {}
        self._making_at: set[Path] = set()
        self._uses = 0
        self._loaded = False

    def of(self, key: AttemptKey) -> Worktree | None:
        """Where the attempt reads."""
        self._load()
        view = self._of.get(key)
        return view.worktree if view else None

    async def give(self, key: AttemptKey, commit: CommitId) -> Worktree:
        """The shared checkout of the commit, with the attempt as a reader; raise WorkspaceError."""
        self._load()
        known = self._of.get(key)
        if known is not None:
            return known.worktree
        view = self._find(commit)
        if view is None:
            async with self._making.setdefault(commit, asyncio.Lock()):
                view = self._find(commit) or await self._make(commit)
        self._enter(view, key)
        return view.worktree

    def guard(self, key: AttemptKey) -> asyncio.Lock:
        """Held by whoever lets git look at the files where the attempt reads."""
        return self._of[key].checking

    async def check(self, key: AttemptKey) -> tuple[str, ...]:
        """Tracked paths that are not as the commit has them; raise GitError.

        One look at the files answers all who asked before it began.
        """
        view = self._of.get(key)
        if view is None:
            return ()
        asked = view.checks_begun
        async with view.checking:
            if view.checks_done > asked:
                return view.findings
            view.checks_begun += 1
            number = view.checks_begun
            view.findings = await self._damage(view)
            view.leftovers = () if view.findings else await self._leftovers(view)
            view.checks_done = number
            if view.findings or view.leftovers:
                self._condemn(view)
            return view.findings

    def leftovers(self, key: AttemptKey) -> tuple[str, ...]:
        """New files that the last check found, for the last reader there to keep."""
        view = self._of.get(key)
        return view.leftovers if view and len(view.users) == 1 else ()

    def leave(self, key: AttemptKey) -> None:
        """The attempt reads there no longer."""
        view = self._of.pop(key, None)
        if view is not None:
            view.users.discard(key)
            _mark(view.worktree, key).unlink(missing_ok=True)

    def _find(self, commit: CommitId) -> View | None:
        view = self._good.get(commit)
        if view is not None and not view.worktree.is_ready:
            self._condemn(view)
            return None
        return view

    async def _damage(self, view: View) -> tuple[str, ...]:
        if not view.worktree.is_ready:
            return (".",)  # all of it is gone
        shadow = await shadow_of(view.worktree, self._supply.common_dir)
        return await view.touches.changes(shadow)

    async def _leftovers(self, view: View) -> tuple[str, ...]:
        shadow = await shadow_of(view.worktree, self._supply.common_dir)
        return await view.touches.leftovers(shadow)

    async def _make(self, commit: CommitId) -> View:
        for view in self._views:
            if view.users and view.worktree.commit == commit and await self._is_intact(view):
                return self._praise(view)
        unused = self._unused(commit)
        if unused is None:
            path = unused_path(self._folder, {*self._making_at, *self._paths})
            made = await self._reserved(path, self._supply.make(path, commit, None))
        else:
            self._condemn(unused)
            self._views.remove(unused)  # nobody else may choose it meanwhile
            path = unused.worktree.path
            made = await self._reserved(path, self._supply.renew(unused.worktree, commit, None))
        view = View(made)
        self._views.append(view)
        return self._praise(view)

    def _unused(self, commit: CommitId) -> View | None:
        """A checkout that can become the commit's: not a good one, unless there are enough."""
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

    async def _is_intact(self, view: View) -> bool:
        """Whether a checkout of an earlier engine, still in use, is as its commit has it."""
        async with view.checking:
            try:
                return not await self._damage(view)
            except (GitError, OSError):
                return False

    def _enter(self, view: View, key: AttemptKey) -> None:
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

    def _praise(self, view: View) -> View:
        view.is_good = True
        if view.worktree.commit is not None:
            self._good[view.worktree.commit] = view
        return view

    def _condemn(self, view: View) -> None:
        """Let nobody else in; once it is empty it is reset for its next use."""
        view.is_good = False
        if view.worktree.commit is not None and self._good.get(view.worktree.commit) is view:
            del self._good[view.worktree.commit]

    @property
    def _paths(self) -> set[Path]:
        return {view.worktree.path for view in self._views}

    def _load(self) -> None:
        if self._loaded:
            return
        self._loaded = True
        for worktree in load_all(self._folder):
            view = View(worktree, set(readers_of(worktree)))
            self._views.append(view)
            self._of.update(dict.fromkeys(view.users, view))


def _mark(worktree: Worktree, key: AttemptKey) -> Path:
    return worktree.users / _SEPARATOR.join((key.run, key.task, str(key.attempt)))


def readers_of(worktree: Worktree) -> list[AttemptKey]:
    """The attempts that read in a shared checkout, by what is on the disk."""
    if not worktree.users.is_dir():
        return []
    found = [mark.name.split(_SEPARATOR) for mark in sorted(worktree.users.iterdir())]
    return [AttemptKey(RunId(run), TaskId(task), int(number)) for run, task, number in found]
