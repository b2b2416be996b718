"""TCP ports for agents: ten free loopback ports for each slot, never shared by two slots."""

import socket
from zlib import crc32

from pex_tui.core.model.ids import SlotId
from pex_tui.core.model.run_rules import MOST_SLOTS
from pex_tui.engine.attempt import LaunchError

PORTS_PER_SLOT = 10
_FIRST = 20_000
_STRIDE = PORTS_PER_SLOT + 1  # one extra, which guards the range against other engines
_TURNS = 33
_RANGES = MOST_SLOTS * _TURNS  # all below the kernels' ephemeral ports
_LOOPBACK = "127.0.0.1"


class PortLeases:
    """Ranges of ports by slot.

    The slots of one repository never get the same range, not even under different engines: a range
    follows from the slot's number and `seed`, which identifies the repository. Engines of other
    repositories are kept out by a guard: a bound socket that is held as long as the range.
    """

    def __init__(self, seed: str) -> None:
        self._offset = crc32(seed.encode("utf-8", "surrogateescape"))
        self._guards: dict[SlotId, tuple[int, socket.socket]] = {}

    def lease(self, slot: SlotId) -> int:
        """Return the first of ten ports that are free now; raise LaunchError if there are none."""
        held = self._guards.get(slot)
        if held is not None:
            if _all_free(held[0]):
                return held[0]
            held[1].close()  # an earlier attempt left a listener: give the range up
            del self._guards[slot]
        for turn in range(_TURNS):
            index = (self._offset + slot + MOST_SLOTS * turn) % _RANGES
            guarded = _FIRST + index * _STRIDE
            guard = _bound(guarded, reuse=False)
            if guard is None:
                continue
            if _all_free(guarded + 1):
                self._guards[slot] = (guarded + 1, guard)
                return guarded + 1
            guard.close()
        raise LaunchError(
            f"no {PORTS_PER_SLOT} free TCP ports in a row on loopback for slot {slot}.",
            permanent=False,
        )

    def close(self) -> None:
        """Release all ranges."""
        for _, guard in self._guards.values():
            guard.close()
        self._guards.clear()


def _all_free(base: int) -> bool:
    for port in range(base, base + PORTS_PER_SLOT):
        probe = _bound(port, reuse=True)
        if probe is None:
            return False
        probe.close()
    return True


def _bound(port: int, *, reuse: bool) -> socket.socket | None:
    """Return a socket bound to the port; with `reuse`, only listeners are in the way."""
    bound = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, int(reuse))
        bound.bind((_LOOPBACK, port))
    except OSError:
        bound.close()
        return None
    return bound
