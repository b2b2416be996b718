"""Detect changes to the user's repository while agents work in theirs.

Agents have repositories of their own, but they can find the user's. An agent's git cannot be told
from a person's. So everyday changes (commits, fetches, new branches) are not reported, changes that
only a program makes are undone, and all others are reported with a way to undo them.
"""

import asyncio
import json
import os
import re
import stat
from base64 import b64decode, b64encode
from collections.abc import Callable, Collection, Iterator
from pathlib import Path

from msgspec import Struct

from pex_tui.adapters.git.isolation.agent_refs import log_entries
from pex_tui.adapters.git.plumbing.filesystem import put_bytes
from pex_tui.adapters.git.plumbing.git_runner import Git, GitError
from pex_tui.adapters.git.plumbing.ref_names import landing_commits, saved_ref
from pex_tui.adapters.git.plumbing.ref_writer import update_refs, write_refs
from pex_tui.adapters.git.plumbing.repository import Repository
from pex_tui.adapters.git.user_repository.user_refs import UserRefs
from pex_tui.adapters.system.whole_file import write_whole
from pex_tui.core.model.ids import CommitId, RunId, TaskId
from pex_tui.core.sanitize import clean

_STASH = "logs/refs/stash"
_ALTERNATES = "objects/info/alternates"
_SHALLOW = "shallow"
_REPLACE = "refs/replace/"
_FILES = (
    "config",
    "config.worktree",
    "info/attributes",
    "info/exclude",
    "info/grafts",
    _ALTERNATES,
    _SHALLOW,
)
# Without these, git does not recognise the repository, or cannot write a ref.
_FOLDERS = ("objects", "refs", "logs/refs")
# Other programs keep refs of their own elsewhere, and a fetch moves those of the remotes.
_WATCHED = ("refs/heads/", "refs/tags/", "refs/notes/", _REPLACE)
_MOST_BYTES = 1024 * 1024
# Nobody sets these by hand in a repository with files, and with them git is broken or hijacked.
_UNDONE = frozenset({"core.bare", "core.fsmonitor", "core.hookspath", "core.worktree"})
_VERSION = "core.repositoryformatversion"
_UNDONE_WORDS = "; this was undone"
_SOUND_HEAD = re.compile(rb"(ref: refs/.+|[0-9a-f]{40,64})\n*", re.DOTALL)
_MOST_TOLD = 12


class RepositorySnapshot(Struct, frozen=True):
    """The state of the user's repository: refs, stashes, files by path, and HEAD."""

    refs: dict[str, str]
    stashes: tuple[str, ...]
    files: dict[str, bytes]
    head: str = ""

    def as_json(self) -> str:
        """Return the state as JSON, for the next engine."""
        files = {
            os.fsencode(name).hex(): b64encode(raw).decode() for name, raw in self.files.items()
        }
        known = {"refs": self.refs, "stashes": self.stashes, "files": files, "head": self.head}
        return json.dumps(known)


