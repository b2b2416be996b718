"""People's resolutions of a conflict are reused for the same conflict and no other."""

import json
import os
from pathlib import Path

import pytest
from msgspec.structs import replace

from pex_tui.adapters.git.landing import resolution_cache
from pex_tui.adapters.git.landing.gate_runner import GateOptions
from pex_tui.adapters.git.landing.resolution_cache import ResolutionCache
from pex_tui.core.model.conflict import Decision
from pex_tui.core.model.ids import CommitId
from pex_tui.core.textmerge.auto_strategies import read_conflict
from pex_tui.core.textmerge.diff3 import Chunk
from pex_tui.engine.ports import Conflicted, Merged
from pex_tui.engine.run_paths import RunPaths
from tests.adapters.git.conftest import Project
from tests.adapters.git.landing_world import LINES, Tree, World, edited, key, make_world, spec

OURS, THEIRS = edited(l5="ours"), edited(l5="theirs")
MINE = edited(l5="both of them")
A: Tree = {"a.txt": THEIRS}
B: Tree = {"a.txt": OURS}


@pytest.fixture
async def world(project: Project, places: RunPaths) -> World:
    made = make_world(project, places)
    gate = GateOptions((("true",),))
    made.options = replace(made.options, gate=gate, remembers=True)
    made.rebase_onto({"a.txt": LINES, "b.txt": LINES})
    await made.lander.begin()
    return made


async def combine(world: World, work: CommitId) -> Merged | Conflicted:
    return await world.lander.merge(key("second"), spec("second"), work, auto_resolve=True)


async def decide(
    world: World, work: CommitId, decision: Decision, contents: dict[str, bytes | None]
) -> CommitId:
    """Resolve the conflict of a work with the tip, as a person."""
    tip, lander = world.tip(), world.lander
    made = await lander.resolve(key("second"), spec("second"), work, tip, decision, contents)
    await lander.remember(work, made, "ada")
    return made


async def resolved(world: World, theirs: Tree = A, ours: Tree = B, mine: str = MINE) -> CommitId:
    """Return the work of a conflict that was resolved by hand."""
    await world.landed("first", theirs)
    work = world.work(ours)
    await decide(world, work, Decision.EDITED, {"a.txt": mine.encode()})
    return work


def kept(world: World) -> list[Path]:
    return sorted((world.places.root / "resolutions").iterdir())


async def test_the_same_conflict_is_resolved_as_it_was(world: World) -> None:
    merged = await combine(world, await resolved(world))

    assert isinstance(merged, Merged)
    assert world.files(merged.candidate)["a.txt"] == ("100644", MINE)
    (file,) = merged.combined
    assert (file.path, file.strategies, file.by) == ("a.txt", ("remembered",), "ada")
    assert file.at is not None
    world.fsck()


async def test_it_is_known_again_in_another_run_with_the_sides_turned(world: World) -> None:
    await resolved(world)
    world.begin_another_run()
    await world.landed("second", {"a.txt": edited(l5="ours", l20="more")})

    merged = await combine(world, world.work({"a.txt": edited(l1="one", l5="theirs")}))

    assert isinstance(merged, Merged)
    expected = edited(l1="one", l5="both of them", l20="more")
    assert world.files(merged.candidate)["a.txt"][1] == expected


@pytest.mark.parametrize(
    ("decision", "expected"), [(Decision.OURS, OURS), (Decision.THEIRS, THEIRS)]
)
async def test_a_side_that_was_chosen_is_chosen_again(
    world: World, decision: Decision, expected: str
) -> None:
    await world.landed("first", A)
    work = world.work({**B, "new": "x\n"})
    await decide(world, work, decision, {})

    merged = await combine(world, work)

    assert isinstance(merged, Merged)
    assert world.files(merged.candidate)["a.txt"][1] == expected


async def test_it_is_proposed_to_who_resolves_the_same_conflict_again(world: World) -> None:
    await resolved(world)
    await world.land("other", world.work({"b.txt": THEIRS}))
    work = world.work({**B, "b.txt": OURS})

    known, other = await world.lander.sides(key("second"), work, world.tip())

    assert (known.path, known.proposal) == ("a.txt", MINE.encode())
    assert known.proposed.startswith("as ada decided on 2")
    assert (other.path, other.proposal, other.proposed) == ("b.txt", None, "")


async def test_a_persons_word_outranks_the_strategies(world: World) -> None:
    world.options = replace(world.options, silent=("superset",))
    less, more = edited(l5="five"), edited(l5="five\nand more")
    work = await resolved(world, {"a.txt": less}, {"a.txt": more}, less)

    merged = await combine(world, work)

    assert isinstance(merged, Merged)
    assert world.files(merged.tip)["a.txt"][1] == less
    assert merged.candidate == merged.tip


