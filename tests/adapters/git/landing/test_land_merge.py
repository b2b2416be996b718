"""Merging a work onto the integration tip: one commit, or described conflicts; never a crash."""

import pytest
from msgspec.structs import replace

from pex_tui.core.model.ids import CommitId
from pex_tui.engine.ports import Conflicted, LandingError, Merged
from pex_tui.engine.run_paths import RunPaths
from tests.adapters.git.conftest import Project
from tests.adapters.git.landing_world import (
    BRANCH,
    LINES,
    RUN,
    Tree,
    World,
    edited,
    executable,
    key,
    link,
    make_world,
    spec,
    submodule,
)


@pytest.fixture
async def world(project: Project, places: RunPaths) -> World:
    made = make_world(project, places)
    made.rebase_onto({"src/lines.py": LINES, "src/long.py": LINES.replace("line", "other")})
    await made.lander.begin()
    return made


async def test_the_integration_branch_begins_at_the_base_and_stays_where_it_is(
    world: World,
) -> None:
    landed = await world.landed("a", {"new.txt": "new\n"})

    await world.lander.begin()

    assert await world.lander.tip() == landed
    assert world.git("rev-parse", f"{landed}^") == world.base
    assert world.git("status", "--porcelain") == ""


async def test_a_branch_named_pex_is_refused_in_words(project: Project, places: RunPaths) -> None:
    project.git("branch", "pex")

    with pytest.raises(LandingError, match=r"branch pex is in the way.*git branch -m pex"):
        await make_world(project, places).lander.begin()


async def test_a_landing_is_one_commit_with_the_users_name_and_trailers(world: World) -> None:
    work = world.work({"new.txt": "new\n"})
    merged = await world.lander.merge(key("a"), spec("a", "Add new\n\nBecause."), work)

    assert isinstance(merged, Merged)
    told = world.git("log", "-1", "--format=%an <%ae>|%at|%P|%B", merged.candidate)
    who, when, parents, message = told.split("|")
    assert who == "Ada Lovelace <ada@example.org>"
    assert when == world.git("log", "-1", "--format=%at", work)
    assert parents == world.base
    assert message.rstrip() == (
        f"Add new\n\nBecause.\n\nPex-Run: {RUN}\nPex-Task: a\nPex-Agent: coder"
    )
    assert world.git("rev-parse", f"refs/pex/{RUN}/a/landing") == merged.candidate
    assert world.tip() == world.base


@pytest.mark.parametrize(
    ("message", "agent", "stored"),
    [
        ("--amend -m 'x' \"y\"", None, "--amend -m 'x' \"y\"\n\nPex-Run"),
        ("# not a comment\n\n# nor this", "x", "# not a comment\n\n# nor this\n\nPex-Run"),
        ("Fix\r\nmore", "x", "Fix\nmore\n\nPex-Run"),
        ("Fix\n\nCo-Authored-By: B <b@c>", "x", "Fix\n\nCo-Authored-By: B <b@c>\nPex-Run"),
        ("fix: all", "x", "fix: all\n\nPex-Run"),
        ("\x1b[31mred\x00\ud800", "x", "red�\n\nPex-Run"),
        ("\n \n", "x", "a: Improve it\n\nPex-Run"),
    ],
)
async def test_any_message_is_stored_as_it_is_read(
    world: World, message: str, agent: str | None, stored: str
) -> None:
    task = spec("a", agent=agent)
    merged = await world.lander.merge(
        key("a"), replace(task, commit_message=message), world.work({"new": "x"})
    )

    assert isinstance(merged, Merged)
    told = world.git("log", "-1", "--format=%B", merged.candidate)
    assert told.startswith(stored)
    assert f"Pex-Agent: {agent or 'command'}" in told


async def test_merging_again_makes_the_same_commit(world: World) -> None:
    work = world.work({"new.txt": "new\n"})

    assert await world.merge("a", work) == await world.merge("a", work)


async def test_work_from_an_older_tip_merges_with_what_landed_since(world: World) -> None:
    work = world.work({"src/lines.py": edited(l20="theirs")})
    await world.landed("a", {"src/lines.py": edited(l1="ours")})

    landed = await world.land("b", work)

    assert world.files(landed)["src/lines.py"][1] == edited(l1="ours", l20="theirs")
    assert world.commits_on() == ["Do a", "Do b"]


async def test_work_whose_change_has_landed_already_leaves_nothing_to_land(world: World) -> None:
    first, second = (world.work({"new.txt": "same\n"}) for _ in range(2))
    landed = await world.land("a", first)

    assert await world.merge("b", second) == Merged(landed, landed)
    assert await world.merge("a", first) == Merged(landed, landed)


async def test_commit_dates_never_go_backwards(world: World) -> None:
    early, late = world.work({"a": "1"}), world.work({"b": "1"})
    first = await world.land("late", late)
    second = await world.land("early", early)

    dates = [int(world.git("log", "-1", "--format=%ct", commit)) for commit in (first, second)]
    assert dates == sorted(dates)


