"""Conflicts resolved by strategies at landing: exactly the plain ones."""

import pytest
from msgspec.structs import replace

from pex_tui.adapters.git.landing.gate_runner import GateOptions
from pex_tui.adapters.git.landing.lander import GitLander
from pex_tui.core.model.conflict import ConflictPath
from pex_tui.core.model.ids import CommitId, TaskId
from pex_tui.engine.ports import Conflicted, Merged
from pex_tui.engine.run_paths import RunPaths
from tests.adapters.git.conftest import Project
from tests.adapters.git.landing_world import (
    LINES,
    Entry,
    Tree,
    World,
    edited,
    executable,
    key,
    link,
    make_world,
    spec,
)

SUPERSET = ("superset",)
LESS, MORE = edited(l5="five"), edited(l5="five\nand more")


@pytest.fixture
async def world(project: Project, places: RunPaths) -> World:
    made = make_world(project, places)
    gate = GateOptions((("true",),))
    made.options = replace(made.options, gate=gate, silent=SUPERSET)
    made.rebase_onto({"src/lines.py": LINES, "b.txt": LINES, "log.md": "# Log\n"})
    await made.lander.begin()
    return made


async def resolved(world: World, theirs: Tree, ours: Tree) -> Merged | Conflicted:
    """Return the result of `ours` after `theirs` has landed, with strategies enabled."""
    await world.landed("first", theirs)
    work = world.work(ours)
    assert isinstance(await world.merge("second", work), Conflicted)
    return await combine(world.lander, work)


async def combine(lander: GitLander, work: CommitId) -> Merged | Conflicted:
    return await lander.merge(key("second"), spec("second"), work, auto_resolve=True)


async def test_a_side_that_holds_the_others_change_lands(world: World) -> None:
    merged = await resolved(world, {"src/lines.py": LESS}, {"src/lines.py": MORE, "new": "x\n"})

    assert isinstance(merged, Merged)
    files = world.files(merged.candidate)
    assert files["src/lines.py"] == ("100644", MORE)
    assert files["new"] == ("100644", "x\n")
    assert merged.combined == (ConflictPath("src/lines.py", "content", strategies=SUPERSET),)
    assert merged.against == (TaskId("first"),)
    assert world.git("rev-parse", f"{merged.candidate}^") == merged.tip == world.tip()
    world.fsck()


async def test_the_same_merge_is_resolved_to_the_same_commit(world: World) -> None:
    await world.landed("first", {"src/lines.py": MORE})
    work = world.work({"src/lines.py": edited(l5="five", l15="fifteen")})

    assert await combine(world.lander, work) == await combine(world.lander, work)


async def test_work_that_what_landed_holds_already_leaves_nothing_to_land(world: World) -> None:
    merged = await resolved(world, {"src/lines.py": MORE}, {"src/lines.py": LESS})

    assert isinstance(merged, Merged)
    assert merged.candidate == merged.tip == world.tip()
    assert merged.combined


async def test_two_new_files_are_resolved_if_one_holds_the_other(world: World) -> None:
    merged = await resolved(world, {"new.py": "a\nb\n"}, {"new.py": "a\nx\nb\n"})

    assert isinstance(merged, Merged)
    assert world.files(merged.candidate)["new.py"] == ("100644", "a\nx\nb\n")
    assert merged.combined == (ConflictPath("new.py", "add/add", strategies=SUPERSET),)


async def test_a_file_that_is_resolved_keeps_its_mode(world: World) -> None:
    await world.landed("zero", {"run.sh": executable(LINES)})
    base = world.tip()
    first = world.work({"run.sh": executable(LESS)}, base)
    await world.land("first", first)

    merged = await combine(world.lander, world.work({"run.sh": executable(MORE)}, base))

    assert isinstance(merged, Merged)
    assert world.files(merged.candidate)["run.sh"] == ("100755", MORE)


