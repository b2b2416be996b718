"""Limits of the network access of a task.

Shims load this module without any package besides the standard library.
"""

from typing import Any, NamedTuple


class NetworkRules(NamedTuple):
    """Patterns of hosts (core/allowed_hosts.py), and bytes per second for all of them together.

    With an `upstream`, `host:port` of another proxy, connections go through that, except to the
    `direct` domains; `upstream_authorization` is a header's value.
    """

    allow: tuple[str, ...]
    rate: int | None = None
    upstream: str = ""
    upstream_authorization: str = ""
    direct: tuple[str, ...] = ()

    @classmethod
    def from_fields(cls, fields: dict[str, Any]) -> "NetworkRules":
        """Return the rules from the JSON object of their fields."""
        lists = {name: tuple(fields[name]) for name in ("allow", "direct")}
        return cls(**{**fields, **lists})

    def reaches_directly(self, host: str) -> bool:
        """Return whether the host is in one of the `direct` domains."""
        return any(host == one or host.endswith(f".{one}") for one in self.direct)
