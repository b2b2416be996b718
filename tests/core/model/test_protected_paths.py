"""Protected paths: their patterns, and the handling of work that changes them."""

from collections.abc import Callable

import pytest

from pex_tui.core.events.actions import MergeWork
from pex_tui.core.events.landing_events import BranchMoved, WorkMerged
from pex_tui.core.events.overlap_events import WritesSeen
from pex_tui.core.events.run_events import ConflictDecided, RunAdopted
from pex_tui.core.model.conflict import ConflictKind, Decision
from pex_tui.core.model.ids import TaskId
from pex_tui.core.model.phases import Phase
from pex_tui.core.model.plan import Plan
from pex_tui.core.model.protected_paths import Protection, named_files, protection_of
from pex_tui.core.model.run_rules import FallbackMode, ProtectPolicy, RunRules
from pex_tui.core.model.task_state import FailureKind
from tests.core.world import BASE, SHIPPED, World, shipped, task

Make = Callable[..., World]
A = TaskId("a")
CI = (".github/workflows/ci.yml",)


def among(path: str, *verify: tuple[str, ...], **fields: object) -> bool:
    protection = protection_of(Plan((task("a", **fields),), verify=verify), SHIPPED)
    assert protection is not None
    return bool(protection.among([path], A))


@pytest.mark.parametrize(
    "path",
    [
        ".pex/pex.yaml",
        ".pex/agents/mine.md",
        ".claude/agents/reviewer.md",
        ".claude/settings.json",
        ".mcp.json",
        ".github/workflows/ci.yml",
        ".github/actions/setup/action.yml",
        ".gitlab-ci.yml",
        ".circleci/config.yml",
        "Jenkinsfile",
        ".husky/pre-commit",
        ".githooks/pre-push",
        ".pre-commit-config.yaml",
        "lefthook.yml",
        ".gitattributes",
        "src/data/.gitattributes",
        ".pex",  # a link in the place of the folder
        ".github",
    ],
)
def test_settings_agents_ci_hooks_and_attributes_are_protected(path: str) -> None:
    assert among(path)


@pytest.mark.parametrize("path", ["src/pex.yaml", ".github/CODEOWNERS", "docs/ci.yml", "README.md"])
def test_other_paths_are_not(path: str) -> None:
    assert not among(path)


@pytest.mark.parametrize(
    ("argv", "path"),
    [
        (("./check.sh",), "check.sh"),
        (("sh", "check.sh"), "check.sh"),
        (("./my check.sh",), "my check.sh"),
        (("sh", "-c", "cd tools && ./check.sh -q || exit 1"), "tools/check.sh"),
        (("sh", "-c", "bash -e 'ci/all.sh'; \"$PWD/last.sh\""), "ci/all.sh"),
        (("sh", "-c", "bash -e 'ci/all.sh'; \"$PWD/last.sh\""), "last.sh"),
        (("env", "A=b", "python", "-m", "tools.check"), "tools/check.py"),
        (("python", "-m", "tools.check"), "tools/check/__main__.py"),
        (("pytest", "-c", "ci/pytest.ini"), "ci/pytest.ini"),
        (("tool", "--config=conf/tool.toml"), "conf/tool.toml"),
        (("make", "-C", "build", "test"), "build/Makefile"),
        (("sh", "-c", "nice make test"), "Makefile"),
        (("./a/../check.sh",), "check.sh"),
        (("sh", "-c", ". ci/all.sh"), "ci/all.sh"),
        (("sh", "-c", "bash ci/all.sh < in.txt | tee out"), "ci/all.sh"),
        (("uv", "run", "python", "-X", "dev", "ci/all.py"), "ci/all.py"),
        (("sh", "-c", "for i in 1 2; do node ci/all.js $i; done"), "ci/all.js"),
        (("npm", "test"), "package.json"),
        (("sh", "-c", "cd web && yarn run check"), "web/package.json"),
        (("pnpm", "--prefix", "app", "test"), "app/package.json"),
        (("scripts/check.sh",), "scripts"),  # a link in the place of the folder
    ],
)
def test_files_that_the_gates_commands_name_are_protected(argv: tuple[str, ...], path: str) -> None:
    assert among(path, argv)
    assert not among(path)


@pytest.mark.parametrize(
    ("argv", "path"),
    [
        (("pytest", "--rootdir=.", "tests/test_api.py::test_it"), "tests/test_api.py"),
        (("sh", "-c", "grep -q two src/a.txt"), "src/a.txt"),
        (("sh", "-c", "! diff src/a.txt want.txt && test -s out.txt"), "want.txt"),
        (("ruff", "check", "src/api.py"), "src/api.py"),
    ],
)
def test_what_a_command_looks_at_is_what_tasks_may_well_change(
    argv: tuple[str, ...], path: str
) -> None:
    assert not among(path, argv)


def test_a_folder_that_a_command_names_does_not_protect_what_lies_in_it() -> None:
    assert not among("tests/test_api.py", ("pytest", "-q", "tests"))
    assert named_files([("/usr/bin/pytest", "-c", "../out.ini")]) == {"pytest"}  # by its own name


@pytest.mark.parametrize(
    ("writes", "asked"), [(CI, False), (("**",), True), ((".github/**",), True), (None, True)]
)
def test_a_task_that_names_the_very_path_may_change_it_and_a_glob_does_not_count(
    writes: tuple[str, ...] | None, *, asked: bool
) -> None:
    assert among(CI[0], writes=writes) is asked


