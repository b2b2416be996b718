"""Capture an attempt's changes as one commit under its ref, and keep the agent's own commits."""

import json
from collections.abc import Mapping
from pathlib import Path

from msgspec import Struct, field, to_builtins
from msgspec.structs import replace

from pex_tui.adapters.git.capture.agent_git_state import AgentGit, OwnWork
from pex_tui.adapters.git.capture.change_set import take_change_set
from pex_tui.adapters.git.capture.files_outside_sparse import find_files_outside
from pex_tui.adapters.git.capture.live_diff import copy_shadow, diff_of
from pex_tui.adapters.git.capture.merge_markers import MarkerCheck
from pex_tui.adapters.git.capture.oversized_files import files_left_out, left_out_folder
from pex_tui.adapters.git.capture.snapshot import (
    Extras,
    Label,
    Snapshot,
    changed_paths,
    keep_snapshot,
)
from pex_tui.adapters.git.capture.submodules import MODULES, Submodules, gitlinks_of
from pex_tui.adapters.git.capture.unlanded_files import (
    aside_folder,
    baseline_of,
    parse_unlanded,
    put_aside,
)
from pex_tui.adapters.git.isolation.object_transfer import bring_over
from pex_tui.adapters.git.plumbing.attributes import Attributes
from pex_tui.adapters.git.plumbing.git_runner import WHOLE_TREE, Git, GitError
from pex_tui.adapters.git.plumbing.ref_names import (
    head_ref,
    interrupted_ref,
    left_ref,
    read_ref,
    rescue_ref,
    stash_ref,
    work_ref,
)
from pex_tui.adapters.git.plumbing.ref_writer import write_refs
from pex_tui.adapters.git.plumbing.repository import shown_path
from pex_tui.adapters.git.plumbing.shadow_index import ShadowIndex, shadow_in, shadow_of
from pex_tui.adapters.git.plumbing.stand_in_directory import user_git
from pex_tui.adapters.git.plumbing.worktree_record import Worktree
from pex_tui.adapters.system.whole_file import write_whole
from pex_tui.core.globs.globs import matches
from pex_tui.core.model.ids import CommitId
from pex_tui.core.model.plan import TaskSpec
from pex_tui.core.model.unlanded import Unlanded, Why, unlanded
from pex_tui.core.sanitize import clean
from pex_tui.engine.attempt import AttemptKey
from pex_tui.engine.overlap_probe import ChangeSet
from pex_tui.engine.ports import Captured, WorkspaceError
from pex_tui.engine.run_paths import RunPaths

_ANSWER = "captured.json"


