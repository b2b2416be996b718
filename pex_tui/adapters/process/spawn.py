"""Start a program for a shim, or say why it could not be started."""

import errno
import os
import subprocess
from pathlib import Path

from pex_tui.adapters.process.messages import SpawnError

_PERMANENT = frozenset(
    {errno.ENOENT, errno.EACCES, errno.ENOEXEC, errno.ENOTDIR, errno.E2BIG, errno.ELOOP}
)


def spawn(argv: tuple[str, ...], cwd: str, env: dict[str, str], stdin: int, output: int) -> int:
    """Start the program in a session of its own; return its pid. Raise SpawnError."""
    try:
        process = subprocess.Popen(
            argv,
            cwd=cwd,
            env=env,
            stdin=stdin,
            stdout=output,
            stderr=output,
            start_new_session=True,
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
    process.returncode = 0  # the shim reaps all its children itself
    return process.pid


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
