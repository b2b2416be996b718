"""The network rules of a run, from the settings and from the proxy that its user goes through."""

import base64
from collections.abc import Mapping
from urllib.parse import unquote, urlsplit

from pex_tui.core.allowed_hosts import ANY
from pex_tui.core.network_rules import NetworkRules
from pex_tui.settings.agent_sections import Network

_DEFAULT_PORT = 80
_PROXIES = ("https_proxy", "HTTPS_PROXY", "http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY")
_EXCEPTIONS = ("no_proxy", "NO_PROXY")


def network_rules(network: Network, environ: Mapping[str, str]) -> NetworkRules | None:
    """Return the rules of each task; None if nothing is limited.

    What the user reaches through a proxy of theirs, tasks do as well.
    """
    if ANY in network.allow and network.rate is None:
        return None
    upstream, authorization = _proxy(environ)
    return NetworkRules(network.allow, network.rate, upstream, authorization, _direct(environ))


def _proxy(environ: Mapping[str, str]) -> tuple[str, str]:
    """Return `host:port` of the user's proxy and the header's value for it; empty without one."""
    url = next(filter(None, map(environ.get, _PROXIES)), "")
    try:
        parts = urlsplit(url if "://" in url else f"http://{url}")
        port = parts.port or _DEFAULT_PORT
    except ValueError:  # no program can use that one
        return "", ""
    if parts.scheme != "http" or not parts.hostname:
        return "", ""
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    if parts.username is None:
        authorization = ""
    else:
        named = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
        authorization = "Basic " + base64.b64encode(named.encode()).decode()
    return f"{host}:{port}", authorization


def _direct(environ: Mapping[str, str]) -> tuple[str, ...]:
    """Return the domains that the user reaches without the proxy."""
    text = next(filter(None, map(environ.get, _EXCEPTIONS)), "")
    named = (one.strip().lower().removeprefix("*").removeprefix(".") for one in text.split(","))
    return tuple(filter(None, named))
