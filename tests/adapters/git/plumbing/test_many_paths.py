"""Tens of thousands of paths, and names of any bytes: nothing is truncated or too long."""

import os
from pathlib import Path

import pytest

from pex_tui.adapters.git.capture import change_set as footprints
from pex_tui.adapters.git.maintenance.landed_refs import read_landed
from pex_tui.adapters.git.overlap.git_overlap_probe import GitOverlapProbe
from pex_tui.adapters.git.plumbing import shadow_index as shadow
from pex_tui.adapters.git.plumbing.merge_tree import entries_at
from pex_tui.core.model.ids import CommitId
from pex_tui.engine.run_paths import RunPaths
from tests.adapters.git.conftest import RUN, Bench, key_of, writer

MANY = 3000  # with names this long, more than a command line holds


def big_tree(bench: Bench) -> tuple[str, list[str]]:
    """Return a commit with very many long paths, made without a work tree, and the paths."""
    blob = bench.project.git("rev-parse", "HEAD:README.md")
    paths = [f"folder/{'long-' * 20}{number}" for number in range(MANY)]
    lines = "".join(f"100644 {blob}\t{path}\n" for path in paths)
    index = {"GIT_INDEX_FILE": str(bench.places.root / "index")}
    bench.project.git("update-index", "--add", "--index-info", env=index, stdin=lines)
    tree = bench.project.git("write-tree", env=index)
    return bench.project.git("commit-tree", tree, "-m", "big"), paths


async def test_entries_of_any_number_of_paths_are_read(bench: Bench) -> None:
    commit, paths = big_tree(bench)
    found = await entries_at(bench.repository.git, commit, paths)
    assert list(found) == sorted(paths)
    few = [*paths[:2], "not-there"]
    assert list(await entries_at(bench.repository.git, commit, few)) == sorted(paths[:2])


async def test_any_number_of_branches_is_asked_whether_work_has_landed(bench: Bench) -> None:
    tree = bench.project.git("rev-parse", "HEAD^{tree}")
    commit = bench.project.git("rev-parse", "HEAD")
    raw = f"tree {tree}\nauthor A <a> {{}} +0000\ncommitter A <a> 0 +0000\n\nx\n"
    names = [raw.format(number) for number in range(4)]
    command = ("hash-object", "-t", "commit", "-w", "--stdin")
    oids = [bench.project.git(*command, stdin=one) for one in names]
    refs = "".join(f"create refs/heads/b{number} {oid}\n" for number, oid in enumerate(oids))
    bench.project.git("update-ref", "--stdin", stdin=refs)
    landed = await read_landed(bench.repository.git, [RUN])
    assert await landed.holds_branch(CommitId(commit))
    alone = bench.project.git("commit-tree", tree, "-m", "y")
    assert not await landed.holds_branch(CommitId(alone))


async def test_a_diff_beyond_its_limit_still_tells_every_path(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(footprints, "_MOST_BYTES", 1000)
    path = await bench.prepare(key_of(), writer())
    for number in range(50):
        (path / f"{'long-' * 10}{number}").write_text("x")
    found = await GitOverlapProbe(bench.workspaces).change_set(key_of(), None)
    assert found is not None
    assert len(found.files) == 50
    assert not found.ranges


async def test_many_new_files_make_one_pack_and_no_object_each(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shadow, "_MANY", 20)
    path = await bench.prepare(key_of(), writer())
    before = bench.project.git("count-objects")
    for number in range(30):
        (path / f"f{number}").write_text(f"no {number}")
    done = await bench.capture(key_of())
    assert len(done.files) == 30
    assert bench.show(done.work, "f7") == "no 7"
    loose = int(bench.project.git("count-objects").split()[0]) - int(before.split()[0])
    assert loose <= 2  # a tree and a commit


@pytest.mark.parametrize("name", ["ü 日本 🚀", "new\nline", os.fsdecode(b"bad\xe9"), 'o\'x "q"'])
async def test_a_state_directory_may_have_any_name(bench: Bench, tmp_path: Path, name: str) -> None:
    bench.places = RunPaths(tmp_path / name)
    bench.places.root.mkdir()
    bench.restart()
    path = await bench.prepare(key_of(), writer())
    (path / "work").write_text("x")
    done = await bench.capture(key_of())
    assert (done.files, done.oddities, done.unlanded) == (("work",), (), ())
