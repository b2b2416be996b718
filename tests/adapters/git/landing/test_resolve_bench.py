"""Output of `tests/bench/resolve.py` for a repository of merges with known outcomes."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.adapters.git.conftest import Project
from tests.adapters.git.landing_world import LINES, edited
from tests.bench.resolve import drawn, main

SCRIPT = Path(__file__).parents[3] / "bench" / "resolve.py"


def merged(project: Project, theirs: str, ours: str, committed: str, path: str = "a.txt") -> None:
    """Change a file of twenty lines on two branches, and merge them by hand."""
    project.git("switch", "-q", "main")
    project.commit({path: "# Log\n" if path.endswith("md") else LINES}, "as it was")
    project.git("switch", "-q", "-C", "side")
    project.commit({path: ours})
    project.git("switch", "-q", "main")
    project.commit({path: theirs})
    tip, work = (project.git("rev-parse", name) for name in ("main", "side"))
    project.write(path, committed)
    project.git("add", "-A")
    tree = project.git("write-tree")
    made = project.git("commit-tree", tree, "-p", tip, "-p", work, "-m", "Merge side")
    project.git("reset", "-q", "--hard", made)


def told(project: Project, *options: str) -> list[str]:
    """Return what the script prints about the project."""
    ended = subprocess.run(
        [sys.executable, SCRIPT, project.path, *options],
        capture_output=True,
        text=True,
        check=True,
    )
    return ended.stdout.splitlines()


def row(lines: list[str], name: str) -> list[str]:
    (found,) = (line for line in lines if line.startswith(f"{name}  "))
    return found.removeprefix(name).split()


def test_the_table_tells_what_is_resolved_and_how_often_people_did_the_same(
    project: Project,
) -> None:
    less, more = edited(l5="five"), edited(l5="five\nand more")
    for committed in (more, more, more, more, less):
        merged(project, less, more, committed)
    merged(project, edited(l5="5"), edited(l6="6"), edited(l5="5", l6="6"))
    merged(project, "# Log\n- a\n", "# Log\n- b\n", "# Log\n- b\n- a\n", "CHANGES.md")
    merged(project, edited(l1="1"), edited(l20="20"), edited(l1="1", l20="20"))
    before = project.git("count-objects")

    lines = told(project)

    assert lines[0] == "8 merges, 7 of them in conflict (7 files)"
    assert row(lines, "by default") == ["7", "5", "4", "80.0%", "90.0%"]
    assert row(lines, "adjacent") == ["7", "1", "1", "100.0%", "100.0%"]
    assert row(lines, "superset, adjacent") == ["7", "6", "5", "83.3%", "91.7%"]
    assert row(lines, "union of changelogs") == ["7", "1", "0", "0.0%", "50.0%"]
    assert lines[-2].endswith("as a whole by default: 5, exactly as committed 4 (80.0%).")
    assert lines[-1].endswith("exactly as committed: met.")
    assert project.git("count-objects") == before
    assert told(project, "--most", "3")[0].startswith("3 merges")


def test_a_repository_without_merges_is_told_so(project: Project) -> None:
    assert told(project)[-1].endswith("no merge commit with two parents, so nothing to measure.")


def test_an_empty_and_a_shallow_repository_are_told_so(project: Project, tmp_path: Path) -> None:
    merged(project, "a\n", "b\n", "a\n")
    shallow, empty = tmp_path / "shallow", tmp_path / "empty"
    project.git("clone", "-q", "--depth", "1", f"file://{project.path}", str(shallow))
    project.git("init", "-q", str(empty))

    assert "it is a shallow clone" in told(Project(shallow))[-1]
    assert "nothing to measure" in told(Project(empty))[-1]


def test_histories_with_nothing_in_common_are_counted_apart(project: Project) -> None:
    project.git("switch", "-q", "--orphan", "other")
    project.commit({"x": "x\n"})
    project.git("switch", "-q", "main")
    project.git("merge", "-q", "--allow-unrelated-histories", "-m", "Merge other", "other")

    assert told(project)[:2] == [
        "0 merges, 0 of them in conflict (0 files)",
        "1 more could not be made anew",
    ]


def test_what_is_no_repository_is_told_in_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["resolve.py", str(tmp_path)])

    assert main() == 2
    assert "can't be read" in capsys.readouterr().err


def test_merges_are_drawn_evenly() -> None:
    assert drawn(list("abcdefgh"), 4) == list("aceg")
    assert drawn(list("ab"), 4) == list("ab")
