"""Git objects, written without git: most of a test's time is spent in git processes."""

import hashlib
import os
import zlib
from collections.abc import Mapping
from pathlib import Path

Entries = Mapping[bytes, tuple[str, str]]
"""(mode, object) of each path of a commit, without folders."""
_WHO = b"Ada Lovelace <ada@example.org>"


def put_blob(git_dir: Path, content: bytes) -> str:
    """Write the content as an object; return its name."""
    return _put(git_dir, b"blob", content)


def put_commit(git_dir: Path, entries: Entries, parent: str, message: str, at: int) -> str:
    """Write a commit of the entries, made at this second; return its name."""
    who = b"%s %d +0200\n" % (_WHO, at)
    tree = _put_tree(git_dir, entries).encode()
    head = b"tree %s\nparent %s\nauthor %scommitter %s\n" % (tree, parent.encode(), who, who)
    return _put(git_dir, b"commit", head + os.fsencode(message) + b"\n")


def listed(listing: str) -> Entries:
    """Parse the output of `git ls-tree -r -z`."""
    heads = (line.partition("\t") for line in listing.split("\0") if line)
    found = ((os.fsencode(path), head.split()) for head, _, path in heads)
    return {path: (mode, name) for path, (mode, _, name) in found}


def changed(entries: Entries, changes: Mapping[bytes, tuple[str, str] | None]) -> Entries:
    """Return the entries with some added or removed; a file may replace a folder and vice versa."""
    left = dict(entries)
    for path, entry in changes.items():
        left.pop(path, None)
        if entry is not None:
            folders = {path[:at] for at, sign in enumerate(path) if sign == ord("/")}
            left = {
                name: there
                for name, there in left.items()
                if name not in folders and not name.startswith(path + b"/")
            }
            left[path] = entry
    return left


def _put_tree(git_dir: Path, entries: Entries) -> str:
    folders: dict[bytes, dict[bytes, tuple[str, str]]] = {}
    rows: list[tuple[bytes, str, bytes, str]] = []
    for path, (mode, name) in entries.items():
        folder, slash, rest = path.partition(b"/")
        if slash:
            folders.setdefault(folder, {})[rest] = (mode, name)
        else:
            rows.append((path, mode, path, name))
    for folder, below in folders.items():
        rows.append((folder + b"/", "40000", folder, _put_tree(git_dir, below)))  # as git sorts
    content = b"".join(
        b"%s %s\0%s" % (mode.encode(), path, bytes.fromhex(name))
        for _, mode, path, name in sorted(rows)
    )
    return _put(git_dir, b"tree", content)


def _put(git_dir: Path, kind: bytes, content: bytes) -> str:
    raw = b"%s %d\0%s" % (kind, len(content), content)
    name = hashlib.sha1(raw, usedforsecurity=False).hexdigest()
    path = git_dir / "objects" / name[:2] / name[2:]
    if not path.exists():
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(zlib.compress(raw, 1))
        path.chmod(0o444)
    return name
