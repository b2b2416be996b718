"""The stand-in of the user's git directory, after the repository has moved."""

from pathlib import Path

import pytest

from pex_tui.adapters.git.plumbing.repository import Repository, discover
from pex_tui.adapters.git.plumbing.stand_in_directory import stand_in_for
from tests.adapters.git.conftest import Project


@pytest.mark.parametrize("is_replaced", [False, True])
async def test_a_repository_that_was_renamed_is_seen_where_it_is(
    project: Project, repository: Repository, tmp_path: Path, is_replaced: bool
) -> None:
    folder = tmp_path / "settings"
    await stand_in_for(repository, folder)
    head = project.git("rev-parse", "HEAD")
    renamed = project.path.rename(tmp_path / "renamed")
    if is_replaced:  # by another repository in its old place
        project.path.mkdir()
        project.git("init", "-q")
        project.commit({"other": "x"})

    seen = await stand_in_for(await discover(renamed), folder)

    assert await seen.resolve_commit("main") == head
