"""Reads the refs and reflogs of a workspace's repository as text, without running git there.

An agent may have written anything into its git directory, so only regular files of a sane size
count, no link is followed, and what is no object id is nothing.
"""

import os
import re
import stat
from collections.abc import Iterator
from pathlib import Path

from msgspec import Struct

PACKED = "packed-refs"
_MOST_BYTES = 16 * 1024 * 1024
_MOST_FILES = 20_000
_OID = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")
_SYMBOLIC = "ref: "
_STASH = "refs/stash"
_REMOTES = "refs/remotes/"
# What these put in a commit's place holds what that held, or more.
_SUPERSEDES = ("commit (amend)", "rebase")


class AgentRefs(Struct, frozen=True):
    """What a repository's refs and reflogs name. `branch` is HEAD's, empty when it is detached.

    `stashes` are the newest first; `logged` are commits that a reflog names, but for those that
    were amended or rebased.
    """

    head: str
    branch: str
    refs: dict[str, str]
    stashes: tuple[str, ...]
    logged: tuple[str, ...]

    @property
    def fetched(self) -> tuple[str, ...]:
        """What came from remotes."""
        return tuple(oid for name, oid in self.refs.items() if name.startswith(_REMOTES))

    def moved(self, laid: dict[str, str]) -> dict[str, str]:
        """The branches and tags that are not as they were laid."""
        return {
            name: oid
            for name, oid in self.refs.items()
            if laid.get(name) != oid and not name.startswith(_REMOTES) and name != _STASH
        }


def read_agent_refs(git_dir: Path) -> AgentRefs:
    """What the git directory holds; whatever can't be read is as if it were not there."""
    refs = parse_packed(text_of(git_dir / PACKED)) | dict(_loose(git_dir / "refs"))
    heads = [text_of(git_dir / "HEAD")]
    heads += [text_of(folder / "HEAD") for folder in _folders(git_dir / "worktrees")]
    branch = heads[0].strip().removeprefix(_SYMBOLIC) if heads[0].startswith(_SYMBOLIC) else ""
    head = refs.get(branch, "") if branch else _oid(heads[0])
    logs = [git_dir / "logs", *(folder / "logs" for folder in _folders(git_dir / "worktrees"))]
    logged = dict.fromkeys(oid for folder in logs for oid in _logged(folder))
    logged |= dict.fromkeys(oid for text in heads[1:] if (oid := _oid(text)))
    stashes = [new for _, new, _ in log_entries(git_dir / "logs" / _STASH)][::-1]
    if not stashes and _STASH in refs:
        stashes = [refs[_STASH]]
    return AgentRefs(head, branch.removeprefix("refs/heads/"), refs, tuple(stashes), tuple(logged))


def parse_packed(text: str) -> dict[str, str]:
    """The refs of a file `packed-refs`."""
    found = {}
    for line in text.splitlines():
        oid, _, name = line.partition(" ")
        if _oid(oid) and name.startswith("refs/"):
            found[name] = oid
    return found


def text_of(path: Path) -> str:
    """A regular file's text, empty for anything else."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return ""
    with open(descriptor, "rb") as file:  # noqa: PTH123  # what is open can't be replaced
        found = os.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode) or found.st_size > _MOST_BYTES:
            return ""
        return os.fsdecode(file.read())


def _loose(folder: Path) -> Iterator[tuple[str, str]]:
    for path in _files(folder):
        oid = _oid(text_of(path))
        if oid:
            yield f"refs/{path.relative_to(folder).as_posix()}", oid


def _logged(logs: Path) -> Iterator[str]:
    """The commits of all reflogs below the folder, but for stashes and what was superseded."""
    for path in _files(logs):
        if path == logs / _STASH:
            continue
        entries = log_entries(path)
        superseded = {old for old, _, words in entries if words.startswith(_SUPERSEDES)}
        yield from (new for _, new, _ in entries if new not in superseded)


def log_entries(log: Path) -> list[tuple[str, str, str]]:
    """(old id, new id, message) of each line of a reflog."""
    found = []
    for line in text_of(log).splitlines():
        people, _, words = line.partition("\t")
        old, _, rest = people.partition(" ")
        new = rest.partition(" ")[0]
        if _oid(old) and _oid(new) and new.strip("0"):
            found.append((old, new, words))
    return found


def _files(folder: Path) -> Iterator[Path]:
    count = 0
    for parent, _, names in os.walk(folder):
        for name in names:
            count += 1
            if count > _MOST_FILES:
                return
            yield Path(parent, name)


def _folders(folder: Path) -> list[Path]:
    try:
        return [Path(entry.path) for entry in os.scandir(folder) if entry.is_dir()]
    except OSError:
        return []


def _oid(text: str) -> str:
    return text.strip() if _OID.fullmatch(text.strip()) else ""
