"""Bring what a run has landed to the branch that the run started from."""

from msgspec import Struct

from pex_tui.adapters.git.capture.merge_markers import MarkerCheck
from pex_tui.adapters.git.landing.auto_resolver import AutoResolver
from pex_tui.adapters.git.landing.foreign_commits import REPLAYED, foreign_commit_lines
from pex_tui.adapters.git.landing.gate_runner import GateRunner
from pex_tui.adapters.git.landing.half_landed import LandingNote
from pex_tui.adapters.git.landing.user_branch import UserBranch, unsigned_notice
from pex_tui.adapters.git.plumbing.commit_message import trailers_of
from pex_tui.adapters.git.plumbing.git_runner import Git
from pex_tui.adapters.git.plumbing.merge_tree import TreeMerger
from pex_tui.adapters.git.plumbing.objects import Commit, read_commits, rewrite_commit
from pex_tui.adapters.git.plumbing.ref_writer import Refs
from pex_tui.adapters.git.user_repository.integration_branch import Branch, IntegrationBranch
from pex_tui.adapters.git.user_repository.landing_history import unlanded_commits
from pex_tui.core.formatting import counted
from pex_tui.core.landing.auto_resolution import told_files
from pex_tui.core.model.conflict import ConflictPath
from pex_tui.core.model.ids import CommitId, RunId, TaskId
from pex_tui.core.model.plan import GatePolicy
from pex_tui.core.model.run_refs import run_prefix
from pex_tui.core.sanitize import clean
from pex_tui.engine.attempt import AttemptKey
from pex_tui.engine.ports import LandingError
from pex_tui.engine.run_paths import RunPaths

_TRIES = 3  # how often a target may move during a replay
_REPLAY = TaskId(REPLAYED)  # no task can have this name


