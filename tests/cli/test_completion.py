"""Completions of the last word of a command line."""

import subprocess
import sys
from pathlib import Path

import pytest

from pex_tui.cli.completion import SCRIPTS, candidates, words_of
from pex_tui.cli.main import main
from pex_tui.cli.parser import NAMES

BASH = """
{script}
complete -p pex-tui
pex-tui() {{ {python} -m pex_tui "$@"; }}
for COMP_LINE in "pex-tui re" "pex-tui run --fa" "pex-tui --set conflict_resolution.radar=w"; do
    COMP_POINT=${{#COMP_LINE}}
    _pex_tui
    echo "${{COMPREPLY[*]}}"
done
"""


def values(*words: str) -> list[str]:
    return [value for value, _ in candidates(words)]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("plan.yaml", "plan.json", "notes.md", ".hidden.yaml", "sub/inner.yml"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.touch()
    heads = tmp_path / ".git" / "refs" / "heads" / "pex"
    heads.mkdir(parents=True)
    (heads / "7f3a").touch()
    packed = "# pack-refs with: peeled\n0a1b refs/heads/main\n0a1b refs/heads/pex/7e00\n"
    (tmp_path / ".git" / "packed-refs").write_text(packed)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_first_word_is_a_command_with_its_summary() -> None:
    assert values("") == sorted(NAMES)
    assert candidates(["rep"]) == [("report", "show a run's report")]


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (("run", "--fa"), ["--fail-fast"]),
        (("--repo", "/x", "resu"), ["resume"]),
        (("report", "--format", "h"), ["html"]),
        (("report", "--format=j"), ["--format=json"]),
        (("agents", "a"), ["add"]),
        (("agents", "add", "--to", "u"), ["user"]),
        (("run", "--set", "gate.re"), ["gate.retries="]),
        (("--set", "gate.speculate="), ["gate.speculate=false", "gate.speculate=true"]),
        (("--set", "monitoring.symbols=l"), ["monitoring.symbols=line"]),
        (("completion", "z"), ["zsh"]),
        (("lock", "db", "--", "pyt"), []),
        (("run", "--slots", ""), []),
        (("nonsense", ""), []),
        (("resume", "--back"), []),
    ],
    ids=str,
)
def test_options_choices_and_settings(words: tuple[str, ...], expected: list[str]) -> None:
    assert values(*words) == expected


def test_a_plan_is_a_file_of_that_kind_or_in_a_folder(folder: Path) -> None:
    assert folder == Path.cwd()
    assert values("run", "") == ["plan.json", "plan.yaml", "sub/"]
    assert values("check", "sub/") == ["sub/inner.yml"]
    assert values("run", ".h") == [".hidden.yaml"]
    assert values("plan", "x", "-o", "n") == ["notes.md"]
    assert values("run", "plan.yaml", "") == []


def test_a_run_is_one_that_has_a_branch(folder: Path) -> None:
    assert values("report", "") == ["7e00", "7f3a"]
    assert values("--repo", str(folder / "sub"), "land", "7f") == ["7f3a"]


def test_runs_are_found_from_a_worktree(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (private := folder / ".git" / "worktrees" / "w").mkdir(parents=True)
    (private / "commondir").write_text("../..\n")
    (tree := folder / "w").mkdir()
    (tree / ".git").write_text(f"gitdir: {private}\n")
    monkeypatch.chdir(tree)

    assert values("resume", "") == ["7e00", "7f3a"]


def test_there_are_no_runs_outside_of_a_repository(tmp_path: Path) -> None:
    assert values("--repo", str(tmp_path / "none"), "report", "") == []


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("pex-tui ", [""]),
        ("pex-tui run", ["run"]),
        ("pex-tui run 'Fix the", ["run", "Fix the"]),
        ('pex-tui run "a b" --', ["run", "a b", "--"]),
    ],
)
def test_a_line_is_split_as_the_shell_does(line: str, words: list[str]) -> None:
    assert words_of(line) == words


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_each_shell_has_a_script_that_asks_the_program(
    shell: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["completion", shell]) == 0
    assert f"pex-tui completion {shell} -- " in capsys.readouterr().out


def test_bash_completes_with_it() -> None:
    script = BASH.format(script=SCRIPTS["bash"], python=sys.executable)
    done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=True)

    assert done.stdout.splitlines() == [
        "complete -o default -F _pex_tui pex-tui",
        "recover report resolve resume",
        "--fail-fast",
        "warn",
    ]
