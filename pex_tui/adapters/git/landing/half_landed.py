"""Roll back a landing in the user's checkout whose git was killed half-way.

Before git changes the user's files, a note records the old and the new commit. If the note is still
there later, and the landing lock is free, git is dead: the branch is at its old commit, and each
path that differs between the two commits is old, new, missing or partly written. These paths are
restored, so that the landing can be repeated from the start. Other files in the checkout are the
user's and stay as they are.
"""

import json
import os
import tempfile
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path

from msgspec import Struct, to_builtins
from msgspec.structs import replace

from pex_tui.adapters.git.plumbing.file_lock import file_lock
from pex_tui.adapters.git.plumbing.git_runner import Git, GitError
from pex_tui.adapters.git.plumbing.merge_tree import SUBMODULE
from pex_tui.adapters.git.plumbing.ref_lock import is_orphaned, suspects
from pex_tui.adapters.git.plumbing.ref_names import read_ref
from pex_tui.adapters.git.plumbing.ref_writer import Refs
from pex_tui.adapters.system.whole_file import write_whole
from pex_tui.core.model.ids import CommitId
from pex_tui.core.sanitize import clean
from pex_tui.engine.ports import LandingError

CHECKOUT_SECONDS = 3600.0  # a large checkout with filters takes its time
_GONE = "0" * 6
Entry = tuple[str, str]


class Landing(Struct, frozen=True):
    """A landing in a checkout: its branch (a full ref) moves from `old` to `new`.

    `run` is the run that lands; its git settings apply to finishing or undoing. Empty in notes of
    an earlier version.
    """

    ref: str
    old: CommitId
    new: CommitId
    work_tree: str
    git_dir: str
    run: str = ""


