"""Accuracy of conflict resolution by rule: python tests/bench/resolve.py REPO [--most N]

Samples merges of two parents from the repository's history, at most N and evenly over time, merges
the parents again, resolves what ort leaves in conflict, and compares the result with the commit.
Writes nothing into the repository. A row covers every file in conflict: how many a strategy
resolves, and how many of those equal the commit; "lines" is the share of equal lines in resolved
hunks. In the product a merge is resolved only as a whole, and if the gate passes.
"""

import argparse
import asyncio
import os
import re
import sys
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from pex_tui.adapters.git.capture.merge_markers import MarkerCheck
from pex_tui.adapters.git.landing.auto_resolver import AutoResolver
from pex_tui.adapters.git.plumbing.attributes import Attributes
from pex_tui.adapters.git.plumbing.git_runner import Git, GitError, ask_git
from pex_tui.adapters.git.plumbing.merge_tree import TreeMerge, TreeMerger, entries_at
from pex_tui.adapters.git.plumbing.objects import read_blobs, read_commits
from pex_tui.core.model.run_rules import RunRules
from pex_tui.core.sanitize import clean
from pex_tui.core.textmerge.auto_strategies import resolve_text
from pex_tui.core.textmerge.diff3 import Chunk, split_lines
from pex_tui.core.textmerge.line_matching import matching_lines

TARGET = 0.8  # share of default resolutions that equal the commit
CHANGELOG = re.compile(r"(.*/)?(change|history|news|release)[^/]*", re.IGNORECASE)
DEFAULT = RunRules().silent
ROWS: tuple[tuple[str, tuple[str, ...], bool], ...] = (
    ("by default", DEFAULT, False),
    ("superset", ("superset",), False),
    ("adjacent", ("adjacent",), False),
    ("superset, adjacent", ("superset", "adjacent"), False),
    ("union of changelogs", ("union",), True),
    ("union", ("union",), False),
)


@dataclass(slots=True)
class Row:
    """The result of one choice of strategies."""

    accepted: int = 0
    exact: int = 0
    resolved_lines: int = 0
    committed_lines: int = 0


@dataclass(slots=True)
class Tally:
    """All results; `whole` counts merges in which everything is resolved by default."""

    merges: int = 0
    failed: int = 0
    in_conflict: int = 0
    files: int = 0
    texts: int = 0  # files with two edits of one text, which strategies apply to
    whole: Row = field(default_factory=Row)
    rows: dict[str, Row] = field(default_factory=lambda: {name: Row() for name, _, _ in ROWS})


@dataclass(frozen=True, slots=True)
class Bench:
    """A repository whose objects are read; new objects go to a temporary folder."""

    git: Git
    merger: TreeMerger
    auto_resolver: AutoResolver

    @classmethod
    def on(cls, common_dir: Path, scratch: Path) -> "Bench":
        objects = scratch / "objects"
        objects.mkdir()
        made = {
            "GIT_OBJECT_DIRECTORY": str(objects),
            "GIT_ALTERNATE_OBJECT_DIRECTORIES": str(common_dir / "objects"),
        }
        git = Git(common_dir, None, made)
        attributes = Attributes(git, scratch / "attributes")
        return cls(git, TreeMerger(git, attributes), AutoResolver(MarkerCheck(git, attributes)))

    async def judge(self, commit: str, tally: Tally) -> None:
        """Repeat one merge and compare the result with the commit."""
        (made,) = await read_commits(self.git, commit)
        tip, work = await read_commits(self.git, *made.parents)
        try:
            merge = await self.merger.join(tip, work)
        except GitError:  # unrelated histories
            tally.failed += 1
            return
        tally.merges += 1
        if merge.conflicts:
            tally.in_conflict += 1
            tally.files += len(merge.conflicts)
            await self._compare(merge, commit, tally)

    async def _compare(self, merge: TreeMerge, commit: str, tally: Tally) -> None:
        readable = await self.auto_resolver.readable(merge)
        committed = await self._committed(commit, [one.path for one in readable])
        tally.texts += len(readable)
        by_default = []
        for one in readable:
            text = committed.get(one.path)
            for name, strategies, only_changelogs in ROWS:
                if not only_changelogs or CHANGELOG.fullmatch(one.path):
                    add(tally.rows[name], one.parts, strategies, text)
            found = resolve_text(one.parts, DEFAULT)
            if found is not None:
                by_default.append(found.text == text)
        if len(by_default) == len(merge.conflicts):
            tally.whole.accepted += 1
            tally.whole.exact += all(by_default)

    async def _committed(self, commit: str, paths: list[str]) -> dict[str, bytes]:
        """Return what people committed at those of the paths that they kept."""
        entries = await entries_at(self.git, commit, paths)
        blobs = await read_blobs(self.git, [side.oid for side in entries.values()])
        return dict(zip(entries, blobs, strict=True))


