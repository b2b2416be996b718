"""Paths that only a person may change: detected at the merge, and decided one by one."""

import pytest
from msgspec.structs import replace

from pex_tui.core.model.conflict import Decision
from pex_tui.core.model.ids import CommitId
from pex_tui.core.model.protected_paths import Protection
from pex_tui.engine.ports import Merged
from pex_tui.engine.run_paths import RunPaths
from tests.adapters.git.conftest import Project
from tests.adapters.git.landing_world import (
    LINES,
    Tree,
    World,
    edited,
    executable,
    key,
    link,
    make_world,
    spec,
)

CHECK, HOOK = "ci/check.sh", ".husky/pre-commit"
PROTECTED = (CHECK, HOOK, "new.yml")
BEFORE: Tree = {CHECK: LINES, HOOK: "true\n", "src/a.txt": LINES}


@pytest.fixture
async def world(project: Project, places: RunPaths) -> World:
    made = make_world(project, places)
    made.rebase_onto(BEFORE)
    protection = Protection((".husky/**", "new.yml"), frozenset({CHECK}))
    made.options = replace(made.options, protection=protection)
    await made.lander.begin()
    return made


async def protected(world: World, changes: Tree) -> tuple[str, ...]:
    merged = await world.merge("second", world.work(changes))
    assert isinstance(merged, Merged)
    return merged.protected


async def resolve(
    world: World,
    work: CommitId,
    decision: Decision,
    contents: dict[str, bytes | None] | None = None,
) -> dict[str, tuple[str, str]]:
    """Return the content of the resolved tree."""
    made = await world.lander.resolve(
        key("second"), spec("second"), work, world.tip(), decision, contents or {}, PROTECTED
    )
    return world.files(made)


@pytest.mark.parametrize(
    ("changes", "found"),
    [
        ({CHECK: "true\n"}, (CHECK,)),
        ({CHECK: None}, (CHECK,)),
        ({CHECK: executable(LINES)}, (CHECK,)),
        ({CHECK: None, "ci": link("/tmp")}, ("ci", CHECK)),
        ({CHECK: None, "moved.sh": LINES}, (CHECK,)),
        ({"src/moved.txt": "true\n", HOOK: None}, (HOOK,)),
        ({"src/a.txt": "new\n"}, ()),
    ],
    ids=["edit", "removal", "mode", "link", "renamed-away", "hook", "other"],
)
async def test_each_way_to_change_a_protected_path_is_seen(
    world: World, changes: Tree, found: tuple[str, ...]
) -> None:
    assert await protected(world, changes) == found


async def test_a_file_that_the_gate_runs_through_a_link_is_seen(world: World) -> None:
    world.rebase_onto({CHECK: None, "ci": link("tools/ci"), "tools/ci/check.sh": LINES})
    world.options = replace(world.options, protection=Protection(files=frozenset({CHECK})))
    await world.lander.begin()

    assert await protected(world, {"tools/ci/check.sh": "true\n"}) == ("tools/ci/check.sh",)
    assert await protected(world, {"ci": link("mine")}) == ("ci",)
    assert await protected(world, {"tools/ci/other.sh": "true\n"}) == ()


async def test_the_text_of_a_protected_file_leads_nowhere(world: World) -> None:
    world.rebase_onto({CHECK: "../src/a.txt"})
    await world.lander.begin()

    assert await protected(world, {"src/a.txt": "new\n"}) == ()


async def test_what_others_landed_there_is_not_asked_for_again(world: World) -> None:
    await world.landed("first", {CHECK: edited(l2="two")})

    assert await protected(world, {"src/a.txt": "new\n"}) == ()


async def test_ours_is_what_would_land_and_theirs_what_is_there(world: World) -> None:
    await world.landed("first", {CHECK: edited(l2="two")})
    work = world.work({CHECK: edited(l19="mine"), "new.yml": "on: push\n", "src/a.txt": "new\n"})

    found = await world.lander.sides(key("second"), work, world.tip(), None, PROTECTED)

    check, new = found
    assert (check.path, check.kind, new.path) == (CHECK, "protected", "new.yml")
    assert check.theirs == edited(l2="two").encode()
    assert check.ours == check.merged == edited(l2="two", l19="mine").encode()
    assert (new.theirs, new.ours, new.merged) == (None, b"on: push\n", b"on: push\n")


async def test_allowed_it_lands_as_it_is_and_left_out_without_those_paths(world: World) -> None:
    await world.landed("first", {CHECK: edited(l2="two")})
    work = world.work({CHECK: edited(l19="mine"), HOOK: executable("true\n"), "src/a.txt": "new\n"})

    ours = await resolve(world, work, Decision.OURS)
    theirs = await resolve(world, work, Decision.THEIRS)

    assert ours[CHECK] == ("100644", edited(l2="two", l19="mine"))
    assert ours[HOOK] == ("100755", "true\n")
    assert theirs[CHECK] == ("100644", edited(l2="two"))
    assert theirs[HOOK] == ("100644", "true\n")
    assert ours["src/a.txt"] == theirs["src/a.txt"] == ("100644", "new\n")


async def test_a_link_in_the_place_of_a_folder_can_be_left_out(world: World) -> None:
    work = world.work({CHECK: None, "ci": link("/tmp"), "src/a.txt": "new\n"})

    made = await world.lander.resolve(
        key("second"), spec("second"), work, world.tip(), Decision.THEIRS, {}, (CHECK, "ci")
    )

    assert world.files(made)[CHECK] == ("100644", LINES)
    assert "ci" not in world.files(made)


async def test_each_path_may_be_decided_on_its_own(world: World) -> None:
    work = world.work({CHECK: "true\n", HOOK: "evil\n"})

    found = await resolve(world, work, Decision.EDITED, {CHECK: b"edited\n", HOOK: b"true\n"})

    assert (found[CHECK][1], found[HOOK][1]) == ("edited\n", "true\n")


async def test_no_rule_resolves_a_conflict_of_work_that_changes_a_protected_path(
    world: World,
) -> None:
    world.options = replace(
        world.options,
        gate=replace(world.options.gate, verify=(("true",),)),
        by_path=(("union", ("src/a.txt",)),),
    )
    await world.landed("first", {"src/a.txt": f"{LINES}first\n"})
    plain = world.work({"src/a.txt": f"{LINES}second\n"})
    work = world.work({"src/a.txt": f"{LINES}second\n", HOOK: "evil\n"})

    resolved = await world.lander.merge(key("second"), spec("second"), plain, auto_resolve=True)
    left = await world.lander.merge(key("second"), spec("second"), work, auto_resolve=True)

    assert isinstance(resolved, Merged)
    assert not isinstance(left, Merged)
