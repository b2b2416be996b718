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


async def take_lock(path: Path, *, wait: bool = False, takes_over: bool = False) -> EngineLock:
    """Return the lock, held; raise UserError with exit code 5 that names the holder.

    With `takes_over`, an engine without a terminal is asked to let go first.
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
            raise UserError(_who(holder), BUSY) from None
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


def _who(holder: Holder | None) -> str:
    if holder is None:
        return (
            "Another pex-tui engine is running in this repository. Wait for it (--wait), or end it."
        )
    since = time.strftime("%H:%M:%S", time.localtime(holder.since))
    advice = (
        f"`pex-tui resume {holder.run}` takes it over"
        if holder.is_background
        else "control it: pex-tui attach"
    )
    return (
        f"Process {holder.pid} on {clean(holder.host)} drives run {holder.run} in this repository "
        f"since {since}, and only one engine can. Wait for it (--wait), or {advice}."
    )
