"""Port leases: free, apart, and out of the way of other engines."""

import socket
from collections.abc import Iterator
from itertools import pairwise

import pytest

from pex_tui.adapters.agents.port_leases import PORTS_PER_SLOT, PortLeases
from pex_tui.core.model.ids import SlotId


@pytest.fixture
def leases() -> Iterator[PortLeases]:
    leases = PortLeases("repository-one")
    yield leases
    leases.close()


def listener(port: int) -> socket.socket:
    taken = socket.socket()
    taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    taken.bind(("127.0.0.1", port))
    taken.listen()
    return taken


def test_slots_get_ranges_that_do_not_meet(leases: PortLeases) -> None:
    bases = sorted(leases.lease(SlotId(slot)) for slot in range(1, 33))
    gaps = [after - before for before, after in pairwise(bases)]
    assert min(gaps) > PORTS_PER_SLOT


def test_every_port_of_a_range_can_be_listened_on(leases: PortLeases) -> None:
    base = leases.lease(SlotId(1))
    for port in range(base, base + PORTS_PER_SLOT):
        listener(port).close()


def test_a_slot_keeps_its_range_while_it_is_free(leases: PortLeases) -> None:
    assert leases.lease(SlotId(1)) == leases.lease(SlotId(1))


def test_a_slot_whose_range_is_in_use_moves_on(leases: PortLeases) -> None:
    base = leases.lease(SlotId(1))
    with listener(base + 4):
        assert leases.lease(SlotId(1)) != base


def test_two_engines_never_share_a_range(leases: PortLeases) -> None:
    other = PortLeases("repository-one")
    try:
        assert other.lease(SlotId(1)) != leases.lease(SlotId(1))
    finally:
        other.close()


def test_the_next_engine_finds_a_slots_range_again() -> None:
    first, second = PortLeases("repository-two"), PortLeases("repository-two")
    base = first.lease(SlotId(2))
    first.close()
    assert second.lease(SlotId(2)) == base
    second.close()
