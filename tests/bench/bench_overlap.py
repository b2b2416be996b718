"""Cost and accuracy of overlap detection: a changed workspace, ten idle ones, many pairs."""

import asyncio
import random
import time
from contextlib import closing, suppress
from pathlib import Path

import psutil
import pytest

from pex_tui.adapters.git.overlap.git_overlap_probe import GitOverlapProbe
from pex_tui.adapters.git.overlap.overlap_filter import may_overlap
from pex_tui.adapters.git.plumbing.git_runner import Git
from pex_tui.adapters.system.folder_watch import FolderWatch
from pex_tui.core.model.ids import CommitId
from tests.adapters.git.conftest import Bench, Project, key_of, writer
from tests.adapters.git.overlap.test_git_overlap_probe import START, at_work, disturb

pytestmark = pytest.mark.bench

FILES = 5_000
CHANGES = 20
AGENTS = 10
IDLE_SECONDS = 20.0
PAIRS = 1_000


def large(project: Project) -> None:
    for number in range(FILES):
        project.write(f"src/part{number % 50}/file{number}.py", f"value = {number}\n" * 20)
    project.commit({}, "many files")


async def test_a_changed_workspace_of_many_files(bench: Bench, project: Project) -> None:
    large(project)
    overlap_probe = GitOverlapProbe(bench.workspaces)
    key, path = await at_work(bench.workspaces, project, "one")
    before, seconds = await overlap_probe.change_set(key, None), []
    for number in range(CHANGES):
        (path / f"src/part{number}/file{number}.py").write_text(f"changed = {number}\n")
        began = time.perf_counter()
        before = await overlap_probe.change_set(key, before)
        seconds.append(time.perf_counter() - began)
    seconds.sort()
    print(
        f"\na changed workspace of {FILES} files: {seconds[0] * 1000:.0f} ms at best, "
        f"{seconds[len(seconds) // 2] * 1000:.0f} ms in the middle (50)"
    )


async def test_ten_idle_agents(bench: Bench, project: Project) -> None:
    large(project)
    overlap_probe = GitOverlapProbe(bench.workspaces)
    folders = [
        (await bench.workspaces.prepare(key_of(f"t{number}"), writer(), head(project))).path
        for number in range(AGENTS)
    ]
    listening = asyncio.create_task(drain(overlap_probe.watch(print), frozenset(folders)))
    await asyncio.sleep(2.0)
    own = psutil.Process()
    began = own.cpu_times()
    await asyncio.sleep(IDLE_SECONDS)
    ended = own.cpu_times()
    listening.cancel()
    with suppress(asyncio.CancelledError):
        await listening
    used = ended.user + ended.system - began.user - began.system
    print(f"\n{AGENTS} idle agents: {used / IDLE_SECONDS:.2%} CPU (0.50%)")


async def test_many_pairs_beside_git(bench: Bench, project: Project) -> None:
    project.commit(START)
    overlap_probe = GitOverlapProbe(bench.workspaces)
    one, here = await at_work(bench.workspaces, project, "one")
    other, there = await at_work(bench.workspaces, project, "other")
    draw = random.Random(5)  # noqa: S311  # no secret
    git = Git(bench.repository.common_dir)
    conflicts = suspected = found = right = 0
    for _ in range(PAIRS):
        for folder in (here, there):
            Project(folder).git("reset", "-q", "--hard")
            Project(folder).git("clean", "-qfdx")
            for _ in range(draw.randint(1, 3)):
                disturb(folder, draw)
        left, opposite = (
            await overlap_probe.change_set(one, None),
            await overlap_probe.change_set(other, None),
        )
        assert left is not None
        assert opposite is not None
        answer = await git.run(
            "merge-tree", "--write-tree", "--name-only", left.commit, opposite.commit, ok=(0, 1)
        )
        told = bool(await overlap_probe.overlap(left, opposite))
        conflicts += answer.status
        suspected += may_overlap(left, opposite)
        found += told
        right += told and bool(answer.status)
    print(
        f"\n{PAIRS} pairs, {conflicts} conflicts, {suspected} suspected: "
        f"recall {right / conflicts:.4f} (.995), precision {right / found:.4f} (.95); "
        f"lines alone {conflicts / suspected:.3f}"
    )


async def drain(watching: FolderWatch, folders: frozenset[Path]) -> None:
    with closing(watching):
        watching.follow(folders)
        while True:
            await watching.changes()


def head(project: Project) -> CommitId:
    return CommitId(project.git("rev-parse", "HEAD"))