class Capture(Struct, frozen=True):
    """Captures from workspaces of a repository; `identity` holds git's variables for the committer.

    Ignored paths that match `keep` survive a reset.
    """

    git: Git
    places: RunPaths
    identity: Mapping[str, str] = field(default_factory=dict)
    keep: tuple[str, ...] = ()

    async def work(self, worktree: Worktree, key: AttemptKey, spec: TaskSpec) -> Captured:
        """Put the attempt's work under its ref; repeated calls return the same answer.

        Raises GitError or WorkspaceError and leaves the worktree as it is.
        """
        start = worktree.commit
        if start is None:
            return Captured(None)  # never handed over
        if not worktree.is_ready:
            raise WorkspaceError(
                f"The workspace {shown_path(worktree.path)} of {key.task} is gone, "
                "and what was in it with it. Run the task again.",
                passing=False,
            )
        agent = self._agent(worktree)
        own = await agent.own_work(start)
        kept = await self._keep_commits(worktree, key, own)
        habits = await agent.habits(start, own)
        snapshot = await self._kept(worktree, key) or await self.snapshot(
            worktree, key, Label(_message(spec), work_ref(key), self.identity)
        )
        found = await self._captured(snapshot, key, spec)
        return replace(
            found,
            oddities=habits.oddities,
            own_commits=habits.own_commits,
            unlanded=(*kept, *await self._set_aside(worktree, key)),
        )

    async def reading(self, worktree: Worktree, key: AttemptKey) -> Captured:
        """Keep all that is in a worktree that should hold no work; raise GitError or OSError."""
        label = Label(f"Left in the workspace of {key.task}\n", rescue_ref(key), self.identity)
        snapshot = await self.snapshot(worktree, key, label)
        kept = (unlanded(Why.READER, list(snapshot.files), label.ref),) if snapshot else ()
        commits = await self.keep_agent_commits(worktree, key)
        return Captured(
            None,
            left_out=files_left_out(left_out_folder(self.places, key)),
            unlanded=(*kept, *commits, *await self._set_aside(worktree, key)),
        )

    async def snapshot(self, worktree: Worktree, key: AttemptKey, label: Label) -> Snapshot | None:
        """Commit the worktree's state under a ref; return None if nothing changed.

        Files that are too large for git go to the attempt's folder. Raises GitError or OSError.
        """
        shadow = await shadow_of(worktree, self.git)
        extras = await self._extras(worktree, shadow)
        attempt = self.places.attempt(key.run, key.task, key.attempt)
        return await keep_snapshot(shadow, replace(extras, attempt=attempt), label)

    async def _set_aside(self, worktree: Worktree, key: AttemptKey) -> tuple[Unlanded, ...]:
        """Keep files that the snapshot just made does not hold and a reset would delete."""
        shadow = await shadow_of(worktree, self.git)
        attempt = self.places.attempt(key.run, key.task, key.attempt)
        inside: tuple[Unlanded, ...] = ()
        if (worktree.path / ".gitmodules").is_file():
            stores, scratch = user_git(self.git).git_dir / MODULES, attempt / "submodule"
            modules = Submodules(stores, worktree.path, work_ref(key), scratch, self.identity)
            inside = await modules.keep(shadow.git, await gitlinks_of(shadow.git))
        baseline = baseline_of(worktree, self.keep)
        return inside + await put_aside(shadow, baseline, aside_folder(attempt))

    async def diff(self, worktree: Worktree) -> str:
        """Return the changes in a live worktree as a unified diff; raise GitError or OSError."""
        start = worktree.commit
        if start is None:
            return ""
        shadow = await copy_shadow(worktree, worktree.glance, start, self.git)
        return await diff_of(shadow, await self._extras(worktree, shadow))

    async def change_set(self, worktree: Worktree, before: ChangeSet | None) -> ChangeSet | None:
        """Return the changes in a live worktree; raise GitError or OSError."""
        start = worktree.commit
        if start is None:
            return None
        if before is None or before.start != start:
            shadow = await copy_shadow(worktree, worktree.overlap_index, start, self.git)
        else:
            shadow = shadow_in(worktree.overlap_index, worktree.path, start, self.git)
        return await take_change_set(shadow, await self._extras(worktree, shadow), before)

    async def _extras(self, worktree: Worktree, shadow: ShadowIndex) -> Extras:
        """Return the worktree's special cases, as laid by us and as told to the agent's git."""
        agent = self._agent(worktree)
        outside = await find_files_outside(shadow, agent)
        return Extras(
            foreign=frozenset((*worktree.included, *worktree.untracked)),
            forced=tuple(await agent.added(shadow.start)),
            absent=outside.absent,
            gone=outside.gone,
        )

    async def has_own_commits(self, worktree: Worktree) -> bool:
        """Return whether the agent made commits or stashes in the worktree; raise OSError."""
        start = worktree.commit
        return start is not None and bool((await self._agent(worktree).own_work(start)).commits)

    async def keep_agent_commits(self, worktree: Worktree, key: AttemptKey) -> tuple[Unlanded, ...]:
        """Put the agent's own commits under refs of their own; they are not part of the work."""
        if worktree.commit is None:
            return ()
        own = await self._agent(worktree).own_work(worktree.commit)
        return await self._keep_commits(worktree, key, own)

    async def _keep_commits(
        self, worktree: Worktree, key: AttemptKey, own: OwnWork
    ) -> tuple[Unlanded, ...]:
        if not own.commits:
            return ()
        stashes = {stash_ref(key, number): one for number, one in enumerate(own.stashes, 1)}
        left = {left_ref(key, name, one): one for name, one in own.left.items()}
        ends = {head_ref(key): own.head, interrupted_ref(key): own.interrupted}
        refs = {ref: commit for ref, commit in ends.items() if commit is not None}
        try:
            await bring_over(self.git, worktree.git_dir, own.commits)
        except GitError as error:
            names = [commit[:10] for commit in own.commits]
            return (unlanded(Why.LEFT, names, detail=clean(str(error))),)
        await write_refs(self.git, {**refs, **stashes, **left})
        told = [unlanded(Why.LEFT, [name], ref) for name, ref in zip(own.left, left, strict=True)]
        for ref, commit in stashes.items():
            files = await changed_paths(self.git, f"{commit}^", commit)
            told.append(unlanded(Why.STASH, list(files) or ["what it did not track"], ref))
        return tuple(told)

    async def found(self, key: AttemptKey, spec: TaskSpec) -> Captured | None:
        """Return what the attempt's ref holds, for an attempt whose workspace is gone."""
        git = self.git
        commit = await read_ref(git, work_ref(key))
        if commit is None:
            return None
        files = await changed_paths(git, f"{commit}^", commit)
        return await self._captured(Snapshot(commit, files), key, spec)

    async def _kept(self, worktree: Worktree, key: AttemptKey) -> Snapshot | None:
        """Return what an interrupted earlier capture of this attempt put under its ref."""
        git, start = self.git, worktree.commit
        commit = await read_ref(git, work_ref(key))
        if commit is None or start is None or await read_ref(git, f"{commit}^1") != start:
            return None
        shadow = await shadow_of(worktree, self.git)
        await shadow.git.run(*WHOLE_TREE, "read-tree", commit)
        return Snapshot(commit, await changed_paths(git, start, commit))

    async def _captured(
        self, snapshot: Snapshot | None, key: AttemptKey, spec: TaskSpec
    ) -> Captured:
        git = self.git
        check = MarkerCheck(git, Attributes(git, self.places.root / "attributes"))
        commit = snapshot.commit if snapshot else None
        markers = await check.in_change(f"{commit}^", commit) if commit else ()
        left_out = files_left_out(left_out_folder(self.places, key))
        return replace(captured(snapshot, spec), left_out=left_out, markers=markers)

    def _agent(self, worktree: Worktree) -> AgentGit:
        return AgentGit(self.git, worktree)


