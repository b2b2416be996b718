"""What can be typed: the commands, their options, and an example of each."""

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any

PROGRAM = "pex-tui"
GOAL = "open:goal"
"""The command that a goal in quotes stands for; it is not listed."""
SHARED_OPTIONS = frozenset({"--repo", "--set"})
"""Options with a value that may go before a command."""


def summaries() -> dict[str, str]:
    """What each command does, in the order of `--help`."""
    return {
        "plan": "make a plan from a goal",
        "run": "run a plan file, or a goal",
        "check": "validate a plan and show what it would do",
        "resume": "continue an interrupted run",
        "attach": "watch and steer a run that another process drives",
        "land": "bring what a run landed to the branch it started from",
        "resolve": "list or settle a run's open conflicts",
        "lock": "from inside an agent: run a command holding named locks",
        "runs": "list past runs",
        "report": "show a run's report",
        "agents": "list, show, check and add agent definitions",
        "demo": "a real run on a sample project made on the spot",
        "doctor": "say what this machine offers and lacks",
        "init": "write settings, Claude Code's /execute and a GitHub workflow to start from",
        "trust": "say that this repository's settings may run what they name",
        "clean": "remove finished runs' worktrees and refs",
    }


class _Decided(argparse.Action):
    """An option of `run` that a run keeps for good."""

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: Any,
        option_string: str | None = None,
    ) -> None:
        """Say where it belongs."""
        del namespace, values
        then = "`pex-tui land RUN` lands what it made." if option_string == "--land" else ""
        parser.error(f"{option_string} is decided when a run starts, and kept. {then}".rstrip())


class _ChosenRunner(argparse.Action):
    """`--agent NAME=RUNNER`, a setting with a flag of its own."""

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: Any,
        option_string: str | None = None,
    ) -> None:
        """Put it among the settings of the command line."""
        name, equals, runner = str(values).partition("=")
        if not (name and equals and runner):
            parser.error(f"{option_string} {values}: write NAME=RUNNER, such as '*=claude'")
        chosen = f"agents.use.{name}={runner}"
        namespace.set = [*(getattr(namespace, "set", None) or []), chosen]


def build_parser() -> argparse.ArgumentParser:
    """The parser of all commands."""
    parser = argparse.ArgumentParser(
        prog=PROGRAM,
        description="Run several agents in parallel on one git repository.",
        epilog=f'Without a command the app opens; {PROGRAM} "GOAL" opens it on the plan for a '
        f"goal. Try: {PROGRAM} demo",
    )
    parser.add_argument("--version", action="version", version=_version())
    _shared(parser)
    _classic(parser)
    parser.set_defaults(handler="app")
    commands = parser.add_subparsers(metavar="COMMAND")
    for name, summary in summaries().items():
        command = commands.add_parser(
            name,
            help=summary,
            description=summary[0].upper() + summary[1:] + ".",
            epilog=f"Example: {_EXAMPLES[name]}",
        )
        _shared(command)
        command.set_defaults(handler=name)
        if name in _ARGUMENTS:
            _ARGUMENTS[name](command)
    _for_goal(commands.add_parser(GOAL, prog=PROGRAM))  # without help: it is not listed
    return parser


def _version() -> str:
    from importlib.metadata import PackageNotFoundError, version  # noqa: PLC0415

    try:
        return f"{PROGRAM} {version(PROGRAM)}"
    except PackageNotFoundError:
        return f"{PROGRAM} (not installed)"


def _shared(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--repo", type=Path, default=argparse.SUPPRESS, metavar="DIR", help="the repository"
    )
    parser.add_argument(
        "--set",
        action="append",
        default=argparse.SUPPRESS,
        metavar="KEY=VALUE",
        help="override a setting, e.g. thread_pool.max_concurrent=3",
    )
    parser.add_argument(
        "--trust",
        action="store_true",
        default=argparse.SUPPRESS,
        help="trust what this repository's settings name, as they are now",
    )


