"""A file is complete or unchanged."""

import errno
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pex_tui.adapters.git.landing.resolution_cache import ResolutionCache
from pex_tui.adapters.git.plumbing.attributes import _make_whole
from pex_tui.adapters.storage.trust_store import TrustStore
from pex_tui.adapters.system import programs
from pex_tui.adapters.system.whole_file import write_whole
from pex_tui.core.textmerge.auto_strategies import read_conflict


def full(*_: Any) -> None:
    raise OSError(errno.ENOSPC, "No space left on device")


def keep_resolution(folder: Path) -> None:
    parts = read_conflict(b"a\n", b"b\n", b"c\n")
    assert parts is not None
    ResolutionCache(folder).keep("a.txt", parts, b"d\n", "you")


WRITERS: dict[str, Callable[[Path], None]] = {
    "a file": lambda folder: write_whole(folder / "x", b"new"),
    "a resolution": keep_resolution,
    "trust": lambda folder: TrustStore(folder).add("d"),
    "a program": programs.offer_program,
}


def test_the_content_and_the_mode_are_those_that_were_asked_for(tmp_path: Path) -> None:
    (path := tmp_path / "x").write_bytes(b"old")
    before = os.umask(0o077)
    try:
        write_whole(path, b"new", mode=0o755)
    finally:
        os.umask(before)

    assert (path.read_bytes(), path.stat().st_mode & 0o777) == (b"new", 0o755)
    assert list(tmp_path.iterdir()) == [path]


def test_a_link_is_replaced_and_not_followed(tmp_path: Path) -> None:
    (other := tmp_path / "other").write_bytes(b"theirs")
    (path := tmp_path / "x").symlink_to(other)

    write_whole(path, b"ours")

    assert (path.read_bytes(), other.read_bytes()) == (b"ours", b"theirs")


@pytest.mark.parametrize("writer", WRITERS.values(), ids=WRITERS)
def test_a_full_disk_leaves_what_was_there_and_nothing_beside_it(
    writer: Callable[[Path], None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "x").write_bytes(b"old")
    monkeypatch.setattr(os, "fchmod", full)

    with pytest.raises(OSError, match="No space left"):
        writer(tmp_path)

    files = [path.name for path in tmp_path.rglob("*") if path.is_file()]
    assert [name for name in files if not name.endswith(".lock")] == ["x"]
    assert (tmp_path / "x").read_bytes() == b"old"


def test_a_folder_of_attributes_is_not_left_half_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Path, "write_bytes", full)

    with pytest.raises(OSError, match="No space left"):
        _make_whole(tmp_path / "made", {"a/.gitattributes": b"x"})

    assert list(tmp_path.iterdir()) == []
