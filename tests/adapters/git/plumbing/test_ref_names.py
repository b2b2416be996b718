"""Refs read from git: the commit of each, even if another one is broken."""

import pytest

from pex_tui.adapters.git.plumbing.ref_names import is_at, read_refs
from pex_tui.adapters.git.plumbing.repository import Repository
from pex_tui.core.model.ids import CommitId
from tests.adapters.git.conftest import Project


async def test_refs_are_read_in_order(project: Project, repository: Repository) -> None:
    first, second = project.commit({}), project.commit({})
    project.git("update-ref", "refs/pex/one", first)
    project.git("update-ref", "refs/pex/two", second)
    read = await read_refs(repository.git, "refs/pex/two", "refs/pex/none", "refs/pex/one")
    assert read == [second, None, first]


@pytest.mark.parametrize("damage", ["missing", "empty"])
async def test_a_damaged_commit_hides_no_other_ref(
    project: Project, repository: Repository, damage: str
) -> None:
    first, second = project.commit({}), project.commit({"new": "text"})
    project.git("update-ref", "refs/pex/one", first)
    project.git("update-ref", "refs/pex/two", second)
    stored = repository.common_dir / "objects" / second[:2] / second[2:]
    stored.unlink()
    if damage == "empty":
        stored.touch()
    assert await read_refs(repository.git, "refs/pex/two", "refs/pex/one") == [None, first]


def test_a_ref_in_a_file_of_its_own_is_seen_without_git(
    project: Project, repository: Repository
) -> None:
    first, second = (CommitId(project.commit({name: name})) for name in "ab")
    project.git("update-ref", "refs/pex/one", first)
    assert is_at(repository.git, "refs/pex/one", first)
    assert not is_at(repository.git, "refs/pex/one", second)
    assert not is_at(repository.git, "refs/pex/none", first)

    project.git("pack-refs", "--all")
    assert not is_at(repository.git, "refs/pex/one", first)
    project.git("symbolic-ref", "refs/pex/two", "refs/pex/one")
    assert not is_at(repository.git, "refs/pex/two", first)
