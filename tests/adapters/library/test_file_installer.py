"""Files installed into a checkout: all or none."""

import os
import shutil
from pathlib import Path

import pytest

from pex_tui.adapters.library.file_installer import Fate, WantedFile, place, survey
from pex_tui.errors import UserError

FILES = (WantedFile("a/one", b"1\n"), WantedFile("b/two", b"2\n"), WantedFile("b/three", b"3\n"))


def everything(top: Path) -> dict[str, bytes | None]:
    return {
        str(path.relative_to(top)): path.read_bytes() if path.is_file() else None
        for path in top.rglob("*")
    }


def test_nothing_is_written_by_looking(tmp_path: Path) -> None:
    found = survey(tmp_path, FILES, force=False)

    assert [placement.fate for placement in found] == [Fate.WROTE] * 3
    assert everything(tmp_path) == {}


def test_what_is_left_is_what_was_wanted(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a/one").write_bytes(b"mine")
    place(survey(tmp_path, FILES, force=True))

    assert everything(tmp_path) == {
        "a": None,
        "b": None,
        "a/one": b"1\n",
        "b/two": b"2\n",
        "b/three": b"3\n",
    }


def test_a_file_that_came_after_the_look_is_not_written_over(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a/one").write_bytes(b"mine")
    found = survey(tmp_path, FILES, force=True)
    (tmp_path / "b").mkdir()
    (tmp_path / "b/three").write_bytes(b"new")
    before = everything(tmp_path)

    with pytest.raises(UserError, match="b/three: it can't be written: File exists"):
        place(found)
    assert everything(tmp_path) == before


def test_an_interruption_leaves_everything_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: Path) -> None:
        raise KeyboardInterrupt

    (tmp_path / "b").mkdir()
    (tmp_path / "b/three").write_bytes(b"mine")
    found = survey(tmp_path, FILES, force=True)
    before = everything(tmp_path)
    monkeypatch.setattr(shutil, "copy2", interrupted)

    with pytest.raises(KeyboardInterrupt):
        place(found)
    assert everything(tmp_path) == before


def test_every_folder_without_permission_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "b").mkdir()
    monkeypatch.setattr(os, "access", lambda path, _mode: Path(path).name != "b")

    with pytest.raises(UserError) as caught:
        survey(tmp_path, FILES, force=False)
    told = [problem.partition(":")[0] for problem in caught.value.problems]
    assert told == ["b/two", "b/three"]
    assert all("no permission to write" in problem for problem in caught.value.problems)