class LandingNote(Struct, frozen=True):
    """The note of the one landing in progress in a user's checkout."""

    path: Path

    def write(self, landing: Landing) -> None:
        """Write the note to disk; raise OSError."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(self.path, json.dumps(to_builtins(landing)).encode())

    def read(self) -> Landing | None:
        """Return the landing that has begun and not been seen to end."""
        try:
            return Landing(**json.loads(self.path.read_text("utf-8")))
        except (OSError, ValueError, TypeError):
            return None

    def clear(self) -> None:
        """Remove the note once the landing has ended, either way; raise OSError."""
        self.path.unlink(missing_ok=True)


async def repair_landing(refs: Refs, checkout: Git, note: LandingNote) -> str:
    """Finish or undo an interrupted landing; wait for one in progress.

    Returns what was done, empty for nothing. Raises GitError, LandingError, OSError.
    """
    if note.read() is None:
        return ""
    async with file_lock(refs.lock, CHECKOUT_SECONDS) as descriptor:
        return await repair_landing_locked(checkout, note, descriptor)


async def repair_landing_locked(checkout: Git, note: LandingNote, lock: int) -> str:
    """Finish or undo an interrupted landing; `lock` is the descriptor of the held landing lock."""
    landing, done = note.read(), ""
    work_tree = Path(landing.work_tree) if landing else None
    if landing is not None and work_tree is not None and work_tree.is_dir():
        git = replace(checkout, git_dir=Path(landing.git_dir), work_tree=work_tree)
        done = await undo_landing(git, landing, lock)
    note.clear()
    return done


async def undo_landing(git: Git, landing: Landing, lock: int) -> str:
    """Finish or undo a landing whose git is dead; return what was done, empty for nothing.

    Raises GitError, LandingError, OSError.

    `git` is on the user's checkout, `lock` a descriptor of the landing lock, which is held.
    """
    for place in _locks(git, landing):
        if place.exists():
            _unlock(place)
    head = (await git.run("symbolic-ref", "-q", "HEAD", ok=(0, 1))).text
    if head != landing.ref or await read_ref(git, landing.ref) != landing.old:
        return ""  # it was finished, or the user has moved the branch since
    branch = landing.ref.removeprefix("refs/heads/")
    if (await git.run("diff-index", "--cached", "--quiet", landing.new, ok=(0, 1))).status == 0:
        words = "pex-tui: ends a landing that was cut short"
        await git.run_through(
            "update-ref", "-m", words, landing.ref, landing.new, landing.old, pass_fds=(lock,)
        )
        return f"A landing on {branch} had been cut short; it is completed."
    await _undo(git, landing, lock)
    return f"A landing on {branch} had been cut short; your checkout is as it was before it."


async def _undo(git: Git, landing: Landing, lock: int) -> None:
    changes = await _changes(git, landing)
    staged = await _staged(git)
    mine = {
        path: pair
        for path, pair in changes.items()
        if staged.get(path, (_GONE, "")) == pair[0] and SUBMODULE not in {pair[0][0], pair[1][0]}
    }
    olds = {path: old for path, (old, _) in mine.items() if old[0] != _GONE}
    news = {path: new for path, (_, new) in mine.items() if new[0] != _GONE}
    as_before, as_after = await _matching(git, olds), await _matching(git, news)
    ours = [
        path
        for path in mine.keys() - as_before
        if path in as_after or await _is_gone_or_half_written(git, landing, path)
    ]
    for path in ours:
        _remove(git, path)
    back = "".join(f"{path}\0" for path in ours if path in olds)
    stdin = back.encode("utf-8", "surrogateescape")
    await git.run_through(
        "checkout-index", "-f", "-u", "-q", "-z", "--stdin", stdin=stdin, pass_fds=(lock,)
    )


def _locks(git: Git, landing: Landing) -> Iterable[Path]:
    """Return the lock files that a merge takes in a checkout and for its branch."""
    common = git.git_dir / "commondir"
    shared = git.git_dir / common.read_text().strip() if common.is_file() else git.git_dir
    yield git.git_dir / "index.lock"
    yield git.git_dir / "HEAD.lock"
    yield shared / f"{landing.ref}.lock"


def _unlock(lock: Path) -> None:
    """Remove a lock file whose owner is dead; raise LandingError if it is in use."""
    if not is_orphaned(lock, aged_seconds=0.0):
        raise LandingError(
            f"git is at work here: {clean(str(lock))} exists, perhaps held by "
            f"{suspects(lock) or 'another program'}. Try again when it has ended."
        )
    lock.unlink(missing_ok=True)


async def _changes(git: Git, landing: Landing) -> dict[str, tuple[Entry, Entry]]:
    """Return the (mode, object id) that the old and the new commit have at each changed path."""
    answer = await git.run(
        *("diff-tree", "-r", "-z", "--raw", "--no-abbrev", "--no-renames"),
        *(landing.old, landing.new),
    )
    tokens = os.fsdecode(answer.stdout).split("\0")[:-1]
    found = {}
    for head, path in zip(tokens[::2], tokens[1::2], strict=True):
        before, after, old, new, _ = head.removeprefix(":").split(" ")
        found[path] = ((before, old.strip("0") and old), (after, new.strip("0") and new))
    return found


async def _staged(git: Git) -> dict[str, Entry]:
    answer = await git.run("ls-files", "-s", "-z")
    found = {}
    for line in os.fsdecode(answer.stdout).split("\0")[:-1]:
        head, _, path = line.partition("\t")
        mode, oid, _ = head.split(" ")
        found[path] = (mode, oid)
    return found


async def _matching(git: Git, entries: Mapping[str, Entry]) -> frozenset[str]:
    """Return the paths whose content on disk equals the entry, with git's filters applied."""
    if not entries:
        return frozenset()
    lines = "".join(f"{mode} {oid} 0\t{path}\0" for path, (mode, oid) in entries.items())
    with tempfile.TemporaryDirectory(prefix="pex-tui-") as folder:
        env = {"GIT_INDEX_FILE": str(Path(folder) / "index")}
        stdin = lines.encode("utf-8", "surrogateescape")
        await git.run("update-index", "-z", "--index-info", stdin=stdin, env=env)
        answer = await git.run("ls-files", "--modified", "-z", env=env)
    return frozenset(entries) - {*os.fsdecode(answer.stdout).split("\0")}


async def _is_gone_or_half_written(git: Git, landing: Landing, path: str) -> bool:
    """Return whether a file is missing or only the beginning of either commit's content."""
    there = _content(_place(git, path))
    if there is None:
        return False
    for commit in (landing.new, landing.old):
        with suppress(GitError):
            whole = await git.run("cat-file", "--filters", f"{commit}:{path}")
            if whole.stdout.startswith(there):
                return True
    return False


def _content(place: Path) -> bytes | None:
    """Return a file's content, empty if there is none; None if it is not a file."""
    if not os.path.lexists(place):
        return b""
    return place.read_bytes() if place.is_file() and not place.is_symlink() else None


def _place(git: Git, path: str) -> Path:
    return (git.work_tree or git.git_dir) / path


def _remove(git: Git, path: str) -> None:
    """Remove a file and the folders that become empty."""
    place = _place(git, path)
    if not os.path.lexists(place):
        return
    place.unlink()
    with suppress(OSError):  # not empty
        for folder in place.parents:
            if folder == git.work_tree:
                return
            folder.rmdir()
