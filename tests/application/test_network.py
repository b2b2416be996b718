"""The rules that tasks get, from settings and the user's environment."""

import base64

import pytest

from pex_tui.application.project.network import network_rules
from pex_tui.settings.agent_sections import Network


def test_without_limits_there_is_no_proxy() -> None:
    assert network_rules(Network(), {"HTTPS_PROXY": "http://proxy:3128"}) is None
    assert network_rules(Network(allow=("a.example", "*")), {}) is None


def test_either_limit_is_enough() -> None:
    rules = network_rules(Network(rate=1000), {})
    assert rules is not None
    assert (rules.allow, rules.rate, rules.upstream) == (("*",), 1000, "")
    none = network_rules(Network(allow=()), {})
    assert none is not None
    assert none.allow == ()


@pytest.mark.parametrize(
    ("url", "upstream", "named"),
    [
        ("http://proxy.corp:3128", "proxy.corp:3128", ""),
        ("proxy.corp:3128", "proxy.corp:3128", ""),
        ("http://me:p%40ss@proxy.corp/", "proxy.corp:80", "me:p@ss"),
        ("http://[::1]:8080", "[::1]:8080", ""),
        ("socks5://proxy:1080", "", ""),
        ("http://proxy:x", "", ""),
        ("", "", ""),
    ],
)
def test_the_users_proxy_is_the_tasks_upstream(url: str, upstream: str, named: str) -> None:
    rules = network_rules(Network(allow=("a.example",)), {"HTTPS_PROXY": url})
    assert rules is not None
    assert rules.upstream == upstream
    expected = "Basic " + base64.b64encode(named.encode()).decode() if named else ""
    assert rules.upstream_authorization == expected


def test_the_users_exceptions_hold() -> None:
    environ = {"https_proxy": "http://p:1", "no_proxy": "localhost, .Corp.example,*.lan,"}
    rules = network_rules(Network(allow=("*.example",)), environ)
    assert rules is not None
    assert rules.direct == ("localhost", "corp.example", "lan")
