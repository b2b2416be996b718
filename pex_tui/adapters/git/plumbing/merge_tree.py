"""Merge trees without a checkout, and describe the sides of each path in conflict.

`git merge-tree --write-tree -z` prints the tree, the stages of each path in conflict, and messages:
a count, that many paths, a type, a text. git 2.39 appends advice on submodules in no such form. A
path that two sides fill with a file and a directory, or with objects of two types, is stored as
`path~label`, where the label is the side's name on the command line.
"""

import re
from collections.abc import Iterator, Sequence

from msgspec import Struct
from msgspec.structs import replace

from pex_tui.adapters.git.plumbing.attributes import Attributes
from pex_tui.adapters.git.plumbing.git_runner import Git, GitError
from pex_tui.adapters.git.plumbing.objects import Commit, synthetic_commit
from pex_tui.core.model.conflict import ConflictKind
from pex_tui.core.model.ids import CommitId

SUBMODULE = "160000"
SYMLINK = "120000"
MARKED = "conflict markers"
"""The conflict kind of a path that merges cleanly but contains conflict markers."""
_BASE, _TIP, _WORK = 1, 2, 3  # git's stages
_MOST_NAMED = 20  # paths of at most 4 KiB each on one command line
_KIND = re.compile(r"CONFLICT ?\((.*)\)")
_SPELLED = {
    "contents": "content",
    "distinct modes": "distinct types",
    "rename involved in collision": "rename collision",
    "file in way of directory rename": "directory rename",
    "directory rename suggested": "directory rename",
    "directory rename collision": "directory rename",
    "directory rename unclear split": "directory rename",
}


class Side(Struct, frozen=True):
    """One side's entry at a path: git's mode and object id."""

    mode: str
    oid: str


class UnmergedPath(Struct, frozen=True):
    """One path that does not merge; `places` are the paths of its versions in the merged tree."""

    path: str
    kind: str
    base: Side | None = None
    tip: Side | None = None
    work: Side | None = None
    places: tuple[str, ...] = ()

    @property
    def sides(self) -> tuple[Side, ...]:
        """The sides that exist, in the order work, tip, base."""
        return tuple(side for side in (self.work, self.tip, self.base) if side)


class TreeMerge(Struct, frozen=True):
    """A merged tree: the result, or a tree with git's conflict markers if there are conflicts.

    `tip` and `work` are the commits whose ids label the sides in those markers, `tip_tree` is the
    tree of the one.
    """

    tree: str
    tip_tree: str
    tip: CommitId
    work: CommitId
    conflicts: tuple[UnmergedPath, ...] = ()


class TreeMerger(Struct, frozen=True):
    """Three-way merges by ort, with the attributes of the tip's tree in force."""

    git: Git
    attributes: Attributes

    async def merge(self, tip: Commit, work: Commit) -> TreeMerge:
        """Merge the work's changes since its parent onto the tip; raise GitError."""
        if work.parents and not await self._is_in(work.parents[0], tip):
            return await self.apply(work.parents[0], tip, work)
        return await self.join(tip, work)

    async def join(self, tip: Commit, work: Commit) -> TreeMerge:
        """Merge the histories of both, as `git merge` does; raise GitError."""
        return await self._run(tip.tree, tip.id, work.id)

    async def apply(self, parent: CommitId, tip: Commit, work: Commit) -> TreeMerge:
        """Merge the work's changes since `parent`, as a cherry-pick does; raise GitError.

        Uses synthetic commits, because git 2.39's merge-tree has no `--merge-base`.
        """
        parent_tree = await self.git.text("rev-parse", f"{parent}^{{tree}}")
        base = await synthetic_commit(self.git, parent_tree)
        ours = await synthetic_commit(self.git, tip.tree, base)
        theirs = await synthetic_commit(self.git, work.tree, base)
        return await self._run(tip.tree, ours, theirs)

    async def _run(self, tip_tree: str, tip: CommitId, work: CommitId) -> TreeMerge:
        git = await self.attributes.git_for(tip_tree)
        answer = await git.run("merge-tree", "--write-tree", "-z", tip, work, ok=(0, 1))
        tree, *rest = answer.stdout.decode("utf-8", "surrogateescape").split("\0")
        if answer.status == 0:
            return TreeMerge(tree, tip_tree, tip, work)
        if not rest:  # 1 is also git's answer if it has not got one of the commits
            raise GitError(("merge-tree", tip, work), 1, answer.stderr)
        conflicts = await self._true_sides(tuple(_conflicts(rest, (tip, work))), tip, work)
        if not conflicts:
            raise GitError(("merge-tree",), 1, "git reports a conflict without saying where")
        return TreeMerge(tree, tip_tree, tip, work, conflicts)

    async def _true_sides(
        self, conflicts: tuple[UnmergedPath, ...], tip: CommitId, work: CommitId
    ) -> tuple[UnmergedPath, ...]:
        """Replace git's half-merged stages by the true sides where both sides renamed a file."""
        renamed = [one.path for one in conflicts if one.kind.startswith("rename")]
        theirs = await entries_at(self.git, tip, renamed)
        ours = await entries_at(self.git, work, renamed)
        return tuple(
            replace(
                one,
                tip=one.tip and theirs.get(one.path, one.tip),
                work=one.work and ours.get(one.path, one.work),
            )
            for one in conflicts
        )

    async def _is_in(self, commit: CommitId, tip: Commit) -> bool:
        """Return whether the commit is the tip or one of its ancestors."""
        if commit in {tip.id, *tip.parents}:
            return True
        answer = await self.git.run("merge-base", "--is-ancestor", commit, tip.id, ok=(0, 1))
        return answer.status == 0


