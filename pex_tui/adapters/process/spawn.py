"""Start a program for a shim, or say why it could not be started."""

import errno
import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from pex_tui.adapters.process.messages import SpawnError
from pex_tui.adapters.sandbox.bwrap import bwrap_argv
from pex_tui.adapters.sandbox.enter import check_program
from pex_tui.adapters.sandbox.landlock import restrict, ruleset_of
from pex_tui.core.model.sandbox import Sandbox, Tier

if TYPE_CHECKING:  # the launcher starts without it
    from pex_tui.adapters.network.gateway import Gateway

_PERMANENT = frozenset(
    {errno.ENOENT, errno.EACCES, errno.ENOEXEC, errno.ENOTDIR, errno.E2BIG, errno.ELOOP}
)


def spawn(
    argv: tuple[str, ...],
    cwd: str,
    env: dict[str, str],
    stdin: int,
    output: int,
    sandbox: Sandbox | None = None,
    gateway: "Gateway | None" = None,
) -> int:
    """Start the program in a session of its own; return its pid, or bubblewrap's.

    With a gateway, a sandbox leaves no other way out. Raises SpawnError.
    """
    begun: tuple[str, ...] = argv
    ruleset = -1
    try:
        if sandbox is not None:
            check_program(argv[0], cwd, env)
            if sandbox.tier is Tier.BWRAP:
                begun = bwrap_argv(sandbox, argv, cwd, None if gateway is None else gateway.prefix)
            else:
                ports = None if gateway is None else gateway.ports(env)
                ruleset = _ruleset(sandbox, output, ports)
        process = subprocess.Popen(
            begun,
            cwd=cwd,
            env=env,
            stdin=stdin,
            stdout=output,
            stderr=output,
            start_new_session=True,
            pass_fds=() if gateway is None else gateway.descriptors,
            preexec_fn=_restriction(ruleset),  # noqa: PLW1509  # shims have one thread
        )
    except OSError as error:
        if not Path(cwd).is_dir():
            # The next attempt gets a workspace of its own.
            raise SpawnError(
                f'cannot start "{argv[0]}": its folder {cwd} does not exist.', permanent=False
            ) from error
        raise SpawnError(
            f'cannot start "{argv[0]}": {_reason(error, argv[0], cwd, env)}',
            permanent=error.errno in _PERMANENT,
        ) from error
    except ValueError as error:  # a NUL byte in an argument or a variable
        raise SpawnError(f'cannot start "{argv[0]}": {error}.', permanent=True) from error
    except subprocess.SubprocessError as error:
        raise SpawnError(
            f'cannot start "{argv[0]}": the kernel refuses its sandbox. Try safety.sandbox: none.',
            permanent=True,
        ) from error
    finally:
        if ruleset >= 0:
            os.close(ruleset)
    process.returncode = 0  # the shim reaps all its children itself
    return process.pid


def _ruleset(sandbox: Sandbox, output: int, ports: tuple[int, ...] | None) -> int:
    """Return the descriptor of Landlock's rules; the program may open its output once more."""
    try:
        return ruleset_of(sandbox, f"/proc/self/fd/{output}", ports=ports)
    except OSError as error:
        raise SpawnError(f"no sandbox can be made: {error}.", permanent=False) from error


def _restriction(ruleset: int) -> Callable[[], None] | None:
    return None if ruleset < 0 else lambda: restrict(ruleset)


def _reason(error: OSError, program: str, cwd: str, env: dict[str, str]) -> str:
    if error.errno == errno.ENOENT:
        found = _found(program, cwd, env)
        if found is not None:
            return f"the interpreter named in the first line of {found} does not exist."
        where = f"in {cwd}" if "/" in program else "on the agent's PATH"
        return f"there is no such program {where}. Install it, or correct the command."
    if error.errno == errno.EACCES:
        return "it is not executable. Run chmod +x on it, or name its interpreter in the command."
    if error.errno == errno.ENOEXEC:
        return "it is neither a binary for this machine nor a script with a #! line."
    if error.errno == errno.E2BIG:
        return "its arguments and environment are longer than the kernel takes. Use a file."
    return f"{error.strerror}."


def _found(program: str, cwd: str, env: dict[str, str]) -> Path | None:
    """Return the program's file, if there is one."""
    folders = [""] if "/" in program else os.get_exec_path(env)
    candidates = (Path(cwd, folder, program) for folder in folders)
    return next((path for path in candidates if path.is_file()), None)
