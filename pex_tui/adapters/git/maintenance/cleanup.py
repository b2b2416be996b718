"""Remove what finished runs left: worktrees, refs, branches, folders; never unlanded work.

The caller holds the engine lock and names the finished runs. With `force`, unlanded work is removed
as well. What goes of a run, besides checkouts, is moved into the undo log.
"""

import asyncio
import fcntl
import math
import os
import time
from collections.abc import Collection
from pathlib import Path

from msgspec import Struct

from pex_tui.adapters.git.capture.capture import Capture
from pex_tui.adapters.git.capture.oversized_files import has_left_out
from pex_tui.adapters.git.capture.submodules import unpushed_submodules
from pex_tui.adapters.git.capture.unlanded_files import has_precious
from pex_tui.adapters.git.isolation.linked_worktrees import registered
from pex_tui.adapters.git.isolation.work_trees import WorkTrees
from pex_tui.adapters.git.isolation.workspace_repository import WorkspaceRepositories
from pex_tui.adapters.git.landing.gate_runner import GATES
from pex_tui.adapters.git.maintenance.landed_refs import KeptRef, Landed, list_refs, read_landed
from pex_tui.adapters.git.maintenance.undo_log import UndoLog
from pex_tui.adapters.git.plumbing.filesystem import is_folder, remove_tree, size_bytes
from pex_tui.adapters.git.plumbing.git_runner import GitError
from pex_tui.adapters.git.plumbing.ref_writer import update_refs
from pex_tui.adapters.git.plumbing.repository import Repository, RepositoryError, shown_path
from pex_tui.adapters.git.plumbing.stand_in_directory import stand_in_for
from pex_tui.adapters.git.plumbing.worktree_record import Worktree, load_all
from pex_tui.adapters.git.user_repository.checked_out_branches import checkouts
from pex_tui.adapters.git.workspaces.shared_checkouts import readers_of
from pex_tui.core.model.ids import RunId
from pex_tui.core.model.run_refs import BRANCHES, ROOT, integration_ref, run_prefix
from pex_tui.core.sanitize import clean
from pex_tui.core.undo_values import UndoEntry
from pex_tui.engine.cleaning import NOT_LANDED, CleanPlan, LeftoverKind, Removal
from pex_tui.engine.ports import WorkspaceError
from pex_tui.engine.run_paths import RunPaths

_REFS = frozenset({LeftoverKind.REF, LeftoverKind.BRANCH})
# Files beside the runs that all of them share.
_SCRATCH = ("attributes", "launcher.log")
_LOCKS = (*(f"{name}.lock" for name in GATES), "landing.lock", "launcher.lock")


class Cleaned(Struct, frozen=True):
    """The result of a clean: refs of work found uncommitted, and entries of the undo log."""

    rescued: tuple[str, ...]
    entries: tuple[UndoEntry, ...]