async def test_a_missing_user_name_is_said_with_the_cure(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    work = world.work({"new": "x"})
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", "/dev/null")
    world.git("config", "user.useConfigOnly", "true")
    world.start_again()

    with pytest.raises(LandingError, match=r"does not know who you are.*git config user.name"):
        await world.merge("a", work)


async def test_work_that_is_not_there_is_named(world: World) -> None:
    with pytest.raises(LandingError, match=r"a can't be merged|no 1{40}"):
        await world.merge("a", CommitId("1" * 40))


CLEAN: dict[str, tuple[Tree, Tree, dict[str, tuple[str, str]]]] = {
    "a renamed file takes the other's edit along": (
        {"src/lines.py": None, "src/moved.py": LINES},
        {"src/lines.py": edited(l10="edit")},
        {"src/moved.py": ("100644", edited(l10="edit"))},
    ),
    "an exec bit and an edit of the same file": (
        {"src/lines.py": executable(LINES)},
        {"src/lines.py": edited(l3="edit")},
        {"src/lines.py": ("100755", edited(l3="edit"))},
    ),
    "the same symlink from both": (
        {"ln": link("src")},
        {"ln": link("src"), "other": "x"},
        {"ln": ("120000", "src"), "other": ("100644", "x")},
    ),
    "a case-only rename": (
        {"README.md": None, "Readme.md": "# Sample\n"},
        {"other": "x"},
        {"Readme.md": ("100644", "# Sample\n"), "other": ("100644", "x")},
    ),
    "a submodule pointer beside other work": (
        {"sub": submodule("1" * 40)},
        {"other": "x"},
        {"sub": ("160000", "1" * 40), "other": ("100644", "x")},
    ),
    "a file that becomes a directory": (
        {"README.md": None, "README.md/part": "x"},
        {"other": "x"},
        {"README.md/part": ("100644", "x"), "other": ("100644", "x")},
    ),
    "line endings of Windows": (
        {"w.txt": "a\r\nb\r\n"},
        {"other": "x"},
        {"w.txt": ("100644", "a\r\nb\r\n")},
    ),
    "names with spaces, newlines, quotes and bytes that are not UTF-8": (
        {'a "b"\n\tc': "1"},
        {b"\xff".decode("utf-8", "surrogateescape"): "2"},
        {'a "b"\n\tc': ("100644", "1"), "\udcff": ("100644", "2")},
    ),
}


@pytest.mark.parametrize("name", CLEAN)
async def test_what_fits_together_lands(world: World, name: str) -> None:
    first, second, expected = CLEAN[name]
    await world.landed("first", first)

    landed = await world.land("second", world.work(second))

    assert world.files(landed).items() >= expected.items()
    world.fsck()


RENAMED_A: Tree = {"src/lines.py": None, "src/a.py": LINES}
RENAMED_B: Tree = {"src/lines.py": None, "src/b.py": LINES}
CONFLICTS: dict[str, tuple[Tree, Tree, dict[str, str]]] = {
    "content": (
        {"src/lines.py": edited(l5="a")},
        {"src/lines.py": edited(l5="b")},
        {"src/lines.py": "content"},
    ),
    "a file edited where it was renamed": (
        {"src/lines.py": None, "src/moved.py": edited(l5="a")},
        {"src/lines.py": edited(l5="b")},
        {"src/moved.py": "content"},
    ),
    "deleted and modified": (
        {"src/lines.py": None},
        {"src/lines.py": edited(l5="b")},
        {"src/lines.py": "modify/delete"},
    ),
    "renamed and deleted": (
        {"src/lines.py": None},
        RENAMED_A,
        {"src/a.py": "rename/delete"},
    ),
    "renamed to two names": (
        RENAMED_A,
        RENAMED_B,
        dict.fromkeys(("src/lines.py", "src/a.py", "src/b.py"), "rename/rename"),
    ),
    "added twice": ({"new": "a\n"}, {"new": "b\n"}, {"new": "add/add"}),
    "added with two modes": ({"new": executable("a\n")}, {"new": "a\n"}, {"new": "mode"}),
    "binary": ({"bin": b"\0a"}, {"bin": b"\0b"}, {"bin": "binary"}),
    "symlinks to two targets": ({"ln": link("a")}, {"ln": link("b")}, {"ln": "symlink"}),
    "a symlink and a file": ({"x": link("a")}, {"x": "text\n"}, {"x": "distinct types"}),
    "a submodule at two commits": (
        {"sub": submodule("1" * 40)},
        {"sub": submodule("2" * 40)},
        {"sub": "submodule"},
    ),
    "a submodule and a file": (
        {"sub": submodule("1" * 40)},
        {"sub": "text\n"},
        {"sub": "submodule"},
    ),
    "a file and a directory": (
        {"x": "file\n"},
        {"x/y": "below\n"},
        {"x": "file/directory"},
    ),
    "a directory and a file": (
        {"x/y": "below\n"},
        {"x": "file\n"},
        {"x": "file/directory"},
    ),
    "a new file in a renamed directory": (
        {f"lib/{name}.py": "x\n" for name in ("one", "two")}
        | {"src/one.py": None, "src/two.py": None, "src/lines.py": None, "src/long.py": None}
        | {"lib/lines.py": LINES, "lib/long.py": LINES.replace("line", "other")},
        {"src/new.py": "new\n"},
        {"lib/new.py": "directory rename"},
    ),
    "a directory split in two": (
        {"src/one.py": None, "src/two.py": None, "src/lines.py": None, "src/long.py": None}
        | {"a/lines.py": LINES, "b/long.py": LINES.replace("line", "other")},
        {"src/new.py": "new\n"},
        {"src": "directory rename"},
    ),
}


@pytest.mark.parametrize("name", CONFLICTS)
async def test_what_does_not_fit_is_a_conflict_in_words(world: World, name: str) -> None:
    theirs, ours, expected = CONFLICTS[name]
    tip_before = world.tip()

    _, found = await world.conflict(theirs, ours)

    assert {file.path: file.kind for file in found.files} == expected
    assert found.against == ("first",)
    assert found.tip == world.tip() != tip_before
    world.fsck()


async def test_only_the_tasks_that_changed_what_is_in_conflict_are_blamed(world: World) -> None:
    works = {
        "docs": world.work({"docs/a.md": "b\n"}),
        "apart": world.work({"src/lines.py": edited(l15="a")}),
        "edit": world.work({"src/lines.py": edited(l5="a")}),
        "more": world.work({"src/long.py": edited(l1="a")}),
        "end": world.work({"src/lines.py": edited(l20="a")}),
        "late": world.work(
            {"src/lines.py": edited(l5="b"), "src/long.py": "all new\n", "docs/b.md": "b\n"}
        ),
    }
    for task in ("docs", "apart", "edit", "more", "end"):
        await world.land(task, works[task])

    found = await world.merge("late", works["late"])

    assert isinstance(found, Conflicted)
    assert found.against == ("edit", "more")


async def test_all_who_changed_a_file_that_the_work_removes_are_blamed(world: World) -> None:
    works = {
        "one": world.work({"src/lines.py": edited(l5="a")}),
        "two": world.work({"src/lines.py": edited(l15="a")}),
        "late": world.work({"src/lines.py": None}),
    }
    for task in ("one", "two"):
        await world.land(task, works[task])

    found = await world.merge("late", works["late"])

    assert isinstance(found, Conflicted)
    assert found.against == ("one", "two")


async def test_an_edit_of_a_file_that_the_work_renamed_is_blamed(world: World) -> None:
    works = [world.work({"docs/a.md": "b\n"}), world.work({"src/lines.py": edited(l5="a")})]
    late = world.work({"src/lines.py": None, "src/moved.py": edited(l5="b")})
    for task, work in zip(("docs", "edit"), works, strict=True):
        await world.land(task, work)

    found = await world.merge("late", late)

    assert isinstance(found, Conflicted)
    assert found.against == ("edit",)


@pytest.mark.parametrize("folder", ["", "docs/"])
async def test_attributes_of_the_tip_rule_a_merge(world: World, folder: str) -> None:
    rules = "*.txt merge=union\n*.lock -merge\n"
    names = (f"{folder}log.txt", f"{folder}a.lock")
    world.rebase_onto({f"{folder}.gitattributes": rules} | dict.fromkeys(names, LINES))
    world.git("update-ref", f"refs/heads/{BRANCH}", world.base)
    appended, prepended = LINES + "tip\n", "work\n" + LINES
    union, locked = world.work({names[0]: LINES + "work\n"}), world.work({names[1]: prepended})
    await world.landed("first", {names[0]: appended, names[1]: appended})

    landed = await world.land("union", union)
    found = await world.merge("locked", locked)

    assert world.files(landed)[names[0]][1] == LINES + "tip\nwork\n"
    assert isinstance(found, Conflicted)
    assert [(file.path, file.kind) for file in found.files] == [(names[1], "binary")]


async def test_work_that_does_not_descend_from_the_tip_merges_by_its_own_change(
    world: World,
) -> None:
    elsewhere = world.commit(world.base, {"src/lines.py": edited(l1="elsewhere")})
    work = world.work({"src/lines.py": edited(l1="elsewhere", l20="work")}, start=elsewhere)

    landed = await world.land("a", work)

    assert world.files(landed)["src/lines.py"][1] == edited(l20="work")


async def test_a_diff_shows_what_a_commit_changed(world: World) -> None:
    landed = await world.landed("a", {"src/lines.py": edited(l2="two"), "big": "x\n" * 2_000_000})

    text = await world.lander.diff(landed)

    assert text.endswith("… cut at 2 MB\n")
    assert "+two\n" in await world.lander.diff(world.work({"src/lines.py": edited(l2="two")}))
