"""Undo what a run has landed: on its own branch, and on the branch of the user's that has it.

The run's branch goes back to its base or, if other tasks stay landed, gets a revert commit for each
task. The user's branch always gets revert commits, made without a checkout and brought there with
the care of a landing. Each step finds what an interrupted one did, so a rollback can be repeated.
"""

from collections.abc import Collection, Sequence

from msgspec import Struct

from pex_tui.adapters.git.landing.user_branch import UserBranch, unsigned_notice
from pex_tui.adapters.git.plumbing.commit_message import (
    rollback_message,
    subject_of,
    trailers_of,
)
from pex_tui.adapters.git.plumbing.git_runner import Git
from pex_tui.adapters.git.plumbing.merge_tree import TreeMerger, UnmergedPath
from pex_tui.adapters.git.plumbing.objects import (
    Commit,
    read_commits,
    rewrite_commit,
    write_commit,
)
from pex_tui.adapters.git.plumbing.ref_names import rollback_ref
from pex_tui.adapters.git.user_repository.integration_branch import IntegrationBranch
from pex_tui.adapters.git.user_repository.landing_history import (
    commits_of,
    commits_on,
    landings_in,
    landings_of,
)
from pex_tui.core.model.ids import CommitId, RunId, TaskId
from pex_tui.core.model.run_refs import BRANCHES
from pex_tui.core.sanitize import clean
from pex_tui.core.undo_values import RollbackPlan
from pex_tui.engine.ports import LandingError, MoveRefused

_TRIES = 3  # how often the user's branch may move meanwhile


class NothingLandedError(LandingError):
    """Nothing of what is to be rolled back is landed now."""


