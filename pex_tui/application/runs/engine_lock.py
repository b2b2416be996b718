"""Take the repository's engine lock, or name its holder."""

import asyncio
import time
from pathlib import Path

from pex_tui.adapters.ipc.control_socket import LET_GO, ControlError, ask
from pex_tui.adapters.storage.engine_lock import EngineBusyError, EngineLock, Holder
from pex_tui.core.sanitize import clean
from pex_tui.errors import UserError

BUSY = 5
_TAKE_OVER_SECONDS = 20.0


async def take_lock(
    path: Path, *, wait: bool | None = None, takes_over: bool = False
) -> EngineLock:
    """Return the lock, held; raise UserError with exit code 5 that names the holder.

    `wait` is None if the command has no option to wait. With `takes_over`, an engine without a
    terminal is asked to let go first.
    """
    lock = EngineLock(path)
    if wait:
        await lock.wait()
        return lock
    try:
        lock.acquire()
    except EngineBusyError as busy:
        holder = busy.holder
        if not (takes_over and holder is not None and holder.is_background):
            raise UserError(_who(holder, can_wait=wait is not None), BUSY) from None
        await _take_over(lock, holder)
    except OSError as error:
        raise UserError(f"The lock {path} can't be taken: {error.strerror}.") from error
    return lock


async def _take_over(lock: EngineLock, holder: Holder) -> None:
    try:
        await ask(Path(holder.control), request=LET_GO)
        async with asyncio.timeout(_TAKE_OVER_SECONDS):
            await lock.wait()
    except (ControlError, TimeoutError) as error:
        raise UserError(
            f"Process {holder.pid} drives run {holder.run} and does not release it: "
            f"{clean(str(error)) or 'no answer'}.",
            BUSY,
        ) from error


def _who(holder: Holder | None, *, can_wait: bool) -> str:
    step = "Wait for it (--wait)" if can_wait else "Try again once it has ended"
    if holder is None:
        return f"Another pex-tui command is at work in this repository. {step}."
    since = time.strftime("%H:%M:%S", time.localtime(holder.since))
    advice = (
        f"`pex-tui resume {holder.run}` takes it over"
        if holder.is_background
        else "control it: pex-tui attach"
    )
    return (
        f"Process {holder.pid} on {clean(holder.host)} drives run {holder.run} in this repository "
        f"since {since}, and only one engine can. {step}, or {advice}."
    )
