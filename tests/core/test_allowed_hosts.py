"""Which hosts a pattern permits."""

import pytest

from pex_tui.core.allowed_hosts import AllowedHosts, HostPattern, normalized


def allowed(*patterns: str) -> AllowedHosts:
    return AllowedHosts(tuple(map(HostPattern.parse, patterns)))


@pytest.mark.parametrize(
    ("patterns", "host", "port", "expected"),
    [
        (["example.com"], "example.com", 443, True),
        (["example.com"], "example.com", 22, True),
        (["Example.COM."], "example.com", 443, True),
        (["example.com"], "www.example.com", 443, False),
        (["example.com"], "example.com.evil.org", 443, False),
        (["*.example.com"], "a.b.example.com", 443, True),
        (["*.example.com"], "example.com", 443, False),
        (["*.example.com"], "badexample.com", 443, False),
        (["example.com:443"], "example.com", 80, False),
        (["[::1]:8080"], "::1", 8080, True),
        (["127.0.0.1"], "127.0.0.1", 5432, True),
        (["*"], "anything.at.all", 1, True),
        ([], "example.com", 443, False),
    ],
)
def test_a_pattern_permits(patterns: list[str], host: str, port: int, expected: bool) -> None:
    assert allowed(*patterns).permit(host, port) is expected


@pytest.mark.parametrize(
    "text",
    ["https://example.com", "example.com/path", "", "a b", "example.com:0", "x:99999"],
)
def test_what_is_no_pattern_is_refused_in_words(text: str) -> None:
    with pytest.raises(ValueError, match=r"Write|ports are"):
        HostPattern.parse(text)


@pytest.mark.parametrize("address", ["127.0.0.1", "::1", "::ffff:127.0.0.1", "169.254.169.254"])
def test_a_name_found_by_a_glob_never_stands_for_this_machine(address: str) -> None:
    assert not allowed("*.example.com").permit_address("rebound.example.com", 80, address)
    assert allowed("*").permit_address("rebound.example.com", 80, address)
    assert allowed("db.local").permit_address("db.local", 80, address)


def test_other_addresses_are_the_names_own_business() -> None:
    assert allowed("*.corp").permit_address("git.corp", 443, "10.1.2.3")
    assert allowed("*.corp").permit_address("git.corp", 443, "fc00::1%eth0")


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("EXAMPLE.com.", "example.com"),
        ("bücher.example", "xn--bcher-kva.example"),
        ("[::1]", "::1"),
        ("[0:0::1]", "::1"),
        ("127.0.0.1", "127.0.0.1"),
    ],
)
def test_a_host_has_one_name(host: str, expected: str) -> None:
    assert normalized(host) == expected


@pytest.mark.parametrize("host", ["", ".", "a b", "x#.example.com", "a/b", "\0", "a@b", "-a.b"])
def test_what_is_no_host_is_refused(host: str) -> None:
    with pytest.raises(ValueError, match="no host"):
        normalized(host)