class RunRollback(Struct, frozen=True):
    """Rolls a run back; `mine` is the branch of the user's, None if there is none to look at."""

    integration: IntegrationBranch
    merger: TreeMerger
    run: RunId
    base: CommitId
    mine: UserBranch | None

    async def plan(self, wanted: Collection[TaskId], at: int) -> RollbackPlan:
        """Return the plan to undo these tasks, or all if none is named; raise LandingError.

        Everything is tried on trees first, so a conflict is found before anything changes.
        """
        git, tip = self.merger.git, await self.integration.tip()
        landed = await landings_of(git, self.run, tip, self.base)
        if landed is None:
            raise LandingError(
                f"{self.integration.name} holds commits that the run did not make. `git log "
                f"{self.base[:10]}..{self.integration.name}` shows them."
            )
        known = [task for _, task in landed]
        missing = [task for task in wanted if task not in known]
        if missing or not known:
            if not known:
                raise NothingLandedError(f"Nothing of run {self.run} is landed now.")
            named, there = clean(", ".join(missing)), ", ".join(known)
            raise NothingLandedError(
                f"{named} has not landed, or is rolled back already. Landed: {there}."
            )
        chosen = [(commit, task) for commit, task in landed if not wanted or task in wanted]
        await self.integration.refuse_if_checked_out()
        new_tip = self.base
        if len(chosen) < len(landed):
            where = self.integration.name
            new_tip = (await self._reverted(where, tip, chosen, at)).id
        target, commits = "", list[tuple[Commit, TaskId]]()
        if self.mine is not None:
            commits = await self._in_target([task for _, task in chosen])
        if self.mine is not None and commits:
            target = self.mine.branch.name
            old = await self._read_target(self.mine)
            new = (await self._reverted(target, old, commits, at)).id
            await self.mine.refuse_if_in_the_way(old, new)
        return RollbackPlan(
            self.run,
            tuple(task for _, task in chosen),
            self.integration.name,
            self.base,
            tip,
            new_tip,
            target,
            tuple(commit.id for commit, _ in commits),
            at,
        )

    async def perform(self, plan: RollbackPlan) -> tuple[CommitId | None, str]:
        """Roll back, or finish doing so; return the tip of the user's branch, and a notice.

        Raises LandingError, GitError. The caller has put `plan.tip` and `plan.new_tip` under refs.
        """
        done = await self._perform_on_target(plan, undoes=False)
        if not plan.target and not plan.is_whole:  # a landing takes these reverts along
            await self.integration.branch.refs.keep(rollback_ref(self.run), plan.new_tip)
        moved = await self.integration.put(plan.tip, plan.new_tip, f"rolls back {self.run}")
        if isinstance(moved, MoveRefused):
            raise LandingError(moved.reason)
        return done

    async def undo(self, plan: RollbackPlan) -> tuple[CommitId | None, str]:
        """Bring back what the plan has undone; return the tip of the user's branch, and a notice.

        Raises LandingError, GitError.
        """
        tip = await self.integration.tip()
        if tip not in {plan.tip, plan.new_tip}:
            raise LandingError(
                f"{self.integration.name} has moved on since the rollback, to {tip[:10]}. What was "
                f"rolled back is at {plan.tip[:10]}: `git cherry-pick {plan.base[:10]}.."
                f"{plan.tip[:10]}` where you want it."
            )
        done = await self._perform_on_target(plan, undoes=True)
        moved = await self.integration.put(plan.new_tip, plan.tip, f"brings back {self.run}")
        if isinstance(moved, MoveRefused):
            raise LandingError(moved.reason)
        return done

    async def is_untouched(self, plan: RollbackPlan) -> bool:
        """Return whether no branch has moved yet; raise GitError."""
        there = await self._in_target(plan.tasks)
        is_on_target = {commit.id for commit, _ in there} >= {*plan.commits}
        return is_on_target and await self.integration.tip() == plan.tip

    async def _perform_on_target(
        self, plan: RollbackPlan, *, undoes: bool
    ) -> tuple[CommitId | None, str]:
        """Revert on the user's branch what it has of the plan, or apply what it lacks of it."""
        mine = self.mine
        if not plan.target or mine is None:
            return None, ""
        await mine.repair()
        for _ in range(_TRIES):
            old = await self._read_target(mine)
            there = await self._in_target(plan.tasks)
            if undoes:
                new = (await self._applied(old, plan, {task for _, task in there})).id
                words = f"brings back run {self.run}"
            else:
                new = (await self._reverted(plan.target, old, there, plan.at)).id
                words = f"rolls back run {self.run}"
            await mine.branch.refs.keep(rollback_ref(self.run), new)
            if new == old or await mine.advance(old, new, words):
                notice = "" if new == old else await unsigned_notice(mine.checkout, old)
                return new, notice
        raise LandingError(f"{plan.target} keeps moving. Try {mine.hint} later.")

    async def _read_target(self, mine: UserBranch) -> CommitId:
        old = await mine.branch.refs.read(mine.branch.ref)
        if old is None:
            raise LandingError(
                f"The branch {mine.branch.name} is gone, so nothing was changed. Create it again "
                "where it was, then repeat the command.",
                passing=False,
            )
        return old

    async def other_branches(self, plan: RollbackPlan) -> tuple[str, ...]:
        """Return the user's other branches that have landings of the plan; raise GitError."""
        git = self.merger.git
        landed = await landings_of(git, self.run, plan.tip, self.base) or []
        ids = [commit.id for commit, task in landed if task in plan.tasks]
        if not ids:
            return ()
        wanted = [f"--contains={one}" for one in ids]
        listing = await git.text(
            "for-each-ref", "--format=%(objectname) %(refname)", *wanted, "refs/heads"
        )
        found = []
        for line in listing.splitlines():
            tip, _, ref = line.partition(" ")
            name = ref.removeprefix("refs/heads/")
            if ref.startswith(f"{BRANCHES}/") or name == plan.target:
                continue
            standing = await landings_in(git, self.run, self.base, CommitId(tip))
            if any(task in standing for task in plan.tasks):
                found.append(name)
        return tuple(found)

    async def _in_target(self, tasks: Sequence[TaskId]) -> list[tuple[Commit, TaskId]]:
        """Return the landings of these tasks that the user's branch holds, oldest first."""
        if self.mine is None:
            return []
        tip = await self.mine.branch.refs.read(self.mine.branch.ref)
        if tip is None:
            return []
        found = await landings_in(self.merger.git, self.run, self.base, tip)
        return [(commit, task) for task, commit in found.items() if task in tasks]

    async def _reverted(
        self,
        where: str,
        start: CommitId,
        landings: Sequence[tuple[Commit, TaskId]],
        at: int,
    ) -> Commit:
        """Return a commit on `start` that undoes the landings, the newest first, one commit each.

        Raises LandingError, with the tasks in the way, if later changes do not allow it.
        """
        git = self.merger.git
        (current,) = await read_commits(git, start)
        for landing, task in reversed(landings):
            (before,) = await read_commits(git, landing.parents[0])
            merge = await self.merger.apply(landing.id, current, before)
            if merge.conflicts:
                undone = {other: None for _, other in landings}
                words = await self._conflict(landing, [*undone], start, merge.conflicts)
                raise LandingError(
                    f"Task {task} can't be rolled back on {where}: {words}", passing=False
                )
            if merge.tree != current.tree:
                message = rollback_message(landing.message, landing.id, self.run, task)
                current = await _commit(git, merge.tree, current, message, at)
        return current

    async def _conflict(
        self,
        landing: Commit,
        undone: Sequence[TaskId],
        tip: CommitId,
        conflicts: tuple[UnmergedPath, ...],
    ) -> str:
        """Describe what is in the way of undoing a landing, and the next step.

        That are other tasks of the run, or commits that no rollback of the run can undo.
        """
        git, names, others = self.merger.git, dict[TaskId, None](), list[str]()
        later = await commits_of(git, tip, landing.id)
        for commit in await commits_on(git, landing, later, conflicts):
            named = trailers_of(commit.message)
            if named is None or named[0] != self.run:
                others.append(f"{commit.id[:10]} {subject_of(commit.message)}")
            elif named[1] not in undone:
                names[named[1]] = None
        paths = ", ".join(clean(one.path) for one in conflicts)
        blame = f" by {', '.join([*names, *others])}" if names or others else ""
        advice = (
            f"Roll them back as well: `pex-tui rollback {self.run} {' '.join([*undone, *names])}`"
            if names and not others
            else f"Revert it by hand: `git revert {landing.id[:10]}`"
        )
        return f"{paths} changed since{blame}. Nothing was changed. {advice}."

    async def _applied(
        self, start: CommitId, plan: RollbackPlan, there: Collection[TaskId]
    ) -> Commit:
        """Return a commit on `start` that has the plan's landings again, one commit each."""
        git = self.merger.git
        (current,) = await read_commits(git, start)
        for landing in await read_commits(git, *plan.commits):
            task = _task_of(landing)
            if task in there:
                continue
            merge = await self.merger.apply(landing.parents[0], current, landing)
            if merge.conflicts:
                paths = ", ".join(clean(one.path) for one in merge.conflicts)
                raise LandingError(
                    f"Task {task} can't be brought back on {plan.target}: {paths} changed since. "
                    f"Nothing was changed. By hand: `git cherry-pick {landing.id[:10]}`.",
                    passing=False,
                )
            if merge.tree != current.tree:
                rewritten = await rewrite_commit(git, landing, merge.tree, current)
                (current,) = await read_commits(git, rewritten)
        return current


async def _commit(git: Git, tree: str, parent: Commit, message: bytes, at: int) -> Commit:
    date = f"@{max(at, parent.committed_at[0])} +0000"
    made = await write_commit(git, tree, parent.id, message, (date, date))
    (commit,) = await read_commits(git, made)
    return commit


def _task_of(landing: Commit) -> TaskId | None:
    named = trailers_of(landing.message)
    return named[1] if named else None
