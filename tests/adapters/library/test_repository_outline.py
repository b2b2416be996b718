"""Outlines of real repositories, unusual ones included."""

import os
import subprocess
from pathlib import Path

import pytest

from pex_tui.adapters.git.plumbing.repository import discover
from pex_tui.adapters.library.repository_outline import read_outline
from pex_tui.planning.goals.outline import RepositoryOutline, ToolKind


def git(folder: Path, *args: str) -> None:
    identity = ("-c", "user.name=Ada", "-c", "user.email=ada@example.org")
    subprocess.run(["git", *identity, *args], cwd=folder, check=True, capture_output=True)


@pytest.fixture
def top(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    folder = tmp_path / "shop"
    folder.mkdir()
    git(folder, "init", "-q")
    return folder


def commit(top: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        path = top / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    git(top, "add", "-A")
    git(top, "commit", "-q", "-m", "change")


async def outline_of(top: Path) -> RepositoryOutline:
    return await read_outline(await discover(top))


async def test_files_languages_tools_and_ci_are_found(top: Path) -> None:
    commit(
        top,
        {
            "pyproject.toml": "[tool.pytest.ini_options]\n[tool.mypy]\n",
            "src/a.py": "",
            "tests/test_a.py": "",
            ".github/workflows/ci.yml": "",
        },
    )
    found = await outline_of(top)

    assert found.languages == {"Python": 2}
    assert found.ci == ".github/workflows/ci.yml"
    assert found.tools_for(ToolKind.TESTS)[0].argv == ("pytest", "-q")
    assert found.tools_for(ToolKind.TYPES)[0].source == "pyproject.toml"
    assert found.test_folder == "tests/"


async def test_the_files_that_change_most_are_hot(top: Path) -> None:
    commit(top, {"a.py": "0", "b.py": "0", "gone.py": "0"})
    for number in range(1, 4):
        commit(top, {"a.py": str(number), "gone.py": str(number)})
    commit(top, {"b.py": "1"})
    git(top, "rm", "-q", "gone.py")
    git(top, "commit", "-q", "-m", "remove")

    assert (await outline_of(top)).hot == ("a.py", "b.py")


async def test_a_repository_without_a_commit_has_an_outline(top: Path) -> None:
    assert (await outline_of(top)).files == ()


async def test_odd_names_and_odd_configuration_do_no_harm(top: Path) -> None:
    commit(top, {"new\nline.py": "", "ok.py": ""})
    (top / os.fsdecode(b"bad\xff.py")).write_text("")
    (top / "pyproject.toml").write_bytes(b"\xff\xfe pytest")
    (top / "package.json").mkdir()
    (top / "package.json" / "x").write_text("")
    (top / "Makefile").symlink_to("nowhere")
    git(top, "add", "-A")
    found = await outline_of(top)

    assert "ok.py" in found.files
    assert all(name.isprintable() for name in found.files)
    assert found.tools_for(ToolKind.TESTS)[0].name == "pytest"


async def test_untracked_configuration_is_not_looked_at(top: Path) -> None:
    commit(top, {"a.txt": ""})
    (top / "package.json").write_text('{"scripts": {"test": "jest"}}')

    assert (await outline_of(top)).tools_for(ToolKind.TESTS) == ()