async def test_the_newest_word_counts(world: World) -> None:
    work = await resolved(world)
    await decide(world, work, Decision.OURS, {})

    merged = await combine(world, work)

    assert isinstance(merged, Merged)
    assert world.files(merged.candidate)["a.txt"][1] == OURS
    assert len(kept(world)) == 1


async def test_every_file_of_a_conflict_has_to_be_known(world: World) -> None:
    work = await resolved(world)
    await world.land("other", world.work({"b.txt": THEIRS}))
    both = world.work({**B, "b.txt": OURS})

    assert isinstance(await combine(world, work), Merged)
    assert isinstance(await combine(world, both), Conflicted)


@pytest.mark.parametrize("options", [{"remembers": False}, {"gate": GateOptions()}])
async def test_nothing_is_recalled_without_a_gate_or_when_it_is_not_wanted(
    world: World, options: dict[str, object]
) -> None:
    work = await resolved(world)
    world.options = replace(world.options, **options)

    assert isinstance(await combine(world, work), Conflicted)


async def test_what_is_no_conflict_of_text_is_not_remembered(world: World) -> None:
    await world.landed("first", {"a.txt": None})
    work = world.work(B)

    await decide(world, work, Decision.OURS, {})

    assert not (world.places.root / "resolutions").exists()
    assert isinstance(await combine(world, work), Conflicted)


async def test_a_decision_stands_when_it_can_not_be_remembered(world: World) -> None:
    (world.places.root / "resolutions").write_text("in the way")

    work = await resolved(world)

    assert isinstance(await combine(world, work), Conflicted)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\0\xff",
        b"[]",
        b"{}",
        b'{"format": "pex-tui resolution 1"}',
        b'{"format": "pex-tui resolution 9"}',
        b'{"format": "pex-tui resolution 1", "path": "a", "by": "", "at": null}',
        b"[" * 100_000,
        b" " * (9 * 1024 * 1024),
    ],
    ids=["empty", "binary", "list", "other", "cut", "newer", "types", "deep", "huge"],
)
async def test_a_memory_that_can_not_be_read_is_forgotten_and_told(
    world: World, content: bytes
) -> None:
    work = await resolved(world)
    (file,) = kept(world)
    file.write_bytes(content)

    found = await combine(world, work)

    assert isinstance(found, Conflicted)
    (notice,) = found.notices
    assert "can't be read and was removed" in notice
    assert kept(world) == []
    assert (await combine(world, work)).notices == ()


def conflict(number: int) -> tuple[Chunk, ...]:
    parts = read_conflict(b"x\n", f"{number}\n".encode(), b"y\n")
    assert parts is not None
    return parts


def test_the_oldest_is_forgotten_when_there_is_too_much(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(resolution_cache, "_MOST_FILES", 3)
    known = ResolutionCache(tmp_path / "known")
    for number in range(5):
        known.keep("a", conflict(number), b"z\n", "you")
        for age, file in enumerate(sorted(known.folder.iterdir(), key=os.path.getmtime)):
            os.utime(file, (age, age))

    found = [known.recall("a", conflict(number)) is not None for number in range(5)]
    assert found == [False, False, True, True, True]


def test_what_is_too_large_is_not_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resolution_cache, "_MOST_BYTES", 1000)
    known = ResolutionCache(tmp_path / "known")

    known.keep("a", conflict(1), b"z\n" * 1000, "you")

    assert not known.folder.exists()


def test_bytes_that_are_no_text_are_remembered(tmp_path: Path) -> None:
    parts = read_conflict(b"a\xff\n", b"b\xfe\n", b"c\xfd\n")
    assert parts is not None
    known = ResolutionCache(tmp_path / "known")

    known.keep("\udcff", parts, b"\xfe\xfd\n", "you")

    (file,) = known.folder.iterdir()
    assert json.loads(file.read_bytes())["by"] == "you"
    found = known.recall("\udcff", parts)
    assert found is not None
    assert found[0] == b"\xfe\xfd\n"


async def test_what_was_remembered_with_conflict_markers_is_forgotten(world: World) -> None:
    work = await resolved(world)
    (file,) = kept(world)
    known = json.loads(file.read_text())
    known["after"] = [*known["after"], "<<<<<<< a\n", "x\n", "=======\n", ">>>>>>> b\n"]
    file.write_text(json.dumps(known))

    assert isinstance(await combine(world, work), Conflicted)
    assert kept(world) == []