async def with_marked(git: Git, merge: TreeMerge, marked: Sequence[str]) -> TreeMerge:
    """Return the merge with each of these paths as a conflict; raise GitError."""
    paths = [*marked]
    base = await git.text("merge-base", merge.tip, merge.work) if paths else ""
    bases, tips, works = [
        await entries_at(git, tree, paths) for tree in (base, merge.tip, merge.work)
    ]
    conflicts = tuple(
        UnmergedPath(path, MARKED, bases.get(path), tips.get(path), works.get(path), (path,))
        for path in paths
    )
    return replace(merge, conflicts=conflicts)


async def with_protected(git: Git, merge: TreeMerge, tip: str, paths: Sequence[str]) -> TreeMerge:
    """Return the merge with each of these paths that it changes as undecided; raise GitError.

    The work's side is the merged version, so that the decision is about what would land.
    """
    in_conflict = {conflict.path for conflict in merge.conflicts}
    wanted = [path for path in paths if path not in in_conflict]
    tips, merged = [await entries_at(git, tree, wanted) for tree in (tip, merge.tree)]
    found = tuple(
        UnmergedPath(
            path, ConflictKind.PROTECTED, tips.get(path), tips.get(path), merged.get(path), (path,)
        )
        for path in wanted
        if tips.get(path) != merged.get(path)
    )
    return replace(merge, conflicts=(*merge.conflicts, *found))


async def entries_at(git: Git, tree: str, paths: list[str]) -> dict[str, Side]:
    """Return the tree's entries at those of the paths that it has; raise GitError."""
    if not paths:
        return {}
    # Git compares each entry with each path: beyond a few paths, and beyond the length of a command
    # line, listing the whole tree and filtering here is faster.
    named = paths if len(paths) <= _MOST_NAMED else []
    answer = await git.run("ls-tree", "-r", "-z", "--full-tree", tree, "--", *named)
    wanted = frozenset(paths)
    found = {}
    for line in answer.stdout.decode("utf-8", "surrogateescape").split("\0"):
        head, _, path = line.partition("\t")
        if path in wanted:
            mode, _, oid = head.split(" ")
            found[path] = Side(mode, oid)
    return found


def _conflicts(tokens: list[str], labels: tuple[str, str]) -> Iterator[UnmergedPath]:
    aside = re.compile(rf"~(?:{'|'.join(labels)})(?:_\d+)?$")
    end = tokens.index("")
    stages: dict[str, dict[int, Side]] = {}
    places: dict[str, dict[str, None]] = {}
    for token in tokens[:end]:
        head, _, place = token.partition("\t")
        mode, oid, stage = head.split(" ")
        path = aside.sub("", place)
        stages.setdefault(path, {})[int(stage)] = Side(mode, oid)
        places.setdefault(path, {})[place] = None
    kinds = _kinds(tokens[end + 1 :], aside)
    # A directory with an ambiguous rename is a conflict without stages.
    for path in stages or kinds:
        sides = stages.get(path, {})
        yield UnmergedPath(
            path,
            _kind(kinds.get(path, []), sides),
            sides.get(_BASE),
            sides.get(_TIP),
            sides.get(_WORK),
            tuple(places.get(path, ())),
        )


def _kinds(tokens: list[str], aside: re.Pattern[str]) -> dict[str, list[str]]:
    """Return the conflict kinds in the messages by path."""
    kinds: dict[str, list[str]] = {}
    at = 0
    while at < len(tokens) and tokens[at].isdigit():
        count = int(tokens[at])
        paths = tokens[at + 1 : at + 1 + count]
        found = _KIND.match(tokens[at + 1 + count])
        at += count + 3
        for path in paths if found else ():
            kinds.setdefault(aside.sub("", path), []).append(found[1] if found else "")
    return kinds


def _kind(told: list[str], sides: dict[int, Side]) -> str:
    """Return the kind in a word or two.

    Conflicts of the tree take precedence over those of lines.
    """
    tip, work = sides.get(_TIP), sides.get(_WORK)
    if any(side.mode == SUBMODULE for side in sides.values()):
        return "submodule"
    structural = [kind for kind in told if kind not in {"contents", "binary"}]
    if structural:
        return _SPELLED.get(structural[0], structural[0])
    if tip and work and tip.oid == work.oid:
        return "mode"
    if "binary" in told:
        return "binary"
    if tip and work and tip.mode == work.mode == SYMLINK:
        return "symlink"
    return "content" if _BASE in sides else "add/add"
