"""Start programs in a sandbox: by an argv alone, or from a process about to execute one."""

import errno
import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

from pex_tui.adapters.sandbox.bwrap import bwrap_argv
from pex_tui.adapters.sandbox.landlock import restrict, ruleset_of
from pex_tui.core.model.sandbox import Sandbox, Tier

_BOOT = (
    "import sys; sys.path.append(sys.argv[1]);"
    "from pex_tui.adapters.sandbox.enter import main; main(sys.argv[2], sys.argv[3:])"
)
_BINARY = b"\x7fELF"
_SCRIPT = b"#!"
_LONGEST_LINE = 256  # bytes of a script's first line that the kernel reads


class WayOut(Protocol):
    """The only way to the network that a program has."""

    @property
    def prefix(self) -> tuple[str, ...]:
        """The command that opens it inside a network of its own."""

    def ports(self, env: Mapping[str, str]) -> tuple[int, ...]:
        """Return the ports that a program with that environment connects to."""


def confined_argv(
    sandbox: Sandbox,
    argv: tuple[str, ...],
    cwd: str,
    env: Mapping[str, str],
    way_out: WayOut | None = None,
) -> tuple[str, ...]:
    """Return an argv that runs the program in the sandbox; raise OSError if that can't start."""
    check_program(argv[0], cwd, env)
    if sandbox.tier is Tier.BWRAP:
        return bwrap_argv(sandbox, argv, cwd, None if way_out is None else way_out.prefix)
    package = os.fspath(Path(__file__).resolve().parents[3])
    ports = None if way_out is None else way_out.ports(env)
    plan = json.dumps({"sandbox": sandbox._asdict(), "ports": ports})
    return (sys.executable, "-I", "-S", "-c", _BOOT, package, plan, *argv)


def main(plan: str, argv: list[str]) -> None:
    """Become the program, confined by Landlock."""
    fields = json.loads(plan)
    ports = None if fields["ports"] is None else tuple(fields["ports"])
    restrict(ruleset_of(Sandbox.from_fields(fields["sandbox"]), ports=ports))
    os.execvpe(argv[0], argv, os.environ)  # noqa: S606  # that is what it is for


def check_program(program: str, cwd: str, env: Mapping[str, str]) -> None:
    """Raise the OSError that executing the program would, outside any sandbox."""
    folders = [""] if "/" in program else os.get_exec_path(env)
    candidates = [Path(cwd, folder, program) for folder in folders]
    if not Path(cwd).is_dir():
        raise _error(errno.ENOENT, cwd)
    for path in candidates:
        if os.access(path, os.X_OK) and path.is_file():
            _check_header(path)
            return
    found = next((path for path in candidates if os.access(path, os.F_OK)), None)
    raise _error(errno.ENOENT if found is None else errno.EACCES, program)


def _check_header(path: Path) -> None:
    """Raise OSError for a file that is neither a binary nor a script with an interpreter."""
    try:
        with path.open("rb") as file:
            line = file.read(_LONGEST_LINE).partition(b"\n")[0]
    except PermissionError:  # it may be executed all the same
        return
    if line.startswith(_SCRIPT):
        words = line[len(_SCRIPT) :].split()
        if not words or not Path(os.fsdecode(words[0])).exists():
            raise _error(errno.ENOENT, os.fspath(path))
    elif not line.startswith(_BINARY) and not knows_other_formats():
        raise _error(errno.ENOEXEC, os.fspath(path))


def knows_other_formats() -> bool:
    """Return whether the kernel has interpreters for further kinds of binaries."""
    try:
        names = os.listdir("/proc/sys/fs/binfmt_misc")  # noqa: PTH208  # names are enough
    except OSError:
        return False
    return bool(set(names) - {"register", "status"})


def _error(number: int, path: str) -> OSError:
    return OSError(number, os.strerror(number), path)
