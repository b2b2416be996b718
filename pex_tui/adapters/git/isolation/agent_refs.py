"""Read the refs and reflogs of a workspace's repository as text, without running git there.

An agent may have written anything into its git directory, so only regular files of a sane size are
read, no link is followed, and anything that is not an object id is ignored.
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
# After one of these, the new commit holds what the old one held, or more.
_SUPERSEDES = ("commit (amend)", "rebase")


class AgentRefs(Struct, frozen=True):
    """The commits named by a repository's refs and reflogs. `branch` is HEAD's, empty if detached.

    `stashes` are newest first; `logged` are commits named by a reflog, without those that were
    amended or rebased.
    """

    head: str
    branch: str
    refs: dict[str, str]
    stashes: tuple[str, ...]
    logged: tuple[str, ...]

    @property
    def fetched(self) -> tuple[str, ...]:
        """Commits that were fetched from remotes."""
        return tuple(oid for name, oid in self.refs.items() if name.startswith(_REMOTES))

    def moved(self, laid: dict[str, str]) -> dict[str, str]:
        """Return the branches and tags that differ from those laid at the start."""
        return {
            name: oid
            for name, oid in self.refs.items()
            if laid.get(name) != oid and not name.startswith(_REMOTES) and name != _STASH
        }


def read_agent_refs(git_dir: Path) -> AgentRefs:
    """Read the git directory; unreadable parts count as absent."""
    refs = parse_packed(file_text(git_dir / PACKED)) | dict(_loose(git_dir / "refs"))
    heads = [file_text(git_dir / "HEAD")]
    heads += [file_text(folder / "HEAD") for folder in _folders(git_dir / "worktrees")]
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
    """Parse the refs of a `packed-refs` file."""
    found = {}
    for line in text.splitlines():
        oid, _, name = line.partition(" ")
        if _oid(oid) and name.startswith("refs/"):
            found[name] = oid
    return found


def file_text(path: Path) -> str:
    """Return a regular file's text, empty for anything else."""
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
        oid = _oid(file_text(path))
        if oid:
            yield f"refs/{path.relative_to(folder).as_posix()}", oid


def _logged(logs: Path) -> Iterator[str]:
    """Yield the commits of all reflogs below the folder, without stashes and superseded commits."""
    for path in _files(logs):
        if path == logs / _STASH:
            continue
        entries = log_entries(path)
        superseded = {old for old, _, words in entries if words.startswith(_SUPERSEDES)}
        yield from (new for _, new, _ in entries if new not in superseded)


def log_entries(log: Path) -> list[tuple[str, str, str]]:
    """Return (old id, new id, message) of each line of a reflog."""
    found = []
    for line in file_text(log).splitlines():
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
