"""Cgroups of version 2 beside systemd: those that it leaves to others, and scopes made by it."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from functools import cache
from pathlib import Path

from pex_tui.adapters.limits.cgroup_mounts import UNIFIED, own_cgroups

BOOTED = Path("/run/systemd/system")
_UNIT = "pex-tui-"
_SUFFIXES = frozenset({".service", ".scope", ".slice"})
_ATTRIBUTES = ("user.delegate", "trusted.delegate")
_PROBE_SECONDS = 10.0
_PROBE = """
test -e "/proc/self/fd/$1" && cd "$2$(sed -n 's/^0:://p' /proc/self/cgroup)" &&
mkdir probe && echo $$ > probe/cgroup.procs && echo "$3" > cgroup.subtree_control
"""
_RUNTIME = "XDG_RUNTIME_DIR"
_STAY = ("sh", "-c", "read _ # pex-tui: agents of this session are at work")
LEFT_BEHIND = "INVOCATION_ID"
"""The variable that systemd adds to those of the command."""


def is_scope(folder: Path) -> bool:
    """Return whether the cgroup was made for a command by `scope_command`."""
    return folder.name.startswith(_UNIT)


def left_to_us(own: Path, mount: Path) -> Iterator[Path]:
    """Yield this process's cgroup and those above it, as far as systemd leaves them to others.

    In its own ones, systemd takes the controllers away from what others put there, and with them
    all limits, whenever it changes a unit nearby.
    """
    is_booted = BOOTED.exists()
    for folder in (own, *own.parents):
        is_unit = is_booted and (folder.suffix in _SUFFIXES or folder == mount)
        if not is_unit or _is_delegated(folder):
            yield folder
        if is_unit or folder == mount:
            break


def _is_delegated(unit: Path) -> bool:
    """Return whether systemd leaves all below a unit's cgroup to the unit's processes."""
    if sys.platform != "linux" or unit.suffix not in _SUFFIXES:
        return False
    for name in _ATTRIBUTES:
        with suppress(OSError):
            return os.getxattr(unit, name) == b"1"
    return False


def scope_command(controllers: str) -> tuple[str, ...]:
    """Return a command that starts another one in a scope of its own; empty if that fails here.

    The command may use the cgroup of its scope as it likes, and it can give these controllers to
    the children of that: `+memory +cpu`.
    """
    program = shutil.which("systemd-run")
    return _in_scope(program) if program is not None and _works(program, controllers) else ()


def scope_environment() -> dict[str, str]:
    """Return the variables by which `scope_command` finds the systemd of this user.

    That of the machine, which root uses, needs none. Unlike root's own, it outlives a session.
    """
    if os.geteuid() == 0:
        return {}
    runtime = os.environ.get(_RUNTIME) or f"/run/user/{os.getuid()}"
    return {_RUNTIME: runtime, "DBUS_SESSION_BUS_ADDRESS": f"unix:path={runtime}/bus"}


def stay_in_session() -> tuple[subprocess.Popen[bytes], int]:
    """Start a process that stays in this session's cgroup; return it with a descriptor.

    It ends once no process has the descriptor any more. A user's systemd and all its scopes end
    with the last process of the user's sessions, which agents in a scope are not.
    """
    reader, writer = os.pipe()
    try:
        return subprocess.Popen(
            _STAY,
            stdin=reader,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            cwd="/",
        ), writer
    except OSError:
        os.close(writer)
        raise
    finally:
        os.close(reader)


@cache
def _works(program: str, controllers: str) -> bool:
    """Return whether a program in a scope gets these controllers and the descriptors passed on."""
    unified = own_cgroups().get(UNIFIED)
    if not BOOTED.exists() or unified is None:
        return False
    runtime = scope_environment().get(_RUNTIME)
    if runtime is not None and not Path(runtime, "bus").exists():
        return False
    reader, writer = os.pipe()
    script = ("sh", "-c", _PROBE, "sh", str(reader), str(unified[0]), controllers)
    try:
        found = subprocess.run(
            [*_in_scope(program), *script],
            pass_fds=(reader,),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            env={"PATH": os.environ.get("PATH", os.defpath), **scope_environment()},
            timeout=_PROBE_SECONDS,
            check=False,
        )
    except (OSError, subprocess.SubprocessError):
        return False
    finally:
        os.close(reader)
        os.close(writer)
    return found.returncode == 0


def _in_scope(program: str) -> tuple[str, ...]:
    manager = () if os.geteuid() == 0 else ("--user",)
    kind = ("--scope", "--quiet", "--collect", f"--unit={_UNIT}{os.urandom(6).hex()}")
    # A limit of its own number of processes would be one of all agents together.
    properties = ("--property=Delegate=yes", "--property=TasksMax=infinity")
    return (program, *manager, *kind, *properties, "--")