class UserWatch:
    """Compares a user's repository, which has a stand-in, with its state at the last look.

    `store` is the file for that state, and `aside` a folder for replaced files.
    """

    def __init__(self, repository: Repository, store: Path, aside: Path) -> None:
        self.repository = repository
        self.store = store
        self.aside = aside
        self._refs = UserRefs(repository.git)
        self._seen: RepositorySnapshot | None = None
        self._looking = asyncio.Lock()

    async def begin(self, *, is_quiet: bool) -> None:
        """Note that an attempt is about to start; `is_quiet` if no other one is live.

        Raises GitError.
        """
        async with self._looking:
            if is_quiet or self._last() is None:
                self._keep(await self._look())

    async def compare(
        self, run: RunId, at_work: Callable[[], Collection[TaskId]]
    ) -> tuple[str, ...]:
        """Return the changes since the last look, as sentences; undo them where that is safe.

        `at_work` returns the tasks that are live. Raises GitError or OSError.
        """
        during = {*at_work()}
        async with self._looking:
            before = self._last()
            told = await asyncio.to_thread(self._mend, before) if before else []
            now = await self._look()
            if before is not None and before != now:
                told += [*await self._files(before, now), *await self._moved(run, before, now)]
                told += _switched(before.head, now.head)
            self._keep(now)
        who = ", ".join(sorted({*during, *at_work()}))
        more = len(told) - _MOST_TOLD
        told = told[:_MOST_TOLD] + ([f"{more} more changes were made"] if more > 0 else [])
        return tuple(f"In your repository, while {who} ran: {clean(one)}." for one in told)

    async def _look(self) -> RepositorySnapshot:
        shown = await self._refs.shown()
        refs = {ref: oid for ref, oid in shown.objects.items() if ref.startswith(_WATCHED)}
        stashes = tuple(new for _, new, _ in log_entries(self._common / _STASH))
        files = dict(await asyncio.to_thread(lambda: [*self._contents()]))
        return RepositorySnapshot(
            refs, stashes, files, self._head.read_text("utf-8", "surrogateescape")
        )

    def _contents(self) -> Iterator[tuple[str, bytes]]:
        hooks = self._common / "hooks"
        names = [f"hooks/{hook.name}" for hook in hooks.iterdir()] if hooks.is_dir() else []
        for name in (*_FILES, *(name for name in names if not name.endswith(".sample"))):
            path = self._common / name
            if path.is_file() and path.stat().st_size <= _MOST_BYTES:
                yield name, path.read_bytes()

    def _mend(self, before: RepositorySnapshot) -> list[str]:
        """Restore what git needs to recognise the repository: its folders and a valid HEAD."""
        told = []
        for name in _FOLDERS:
            ours = self.repository.stand_in
            is_theirs = ours is not None and (ours / name).is_symlink()
            if is_theirs and not (self._common / name).is_dir():
                (self._common / name).mkdir(parents=True, exist_ok=True)
                told.append(f".git/{name} was removed; it was recreated, empty")
        head = self._head.read_bytes() if self._head.is_file() else None
        if before.head and (head is None or not _SOUND_HEAD.fullmatch(head)):
            old = os.fsencode(before.head)
            told.append(self._put_back("HEAD", old, head, self._head))
        return told

    async def _files(self, before: RepositorySnapshot, now: RepositorySnapshot) -> list[str]:
        """Return the files that changed; `now` receives the ones restored."""
        told = []
        for name in sorted(before.files.keys() | now.files.keys()):
            old, new = before.files.get(name), now.files.get(name)
            if old == new:
                continue
            if name == _SHALLOW and old is not None:
                continue  # a fetch deepens a shallow clone; no command makes a full clone shallow
            if name.startswith("config"):
                told += await self._configured(name, old or b"", new)
                self._note(now, name)
            elif name.startswith("hooks/") or name in {_ALTERNATES, _SHALLOW}:
                told.append(self._put_back(name, old, new))
                self._note(now, name)
            else:
                did = "added" if old is None else "removed" if new is None else "changed"
                told.append(f".git/{name} was {did}{self._kept_aside(name, old)}")
        return told

    def _note(self, now: RepositorySnapshot, name: str) -> None:
        """Note a file's content after it was restored.

        Nothing else is read again: later changes are for the next look.
        """
        path = self._common / name
        now.files.pop(name, None)
        if path.is_file():
            now.files[name] = path.read_bytes()

    async def _configured(self, name: str, old: bytes, new: bytes | None) -> list[str]:
        """Return the settings that changed; those that break or hijack git are restored."""
        try:
            was, has = await self._parse(old), await self._parse(new or b"")
        except GitError:
            return [self._put_back(name, old, new)]
        if _VERSION in was and _VERSION not in has:  # git writes it, and nobody removes it
            return [self._put_back(name, old, new)]
        changed = [key for key in was.keys() | has.keys() if was.get(key) != has.get(key)]
        config = ("config", "-f", str(self._common / name))
        for key in (key for key in changed if key in _UNDONE):
            values = was.get(key)
            if values:
                await self._git.run(*config, "--replace-all", key, values[-1])
            else:
                await self._git.run(*config, "--unset-all", key, ok=(0, 5))
        return [
            f"{key} was {'set to ' + has[key][-1] if key in has else 'removed'} in .git/{name}"
            f"{_UNDONE_WORDS if key in _UNDONE else _before(was.get(key))}"
            for key in sorted(changed)
        ]

    async def _parse(self, content: bytes) -> dict[str, list[str]]:
        answer = await self._git.run("config", "-f", "-", "--list", "-z", stdin=content)
        found: dict[str, list[str]] = {}
        for entry in os.fsdecode(answer.stdout).split("\0")[:-1]:
            key, _, text = entry.partition("\n")
            found.setdefault(key, []).append(text)
        return found

    def _put_back(
        self, name: str, old: bytes | None, new: bytes | None, path: Path | None = None
    ) -> str:
        """Restore a file, and keep the replaced content aside."""
        place, where = path or self._common / name, ""
        if new is not None:
            put_bytes(self.aside / name, new)
            where = f", and what was there is in {self.aside / name}"
        if old is None:
            place.unlink(missing_ok=True)
        else:
            mode = stat.S_IMODE(place.stat().st_mode) if place.exists() else 0o755
            place.parent.mkdir(parents=True, exist_ok=True)
            write_whole(place, old, sync=False, mode=mode)
        did = "added" if old is None else "removed" if new is None else "changed"
        return f".git/{name} was {did}{_UNDONE_WORDS}{where}"

    def _kept_aside(self, name: str, old: bytes | None) -> str:
        """Keep aside the old content of a file that a person may have changed."""
        if old is None:
            return ""
        place = self.aside / f"{name}.before"
        put_bytes(place, old)
        return f"; the old version is in {place}"

    async def _moved(
        self, run: RunId, before: RepositorySnapshot, now: RepositorySnapshot
    ) -> list[str]:
        """Return the branches, tags and stashes that were moved or removed.

        Their commits are kept.
        """
        lost = {ref: oid for ref, oid in before.refs.items() if now.refs.get(ref) != oid}
        gone = [oid for oid in before.stashes if oid not in now.stashes]
        ours = await landing_commits(self._git) if lost else set()
        told, kept = [], {}
        for ref, old in lost.items():
            saved = saved_ref(run, ref, old)
            words = await self._fate(ref, old, now.refs.get(ref), ours, saved)
            if words:
                told.append(words)
                if words.endswith(_UNDONE_WORDS):
                    now.refs[ref] = old
                kept[saved] = CommitId(old)
        for oid in gone:
            kept[saved_ref(run, "refs/stash", oid)] = CommitId(oid)
            told.append(f"a stash was dropped: `git stash store {oid[:10]}` brings it back")
        if kept:
            await write_refs(self._git, kept)
        return [*told, *await self._replaced(before, now)]

    async def _replaced(self, before: RepositorySnapshot, now: RepositorySnapshot) -> list[str]:
        """Return the new replace refs, and remove them: they would falsify history."""
        told = []
        new = [ref for ref in now.refs if ref.startswith(_REPLACE) and ref not in before.refs]
        for ref in new:
            oid = now.refs.pop(ref)
            await update_refs(self._git, f"delete {ref} {oid}\n")
            name = ref.removeprefix(_REPLACE)
            told.append(f"{name[:10]} was replaced by {oid[:10]} (git replace){_UNDONE_WORDS}")
        return told

    async def _fate(self, ref: str, old: str, new: str | None, ours: set[str], saved: str) -> str:
        """Return what became of a ref, empty if no agent did it; restore the ref if that is safe.

        Its old commit is kept as `saved`.
        """
        kind, name = _kind_and_name(ref)
        if new is None:
            return f"the {kind} {name} was deleted: `{_making(kind, name, old)}` brings it back"
        if new in ours:
            return ""  # it was landed
        if kind != "tag" and self._is_by_hand(ref, old):
            onward = await self._git.run("merge-base", "--is-ancestor", old, new, ok=(0, 1, 128))
            if onward.status == 0:
                return ""
            return (
                f"{name} was moved from {old[:10]} to {new[:10]}{_way_back(kind, name, old, saved)}"
            )
        moved = f"the {kind} {name} was moved to {new[:10]}"
        try:
            await self._git.run("update-ref", "-m", "pex-tui: puts it back", ref, old, new)
        except GitError:
            return moved + _way_back(kind, name, old, saved)
        return f"{moved}{_UNDONE_WORDS}"

    def _is_by_hand(self, ref: str, old: str) -> bool:
        """Return whether a branch was moved by hand: plumbing leaves no message in the reflog."""
        since = []
        for entry in reversed(log_entries(self._common / "logs" / ref)):
            since.append(entry)
            if entry[0] == old:
                break
        return not since or any(words.strip() for _, _, words in since)

    def _last(self) -> RepositorySnapshot | None:
        if self._seen is None:
            self._seen = _read(self.store)
        return self._seen

    def _keep(self, seen: RepositorySnapshot) -> None:
        if seen != self._seen:
            self._seen = seen
            write_whole(self.store, seen.as_json().encode())

    @property
    def _head(self) -> Path:
        return self.repository.git_dir / "HEAD"

    @property
    def _common(self) -> Path:
        return self.repository.common_dir

    @property
    def _git(self) -> Git:
        return self.repository.git


