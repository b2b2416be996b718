"""Demands of all resources in one integer each, so that one addition and one mask compare them.

Each resource has a field of the integer. A field of `free` holds what is missing to its highest bit
beyond the capacity, so that this bit appears once more is taken than there is.
"""

from collections.abc import Sequence

from msgspec import Struct

from pex_tui.planning.scheduling.workload import Amounts

_FIELD_BITS = 60
_CAPACITY = 1 << 40  # of each resource, in units of its field


class PackedDemands(Struct, frozen=True):
    """The demand of each task, what nobody takes, and the bits that say "too much"."""

    demands: tuple[int, ...]
    free: int
    too_much: int
    slot: int
    """A demand of one slot, and of nothing else; 0 if the slots are never all taken."""


def pack(demands: Sequence[Amounts], capacities: Sequence[float]) -> PackedDemands:
    """Return the demands as integers; a resource that is enough for all tasks at once has none."""
    totals = [0.0] * len(capacities)
    for amounts in demands:
        for resource, amount in amounts:
            totals[resource] += amount
    scarce = [number for number, most in enumerate(capacities) if totals[number] > most]
    units = {number: _CAPACITY / capacities[number] for number in scarce}
    shifts = {number: place * _FIELD_BITS for place, number in enumerate(scarce)}
    slack = len(demands)  # each demand is rounded up to at most half a unit more
    taken_by_none = (1 << (_FIELD_BITS - 1)) - 1 - _CAPACITY - slack
    return PackedDemands(
        demands=tuple(
            sum(
                round(amount * units[resource]) << shifts[resource]
                for resource, amount in amounts
                if resource in units
            )
            for amounts in demands
        ),
        free=sum(taken_by_none << shift for shift in shifts.values()),
        too_much=sum(1 << (shift + _FIELD_BITS - 1) for shift in shifts.values()),
        slot=round(units[0]) << shifts[0] if 0 in units else 0,
    )
