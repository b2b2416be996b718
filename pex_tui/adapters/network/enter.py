"""The first program in a network of its own: opens the proxy's door there, then runs the task.

A socket stays in the network that it was made in: the shim, outside, accepts on the one that this
program hands over, and no process of ours stays inside.
"""

import os
import socket
import sys
from pathlib import Path

PORT = 47119
"""The port on 127.0.0.1 in the task's own network."""
_CANNOT_RUN, _NOT_FOUND = 126, 127


def enter_argv(descriptor: int) -> tuple[str, ...]:
    """Return the command that hands the socket over the descriptor and runs what follows it.

    A sandbox may hide our own folders, so the command brings its text along, and the interpreter
    is the one behind a virtual environment's.
    """
    interpreter, text = os.path.realpath(sys.executable), Path(__file__).read_text("utf-8")
    return (interpreter, "-I", "-S", "-c", text, str(descriptor))


def main() -> None:
    """Hand over a listening socket, and become the program named by the other arguments."""
    descriptor, argv = int(sys.argv[1]), sys.argv[2:]
    with socket.socket(fileno=descriptor) as outside, socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", PORT))
        listener.listen()
        socket.send_fds(outside, [b"1"], [listener.fileno()])
    try:
        os.execvp(argv[0], argv)  # noqa: S606  # the task's own command
    except OSError as error:
        sys.stderr.write(f'cannot start "{argv[0]}": {error.strerror}\n')
        sys.exit(_NOT_FOUND if isinstance(error, FileNotFoundError) else _CANNOT_RUN)


if __name__ == "__main__":
    main()