def test_what_the_radar_has_seen_a_task_write_is_not_what_a_person_approved(world: Make) -> None:
    run = world(task("a", writes=("src/**",)))
    run.run("a")
    run.send(WritesSeen(A, 1, CI))
    assert CI[0] in (run.state.spec(A).writes or ())

    protection = protection_of(run.state.planned, run.state.rules)

    assert protection is not None
    assert protection.among(CI, A) == CI


def test_nothing_is_protected_in_a_run_of_before() -> None:
    assert protection_of(Plan((), verify=(("./check.sh",),)), RunRules()) is None


def test_no_globs_protect_nothing() -> None:
    assert Protection().among(["a", "b/c"], A) == ()


def merged(run: World, *protected: str, name: str = "a") -> None:
    """Merge the task's work, which changes these protected paths."""
    if run.phase(name) is not Phase.LANDING:
        run.exit(name)
        run.capture(name, "src/api.py", *protected)
    entry = run.task(name)
    tip = entry.onto or run.state.tip or BASE
    run.send(
        WorkMerged(entry.id, entry.attempt, tip, run.commit(), onto=entry.onto, protected=protected)
    )


def moved(run: World) -> None:
    entry = run.task("a")
    assert entry.candidate is not None
    run.send(BranchMoved(A, entry.attempt, entry.candidate))


def test_work_on_protected_paths_waits_for_a_person_before_the_gate(world: Make) -> None:
    run = world(task("a"), task("b", "a"), verify=(("./check.sh",),))
    merged(run, "check.sh")

    (conflict,) = run.state.open_conflicts
    assert run.phase("a") is Phase.CONFLICT
    assert (conflict.kind, conflict.tasks) == (ConflictKind.PROTECTED, (A,))
    assert [(file.path, file.kind) for file in conflict.files] == [("check.sh", "protected")]
    assert isinstance(run.actions[-1], MergeWork)  # no gate ran what it wrote
    assert run.phase("b") is Phase.WAITING


@pytest.mark.parametrize("fallback", FallbackMode)
def test_no_rule_of_the_run_ends_that_wait(world: Make, fallback: FallbackMode) -> None:
    rules = shipped(fallback=fallback)
    run = world(task("a"), task("b"), rules=rules)
    merged(run, *CI)

    run.send(RunAdopted(7, "you", retry_failed=True, retry_aborted=True))

    assert (run.phase("a"), run.task("a").attempt) == (Phase.CONFLICT, 1)
    assert run.phase("b") is Phase.STARTING
    assert not run.state.sequential
    assert len(run.state.open_conflicts) == 1


@pytest.mark.parametrize("decision", [Decision.OURS, Decision.THEIRS, Decision.EDITED])
def test_what_a_person_decided_lands_without_another_question(
    world: Make, decision: Decision
) -> None:
    run = world(task("a"))
    merged(run, *CI)
    run.send(ConflictDecided(A, decision, run.commit(), "ada"))

    merged(run, *CI)
    moved(run)

    assert run.phase("a") is Phase.LANDED
    assert run.state.open_conflicts == ()


def test_another_path_than_the_one_that_was_decided_is_asked_for(world: Make) -> None:
    run = world(task("a"))
    merged(run, *CI)
    run.send(ConflictDecided(A, Decision.EDITED, run.commit(), "ada"))

    merged(run, *CI, ".pex/pex.yaml")

    (conflict,) = run.state.open_conflicts
    assert [file.path for file in conflict.files] == [".pex/pex.yaml"]


def test_a_new_attempt_is_asked_for_anew(world: Make) -> None:
    run = world(task("a"))
    merged(run, *CI)
    run.send(ConflictDecided(A, Decision.RERUN, None, "ada"))

    merged(run, *CI)

    assert (run.task("a").attempt, run.phase("a")) == (2, Phase.CONFLICT)


def test_the_files_that_commands_name_are_known_with_their_folders() -> None:
    protection = protection_of(Plan((), verify=(("./ci/check.sh",),)), SHIPPED)

    assert protection is not None
    assert {"ci", "ci/check.sh"} <= set(protection.named)


def test_a_person_may_give_the_task_up(world: Make) -> None:
    run = world(task("a"))
    merged(run, *CI)

    run.send(ConflictDecided(A, Decision.ABORTED, None, "ada"))

    assert (run.phase("a"), run.task("a").reason) == (Phase.ABORTED, "given up by ada")


def test_a_task_of_which_all_was_left_out_says_so(world: Make) -> None:
    run = world(task("a"))
    merged(run, *CI)
    run.send(ConflictDecided(A, Decision.THEIRS, run.commit(), "ada"))
    entry = run.task("a")
    tip = run.state.tip or BASE

    run.send(WorkMerged(A, entry.attempt, tip, tip))

    assert (run.phase("a"), run.task("a").reason) == (
        Phase.DONE,
        "all that it changed was left out",
    )


def test_under_the_policy_warn_it_lands_and_is_reported(world: Make) -> None:
    run = world(task("a"), rules=shipped(protect=ProtectPolicy.WARN))
    merged(run, *CI)
    moved(run)

    assert (run.phase("a"), run.state.conflicts) == (Phase.LANDED, ())
    assert run.state.notices == (f"a landed changes to protected {CI[0]}.",)


def test_under_the_policy_refuse_the_task_fails_and_its_work_is_kept(world: Make) -> None:
    run = world(task("a"), rules=shipped(protect=ProtectPolicy.REFUSE))
    merged(run, *CI)

    failure = run.task("a").failure
    assert run.phase("a") is Phase.FAILED
    assert failure is not None
    assert failure.kind is FailureKind.PROTECTED
    assert f"it changes protected {CI[0]}" in failure.detail
    assert run.task("a").work is not None
