"""Errors that a user can fix, reported without a traceback."""

from collections.abc import Callable


class UserError(Exception):
    """An error explained by its message: the thing, the place, the next step.

    `problems` lists several at once, one line each; `exit_code` is the command's exit code.
    """

    def __init__(self, message: str, exit_code: int = 2, *, problems: tuple[str, ...] = ()) -> None:
        super().__init__(message)
        self.message = message
        self.exit_code = exit_code
        self.problems = problems

    @property
    def lines(self) -> tuple[str, ...]:
        """Return the lines to print: the problems, then the message that sums them up."""
        return (*self.problems, self.message)


class UntrustedError(UserError):
    """A repository's own files name programs or permissions that the user has not trusted yet.

    `named` lists them; `approve` records the user's trust, and may raise OSError.
    """

    def __init__(self, named: tuple[str, ...], approve: Callable[[], None]) -> None:
        super().__init__(
            "This repository's own files name what pex-tui would run or allow, and you have not "
            "said that you trust them. Look at them; then: pex-tui trust, or add --trust.",
            problems=tuple(f"  {line}" for line in named),
        )
        self.approve = approve