def _classic(parser: argparse.ArgumentParser) -> None:
    words = "watch the run in one box"
    parser.add_argument("--classic", action="store_true", default=argparse.SUPPRESS, help=words)


def _headless(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--headless", action="store_true", help="run without the app")
    parser.add_argument("--json", action="store_true", help="JSON Lines on stdout")
    parser.add_argument("--yes", action="store_true", help="start without asking")


def _for_goal(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("goal", metavar="GOAL", help="what is to be done, in quotes")
    _shared(parser)
    _runners(parser)
    parser.set_defaults(handler="goal")


def _for_plan(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "goal", metavar="GOAL", help="what is to be done, in quotes; - reads it from stdin"
    )
    parser.add_argument("-o", "--output", type=Path, metavar="FILE", help="where to write it")
    parser.add_argument("--force", action="store_true", help="write over the file")
    parser.add_argument("--slots", type=int, metavar="N", help="how many agents at once, 1 to 32")
    _runners(parser)


def _for_run(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "plan",
        metavar="PLAN|GOAL",
        help="a plan file (.yaml, .yml or .json), or a goal in quotes; - reads a goal from stdin",
    )
    _headless(parser)
    _classic(parser)
    parser.add_argument("--slots", type=int, metavar="N", help="how many agents at once, 1 to 32")
    _runners(parser)
    parser.add_argument("--name", help="the run's name; its branch is pex/NAME")
    parser.add_argument("--land", action="store_true", help="bring the result to your branch")
    _wait(parser)
    parser.add_argument("--fail-fast", action="store_true", help="stop at the first failure")
    parser.add_argument(
        "--include-uncommitted",
        action="store_true",
        help="start from your uncommitted work as well",
    )


def _wait(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--wait", action="store_true", help="wait for the engine that runs here")


def _runners(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--agent",
        action=_ChosenRunner,
        default=argparse.SUPPRESS,
        metavar="NAME=RUNNER",
        help='what runs an agent, or "*" for all: claude, codex-acp, …',
    )


def _for_check(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("plan", metavar="PLAN", help="a plan file")
    parser.add_argument("--slots", type=int, metavar="N", help="how many agents at once, 1 to 32")
    _runners(parser)


def _optional_run(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("run", nargs="?", metavar="RUN", help="the newest one without it")


def _for_attach(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "run", nargs="?", metavar="RUN", help="the one that is driven now without it"
    )
    _classic(parser)


def _for_resume(parser: argparse.ArgumentParser) -> None:
    _optional_run(parser)
    _headless(parser)
    _classic(parser)
    parser.add_argument("--slots", type=int, metavar="N", help="how many agents at once, 1 to 32")
    _wait(parser)
    for option in ("--fail-fast", "--land", "--include-uncommitted"):
        parser.add_argument(option, action=_Decided, nargs=0, help=argparse.SUPPRESS)
    for option in ("--name", "--agent"):
        parser.add_argument(option, action=_Decided, help=argparse.SUPPRESS)
    parser.add_argument("--background", action="store_true", help=argparse.SUPPRESS)


def _for_resolve(parser: argparse.ArgumentParser) -> None:
    _optional_run(parser)
    parser.add_argument("task", nargs="?", metavar="TASK", help="whose conflict to settle")
    choice = parser.add_mutually_exclusive_group()
    for flag, meaning in (
        ("ours", "take the task's side of every conflicting file"),
        ("theirs", "take what landed before it"),
        ("rerun", "run the task again on the newest tip"),
        ("edit", "edit each conflicting file in $EDITOR"),
        ("abort", "give the task up; its work is kept"),
    ):
        choice.add_argument(
            f"--{flag}", dest="choice", action="store_const", const=flag, help=meaning
        )


def _for_lock(parser: argparse.ArgumentParser) -> None:
    parser.usage = f"{PROGRAM} lock NAME... [--shared] [--timeout S] -- COMMAND..."
    parser.add_argument("names", nargs="+", metavar="NAME", help="a lock; several are had at once")
    parser.add_argument("--shared", action="store_true", help="others may share them")
    parser.add_argument(
        "--timeout", type=float, metavar="S", help="give up after so many seconds, with exit 75"
    )


def _for_runs(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="a JSON list on stdout")


def _for_report(parser: argparse.ArgumentParser) -> None:
    _optional_run(parser)
    parser.add_argument("--format", choices=("text", "json", "md", "html"), default="text")


def _for_agents(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="a JSON list on stdout")
    parser.set_defaults(action="list")
    actions = parser.add_subparsers(metavar="ACTION")

    def add(name: str, summary: str) -> argparse.ArgumentParser:
        example = f"Example: {PROGRAM} agents {name} {_AGENT_EXAMPLES[name]}"
        action = actions.add_parser(name, help=summary, epilog=example.rstrip())
        _shared(action)
        action.set_defaults(action=name)
        return action

    add("list", "list the library (the default)").add_argument(
        "--json", action="store_true", default=argparse.SUPPRESS, help="a JSON list on stdout"
    )
    add("show", "all about one agent").add_argument("name", metavar="NAME")
    add("check", "check all definitions, or some").add_argument(
        "paths", nargs="*", type=Path, metavar="PATH", help="a file, or a folder of them"
    )
    adding = add("add", "take over definitions from elsewhere, after showing them")
    adding.add_argument(
        "source", metavar="SOURCE", help="a file, a folder, or a git repository as URL@COMMIT"
    )
    adding.add_argument(
        "--to", choices=("repository", "user", "configuration"), default="repository"
    )
    adding.add_argument("--yes", action="store_true", help="add without asking")
    adding.add_argument("--force", action="store_true", help="replace files that differ")


def _for_demo(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--dir", type=Path, metavar="DIR", help="where to make the project")
    _classic(parser)
    parser.add_argument("--headless", action="store_true", help="run without the app")
    parser.add_argument("--json", action="store_true", help="JSON Lines on stdout")


def _for_init(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--force", action="store_true", help="write over files that are there")


def _for_clean(parser: argparse.ArgumentParser) -> None:
    _optional_run(parser)
    parser.add_argument("--older-than", metavar="AGE", help="only runs older than this, e.g. 7d")
    parser.add_argument("--force", action="store_true", help="also what has not landed")
    parser.add_argument("--yes", action="store_true", help="remove without asking")


_ARGUMENTS: dict[str, Callable[[argparse.ArgumentParser], None]] = {
    "plan": _for_plan,
    "run": _for_run,
    "check": _for_check,
    "resume": _for_resume,
    "attach": _for_attach,
    "land": _optional_run,
    "resolve": _for_resolve,
    "lock": _for_lock,
    "runs": _for_runs,
    "report": _for_report,
    "agents": _for_agents,
    "demo": _for_demo,
    "init": _for_init,
    "clean": _for_clean,
}
_EXAMPLES = {
    "plan": f'{PROGRAM} plan "Fix the failing tests" -o plan.yaml',
    "run": f"{PROGRAM} run plan.yaml --slots 3",
    "check": f"{PROGRAM} check plan.yaml",
    "resume": f"{PROGRAM} resume 7f3a",
    "attach": f"{PROGRAM} attach",
    "land": f"{PROGRAM} land 7f3a",
    "resolve": f"{PROGRAM} resolve 7f3a api --ours",
    "lock": f"{PROGRAM} lock postgres -- pytest tests/db",
    "runs": f"{PROGRAM} runs --json",
    "report": f"{PROGRAM} report 7f3a --format html > report.html",
    "agents": f"{PROGRAM} agents show security-agent",
    "demo": f"{PROGRAM} demo --dir /tmp/shop",
    "doctor": f"{PROGRAM} doctor",
    "init": f"{PROGRAM} init --repo ~/shop",
    "trust": f"{PROGRAM} trust",
    "clean": f"{PROGRAM} clean --older-than 7d",
}
_AGENT_EXAMPLES = {
    "list": "--json",
    "show": "qa-engineer",
    "check": ".claude/agents",
    "add": "https://example.org/agents.git@1a2b3c4 --to user",
}
