"""The command line: parse what a user types and call the application."""

import errno
import os
import shlex
import sys
from argparse import Namespace
from collections.abc import Sequence
from contextlib import suppress
from difflib import get_close_matches
from importlib import import_module
from io import TextIOWrapper
from pathlib import Path
from typing import NoReturn

from pex_tui.cli.arguments import OPTIONS_WITH_VALUE
from pex_tui.cli.command import PROGRAM
from pex_tui.cli.parser import GOAL, NAMES, build_parser, command
from pex_tui.core.masking import know_secrets
from pex_tui.errors import UntrustedError, UserError

_CRASH = 70  # sysexits' EX_SOFTWARE
_INTERRUPTED = 130
_UNREAD = 1
_REFUSED = 2
_DENIED = 6
_GONE = frozenset({errno.EPIPE, errno.EIO})
_SCARCE = frozenset(
    {errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EMFILE, errno.ENFILE, errno.ENOMEM}
)


def program() -> NoReturn:
    """Run the command of `sys.argv`, then end this process with its exit code.

    The interpreter is not taken apart: that is a sixth of a short command's time, and a terminal
    that is gone would make it end with 120. Nothing is in flight: a command joins its threads.
    """
    try:
        code = main()
    except SystemExit as error:  # argparse's, which has printed all that there is to say
        code = error.code if isinstance(error.code, int) else 0
    except KeyboardInterrupt:  # while the end was under way
        code = _INTERRUPTED
    os._exit(code)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; return its exit code. No traceback reaches the user."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    know_secrets(os.environ)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="replace")  # the locale may lack characters that are printed
    try:
        return _ended(arguments)
    finally:
        _flush()


def _ended(arguments: list[str]) -> int:
    """Run the command to its end; return its exit code."""
    try:
        return _run(arguments)
    except UserError as error:
        for line in error.lines:
            _say(line)
        return error.exit_code
    except KeyboardInterrupt:
        return _INTERRUPTED
    except OSError as error:
        if error.errno in _GONE and not error.filename:
            return _UNREAD  # the reader, such as `head`, or the terminal
        if error.errno not in _SCARCE:
            return _crashed(error)
        _say(f"{error}. Nothing that has landed is lost; make room, then try again.")
        return _REFUSED
    except Exception as error:  # noqa: BLE001  # a crash is an exit code and a log path
        return _crashed(error)


def _crashed(error: Exception) -> int:
    from pex_tui.application.crash_log import write_crash_log  # noqa: PLC0415  # seldom needed

    _say(f"{PROGRAM} crashed: {type(error).__name__}: {error}".replace("\n", " "))
    _say(f"Nothing that has landed is lost; what happened is in {write_crash_log(error)}")
    return _CRASH


def _run(arguments: list[str]) -> int:
    place = _first_word(arguments)
    word = "" if place is None else arguments[place]
    if place is not None and word not in NAMES:
        _check_goal(word, arguments[place + 1 :])
        arguments = [*arguments[:place], GOAL, *arguments[place:]]
    has_words = word in NAMES and command(word).takes_words and "--" in arguments
    end = arguments.index("--") if has_words else None
    parser = build_parser((word,)) if place == 0 and word in NAMES else build_parser()
    options = parser.parse_args(arguments[:end])
    options.words = arguments[end + 1 :] if end is not None else []
    _keep_from_agents(options)
    module = import_module(f"pex_tui.cli.commands.{options.handler}")
    try:
        return int(module.main(options))
    except UntrustedError as error:
        if not _is_approved(error, options):
            raise
    return int(module.main(options))


def _is_approved(error: UntrustedError, options: Namespace) -> bool:
    """Ask at the terminal whether the repository is trusted, and store the answer."""
    from pex_tui.application.terminal import is_headless  # noqa: PLC0415  # seldom asked

    if is_headless(options) or not (sys.stdin.isatty() and sys.stderr.isatty()):
        return False
    _say("This repository's own files name what pex-tui would run or allow:")
    for line in error.problems:
        _say(line)
    sys.stderr.write("Do you trust them, as they are now? [y/N] ")
    sys.stderr.flush()
    if sys.stdin.readline().strip().lower() not in {"y", "yes"}:
        return False
    try:
        error.approve()
    except OSError as failure:
        raise UserError(f"The trust can't be stored: {failure}") from failure
    return True


def _keep_from_agents(options: Namespace) -> None:
    """Refuse a task's process all commands but reading and locks; raise UserError.

    A person's command hides its environment and memory from agents.
    """
    if options.is_open_to_agents:
        return
    from pex_tui.adapters.process.keepers import own_keeper  # noqa: PLC0415  # only to steer
    from pex_tui.adapters.system.kernel import keep_private  # noqa: PLC0415  # likewise

    keeper = own_keeper()
    if keeper is None:
        keep_private()
        return
    who = f"task {keeper.name}" if keeper.name else "an agent"
    name = options.handler
    raise UserError(
        f"This is part of {who}, and an agent must not control a run: {PROGRAM} {name} is for "
        f"people. Inside an agent there is `{PROGRAM} lock NAME -- COMMAND`.",
        _DENIED,
    )


def _first_word(arguments: list[str]) -> int | None:
    """Return the position of the command or the goal: after the leading options."""
    place = 0
    while place < len(arguments) and arguments[place].startswith("-"):
        place += 2 if arguments[place] in OPTIONS_WITH_VALUE else 1
    return place if place < len(arguments) else None


def _check_goal(text: str, following: list[str]) -> None:
    """Raise UserError for a file, or a single word, which is more likely a mistyped command."""
    from pex_tui.core.sanitize import clean  # noqa: PLC0415  # only for a goal

    if len(text.split()) > 1 or not text.strip():
        return
    word = shlex.quote(clean(text, 60))
    try:
        is_file = Path(text).is_file()
    except (OSError, ValueError):  # not a file's name
        is_file = False
    if is_file:
        raise UserError(
            f"{word} is a file, not a command. To run it as a plan: {PROGRAM} run {word}"
        )
    others = {other: name for name in NAMES for other in command(name).other_names}
    near = get_close_matches(text.lower(), [*NAMES, *others], n=1)
    guess = f" Did you mean `{PROGRAM} {others.get(near[0], near[0])}`?" if near else ""
    if any(not argument.startswith("-") for argument in following[:1]) and not near:
        raise UserError(
            f"{word} is not a command. Put a goal of several words in quotes: "
            f'{PROGRAM} "Fix the failing tests"; `{PROGRAM} --help` lists the commands.'
        )
    raise UserError(
        f"{word} is not a command.{guess} For a goal of one word: {PROGRAM} plan {word}; "
        f"`{PROGRAM} --help` lists the commands."
    )


def _flush() -> None:
    """Write what is buffered; a reader or terminal that is gone changes no exit code."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, stream.fileno())
            os.close(nowhere)


def _say(text: str) -> None:
    with suppress(OSError):  # the terminal is gone
        sys.stderr.write(text + "\n")


if __name__ == "__main__":
    program()
