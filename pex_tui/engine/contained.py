"""Containment of failures: of single actions, and of advisory parts of the engine.

Any exception raised in them, expected or not, becomes a message in the run's record.
"""

from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, TypeVar

from pex_tui.core.sanitize import clean

_FIRST_REST_SECONDS = 5.0
_LONGEST_REST_SECONDS = 300.0
Answer = TypeVar("Answer")


async def contained(
    job: Awaitable[Answer], failed: Callable[[str], Answer], log: Callable[[Exception], None]
) -> Answer:
    """Return the job's result, or the result of `failed` for the reason of its failure."""
    try:
        return await job
    except Exception as error:  # noqa: BLE001  # one action's failure does not end the run
        log(error)
        return failed(in_words(error))


def attempted(part: Callable[[], Answer], failed: Callable[[Exception], Answer]) -> Answer:
    """Return the part's result, or the result of `failed`, for synchronous code."""
    try:
        return part()
    except Exception as error:  # noqa: BLE001  # an advisory part ends nothing
        return failed(error)


def in_words(error: Exception) -> str:
    """Describe an unexpected error for a person."""
    while isinstance(error, ExceptionGroup):  # the first cause, in its own words
        error = error.exceptions[0]
    said = clean(str(error))
    return f"{type(error).__name__}: {said}" if said else type(error).__name__


class Advisor:
    """An advisory part. Its first failure is reported; each one is logged."""

    def __init__(
        self, name: str, say: Callable[[str], None], log: Callable[[Exception], None]
    ) -> None:
        self._name = name
        self._say = say
        self._log = log
        self._has_failed = False

    def call(self, part: Callable[..., Answer], *args: Any, otherwise: Answer) -> Answer:
        """Call the part; return `otherwise` if it fails."""

        def failed(error: Exception) -> Answer:
            self._failed(error)
            return otherwise

        return attempted(lambda: part(*args), failed)

    async def ask(self, part: Awaitable[Answer], *, otherwise: Answer) -> Answer:
        """Await the part; return `otherwise` if it fails."""
        return await contained(part, lambda _: otherwise, self._failed)

    async def keep(
        self,
        part: Callable[[], Coroutine[Any, Any, None]],
        sleep: Callable[[float], Awaitable[None]],
    ) -> None:
        """Run the part until it returns; restart it after failures with growing delays."""
        rest = _FIRST_REST_SECONDS
        while not await self.ask(_done(part()), otherwise=False):
            await sleep(rest)
            rest = min(2 * rest, _LONGEST_REST_SECONDS)

    def _failed(self, error: Exception) -> None:
        self._log(error)
        if not self._has_failed:
            self._has_failed = True
            self._say(f"{self._name} failed and is disabled for now: {in_words(error)}.")


async def _done(part: Coroutine[Any, Any, None]) -> bool:
    await part
    return True
