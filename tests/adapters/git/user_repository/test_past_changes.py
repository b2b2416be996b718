from pex_tui.adapters.git.plumbing.repository import discover
from pex_tui.adapters.git.user_repository.past_changes import past_changes
from pex_tui.core.model.ids import CommitId
from pex_tui.planning.prediction.change_index import Change
from tests.adapters.git.conftest import Project


async def read(project: Project, since: CommitId | None = None) -> list[Change]:
    repository = await discover(project.path)
    return await past_changes(repository.git, await repository.head(), since)


async def test_the_main_line_is_told_oldest_first_with_what_merges_brought(
    project: Project,
) -> None:
    first = project.commit({"a b/ü.txt": "1", "old": "1"}, "Sta\x1ert\n\nBody\nof it")
    project.git("rm", "-q", "old")
    project.git("commit", "-q", "-m", "Away with it")
    project.git("checkout", "-q", "-b", "side")
    project.commit({"side/one": "1"}, "One")
    project.commit({"side/two": "1"}, "Two")
    project.git("checkout", "-q", "main")
    project.commit({"main": "1"}, "Main")
    project.git("merge", "-q", "--no-ff", "-m", "Bring the side in", "side")
    project.git("commit", "-q", "--allow-empty", "--allow-empty-message", "-m", "")

    changes = await read(project, CommitId(project.git("rev-parse", f"{first}~1")))

    assert changes == [
        Change("Sta\x1ert\n\nBody\nof it", ("a b/ü.txt", "old")),
        Change("Away with it", (), ("old",)),
        Change("Main", ("main",)),
        Change("Bring the side in", ("side/one", "side/two")),
        Change("", ()),
    ]


async def test_only_what_is_new_is_told(project: Project) -> None:
    before = CommitId(project.commit({"a": "1"}, "Before"))
    assert await read(project, before) == []
    project.commit({"b": "1"}, "After")
    assert await read(project, before) == [Change("After", ("b",))]


async def test_a_commit_that_is_no_longer_known_holds_nothing_back(project: Project) -> None:
    project.commit({"a": "1"}, "Only")
    assert (await read(project, CommitId("1" * 40)))[-1] == Change("Only", ("a",))