async def test_what_merges_by_itself_elsewhere_in_the_file_is_kept(world: World) -> None:
    theirs = edited(l1="one", l5="five")
    ours = edited(l5="five\nand more", l20="twenty")

    merged = await resolved(world, {"src/lines.py": theirs}, {"src/lines.py": ours})

    assert isinstance(merged, Merged)
    expected = edited(l1="one", l5="five\nand more", l20="twenty")
    assert world.files(merged.candidate)["src/lines.py"][1] == expected


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        ({"src/lines.py": LESS}, {"src/lines.py": edited(l5="5")}),
        (  # one of two files is not plain
            {"src/lines.py": LESS, "b.txt": LESS},
            {"src/lines.py": MORE, "b.txt": edited(l5="5")},
        ),
        ({"src/lines.py": None}, {"src/lines.py": MORE}),
        ({"src/lines.py": LESS}, {"src/lines.py": None}),
        ({"src/lines.py": executable(LESS)}, {"src/lines.py": MORE}),
        ({"src/lines.py": LESS}, {"src/lines.py": executable(MORE)}),
        ({"src/lines.py": LESS}, {"src/lines.py": None, "src/moved.py": MORE}),
        (
            {"src/lines.py": None, "src/moved.py": LESS},
            {"src/lines.py": None, "src/moved.py": MORE},
        ),
        (  # two files are renamed to one, and one of them is edited where it was
            {"b.txt": None, "c.txt": LESS, "src/lines.py": edited(l15="line 15\nadded")},
            {"src/lines.py": None, "c.txt": MORE},
        ),
        ({"src/lines.py": LESS.replace("\n", "\r\n")}, {"src/lines.py": MORE}),
        ({"src/lines.py": LESS}, {"src/lines.py": MORE.replace("five\n", "five\r\n")}),
        ({"src/lines.py": "\0" + LESS}, {"src/lines.py": MORE}),
        ({"new": link("a")}, {"new": link("a\nb")}),
        ({"new": "a\n"}, {"new": executable("a\nb\n")}),
        ({"log.md": "# Log\n- a\n"}, {"log.md": "# Log\n- b\n"}),  # union is not configured
        ({"src/lines.py": edited(l5="5")}, {"src/lines.py": edited(l6="6")}),  # nor is adjacent
    ],
)
async def test_what_is_not_plain_is_left_a_conflict(world: World, theirs: Tree, ours: Tree) -> None:
    assert isinstance(await resolved(world, theirs, ours), Conflicted)


@pytest.mark.parametrize(
    "attributes", ["*.py merge=ours", "src/** -merge", "*.py merge=binary", "*.py binary"]
)
async def test_a_file_with_a_merge_driver_is_not_touched(world: World, attributes: str) -> None:
    world.rebase_onto({".gitattributes": f"{attributes}\n"})
    world.git("update-ref", "refs/heads/pex/7f3a", world.base)

    found = await resolved(world, {"src/lines.py": LESS}, {"src/lines.py": MORE})

    assert isinstance(found, Conflicted)


async def test_a_merge_driver_for_all_files_is_heeded(world: World) -> None:
    world.git("config", "merge.default", "mine")
    world.start_again()

    found = await resolved(world, {"src/lines.py": LESS}, {"src/lines.py": MORE})

    assert isinstance(found, Conflicted)


@pytest.mark.parametrize("style", ["diff3", "zdiff3"])
async def test_the_style_of_the_users_conflict_markers_does_not_matter(
    world: World, style: str
) -> None:
    world.git("config", "merge.conflictStyle", style)

    assert isinstance(await resolved(world, {"src/lines.py": LESS}, {"src/lines.py": MORE}), Merged)


async def test_a_file_without_a_last_line_end_is_resolved(world: World) -> None:
    world.rebase_onto({"end.txt": "a\nb"})
    world.git("update-ref", "refs/heads/pex/7f3a", world.base)

    merged = await resolved(world, {"end.txt": "a\nc\n"}, {"end.txt": "a\nc\nd"})

    assert isinstance(merged, Merged)
    assert world.files(merged.candidate)["end.txt"][1] == "a\nc\nd"


async def test_neighbouring_edits_and_changelogs_are_resolved_where_configured(
    world: World,
) -> None:
    silent = ("superset", "adjacent")
    world.options = replace(world.options, silent=silent, by_path=(("union", ("*.md",)),))
    theirs: Tree = {"src/lines.py": edited(l5="5"), "log.md": "# Log\n- a\n"}
    ours: Tree = {"src/lines.py": edited(l6="6"), "log.md": "# Log\n- b\n"}

    merged = await resolved(world, theirs, ours)

    assert isinstance(merged, Merged)
    files = world.files(merged.candidate)
    assert files["src/lines.py"][1] == edited(l5="5", l6="6")
    assert files["log.md"][1] == "# Log\n- a\n- b\n"
    assert [(file.path, file.strategies) for file in merged.combined] == [
        ("log.md", ("union",)),
        ("src/lines.py", ("adjacent",)),
    ]


@pytest.mark.parametrize(
    "options",
    [{"gate": GateOptions()}, {"silent": ()}],
)
async def test_nothing_is_resolved_without_a_gate_or_when_it_is_not_wanted(
    world: World, options: dict[str, object]
) -> None:
    world.options = replace(world.options, **options)

    found = await resolved(world, {"src/lines.py": LESS}, {"src/lines.py": MORE})

    assert isinstance(found, Conflicted)


async def test_odd_paths_and_bytes_are_resolved_as_they_are(world: World) -> None:
    path = "dir with space/\udcff\n.txt"
    less, more = b"a\xff\n", b"a\xff\nb\xfe\n"
    await world.landed("first", {path: Entry("100644", less)})

    merged = await combine(world.lander, world.work({path: Entry("100644", more)}))

    assert isinstance(merged, Merged)
    text = more.decode("utf-8", "surrogateescape")
    assert world.files(merged.candidate)[path] == ("100644", text)
