"""`pex-tui rollback` and `recover`, on the run's branch and on the user's."""

import json

from tests.e2e.conftest import Shell

PLAN = {
    "version": 1,
    "goal": "Write two files",
    "tasks": [
        {"id": "one", "command": "echo 1 > one.txt", "writes": ["one.txt"]},
        {"id": "two", "command": "echo 2 > two.txt", "writes": ["two.txt"], "needs": ["one"]},
    ],
}


def ran(shell: Shell, *options: str) -> None:
    (shell.top.parent / "plan.json").write_text(json.dumps(PLAN))
    plan = str(shell.top.parent / "plan.json")
    ended = shell.pex("run", plan, "--headless", "--name", "r", *options)
    assert ended.returncode == 0, ended.stderr


def files(shell: Shell, commit: str) -> list[str]:
    return shell.git("ls-tree", "--name-only", commit).split()


def undo_id(text: str) -> str:
    return text.rpartition("`pex-tui recover ")[2].partition("`")[0]


def test_a_landed_run_is_undone_told_and_brought_back(shell: Shell) -> None:
    ran(shell, "--land")
    landed, base = shell.git("rev-parse", "main"), shell.git("rev-parse", "main~2")

    asked = shell.pex("rollback", "r")
    assert asked.returncode == 1
    assert "main gets 2 revert commits" in asked.stdout
    assert "Add --yes" in asked.stderr
    assert shell.git("rev-parse", "main") == landed

    done = shell.pex("rollback", "r", "--yes")

    assert done.returncode == 0, done.stderr
    assert shell.git("rev-parse", "main~2") == landed
    assert shell.git("diff", base, "main") == ""
    assert shell.git("status", "--porcelain") == ""
    assert "rolled_back" in shell.pex("runs").stdout
    report = shell.pex("report", "r").stdout
    assert "Run r: rolled back" in report
    assert "rolled back by you" in report
    told = json.loads(shell.pex("report", "r", "--format", "json").stdout)
    assert [task["outcome"] for task in told["tasks"]] == ["aborted", "aborted"]
    assert json.loads(shell.pex("runs", "--json").stdout)[0]["landed"] == 0
    again = shell.pex("land", "r")
    assert "nothing to land" in again.stdout, again
    assert "was rolled back" in shell.pex("resume", "r", "--headless").stderr

    listed = json.loads(shell.pex("recover", "--json").stdout)
    assert [(one["command"], one["run"]) for one in listed] == [("rollback", "r")]
    back = shell.pex("recover", undo_id(done.stdout))

    assert back.returncode == 0, back.stderr
    assert shell.git("diff", landed, "main") == ""
    assert shell.git("rev-parse", "pex/r") == landed
    assert "all tasks succeeded" in shell.pex("report", "r").stdout
    assert shell.pex("recover").stdout.startswith("Nothing was removed")
    shell.git("fsck", "--strict")


def test_one_unlanded_task_is_undone_and_what_needs_it_named(shell: Shell) -> None:
    ran(shell)

    done = shell.pex("rollback", "r", "one", "--yes", "--json")

    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert (told["tasks"], told["staying"], told["target"]) == (["one"], ["two"], "")
    assert files(shell, "pex/r") == ["src", "two.txt"]
    assert "1/2" in shell.pex("runs").stdout
    landed = shell.pex("land", "r")
    assert landed.returncode == 0, landed.stderr
    assert files(shell, "main") == ["src", "two.txt"]


def test_a_run_without_a_journal_is_rolled_back_and_brought_back(shell: Shell) -> None:
    ran(shell, "--land")
    landed = shell.git("rev-parse", "main")
    for file in shell.top.parent.glob("state/pex-tui/*/journal.db*"):
        file.unlink()

    done = shell.pex("rollback", "r", "--yes")

    assert done.returncode == 0, done.stderr
    assert files(shell, "main") == ["src"]
    back = shell.pex("recover", undo_id(done.stdout)[:3])
    assert back.returncode == 0, back.stderr
    assert shell.git("diff", landed, "main") == ""


def test_the_rollback_of_a_cleaned_run_comes_back_after_the_run(shell: Shell) -> None:
    ran(shell, "--land")
    undo = undo_id(shell.pex("rollback", "r", "--yes").stdout)
    shell.pex("clean", "r", "--yes")

    refused = shell.pex("recover", undo)

    assert refused.returncode == 1
    first = undo_id(refused.stderr.partition(", then")[0])
    assert first not in {"", undo}
    assert shell.pex("recover", first).returncode == 0
    back = shell.pex("recover", undo)
    assert back.returncode == 0, back.stderr
    assert files(shell, "main") == files(shell, "pex/r") == ["one.txt", "src", "two.txt"]
    assert "all tasks succeeded" in shell.pex("report", "r").stdout
    assert "restored already" in shell.pex("recover", undo).stderr


def test_what_is_in_the_way_is_named_and_nothing_changes(shell: Shell) -> None:
    ran(shell, "--land")
    landed = shell.git("rev-parse", "main")
    shell.write("one.txt", "mine\n")

    refused = shell.pex("rollback", "r", "--yes")

    assert refused.returncode == 1
    assert "Not committed" in refused.stderr
    assert (shell.top / "one.txt").read_text() == "mine\n"
    assert shell.git("rev-parse", "main", "pex/r").split() == [landed, landed]
    assert shell.pex("recover").stdout.startswith("Nothing")