def _way_back(kind: str, name: str, old: str, saved: str) -> str:
    making = _making(kind, f"{name}-before", old)
    return f"; `{making}` brings what it was back (kept as {saved})"


def _kind_and_name(ref: str) -> tuple[str, str]:
    for kind, prefix in (("branch", "refs/heads/"), ("tag", "refs/tags/")):
        if ref.startswith(prefix):
            return kind, ref.removeprefix(prefix)
    return "ref", ref


def _making(kind: str, name: str, old: str) -> str:
    """Return the command that creates a branch, a tag or another ref of this name."""
    return f"git {'update-ref' if kind == 'ref' else kind} {name} {old[:10]}"


def _switched(old: str, new: str) -> list[str]:
    """Return where the user's checkout is now, if it has switched."""
    if not old or old == new:
        return []
    branch = old.strip().removeprefix("ref: ").removeprefix("refs/heads/")
    back = branch if old.startswith("ref:") else f"--detach {branch[:10]}"
    to = new.strip().removeprefix("ref: ").removeprefix("refs/heads/")
    if old.startswith("ref:") or new.startswith("ref:"):
        return [f"HEAD was moved to {to}: `git switch {back}` goes back"]
    return []


def _before(values: list[str] | None) -> str:
    return f"; it was {values[-1]}" if values else ""


def _read(store: Path) -> RepositorySnapshot | None:
    try:
        content = json.loads(store.read_text("utf-8"))
        files = {
            os.fsdecode(bytes.fromhex(name)): b64decode(raw)
            for name, raw in content["files"].items()
        }
        return RepositorySnapshot(
            content["refs"], tuple(content["stashes"]), files, content.get("head", "")
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None
