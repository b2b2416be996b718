import os
from pathlib import Path

import pytest

from pex_tui.adapters.library.checks import check_folders, check_paths
from pex_tui.adapters.library.library import AgentFolder
from pex_tui.errors import UserError

GOOD = "---\nname: good\ndescription: Does good.\ntools: Read\n---\nBe good.\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "good.md").write_text(GOOD)
    (tmp_path / "notes.txt").write_text("no definition")
    return tmp_path


def test_every_file_of_every_folder_is_checked(folder: Path, tmp_path: Path) -> None:
    bad = folder / "bad.md"
    bad.write_bytes(b"---\nname: \xff\n")
    checked = check_folders(
        [AgentFolder("user", folder), AgentFolder("shipped", tmp_path / "none")]
    )
    assert [(file.path, len(file.findings)) for file in checked] == [
        (str(bad), 1),
        (str(folder / "deep" / "good.md"), 0),
    ]
    (finding,) = checked[0].findings
    assert (finding.line, finding.is_error) == (2, True)
    assert finding.text == "the agent definition is not UTF-8 text. Save it as UTF-8."


def test_a_name_taken_twice_in_one_folder_is_an_error(folder: Path) -> None:
    (folder / "zweitens.md").write_text(GOOD)
    findings = [finding for file in check_paths([folder]) for finding in file.findings]
    assert [finding.is_error for finding in findings] == [True]
    assert 'the agent "good" is defined in' in findings[0].text


def test_files_and_folders_may_be_named(folder: Path) -> None:
    checked = check_paths([folder / "notes.txt", folder / "deep"])
    assert [len(file.findings) for file in checked] == [1, 0]
    with pytest.raises(UserError, match="no such file or folder"):
        check_paths([folder / "nothing"])


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_a_file_that_cannot_be_read_is_an_error(folder: Path) -> None:
    (folder / "deep" / "good.md").chmod(0)
    (file,) = check_paths([folder])
    assert "can't be read" in file.findings[0].text
