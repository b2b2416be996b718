"""The engine's end of a shim's control socket."""

import asyncio

from pex_tui.adapters.process.control import YES
from pex_tui.adapters.process.messages import Order

PATIENCE_SECONDS = 10.0  # freezing a large tree takes its time


async def give_order(path: str, order: Order, text: bytes = b"") -> bool:
    """Give the shim an order; return its answer. Raise OSError if no shim answers."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        reader, writer = await asyncio.open_unix_connection(path)
        try:
            writer.write(order.encode() + text)
            answer = await reader.readline()
        finally:
            writer.close()
    if not answer:
        raise ConnectionResetError(f"the shim behind {path} left before it answered")
    return answer == YES
