"""A small process that runs one command of the engine's own within limits, and ends as it did.

It is the parent of the command's whole process tree: it measures and ends the tree as a shim does,
and also if the engine is killed.
"""

import json
import os
import resource
import selectors
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from pex_tui.adapters.limits.guard import Guard
from pex_tui.adapters.limits.tiers import cgroup_name, known_base
from pex_tui.adapters.limits.values import LimitRequest, Tier
from pex_tui.adapters.process.signals import ENDINGS, Signals, use_defaults
from pex_tui.adapters.sandbox.temporary import remove_temporary
from pex_tui.adapters.system import tree
from pex_tui.adapters.system.kernel import become_subreaper

_BOOT = (
    "import sys; sys.path.append(sys.argv[1]);"
    "from pex_tui.adapters.process.held_command import main; main(sys.argv[2], sys.argv[3:])"
)
_GRACE_SECONDS = 1.0
_ENGINE_SECONDS = 0.25  # between two looks at whether the engine lives
_NAP_SECONDS = 0.01
_CANNOT_RUN, _NOT_FOUND = 126, 127


class Hold(NamedTuple):
    """The limits of a command, the tier that holds them, and what it inherits.

    A breach is written to the descriptor `report`. The command inherits `descriptors`, and its
    environment but for `variables`, of which None is to be missing. The folders `temporary` are
    removed here if the process `engine` has ended; else that removes them.
    """

    limits: LimitRequest
    tier: Tier
    folder: str
    report: int
    descriptors: tuple[int, ...]
    variables: dict[str, str | None]
    engine: int
    temporary: tuple[str, ...]

    def argv(self, command: tuple[str, ...]) -> tuple[str, ...]:
        """Return the argv that runs the command held."""
        package = os.fspath(Path(__file__).resolve().parents[3])
        return (
            sys.executable,
            "-I",
            "-S",
            "-c",
            _BOOT,
            package,
            json.dumps({**self._asdict(), "limits": self.limits._asdict()}),
            *command,
        )


def main(text: str, argv: list[str]) -> None:
    """Run the command, report the limit that it was ended for, and end as it did."""
    fields = json.loads(text)
    limits, tier = LimitRequest(**fields["limits"]), Tier(fields["tier"])
    hold = Hold(**{**fields, "limits": limits, "tier": tier})
    for descriptor in (hold.report, *hold.descriptors):
        os.set_inheritable(descriptor, False)
    for name, value in hold.variables.items():
        os.environ.pop(name, None)
        os.environ.update({name: value} if value is not None else {})
    use_defaults()
    become_subreaper()
    signals = Signals()
    guard = Guard(hold.limits, hold.folder, known_base(hold.tier), cgroup_name(os.getpid(), 1))
    try:
        with guard.entered():
            process = subprocess.Popen(argv, pass_fds=hold.descriptors)
    except OSError as error:
        sys.stderr.write(f'cannot start "{argv[0]}": {error.strerror}\n')
        sys.exit(_NOT_FOUND if isinstance(error, FileNotFoundError) else _CANNOT_RUN)
    process.returncode = 0  # all children are reaped below
    for descriptor in hold.descriptors:
        os.close(descriptor)
    status = _outlive(process.pid, guard, signals, hold.engine)
    guard.close(status)
    guard.remove()
    if guard.breach is not None:
        breach = {**guard.breach._asdict(), "tier": guard.tier}
        with suppress(OSError):  # nobody reads it any more
            os.write(hold.report, json.dumps(breach).encode())
    if os.getppid() != hold.engine:
        for folder in hold.temporary:
            remove_temporary(folder)
    _end_as(status)


def _outlive(root: int, guard: Guard, signals: Signals, engine: int) -> int:
    """Wait until no process of the tree is left; return the status with which the root ended."""
    kill_at: float | None = None
    status: int | None = None
    with selectors.DefaultSelector() as selector:
        selector.register(signals, selectors.EVENT_READ)
        while True:
            ended, is_last = _reap()
            if root in ended:
                status, kill_at = ended[root], time.monotonic()
            if is_last:
                return status or 0
            now = time.monotonic()
            if kill_at is None and now >= guard.due:
                guard.look(may_run=True)
                kill_at = now if guard.breach is not None else None
            is_asked = not ENDINGS.isdisjoint(signals.take())
            if kill_at is None and (is_asked or os.getppid() != engine):
                tree.terminate(os.getpid())
                kill_at = now + _GRACE_SECONDS
            if kill_at is not None and now >= kill_at:
                tree.kill_pass([os.getpid()])
            due = guard.due if kill_at is None else max(kill_at, now + _NAP_SECONDS)
            selector.select(min(max(0.0, due - now), _ENGINE_SECONDS))


def _reap() -> tuple[dict[int, int], bool]:
    """Return the statuses of children that have ended, and whether none is left."""
    ended: dict[int, int] = {}
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return ended, True
        if pid == 0:
            return ended, False
        ended[pid] = status


def _end_as(status: int) -> None:
    """Exit with the code of the status, or by its signal."""
    if os.WIFSIGNALED(status):
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # a core would be this process's
        number = os.WTERMSIG(status)
        if number != signal.SIGKILL:
            signal.signal(number, signal.SIG_DFL)
        os.kill(os.getpid(), number)
    sys.exit(os.WEXITSTATUS(status))
