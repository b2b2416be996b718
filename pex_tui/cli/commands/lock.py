"""`pex-tui lock NAME… [--shared] [--timeout S] -- COMMAND…`, inside an agent."""

import os
from argparse import ArgumentParser, Namespace

from pex_tui.cli.command import PROGRAM, Command
from pex_tui.errors import UserError

_NOT_HAD = 75  # sysexits' EX_TEMPFAIL: a retry may succeed


def _add_arguments(parser: ArgumentParser) -> None:
    parser.usage = f"{PROGRAM} lock NAME... [--shared] [--timeout S] -- COMMAND..."
    parser.add_argument(
        "names", nargs="+", metavar="NAME", help="a lock; several are taken together"
    )
    parser.add_argument("--shared", action="store_true", help="share the locks with other readers")
    parser.add_argument(
        "--timeout", type=float, metavar="S", help="give up after so many seconds, with exit 75"
    )


COMMAND = Command(
    summary="run a command while holding named locks",
    description="Exits with the command's exit code.",
    examples=(
        ("lock postgres -- pytest tests/db", "exclusive"),
        ("lock cache --shared -- make docs", "shared"),
    ),
    add_arguments=_add_arguments,
    is_open_to_agents=True,
    takes_words=True,
)


def main(options: Namespace) -> int:
    """Run the command holding the locks; return its exit code, 75 if the locks are refused."""
    from pex_tui.adapters.ipc.lock_client import (
        WITHIN,
        Claim,
        LockRefused,
        print_marked,
        run_holding,
    )

    if not options.words:
        raise UserError(
            "There is no command to run: pex-tui lock NAME -- COMMAND, as in "
            "`pex-tui lock postgres -- pytest tests/db`."
        )
    if options.timeout is not None and options.timeout < 0:
        raise UserError("--timeout is a number of seconds, 0 or more.")
    found = {name: os.environ.get(name, "") for name in ("PEX_SOCKET", "PEX_TASK", "PEX_TOKEN")}
    attempt = os.environ.get("PEX_ATTEMPT", "")
    if not all(found.values()) or not attempt.isdecimal():
        raise UserError(
            "pex-tui lock works inside an agent of a run: it asks the engine that started it "
            "(PEX_SOCKET), and there is none here. A task takes a lock with `locks: [NAME]` in the "
            "plan."
        )
    claim = Claim(
        path=found["PEX_SOCKET"],
        task=found["PEX_TASK"],
        attempt=int(attempt),
        token=found["PEX_TOKEN"],
        locks=tuple(dict.fromkeys(options.names)),
        tell=print_marked,
        is_shared=options.shared,
        wait_seconds=options.timeout,
        within=tuple(filter(None, os.environ.get(WITHIN, "").split(","))),
    )
    try:
        return run_holding(claim, options.words)
    except LockRefused as refused:
        print_marked(str(refused))
        return _NOT_HAD
    except KeyboardInterrupt:
        return 130
