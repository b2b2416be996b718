"""Sides of a conflict for a person, and the commits that resolve it."""

import itertools
import random

import pytest

from pex_tui.core.model.conflict import Decision
from pex_tui.core.model.ids import CommitId
from pex_tui.engine.conflict_sides import ConflictSides
from pex_tui.engine.ports import Conflicted, LandingError, Merged
from pex_tui.engine.run_paths import RunPaths
from tests.adapters.git.conftest import Project
from tests.adapters.git.landing_world import (
    BRANCH,
    LINES,
    RUN,
    Entry,
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

OURS, THEIRS, EDITED = Decision.OURS, Decision.THEIRS, Decision.EDITED
File = tuple[str, str]


@pytest.fixture
async def world(project: Project, places: RunPaths) -> World:
    made = make_world(project, places)
    made.rebase_onto({"src/lines.py": LINES})
    await made.lander.begin()
    return made


async def resolve(
    world: World,
    work: CommitId,
    decision: Decision,
    contents: dict[str, bytes | None] | None = None,
) -> CommitId:
    return await world.lander.resolve(
        key("second"), spec("second"), work, world.tip(), decision, contents or {}
    )


async def sides(world: World, work: CommitId) -> dict[str, ConflictSides]:
    found = await world.lander.sides(key("second"), work, world.tip())
    return {side.path: side for side in found}


async def test_the_sides_of_a_text_conflict_and_gits_text_with_names_for_labels(
    world: World,
) -> None:
    theirs, ours = edited(l5="theirs"), edited(l5="ours")
    work, _ = await world.conflict({"src/lines.py": theirs}, {"src/lines.py": ours})

    shown = (await sides(world, work))["src/lines.py"]

    assert (shown.base, shown.ours, shown.theirs) == (
        LINES.encode(),
        ours.encode(),
        theirs.encode(),
    )
    merged = (shown.merged or b"").decode()
    assert "<<<<<<< landed: first\ntheirs\n=======\nours\n>>>>>>> second\n" in merged


async def test_a_side_without_a_file_is_none_and_has_no_text_with_markers(world: World) -> None:
    work, _ = await world.conflict({"src/lines.py": None}, {"src/lines.py": edited(l1="x")})

    shown = (await sides(world, work))["src/lines.py"]

    assert (shown.kind, shown.theirs, shown.merged) == ("modify/delete", None, None)
    assert shown.ours == edited(l1="x").encode()


async def test_binary_files_links_and_submodules_have_no_text_with_markers(world: World) -> None:
    work, _ = await world.conflict(
        {"bin": b"\0a", "ln": link("a"), "sub": submodule("1" * 40)},
        {"bin": b"\0b", "ln": link("b"), "sub": submodule("2" * 40)},
    )

    shown = await sides(world, work)

    assert {side.merged for side in shown.values()} == {None}
    assert (shown["bin"].ours, shown["ln"].theirs) == (b"\0b", b"a")
    assert shown["sub"].ours == b"Subproject commit " + b"2" * 40 + b"\n"


async def test_a_renamed_file_shows_its_markers_without_commit_ids(world: World) -> None:
    work, _ = await world.conflict(
        {"src/lines.py": None, "src/moved.py": edited(l5="a")}, {"src/lines.py": edited(l5="b")}
    )

    merged = (await sides(world, work))["src/moved.py"].merged or b""

    assert b">>>>>>> second:src/lines.py\n" in merged
    assert work.encode() not in merged
    assert world.tip().encode() not in merged


@pytest.mark.parametrize(
    ("decision", "place", "line"), [(OURS, "b.py", "ours"), (THEIRS, "a.py", "theirs")]
)
async def test_a_file_that_both_renamed_and_edited_is_taken_as_one_side_has_it(
    world: World, decision: Decision, place: str, line: str
) -> None:
    work, _ = await world.conflict(
        {"src/lines.py": None, "a.py": edited(l5="theirs")},
        {"src/lines.py": None, "b.py": edited(l5="ours")},
    )

    resolved = await resolve(world, work, decision)

    assert world.git("show", f"{resolved}:{place}") == edited(l5=line).rstrip("\n")
    names = world.git("ls-tree", "-r", "--name-only", resolved).splitlines()
    assert len({"a.py", "b.py", "src/lines.py"} & set(names)) == 1


RENAME_A: Tree = {"src/lines.py": None, "a.py": LINES}
RENAME_B: Tree = {"src/lines.py": None, "b.py": LINES}
TEXT = "100644"
RESOLVED: dict[str, tuple[Tree, Tree, dict[str, File | None], dict[str, File | None]]] = {
    "text": (
        {"src/lines.py": edited(l5="t")},
        {"src/lines.py": edited(l5="o")},
        {"src/lines.py": (TEXT, edited(l5="o"))},
        {"src/lines.py": (TEXT, edited(l5="t"))},
    ),
    "an edit against a deletion": (
        {"src/lines.py": None},
        {"src/lines.py": edited(l5="o")},
        {"src/lines.py": (TEXT, edited(l5="o"))},
        {"src/lines.py": None},
    ),
    "a deletion against an edit": (
        {"src/lines.py": edited(l5="t")},
        {"src/lines.py": None},
        {"src/lines.py": None},
        {"src/lines.py": (TEXT, edited(l5="t"))},
    ),
    "an edit against a rename with an edit": (
        {"src/lines.py": None, "a.py": edited(l5="t")},
        {"src/lines.py": edited(l5="o")},
        {"src/lines.py": None, "a.py": (TEXT, edited(l5="o"))},
        {"src/lines.py": None, "a.py": (TEXT, edited(l5="t"))},
    ),
    "two renames": (
        RENAME_A,
        RENAME_B,
        {"src/lines.py": None, "a.py": None, "b.py": (TEXT, LINES)},
        {"src/lines.py": None, "a.py": (TEXT, LINES), "b.py": None},
    ),
    "a rename against a deletion": (
        {"src/lines.py": None},
        RENAME_A,
        {"src/lines.py": None, "a.py": (TEXT, LINES)},
        {"src/lines.py": None, "a.py": None},
    ),
    "modes": (
        {"x": "x"},
        {"x": executable("x")},
        {"x": ("100755", "x")},
        {"x": (TEXT, "x")},
    ),
    "binary files": (
        {"x": b"\0t"},
        {"x": b"\0o"},
        {"x": (TEXT, "\0o")},
        {"x": (TEXT, "\0t")},
    ),
    "a file against a link": (
        {"x": link("t")},
        {"x": "o"},
        {"x": (TEXT, "o")},
        {"x": ("120000", "t")},
    ),
    "submodules": (
        {"x": submodule("1" * 40)},
        {"x": submodule("2" * 40)},
        {"x": ("160000", "2" * 40)},
        {"x": ("160000", "1" * 40)},
    ),
    "a file against a directory": (
        {"x/y": "t"},
        {"x": "o"},
        {"x": (TEXT, "o"), "x/y": None},
        {"x": None, "x/y": (TEXT, "t")},
    ),
    "a directory against a file": (
        {"x": "t"},
        {"x/y": "o"},
        {"x": None, "x/y": (TEXT, "o")},
        {"x": (TEXT, "t"), "x/y": None},
    ),
}


@pytest.mark.parametrize("name", RESOLVED)
async def test_a_side_resolves_the_path_and_the_rest_comes_from_both(
    world: World, name: str
) -> None:
    theirs, ours, if_ours, if_theirs = RESOLVED[name]
    work, _ = await world.conflict({**theirs, "t": "t\n"}, {**ours, "o": "o\n"})

    for decision, expected in ((OURS, if_ours), (THEIRS, if_theirs)):
        files = world.files(await resolve(world, work, decision))
        assert {path: files.get(path) for path in expected} == expected
        assert files["t"] == (TEXT, "t\n")
        assert files["o"] == (TEXT, "o\n")
        assert not [path for path in files if "~" in path]
    world.fsck()


async def test_a_persons_own_result_outranks_the_sides(world: World) -> None:
    work, _ = await world.conflict(
        {"x": executable("t\n"), "y": "t\n", "z": "t\n"},
        {"x": executable("o\n"), "y": "o\n", "z": "o\n"},
    )

    resolved = await resolve(world, work, EDITED, {"x": b"both\n", "y": None, "z": b"t\n"})

    files = world.files(resolved)
    assert files["x"] == ("100755", "both\n")
    assert "y" not in files
    assert files["z"] == (TEXT, "t\n")
    assert world.git("log", "-1", "--format=%P", resolved) == world.tip()
    assert world.git("rev-parse", f"refs/pex/{RUN}/second/1-settled") == resolved


async def test_contents_may_mend_paths_that_merged_and_add_new_ones(world: World) -> None:
    work, _ = await world.conflict({"x": "t"}, {"x": "o", "run.sh": executable("o")})

    resolved = await resolve(world, work, OURS, {"run.sh": b"mended", "new": b"n"})

    files = world.files(resolved)
    assert (files["x"], files["run.sh"]) == ((TEXT, "o"), ("100755", "mended"))
    assert files["new"] == (TEXT, "n")


async def test_an_edit_that_leaves_a_conflict_undecided_is_refused_by_name(world: World) -> None:
    work, _ = await world.conflict({"x": "t", "y": "t"}, {"x": "o", "y": "o"})

    with pytest.raises(LandingError, match=r"Not every conflict is decided: y\."):
        await resolve(world, work, EDITED, {"x": b"both"})


async def test_a_submodule_can_be_chosen_but_not_edited(world: World) -> None:
    work, _ = await world.conflict({"x": submodule("1" * 40)}, {"x": submodule("2" * 40)})

    with pytest.raises(LandingError, match="x is a submodule and can't be edited"):
        await resolve(world, work, EDITED, {"x": b"text"})
    chosen = await resolve(world, work, EDITED, {"x": b"Subproject commit " + b"1" * 40})

    assert world.files(chosen)["x"] == ("160000", "1" * 40)


@pytest.mark.parametrize("path", ["../out", "/etc/passwd", ".git/config", "a/../b", "a//b", ""])
async def test_a_path_outside_the_tree_is_refused(world: World, path: str) -> None:
    work, _ = await world.conflict({"x": "t"}, {"x": "o"})

    with pytest.raises(LandingError, match="not a path of the repository"):
        await resolve(world, work, OURS, {path: b"evil"})


async def test_a_decision_that_makes_no_commit_is_refused(world: World) -> None:
    work, _ = await world.conflict({"x": "t"}, {"x": "o"})

    with pytest.raises(LandingError, match="rerun"):
        await resolve(world, work, Decision.RERUN)


async def test_what_was_resolved_lands_even_when_the_tip_has_moved_since(world: World) -> None:
    other = world.work({"other": "x\n"})
    work, _ = await world.conflict({"x": "t\n"}, {"x": "o\n"})
    resolved = await resolve(world, work, OURS)
    await world.land("other", other)

    landed = await world.land("second", resolved)

    files = world.files(landed)
    assert (files["x"], files["other"]) == ((TEXT, "o\n"), (TEXT, "x\n"))


async def test_resolved_as_theirs_there_is_nothing_left_to_land(world: World) -> None:
    work, _ = await world.conflict({"x": "t\n"}, {"x": "o\n"})

    resolved = await resolve(world, work, THEIRS)

    assert await world.merge("second", resolved) == Merged(world.tip(), world.tip())


async def test_settling_again_after_a_crash_makes_the_same_commit(world: World) -> None:
    work, _ = await world.conflict({"x": "t\n"}, {"x": "o\n"})
    first = await resolve(world, work, OURS)
    scratch = world.places.run(RUN) / "settle-second-1.index"
    scratch.write_bytes(b"half an index")
    scratch.with_name(f"{scratch.name}.lock").touch()

    assert await resolve(world, work, OURS) == first
    assert list(scratch.parent.glob("settle*")) == []


def shuffled(dice: random.Random) -> Tree:
    """Return a few changes of the kind that makes trees conflict."""
    names = ["x", "x/y", "d/a", "d/b", "e/a", "src/lines.py", "README.md", "docs/a.md/deep"]
    contents: list[Entry | str | None] = [
        None,
        LINES,
        edited(l5=str(dice.random())),
        executable(edited(l9=str(dice.random()))),
        link(str(dice.random())),
        submodule(f"{dice.randrange(1, 16):x}" * 40),
    ]
    chosen = dice.sample(names, 4)
    return {name: dice.choice(contents) for name in sorted(chosen, reverse=dice.random() < 0.5)}


@pytest.mark.parametrize("seed", range(12))
async def test_every_conflict_can_be_shown_and_resolved(world: World, seed: int) -> None:
    dice = random.Random(seed)  # noqa: S311 (a seed for trees, not for secrets)
    first, second = (world.work(shuffled(dice)) for _ in range(2))
    await world.land("first", first)
    found = await world.merge("second", second)

    if isinstance(found, Conflicted):
        shown = await sides(world, second)
        assert sorted(shown) == sorted(file.path for file in found.files)
        edits = {path: side.ours for path, side in shown.items()}
        for decision, contents in itertools.product((OURS, THEIRS), ({}, edits)):
            resolved = await resolve(world, second, decision, contents)
            assert isinstance(await world.merge("second", resolved), Merged)
    world.fsck()


CONFLICT = "<<<<<<< a\nx\n=======\ny\n>>>>>>> b\n"


@pytest.mark.parametrize(
    "left",
    [
        CONFLICT,
        "||||||| base\n",
        ">>>>>>> second\n",
        "x\n=======\n",
        CONFLICT.replace("\n", "\r\n"),
    ],
)
async def test_a_content_with_conflict_markers_resolves_nothing(world: World, left: str) -> None:
    work, _ = await world.conflict(
        {"src/lines.py": edited(l5="theirs")}, {"src/lines.py": edited(l5="ours")}
    )

    with pytest.raises(
        LandingError, match=r"markers are left in src/lines\.py \(line 21\)|line 22"
    ):
        await resolve(world, work, EDITED, {"src/lines.py": (LINES + left).encode()})

    assert "settled" not in world.git("for-each-ref", f"refs/pex/{RUN}")


async def test_the_marker_size_of_a_file_decides_what_its_markers_are(world: World) -> None:
    attributes = {".gitattributes": "*.py conflict-marker-size=9\n"}
    await world.landed("attributes", attributes)
    work, _ = await world.conflict(
        {"src/lines.py": edited(l5="theirs")}, {"src/lines.py": edited(l5="ours")}
    )
    (side,) = (await sides(world, work)).values()
    long = (LINES + "<<<<<<<<< a\n").encode()

    assert side.marker_size == 9
    assert side.markers_left(long) == (21,)
    with pytest.raises(LandingError, match="markers are left"):
        await resolve(world, work, EDITED, {"src/lines.py": long})
    assert await resolve(world, work, EDITED, {"src/lines.py": (LINES + CONFLICT).encode()})


async def test_markers_that_a_file_beside_the_conflict_had_before_may_stay(world: World) -> None:
    world.rebase_onto({"guide.md": CONFLICT})
    world.git("update-ref", f"refs/heads/{BRANCH}", world.base)
    work, _ = await world.conflict({"x": "t"}, {"x": "o"})

    resolved = await resolve(world, work, OURS, {"guide.md": (CONFLICT + "more\n").encode()})

    assert world.files(resolved)["guide.md"] == (TEXT, CONFLICT + "more\n")


async def test_work_with_conflict_markers_never_lands_and_is_resolved_like_a_conflict(
    world: World,
) -> None:
    work = world.work({"src/lines.py": LINES + CONFLICT, "other.txt": "o\n"})

    found = await world.merge("second", work)

    assert isinstance(found, Conflicted)
    assert [(file.path, file.kind) for file in found.files] == [
        ("src/lines.py", "conflict markers")
    ]
    assert found.against == ()
    assert [side.path for side in (await sides(world, work)).values()] == ["src/lines.py"]
    with pytest.raises(LandingError, match="markers are left"):
        await resolve(world, work, OURS)
    mended = await resolve(world, work, EDITED, {"src/lines.py": b"mended\n"})
    assert world.files(mended)["src/lines.py"][1] == "mended\n"
    assert world.files(mended)["other.txt"][1] == "o\n"
    theirs = await resolve(world, work, THEIRS)
    assert world.files(theirs)["src/lines.py"][1] == LINES


@pytest.mark.parametrize(
    ("landed", "lacks"),
    [
        ({"src/lines.py": edited(l5="theirs")}, True),
        ({"other": "o\n"}, True),
        ({"src/lines.py": edited(l5="ours")}, False),
        ({"src/lines.py": edited(l5="ours", l9="more")}, False),
        ({"src/lines.py": edited(l5="ours\nand more")}, False),
    ],
)
async def test_whether_what_has_landed_holds_a_change(
    world: World, landed: Tree, lacks: bool
) -> None:
    work = world.work({"src/lines.py": edited(l5="ours")})
    await world.landed("first", landed)

    assert await world.lander.lacks(key("second"), work) is lacks


async def test_where_only_a_part_of_a_change_has_landed_the_rest_is_lacking(world: World) -> None:
    work = world.work({"src/lines.py": edited(l5="ours\nand more")})
    await world.landed("first", {"src/lines.py": edited(l5="ours")})

    assert await world.lander.lacks(key("second"), work)


async def test_what_the_gate_refused_is_proposed_to_who_resolves_it_again(world: World) -> None:
    work, _ = await world.conflict(
        {"src/lines.py": edited(l5="theirs")}, {"src/lines.py": edited(l5="ours")}
    )
    mine = edited(l5="mine")
    resolved = await resolve(world, work, EDITED, {"src/lines.py": mine.encode()})
    await world.land("later", world.work({"src/lines.py": edited(l20="later")}))

    (side,) = await world.lander.sides(key("second"), work, world.tip(), resolved)

    assert side.proposal == edited(l5="mine", l20="later").encode()
    assert side.proposed == "as it was decided before the gate failed"
