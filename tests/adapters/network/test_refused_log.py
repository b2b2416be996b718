"""What is told of the hosts that an attempt was kept from."""

from pathlib import Path

from pex_tui.adapters.network.refused_log import REFUSED_LOG, RefusedHosts


def test_each_host_is_told_once_it_is_logged_whole(tmp_path: Path) -> None:
    refused = RefusedHosts(tmp_path)
    assert refused.news() == ""
    log = tmp_path / REFUSED_LOG
    log.write_text("a.example:443\nb.exa")
    assert refused.news() == "a.example:443"
    assert refused.news() == ""
    log.write_text("a.example:443\nb.example:80\n" + "".join(f"h{n}:1\n" for n in range(6)))
    assert refused.news() == "b.example:80, h0:1, h1:1, h2:1, h3:1 and 2 more"
