"""The merge queue's operations on a real repository: merge, gate, move, resolve, land."""

import asyncio
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from msgspec import Struct, field
from msgspec.structs import replace

from pex_tui.adapters.git.capture.merge_markers import MarkerCheck
from pex_tui.adapters.git.capture.snapshot import changed_paths
from pex_tui.adapters.git.isolation.work_trees import WorkTrees
from pex_tui.adapters.git.isolation.workspace_repository import WorkspaceRepositories
from pex_tui.adapters.git.landing.auto_resolver import AutoResolver
from pex_tui.adapters.git.landing.conflict_blame import ConflictBlame
from pex_tui.adapters.git.landing.gate_runner import GateOptions, GateRunner
from pex_tui.adapters.git.landing.half_landed import LandingNote
from pex_tui.adapters.git.landing.resolution_cache import ResolutionCache
from pex_tui.adapters.git.landing.resolved_tree import Labels, read_sides, resolved_tree
from pex_tui.adapters.git.landing.run_landing import RunLanding
from pex_tui.adapters.git.landing.run_rollback import RunRollback
from pex_tui.adapters.git.landing.user_branch import UserBranch
from pex_tui.adapters.git.plumbing.attributes import Attributes
from pex_tui.adapters.git.plumbing.commit_message import landing_message
from pex_tui.adapters.git.plumbing.git_runner import Git, GitError
from pex_tui.adapters.git.plumbing.merge_tree import (
    MARKED,
    SUBMODULE,
    SYMLINK,
    TreeMerge,
    TreeMerger,
    entries_at,
    with_marked,
    with_protected,
)
from pex_tui.adapters.git.plumbing.objects import Commit, read_blobs, read_commits, write_commit
from pex_tui.adapters.git.plumbing.ref_writer import Refs
from pex_tui.adapters.git.plumbing.repository import Repository
from pex_tui.adapters.git.plumbing.stand_in_directory import why_unusable
from pex_tui.adapters.git.user_repository.integration_branch import Branch, IntegrationBranch
from pex_tui.adapters.git.user_repository.landing_history import landings_of
from pex_tui.core.model.conflict import ConflictPath, Decision
from pex_tui.core.model.ids import CommitId, RunId, TaskId
from pex_tui.core.model.plan import GatePolicy, TaskSpec
from pex_tui.core.model.protected_paths import Protection
from pex_tui.core.model.run_refs import task_ref
from pex_tui.core.sanitize import clean
from pex_tui.engine.attempt import AttemptKey
from pex_tui.engine.conflict_sides import ConflictSides
from pex_tui.engine.ports import Conflicted, GateResult, LandingError, Merged, Moved, MoveRefused
from pex_tui.engine.run_paths import RunPaths

LANDING_LOCK, LANDING_NOTE = "landing.lock", "landing.json"
"""Names in the state directory: the lock of all ref writers, the note of a landing in progress."""
_DIFF_BYTES = 2 * 1024 * 1024


class LanderOptions(Struct, frozen=True):
    """The run that lands, and its repository.

    `git` is on the repository, without a work tree; `checkout` is git on the checkout that the user
    started in; the gate's workspaces are made from `repository`; `branch` is the integration branch
    ("pex/<run>"); `tip` is the last landing that the journal knows, None for none. `silent`,
    `by_path` and `remembers` say what may be resolved automatically, as in the run's rules, and
    `protection` what only a person may change.
    """

    git: Git
    checkout: Git
    repository: Repository
    places: RunPaths
    run: RunId
    branch: str
    base: CommitId
    tip: CommitId | None = None
    goal: str = ""
    gate: GateOptions = field(default_factory=GateOptions)
    gate_policy: GatePolicy = GatePolicy.STRICT
    silent: tuple[str, ...] = ()
    by_path: tuple[tuple[str, tuple[str, ...]], ...] = ()
    remembers: bool = False
    protection: Protection | None = None


