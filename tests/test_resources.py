import asyncio
import os
from pathlib import Path

import pytest

from pex_tui import resources
from pex_tui.errors import UserError
from pex_tui.resources import shipped
from pex_tui.textfiles import MAX_BYTES, load_text_file, read_text_file, save_text_file


def test_a_checkout_ships_the_folders_at_its_top() -> None:
    assert shipped("config/pex.yaml").is_file()
    assert shipped("themes").is_dir()


def test_a_wheel_ships_them_beside_the_code(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    themes = tmp_path / "pex_tui" / "_data" / "themes"
    themes.mkdir(parents=True)
    monkeypatch.setattr(resources, "_PACKAGE", tmp_path / "pex_tui")
    assert shipped("themes") == themes


def test_a_broken_installation_says_so() -> None:
    with pytest.raises(UserError, match="lacks"):
        shipped("no-such-thing")


def test_an_error_prints_its_problems_before_the_line_that_sums_them_up() -> None:
    error = UserError("two problems", problems=("first", "second"))
    assert error.lines == ("first", "second", "two problems")
    assert error.exit_code == 2


def test_a_byte_order_mark_is_not_text(tmp_path: Path) -> None:
    path = tmp_path / "plan.yaml"
    path.write_bytes(b"\xef\xbb\xbfversion: 1\n")
    assert read_text_file(path, "plan") == "version: 1\n"


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"plan\.yaml: there is no such plan"):
        read_text_file(tmp_path / "plan.yaml", "plan")


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="a folder is no plan"):
        read_text_file(tmp_path, "plan")


def test_text_that_is_not_utf8_is_told_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "plan.yaml"
    path.write_bytes(b"version: 1\ngoal: \xff\n")
    with pytest.raises(UserError, match=r"plan\.yaml:2: the plan is not UTF-8"):
        read_text_file(path, "plan")


def test_a_huge_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "plan.yaml"
    path.write_bytes(b"#" * (MAX_BYTES + 1))
    with pytest.raises(UserError, match="larger than 8 MB"):
        read_text_file(path, "plan")


async def test_a_pipe_that_is_read_holds_up_nobody(tmp_path: Path) -> None:
    os.mkfifo(path := tmp_path / "plan.yaml")
    async with asyncio.TaskGroup() as group:
        reading = group.create_task(load_text_file(path, "plan"))
        group.create_task(save_text_file(path, "version: 1\n"))

    assert reading.result() == "version: 1\n"


async def test_what_can_not_be_loaded_is_told_as_when_it_is_read(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="there is no such plan"):
        await load_text_file(tmp_path / "none.yaml", "plan")
    with pytest.raises(UserError, match="a folder is no plan"):
        await load_text_file(tmp_path, "plan")


async def test_a_file_is_only_written_over_when_that_is_meant(tmp_path: Path) -> None:
    path = tmp_path / "plan.yaml"
    await save_text_file(path, "a", replaces=False)
    with pytest.raises(FileExistsError):
        await save_text_file(path, "b", replaces=False)
    await save_text_file(path, "c")

    assert path.read_text("utf-8") == "c"