def add(
    row: Row, parts: Sequence[Chunk], strategies: tuple[str, ...], committed: bytes | None
) -> None:
    """Count a file in conflict into a row."""
    found = resolve_text(parts, strategies)
    if found is None:
        return
    row.accepted += 1
    row.exact += found.text == committed
    lines = split_lines(found.text.decode("utf-8", "surrogateescape"))
    clean_lines = sum(len(part.merged[0]) for part in parts if not part.is_conflict)
    resolved = max(0, len(lines) - clean_lines)
    theirs = split_lines((committed or b"").decode("utf-8", "surrogateescape"))
    wrong = len(lines) - len(matching_lines(lines, theirs))
    row.resolved_lines += resolved
    row.committed_lines += max(0, resolved - wrong)


def drawn(commits: Sequence[str], most: int) -> list[str]:
    """Return at most so many of them, evenly distributed."""
    if len(commits) <= most:
        return list(commits)
    return [commits[at * len(commits) // most] for at in range(most)]


def table(tally: Tally) -> Iterable[str]:
    """Yield the figures, one per line."""
    yield f"{tally.merges} merges, {tally.in_conflict} of them in conflict ({tally.files} files)"
    if tally.failed:
        yield f"{tally.failed} more could not be made anew"
    yield f"{tally.texts} of the files are two edits of one text"
    yield f"{'strategy':<22}{'files':>7}{'accepted':>10}{'exactly':>9}{'share':>8}{'lines':>8}"
    for name, row in tally.rows.items():
        share = percent(row.exact, row.accepted)
        lines = percent(row.committed_lines, row.resolved_lines)
        yield f"{name:<22}{tally.files:>7}{row.accepted:>10}{row.exact:>9}{share:>8}{lines:>8}"
    whole = tally.whole
    yield (
        f"Merges resolved as a whole by default: {whole.accepted}, exactly as committed "
        f"{whole.exact} ({percent(whole.exact, whole.accepted)})."
    )
    yield verdict(tally.rows["by default"])


def verdict(row: Row) -> str:
    if not row.accepted:
        return "Nothing is resolved by default here, so there is no share to compare."
    met = "met" if row.exact >= TARGET * row.accepted else "missed"
    return f"Target: {TARGET:.0%} of what is resolved by default exactly as committed: {met}."


def percent(part: int, whole: int) -> str:
    return f"{part / whole:.1%}" if whole else "-"


async def measure(repository: Path, most: int) -> Iterable[str]:
    """Yield the lines to print; raise GitError without a repository."""
    found = await ask_git(repository, "rev-parse", "--path-format=absolute", "--git-common-dir")
    is_shallow = await ask_git(repository, "rev-parse", "--is-shallow-repository")
    with tempfile.TemporaryDirectory(prefix="pex-tui-bench-") as scratch:
        bench = Bench.on(Path(found.text), Path(scratch).resolve())
        listing = await bench.git.text(
            *("rev-list", "--all", "--min-parents=2", "--max-parents=2", "--date-order")
        )
        commits = listing.split()
        if not commits:
            shallow = ": it is a shallow clone" if is_shallow.text == "true" else ""
            name = clean(str(repository))
            return [f"{name} has no merge commit with two parents, so nothing to measure{shallow}."]
        tally = Tally()
        waiting = iter(drawn(commits, most))

        async def judge_on() -> None:
            for commit in waiting:
                await bench.judge(commit, tally)

        await asyncio.gather(*(judge_on() for _ in range(os.cpu_count() or 1)))
    return table(tally)


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("repository", type=Path)
    parser.add_argument("--most", type=int, default=5000, help="merges to draw (default 5000)")
    asked = parser.parse_args()
    try:
        lines = asyncio.run(measure(asked.repository, asked.most))
    except GitError as error:
        sys.stderr.write(f"{clean(str(asked.repository))} can't be read: {clean(str(error))}\n")
        return 2
    for line in lines:
        print(line)
    return 0


if __name__ == "__main__":
    sys.exit(main())