def captured(snapshot: Snapshot | None, spec: TaskSpec) -> Captured:
    """Return the engine's answer for a snapshot, with the paths outside the declared write set."""
    if snapshot is None:
        return Captured(None)
    drift: tuple[str, ...] = ()
    if spec.writes is not None:
        drift = tuple(path for path in snapshot.files if not _is_declared(path, spec.writes))
    return Captured(snapshot.commit, snapshot.files, drift)


def _is_declared(path: str, writes: tuple[str, ...]) -> bool:
    return any(matches(pattern, path) for pattern in writes)


def _message(spec: TaskSpec) -> str:
    return f"{spec.commit_message.strip() or spec.title or spec.id}\n"


class CaptureRecords:
    """The stored answers of captures, beside each attempt's log: repeated calls return the same."""

    def __init__(self, places: RunPaths) -> None:
        self._places = places

    def store(self, key: AttemptKey, answer: Captured) -> None:
        """Store the answer; raise OSError."""
        path = self._path(key)
        path.parent.mkdir(parents=True, exist_ok=True)
        content = {
            "work": answer.work,
            "files": answer.files,
            "drift": answer.drift,
            "trespass": answer.trespass,
            "left_out": answer.left_out,
            "markers": answer.markers,
            "oddities": answer.oddities,
            "own_commits": answer.own_commits,
            "unlanded": to_builtins(answer.unlanded),
            "intrusions": answer.intrusions,
        }
        write_whole(path, json.dumps(content).encode())

    def read(self, key: AttemptKey) -> Captured | None:
        """Return the stored answer, if there is one."""
        try:
            content = json.loads(self._path(key).read_text("utf-8"))
            return Captured(
                CommitId(content["work"]) if content["work"] else None,
                tuple(content["files"]),
                tuple(content["drift"]),
                tuple(content["trespass"]),
                tuple(content["left_out"]),
                tuple(content.get("markers", ())),
                tuple(content.get("oddities", ())),
                content.get("own_commits", 0),
                parse_unlanded(content.get("unlanded", [])),
                tuple(content.get("intrusions", ())),
            )
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def forget(self, key: AttemptKey) -> bool:
        """Delete the answer; return whether there was one."""
        try:
            self._path(key).unlink()
        except FileNotFoundError:
            return False
        return True

    def _path(self, key: AttemptKey) -> Path:
        return self._places.attempt(key.run, key.task, key.attempt) / _ANSWER