class RunLanding(Struct, frozen=True):
    """Fast-forwards a target to the integration tip, or replays the run's commits onto it."""

    integration: IntegrationBranch
    refs: Refs
    merger: TreeMerger
    auto_resolver: AutoResolver
    check: MarkerCheck
    gate: GateRunner
    places: RunPaths
    run: RunId
    base: CommitId
    checkout: Git
    note: LandingNote
    policy: GatePolicy

    async def land(self, target: str) -> tuple[CommitId, str]:
        """Return the target's new tip and, for a person, what was done.

        Raises LandingError, GitError.
        """
        branch = Branch(self.refs, target.removeprefix("refs/heads/"))
        mine = UserBranch(branch, self.checkout, self.note, self.run, self._hint, self._elsewhere)
        await mine.repair()
        for _ in range(_TRIES):
            old = await self._target(branch)
            new, words = await self._plan(mine, old)
            if new == old:
                return new, words
            if await mine.advance(old, new, f"lands run {self.run}"):
                return new, words + await unsigned_notice(self.checkout, old)
        raise LandingError(f"{branch.name} keeps moving. Try {self._hint} later.")

    @property
    def _hint(self) -> str:
        return f"`pex-tui land {self.run}`"

    @property
    def _elsewhere(self) -> str:
        """The advice about a branch that another work tree has checked out."""
        return f"There, run `git merge {self.integration.name}`"

    async def _target(self, branch: Branch) -> CommitId:
        old = await branch.refs.read(branch.ref)
        if old is None:
            name, source = branch.name, self.integration.name
            raise LandingError(
                f"The branch {name} is gone. `git branch {name} {source}` recreates it from what "
                "the run has landed.",
                passing=False,
            )
        return old

    async def _plan(self, mine: UserBranch, old: CommitId) -> tuple[CommitId, str]:
        """Return the commit that the branch is to move to, and words for it.

        Replays pass the gate.
        """
        branch = mine.branch
        refs, tip = branch.refs, await self.integration.tip()
        if tip == self.base:
            return old, f"There is nothing to land: {self.integration.name} is where it began."
        commits = await unlanded_commits(refs.git, self.base, tip, old)
        forward = await refs.contains(tip, old) and await refs.contains(old, self.base)
        # Commits that only claim to be the run's are worth reporting if they hide work.
        if not forward:
            strangers = await foreign_commit_lines(
                *(refs.git, self.run, branch.name),
                base=self.base,
                tip=tip,
                target=old,
                claiming=not commits,
            )
            self.integration.tell(strangers)
        if not commits:
            return old, f"{branch.name} holds all that the run has landed."
        if forward:
            await self._refuse_markers(branch.name, old, tip)
            made = await refs.git.text("rev-list", "--count", "--first-parent", f"{old}..{tip}")
            count = counted(int(made), "commit")
            return tip, f"{branch.name} went forward by {count} to {tip[:10]}."
        (start,) = await read_commits(refs.git, old)
        new, combined = await self._replay(branch.name, start, commits)
        if new.id == old:
            return old, f"{branch.name} holds all that the run has landed."
        await self._refuse_markers(branch.name, old, new.id)
        await mine.refuse_if_in_the_way(old, new.id)  # before the gate spends time
        gate_words = await self._pass_gate(branch.name, old, new.id, combined)
        count = counted(len(commits), "commit")
        return new.id, (
            f"{branch.name} had moved; {count} replayed onto it, up to {new.id[:10]}.{gate_words}"
        )

    async def _refuse_markers(self, target: str, old: CommitId, new: CommitId) -> None:
        """Raise LandingError for files that an earlier version landed with conflict markers."""
        marked = await self.check.in_change(old, new)
        if marked:
            raise LandingError(
                f"Conflict markers are left in {clean(', '.join(marked))}, so nothing was changed. "
                f"Merge by hand: `git switch {target}`, then `git merge --no-commit "
                f"{self.integration.name}`, and remove them.",
                passing=False,
            )

    async def _replay(
        self, target: str, start: Commit, commits: list[Commit]
    ) -> tuple[Commit, tuple[ConflictPath, ...]]:
        """Replay the commits one by one on `start`, under a ref; skip those that are already there.

        Also returns conflicts that were resolved automatically, which a gate has to check.
        """
        git, current = self.merger.git, start
        combined: tuple[ConflictPath, ...] = ()
        index = (self.places.run(self.run) / f"{_REPLAY}.index").resolve()
        for commit in commits:
            merge = await self.merger.apply(commit.parents[0], current, commit)
            tree = merge.tree
            resolved = await self.auto_resolver.resolve(merge, index) if merge.conflicts else None
            if resolved is not None:
                tree, combined = resolved[0], (*combined, *resolved[1])
            elif merge.conflicts:
                paths = ", ".join(clean(conflict.path) for conflict in merge.conflicts)
                named = trailers_of(commit.message)
                whose = f"task {named[1]}'s commit" if named else "the commit"
                raise LandingError(
                    f"{target} has moved, and {whose} {commit.id[:10]} does not apply to it: "
                    f"{paths}. Nothing was changed. Merge by hand: `git switch {target}`, then "
                    f"`git merge {self.integration.name}`.",
                    passing=False,
                )
            if tree != current.tree:
                rewritten = await rewrite_commit(git, commit, tree, current)
                (current,) = await read_commits(git, rewritten)
        await self.refs.keep(f"{run_prefix(self.run)}{_REPLAY}", current.id)
        return current, combined

    async def _pass_gate(
        self, target: str, old: CommitId, new: CommitId, combined: tuple[ConflictPath, ...]
    ) -> str:
        """Run the gate on the replay; return a notice for the user, or an empty text.

        Raises LandingError if the gate fails.
        """
        key = AttemptKey(self.run, _REPLAY, 1)
        result = await self.gate.run(key, new)
        how = clean(told_files(combined))
        if result.passed:
            return f" Conflicts were resolved by rule, and the gate passed: {how}." if how else ""
        if how:
            raise LandingError(
                f"{target} has moved, and the run's commits conflict with it. Resolved by rule "
                f"({how}), they fail the gate: {result.command}. Nothing was changed. Merge by "
                f"hand: `git switch {target}`, then `git merge {self.integration.name}`.",
                passing=False,
            )
        if self.policy is GatePolicy.OFF and not (await self.gate.run(key, old)).passed:
            return f" The gate fails on {target} as well; `gate: off` lands without it."
        log = clean(str(self.places.gate_output(self.run, _REPLAY)))
        raise LandingError(
            f"{target} has moved, and the gate fails on the run's commits there: {result.command}. "
            f"Nothing was changed. Its output is in {log}; fix {target}, then {self._hint}.",
            passing=False,
        )