class GitLander:
    """Lands a run's work on its integration branch, and that branch on the one it started from."""

    def __init__(self, options: LanderOptions) -> None:
        self._options = options
        self._git = git = options.git
        root = options.places.root.resolve()
        self._refs = Refs(git, root / LANDING_LOCK)
        self._branch = IntegrationBranch(
            Branch(self._refs, options.branch), options.run, options.tip or options.base
        )
        attributes = Attributes(git, root / "attributes")
        self._merger = TreeMerger(git, attributes)
        self._check = MarkerCheck(git, attributes)
        self._blame = ConflictBlame(git, self._merger)
        self._cache = ResolutionCache(root / "resolutions")
        self._auto_resolver = AutoResolver(
            self._check,
            silent=options.silent,
            by_path=options.by_path,
            cache=self._cache if options.remembers else None,
            judges=bool(options.gate.verify),
        )
        trees = WorkTrees(
            options.repository, options.gate.keep, WorkspaceRepositories(options.repository)
        )
        self._gate = GateRunner(git, trees, RunPaths(root), options.gate)
        self._landing = RunLanding(
            integration=self._branch,
            refs=self._refs,
            merger=self._merger,
            auto_resolver=self._auto_resolver,
            check=self._check,
            gate=self._gate,
            places=options.places,
            run=options.run,
            base=options.base,
            checkout=options.checkout,
            note=LandingNote(root / LANDING_NOTE),
            policy=options.gate_policy,
        )

    async def begin(self) -> tuple[str, ...]:
        """Put the integration branch at the last landing; return notices for the user.

        Raises LandingError.
        """
        with self._told("The integration branch can't be made"):
            await self._branch.begin()
        return self._branch.take_notices()

    async def guard(self) -> tuple[str, ...]:
        """Restore the integration branch if somebody moved it; return notices for the user.

        If that is impossible now, the next landing tries again.
        """
        with suppress(GitError, LandingError, OSError):
            await self._branch.guard()
        return self._branch.take_notices()

    async def tip(self) -> CommitId:
        """Return the integration tip; raise LandingError."""
        with self._told("The integration branch can't be read"):
            return await self._branch.tip()

    async def unknown_landings(self) -> list[tuple[CommitId, TaskId]]:
        """Return landings after the tip that the journal knows, oldest first.

        Raises LandingError.
        """
        with self._told("The integration branch can't be read"):
            known, tip = self._options.tip or self._options.base, await self._branch.tip()
            found = await landings_of(self._git, self._options.run, tip, known)
            return [(commit.id, task) for commit, task in found or ()]

    async def merge(
        self,
        key: AttemptKey,
        spec: TaskSpec,
        work: CommitId,
        *,
        onto: CommitId | None = None,
        auto_resolve: bool = False,
    ) -> Merged | Conflicted:
        """Merge the work onto the tip into one commit under `refs/pex/<run>/<task>/landing`.

        The commit depends only on the work, the tip, the message and the user's name, so that a
        repeated merge makes the same one. With `auto_resolve`, and commands to verify, conflicts
        are resolved automatically if all of them can be. Raises LandingError.
        """
        with self._told(f"Task {key.task} can't be merged"):
            onto = onto or await self._branch.tip()
            tip, changes, merge = await self._merge_trees(work, onto)
            tree = merge.tree
            protected = await self._protected(key.task, tip, merge)
            combined: tuple[ConflictPath, ...] = ()
            against: tuple[TaskId, ...] = ()
            if merge.conflicts:
                against = await self._against(changes, tip, merge)
                may_combine = auto_resolve and not protected  # which no rule resolves
                resolved = (
                    await self._auto_resolver.resolve(merge, self._scratch(key))
                    if may_combine
                    else None
                )
                if resolved is None or await self._check.in_change(tip.tree, resolved[0]):
                    files = tuple(ConflictPath(found.path, found.kind) for found in merge.conflicts)
                    return Conflicted(tip.id, files, against, self._cache.take_notices())
                tree, combined = resolved
            candidate = tip.id
            if tree != tip.tree:
                candidate = await self._commit(spec, tree, tip, changes)
                await self._refs.keep(task_ref(key.run, key.task, "landing"), candidate)
            notices = self._cache.take_notices()
            return Merged(tip.id, candidate, combined, against, notices, protected)

    async def gate(self, key: AttemptKey, commit: CommitId) -> GateResult:
        """Run the verify commands on the commit; raise LandingError if git cannot check it out."""
        with self._told(f"Task {key.task}'s merge can't be checked out for the gate"):
            return await self._gate.run(key, commit)

    async def stop_gate(self, task: TaskId) -> None:
        """End the task's gate, running or waiting.

        Its result then says nothing about the commit.
        """
        await self._gate.stop(task)

    async def move(self, key: AttemptKey, old: CommitId, new: CommitId) -> Moved | MoveRefused:
        """Compare-and-swap the integration branch; raise LandingError if git cannot."""
        with self._told(f"Task {key.task} can't be landed"):
            return await self._branch.move(old, new, f"lands {key.task}")

    async def lacks(self, key: AttemptKey, work: CommitId) -> bool:
        """Return whether the tip lacks a part of what the work changed; raise LandingError."""
        with self._told(f"What {key.task} changed before can't be compared with what has landed"):
            tip, _, merge = await self._merge_trees(work, await self._branch.tip())
            if not merge.conflicts:
                return merge.tree != tip.tree
            holding = replace(
                self._auto_resolver, silent=("superset",), by_path=(), cache=None, judges=True
            )
            resolved = await holding.resolve(merge, self._scratch(key))
            return resolved is None or resolved[0] != tip.tree

    async def sides(
        self,
        key: AttemptKey,
        work: CommitId,
        tip: CommitId,
        resolved: CommitId | None = None,
        protected: tuple[str, ...] = (),
    ) -> tuple[ConflictSides, ...]:
        """Return the conflicting paths: ours is the task's work, theirs the tip.

        Raises LandingError. `resolved` holds earlier resolutions that the gate refused; `protected`
        are paths that have to be decided as well if the work changes them.
        """
        with self._told(f"Task {key.task}'s conflict can't be read"):
            tip_commit, changes, merge = await self._merge_trees(work, tip)
            against = await self._against(changes, tip_commit, merge)
            merge = await with_protected(self._git, merge, tip_commit.tree, protected)
            landed = f"landed: {', '.join(against)}" if against else self._options.branch
            found = await read_sides(self._check, merge, Labels(tip=landed, work=key.task))
            known = await self._auto_resolver.proposals(merge)
            if resolved is not None:
                known |= await self._resolved_before(resolved, tip, [side.path for side in found])
            return tuple(
                replace(side, proposal=known[side.path][0], proposed=known[side.path][1])
                if side.path in known
                else side
                for side in found
            )

    async def _resolved_before(
        self, resolved: CommitId, tip: CommitId, paths: list[str]
    ) -> dict[str, tuple[bytes, str]]:
        """Return a person's earlier texts, where they still fit, to continue from."""
        _, _, merge = await self._merge_trees(resolved, tip)
        fitting = {*paths} - {conflict.path for conflict in merge.conflicts}
        there = await entries_at(self._git, merge.tree, [*fitting])
        files = {path: side.oid for path, side in there.items() if side.mode != SUBMODULE}
        texts = await read_blobs(self._git, [*files.values()])
        return {
            path: (text, "as it was decided before the gate failed")
            for path, text in zip(files, texts, strict=True)
        }

    async def resolve(
        self,
        key: AttemptKey,
        spec: TaskSpec,
        work: CommitId,
        tip: CommitId,
        decision: Decision,
        contents: dict[str, bytes | None],
        protected: tuple[str, ...] = (),
    ) -> CommitId:
        """Commit the resolution of a conflict under `refs/pex/<run>/<task>/<attempt>-settled`.

        `contents` take precedence over the decision, and may name paths that merged cleanly. Raises
        LandingError.
        """
        with self._told(f"Task {key.task}'s conflict can't be resolved"):
            tip_commit, changes, merge = await self._merge_trees(work, tip)
            merge = await with_protected(self._git, merge, tip_commit.tree, protected)
            tree = await resolved_tree(self._check, merge, decision, contents, self._scratch(key))
            marked = await self._check.in_change(tip_commit.tree, tree)
            if marked:
                raise LandingError(
                    f"Conflict markers are left in {clean(', '.join(marked))}; nothing was saved."
                )
            resolved = await self._commit(spec, tree, tip_commit, changes)
            await self._refs.replace(
                task_ref(key.run, key.task, f"{key.attempt}-settled"), resolved
            )
            return resolved

    async def remember(self, work: CommitId, resolved: CommitId, by: str) -> None:
        """Remember a resolution for later runs; failures are ignored."""
        with suppress(GitError, LandingError, OSError):
            (result,) = await read_commits(self._git, resolved)
            _, _, merge = await self._merge_trees(work, result.parents[0])
            await self._auto_resolver.remember(merge, resolved, by)

    async def diff(self, commit: CommitId) -> str:
        """Return what the commit changed against its parent, cut at 2 MB; raise LandingError."""
        with self._told(f"The changes of {commit[:10]} can't be read"):
            answer = await self._git.run(
                *("diff-tree", "-p", "-M", "--root", "-m", "--first-parent", "--no-commit-id"),
                *("--no-color", "--no-ext-diff", "--no-textconv", commit),
            )
        text = answer.stdout[:_DIFF_BYTES].decode("utf-8", "replace")
        return text if len(answer.stdout) <= _DIFF_BYTES else f"{text}\n… cut at 2 MB\n"

    async def land_run(self, target: str) -> tuple[CommitId, str]:
        """Bring the integration branch to the target; return its new tip and what was done.

        Raises LandingError, with nothing changed, if the user's own work is in the way.
        """
        with self._told(f"The run can't be landed on {clean(target)}", is_final=True):
            return await self._landing.land(target)

    def rollback(self, target: str | None) -> RunRollback:
        """Return the operations that undo what the run has landed, on `target` as well if given."""
        options, mine = self._options, None
        if target is not None:
            branch, hint = Branch(self._refs, target), f"`pex-tui rollback {options.run}`"
            note, advice = self._landing.note, "Run the command there"
            mine = UserBranch(branch, options.checkout, note, options.run, hint, advice)
        return RunRollback(self._branch, self._merger, options.run, options.base, mine)

    async def _merge_trees(self, work: CommitId, tip: CommitId) -> tuple[Commit, Commit, TreeMerge]:
        """Merge the work onto the tip; files with conflict markers count as conflicts."""
        tip_commit, changes = await read_commits(self._git, tip, work)
        merge = await self._merger.merge(tip_commit, changes)
        if not merge.conflicts:
            marked = await self._check.in_change(tip_commit.tree, merge.tree)
            merge = await with_marked(self._git, merge, marked)
        return tip_commit, changes, merge

    async def _protected(self, task: TaskId, tip: Commit, merge: TreeMerge) -> tuple[str, ...]:
        """Return the protected paths that the merge changes, or cannot merge."""
        protection = self._options.protection
        if protection is None or merge.tree == tip.tree:
            return ()
        changed = await changed_paths(self._git, tip.tree, merge.tree)
        there = await entries_at(self._git, tip.tree, [*protection.named])
        links = {path: side.oid for path, side in there.items() if side.mode == SYMLINK}
        targets = map(os.fsdecode, await read_blobs(self._git, [*links.values()]))
        protection = protection.followed(dict(zip(links, targets, strict=True)))
        paths = dict.fromkeys((*changed, *(conflict.path for conflict in merge.conflicts)))
        return await asyncio.to_thread(protection.among, paths, task)

    async def _against(self, work: Commit, tip: Commit, merge: TreeMerge) -> tuple[TaskId, ...]:
        """Return the tasks whose landings conflict; none if the work itself brought the markers."""
        if all(conflict.kind == MARKED for conflict in merge.conflicts):
            return ()
        return await self._blame.against(work, tip.id, merge)

    def _scratch(self, key: AttemptKey) -> Path:
        """Return the index file that one call uses."""
        run = self._options.places.run(key.run)
        return (run / f"settle-{key.task}-{key.attempt}.index").resolve()

    async def _commit(self, spec: TaskSpec, tree: str, tip: Commit, changes: Commit) -> CommitId:
        """Commit on the tip, dated like the work but never before its parent."""
        message = landing_message(spec, self._options.run, self._options.goal)
        seconds, zone = changes.authored_at
        committed = max(seconds, tip.committed_at[0])
        dates = (f"@{seconds} {zone}", f"@{committed} {zone}")
        return await write_commit(self._git, tree, tip.id, message, dates)

    @contextmanager
    def _told(self, what: str, *, is_final: bool = False) -> Iterator[None]:
        """Turn errors of git and of the disk into a LandingError with a message.

        If `is_final`, a person waits: what git would refuse again is not retried.
        """
        try:
            yield
        except (GitError, OSError) as error:
            why = why_unusable(self._git, self._options.run)
            if why:
                raise LandingError(f"{what}: {why}.", passing=False) from error
            if isinstance(error, GitError) and "tell me who you are" in error.stderr:
                raise LandingError(
                    f"{what}: git does not know who you are. Set `git config user.name NAME` and "
                    "`git config user.email MAIL`, then retry.",
                    passing=False,
                ) from error
            passing = not is_final or not isinstance(error, GitError) or error.may_pass
            raise LandingError(f"{what}: {clean(str(error))}", passing=passing) from error
