"""Read git objects in one process, and write commits whose id depends only on their content."""

from collections.abc import Sequence

from msgspec import Struct

from pex_tui.adapters.git.plumbing.git_runner import Git, GitError
from pex_tui.core.model.ids import CommitId


class Commit(Struct, frozen=True):
    """A commit as git stores it; `author` and `committer` are "Name <mail> seconds zone"."""

    id: CommitId
    tree: str
    parents: tuple[CommitId, ...]
    author: bytes
    committer: bytes
    encoding: bytes
    message: bytes

    @property
    def authored_at(self) -> tuple[int, str]:
        """The author date: seconds since the epoch, and the zone ("+0200")."""
        return _moment(self.author)

    @property
    def committed_at(self) -> tuple[int, str]:
        """The committer date: seconds since the epoch, and the zone."""
        return _moment(self.committer)


async def read_blobs(git: Git, names: Sequence[str]) -> list[bytes]:
    """Return the contents of the named blobs in order; raise GitError if one is missing."""
    return [content for _, _, content in await _read(git, names)]


async def read_commits(git: Git, *names: str) -> list[Commit]:
    """Return the named commits in order; raise GitError if one is missing."""
    commits = []
    for name, (oid, kind, raw) in zip(names, await _read(git, names), strict=True):
        if kind != "commit":
            raise GitError(("cat-file", name), 0, f"{name} is a {kind}, not a commit.")
        commits.append(_parse(CommitId(oid), raw))
    return commits


async def write_commit(
    git: Git, tree: str, parent: CommitId, message: bytes, dates: tuple[str, str]
) -> CommitId:
    """Commit as the user of git's configuration; `dates` (author, committer) make it repeatable.

    Raises GitError, for instance if git has no `user.name`.
    """
    authored, committed = dates
    answer = await git.run(
        *("-c", "i18n.commitEncoding=UTF-8"),
        *("commit-tree", tree, "-p", parent, "-F", "-"),
        stdin=message,
        env={"GIT_AUTHOR_DATE": authored, "GIT_COMMITTER_DATE": committed},
    )
    return CommitId(answer.text)


async def rewrite_commit(git: Git, commit: Commit, tree: str, parent: Commit) -> CommitId:
    """Return the same commit with another tree and parent: same people, message and dates.

    The committer date is never older than the parent's. The signature is dropped, because it would
    no longer be valid.
    """
    committer = commit.committer
    if parent.committed_at[0] > commit.committed_at[0]:
        seconds, zone = parent.committed_at
        committer = b"%s %d %s" % (committer.rsplit(b" ", 2)[0], seconds, zone.encode())
    headers = [
        b"tree " + tree.encode(),
        b"parent " + parent.id.encode(),
        b"author " + commit.author,
        b"committer " + committer,
    ]
    if commit.encoding:
        headers.append(b"encoding " + commit.encoding)
    raw = b"\n".join(headers) + b"\n\n" + commit.message
    return CommitId(await git.text("hash-object", "-t", "commit", "-w", "--stdin", stdin=raw))


async def synthetic_commit(git: Git, tree: str, *parents: str) -> CommitId:
    """Return an unreferenced commit, for a merge with a chosen merge base."""
    headers = [f"tree {tree}", *(f"parent {parent}" for parent in parents)]
    headers += ["author pex-tui <pex-tui> 0 +0000", "committer pex-tui <pex-tui> 0 +0000"]
    raw = "\n".join(headers).encode() + b"\n\nA merge base\n"
    return CommitId(await git.text("hash-object", "-t", "commit", "-w", "--stdin", stdin=raw))


async def _read(git: Git, names: Sequence[str]) -> list[tuple[str, str, bytes]]:
    """Return (object id, type, content) of each name."""
    if not names:
        return []
    stdin = "".join(f"{name}\n" for name in names).encode()
    raw = (await git.run("cat-file", "--batch", stdin=stdin)).stdout
    objects, at = [], 0
    for name in names:
        end = raw.index(b"\n", at)
        fields = raw[at:end].decode("utf-8", "replace").split()
        if fields[-1] == "missing":
            reason = f"The repository has no {name}. `git fsck` shows what else is gone."
            raise GitError(("cat-file", name), 0, reason)
        oid, kind, size = fields
        start = end + 1
        at = start + int(size) + 1
        objects.append((oid, kind, raw[start : start + int(size)]))
    return objects


def _parse(oid: CommitId, raw: bytes) -> Commit:
    head, _, message = raw.partition(b"\n\n")
    headers: dict[bytes, list[bytes]] = {}
    for line in head.split(b"\n"):
        name, _, text = line.partition(b" ")
        headers.setdefault(name, []).append(text)  # a folded signature line has the name ""
    return Commit(
        id=oid,
        tree=headers[b"tree"][0].decode(),
        parents=tuple(CommitId(parent.decode()) for parent in headers.get(b"parent", [])),
        author=headers[b"author"][0],
        committer=headers[b"committer"][0],
        encoding=headers.get(b"encoding", [b""])[0],
        message=message,
    )


def _moment(person: bytes) -> tuple[int, str]:
    _, seconds, zone = person.rsplit(b" ", 2)
    return int(seconds), zone.decode()
