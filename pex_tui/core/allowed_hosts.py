"""Patterns of hosts that a task may reach, from `safety.network.allow`.

The shim loads this module, so it uses the standard library only.
"""

import ipaddress
import re
from fnmatch import fnmatchcase
from typing import NamedTuple

ANY = "*"
_NAME = re.compile(r"[a-z0-9_]([a-z0-9_.-]*[a-z0-9_])?\Z")
_PATTERN = re.compile(r"(\[[0-9a-f:.]+\]|[a-z0-9_.*?-]+)(?::([0-9]{1,5}))?\Z")
_LAST_PORT = 65535


class HostPattern(NamedTuple):
    """A host, or a glob of hosts, and the only port if it names one."""

    host: str
    port: int | None = None

    @classmethod
    def parse(cls, text: str) -> "HostPattern":
        """Parse `host`, `*.domain`, `[::1]` or `*`, each with or without `:port`.

        Raises ValueError, with the reason and the next step, for anything else.
        """
        lowered = text.lower()
        if "://" in lowered or "/" in lowered:
            raise ValueError(f'"{text}" is a URL. Write the host alone, such as example.com')
        found = _PATTERN.match(lowered)
        if found is None:
            raise ValueError(
                f'"{text}" is no host. Write one such as example.com, *.example.com or [::1]:8080'
            )
        port = int(found[2]) if found[2] else None
        if port is not None and not 0 < port <= _LAST_PORT:
            raise ValueError(f'"{text}" names port {port}; ports are 1 to {_LAST_PORT}')
        return cls(found[1].strip("[]").rstrip("."), port)

    @property
    def is_any(self) -> bool:
        """True if it stands for every host and port."""
        return self.host == ANY and self.port is None

    def matches(self, host: str, port: int) -> bool:
        """Return whether it names the normalized host and the port."""
        return self.port in {None, port} and fnmatchcase(host, self.host)


class AllowedHosts(NamedTuple):
    """The hosts that a task may reach."""

    patterns: tuple[HostPattern, ...]

    def permit(self, host: str, port: int) -> bool:
        """Return whether a connection to the normalized host may be opened."""
        return any(one.matches(host, port) for one in self.patterns)

    def permit_address(self, host: str, port: int, address: str) -> bool:
        """Return whether the permitted host may stand for this address.

        A name found by a glob does not lead to this machine or to link-local services, such as a
        cloud's metadata: only `*` and a host that is named as it is do.
        """
        at = ipaddress.ip_address(address.partition("%")[0])
        mapped = getattr(at, "ipv4_mapped", None)
        at = mapped or at
        if not (at.is_loopback or at.is_link_local or at.is_unspecified):
            return True
        return any(
            one.is_any or (one.host == host and one.matches(host, port)) for one in self.patterns
        )


def normalized(host: str) -> str:
    """Return a host as patterns name it: lowercase ASCII, without brackets and final dot.

    Raises ValueError for what is no host.
    """
    bare = host.removeprefix("[").removesuffix("]") if host.startswith("[") else host
    try:
        return str(ipaddress.ip_address(bare))
    except ValueError:
        pass
    try:
        name = bare.encode("ascii" if bare.isascii() else "idna").decode("ascii")
    except UnicodeError as error:
        raise ValueError("no host") from error
    name = name.lower().rstrip(".")
    if not _NAME.match(name):
        raise ValueError("no host")
    return name
