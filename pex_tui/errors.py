"""What a user did or can mend: told in words, never with a traceback."""


class UserError(Exception):
    """A mistake that its message explains: the thing, the place, the next step.

    `problems` lists several at once, one line each; `exit_code` is what the command ends with.
    """

    def __init__(self, message: str, exit_code: int = 2, *, problems: tuple[str, ...] = ()) -> None:
        super().__init__(message)
        self.message = message
        self.exit_code = exit_code
        self.problems = problems

    @property
    def lines(self) -> tuple[str, ...]:
        """What to print, in order: the problems, then the message that sums them up."""
        return (*self.problems, self.message)