class Cleaner(Struct, frozen=True):
    """Cleans one repository's `finished` runs.

    Free worktrees are removed if they were not used since `idle_since`, in absolute seconds: until
    then they save the next run some work. With `purge`, the undo log keeps nothing.
    """

    repository: Repository
    places: RunPaths
    finished: Collection[RunId]
    force: bool = False
    idle_since: float = math.inf
    purge: bool = False

    async def plan(self) -> CleanPlan:
        """Return what would be removed and what would be kept; raise RepositoryError."""
        try:
            landed = await read_landed(self.repository.git, self.finished)
            found = [removal for run in self.finished for removal in await self._refs(run, landed)]
            held = {removal.run for removal in found if removal.kept_because}
            found += [await self._worktree(tree) for tree in self._worktrees() if self._goes(tree)]
            found += [await self._folder(run, held) for run in self.finished]
        except (GitError, OSError) as error:
            raise _failure(error) from error
        found = [one for one in found if one.kind is not LeftoverKind.FOLDER or one.size_bytes]
        return CleanPlan(
            tuple(one for one in found if not one.kept_because),
            tuple(one for one in found if one.kept_because),
        )

    async def perform(self, plan: CleanPlan) -> Cleaned:
        """Carry the plan out; return new refs for uncommitted work, and the undo log's entries.

        Raises RepositoryError.
        """
        names = {(removal.kind, removal.name) for removal in plan.removals}
        worktrees = [
            one for one in self._worktrees() if (LeftoverKind.WORKTREE, str(one.path)) in names
        ]
        folders = [Path(name) for kind, name in names if kind is LeftoverKind.FOLDER]
        refs = {name for kind, name in names if kind in _REFS}
        try:
            rescued, unsaved = list[str](), list[Worktree]()
            for worktree in worktrees:
                found = await self._rescue(worktree)
                rescued += found or ()
                unsaved += [worktree] if found is None else []
            made = list[Path]()
            if self.force:
                refs |= {*rescued}
                rescued = []
                made = self._made_by_rescue(folders)
            else:  # a rescue may have put what is too large for git there
                folders = [one for one in folders if not _holds_work(one)]
            entries = [
                entry
                for run in self.finished
                if (entry := await self._keep(run, plan, refs, folders, unsaved)) is not None
            ]
            for worktree in worktrees:
                await self._trees.remove(worktree)
            await self._delete_refs(refs)
            for folder in (*folders, *made):
                await asyncio.to_thread(remove_tree, folder)
            await asyncio.to_thread(self._sweep)
        except (GitError, OSError) as error:
            raise _failure(error) from error
        return Cleaned(tuple(rescued), tuple(entries))

    def _made_by_rescue(self, folders: list[Path]) -> list[Path]:
        """Return run folders that a rescue made; add those that hold work to `folders`."""
        made = list[Path]()
        for folder in map(self.places.run, self.finished):
            if folder not in folders and folder.is_dir():
                (folders if _holds_work(folder) else made).append(folder)
        return made

    async def _keep(
        self,
        run: RunId,
        plan: CleanPlan,
        refs: set[str],
        folders: list[Path],
        unsaved: list[Worktree],
    ) -> UndoEntry | None:
        """Move into the undo log what goes of a run; return the entry, None if nothing does.

        Of a worktree only what could not be put under a ref is kept.
        """
        if self.purge:
            return None
        listed = await list_refs(self.repository.git, run_prefix(run), integration_ref(run))
        mine = tuple((ref.name, ref.commit) for ref in listed if ref.name in refs)
        places = [folder for folder in folders if folder == self.places.run(run)]
        places += [one.path for one in unsaved if run in _owners(one)]
        if not mine and not places:
            return None
        removals = [one for one in plan.removals if one.run == run]
        size = sum(one.size_bytes for one in removals if Path(one.name) in places)
        log = UndoLog(self.repository.git, self.places)
        entry = UndoEntry(
            log.new_id(),
            time.time(),
            "clean --force" if self.force else "clean",
            run,
            ", ".join(sorted({str(one.kind) for one in removals})),
            refs=mine,
            files=tuple(map(str, places)),
            size_bytes=size,
        )
        log.write(entry)
        await log.keep_refs(entry, removes=True)
        for place in places:
            await asyncio.to_thread(log.take_file, entry, place)
        return entry

    async def _refs(self, run: RunId, landed: Landed) -> list[Removal]:
        found = []
        for ref in await list_refs(self.repository.git, run_prefix(run)):
            is_safe = self.force or await landed.holds_ref(run, ref)
            reason = "" if is_safe else NOT_LANDED
            found.append(Removal(LeftoverKind.REF, ref.name, run, kept_because=reason))
        for branch in await list_refs(self.repository.git, integration_ref(run)):
            reason = await self._why_branch_stays(branch, landed)
            found.append(Removal(LeftoverKind.BRANCH, branch.name, run, kept_because=reason))
        return found

    async def _why_branch_stays(self, branch: KeptRef, landed: Landed) -> str:
        for checkout in await checkouts(self.repository.git):
            if checkout.branch == branch.name:
                return f"it is checked out in {shown_path(checkout.path)}"
        if self.force or await landed.holds_branch(branch.commit):
            return ""
        return NOT_LANDED

    def _goes(self, worktree: Worktree) -> bool:
        return bool(_owners(worktree)) or _last_used(worktree) <= self.idle_since

    async def _worktree(self, worktree: Worktree) -> Removal:
        owners = _owners(worktree)
        others = sorted(owners.difference(self.finished))
        reason = f"run {others[0]} has work in it" if others else ""
        if not reason and not self.force:
            alone = [clean(name) for name in await unpushed_submodules(worktree.git_dir)]
            named = ", ".join(alone)
            reason = (
                f"commits in its submodule {named} are on no remote: push them" if alone else ""
            )
        places = {*worktree.places, *([worktree.git_dir] if worktree.is_linked else [])}
        size = sum([await asyncio.to_thread(size_bytes, place) for place in places])
        run = min(owners, default=None)
        return Removal(LeftoverKind.WORKTREE, str(worktree.path), run, size, reason)

    async def _folder(self, run: RunId, held: set[RunId | None]) -> Removal:
        folder = self.places.run(run)
        size = await asyncio.to_thread(size_bytes, folder)
        reason = NOT_LANDED if run in held else ""
        if not self.force and await asyncio.to_thread(has_left_out, folder):
            reason = "it holds work that is too large for git (*/*/left-out)"
        elif not self.force and await asyncio.to_thread(has_precious, folder):
            reason = "it holds work that git can't store in this repository (*/*/aside)"
        return Removal(LeftoverKind.FOLDER, str(folder), run, size, reason)

    async def _rescue(self, worktree: Worktree) -> list[str] | None:
        """Keep under refs what an attempt left uncaptured; return them, None if that fails.

        It may fail only with `force`.
        """
        key = worktree.attempt
        if key is None or worktree.commit is None or not worktree.is_ready or self.purge:
            return []
        try:
            if self.force and await unpushed_submodules(worktree.git_dir):
                return None
            identity = await self.repository.check_identity()
            repository = await stand_in_for(self.repository, self.places.settings(key.run))
            capture = Capture(repository.git, self.places, identity.environment)
            found = (await capture.reading(worktree, key)).unlanded
        except (GitError, OSError, RepositoryError, WorkspaceError):
            if not self.force:
                raise
            return None
        return [one.kept for one in found if one.kept]

    async def _delete_refs(self, names: set[str]) -> None:
        """Delete the refs that are left of these."""
        listed = await list_refs(self.repository.git, ROOT, BRANCHES)
        left = sorted(names & {ref.name for ref in listed})
        if left:
            await update_refs(self.repository.git, "".join(f"delete {name}\n" for name in left))

    def _worktrees(self) -> list[Worktree]:
        """Return all worktrees in the state directory, including those without a record."""
        root = self.places.root.resolve()
        places = RunPaths(root)
        found = [*load_all(places.pool), *load_all(places.views)]
        gates = [Worktree(root / name, root / name / ".git") for name in GATES]
        found += [gate for gate in gates if is_folder(gate.git_dir)]
        known = {worktree.path for worktree in found}
        linked = registered(self.repository.common_dir, root)
        return found + [worktree for worktree in linked if worktree.path not in known]

    def _sweep(self) -> None:
        """Remove leftovers of worktrees that are gone, and empty folders."""
        for folder in (self.places.pool, self.places.views):
            if is_folder(folder) and not load_all(folder):
                remove_tree(folder)
        runs = self.places.root / "runs"
        if is_folder(runs) and not any(runs.iterdir()):
            runs.rmdir()
        if not is_folder(runs):
            for name in _SCRATCH:
                remove_tree(self.places.root / name)
            for name in _LOCKS:
                _remove_free_lock(self.places.root / name)

    @property
    def _trees(self) -> WorkTrees:
        return WorkTrees(self.repository, (), WorkspaceRepositories(self.repository))


def _holds_work(folder: Path) -> bool:
    """Return whether a run's folder has the only copy of an attempt's work."""
    return has_left_out(folder) or has_precious(folder)


def _owners(worktree: Worktree) -> set[RunId]:
    """Return the runs with an attempt in the worktree."""
    attempts = [*readers_of(worktree), *([worktree.attempt] if worktree.attempt else [])]
    return {key.run for key in attempts}


def _last_used(worktree: Worktree) -> float:
    """Return when the worktree was last handed over, released or checked out (epoch seconds)."""
    traces = (worktree.record, worktree.users, worktree.git_dir)
    return max((trace.stat().st_mtime for trace in traces if trace.exists()), default=0.0)


def _remove_free_lock(path: Path) -> None:
    """Remove a lock file, unless a process that outlived its engine holds the lock."""
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        return
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        path.unlink()
    except BlockingIOError:
        return
    finally:
        os.close(descriptor)


def _failure(error: GitError | OSError) -> RepositoryError:
    return RepositoryError(f"Not everything could be cleaned: {clean(str(error))}. Try again.")
