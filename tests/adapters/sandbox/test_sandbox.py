"""A sandboxed program can do its work."""

import os
from pathlib import Path

import pytest

from pex_tui.adapters.sandbox.policy import Grant, Rules
from pex_tui.adapters.sandbox.temporary import remove_temporary
from pex_tui.adapters.sandbox.tiers import SandboxError, Tiers
from pex_tui.core.model.sandbox import Access, Sandbox, Tier
from tests.adapters.sandbox.house import House

WORK = (
    "set -e; git init -q .; git config user.email a@b; git config user.name a; echo x > f;"
    "mkdir d; mv f d/f; git add .; git commit -qm x; git log --oneline | wc -l;"
    "cat $REPO/a.txt; echo o > $OUT/o; echo t > $TMPDIR/t; cat $TMPDIR/t; echo n > /dev/null;"
    "python3 -c 'import multiprocessing as m; m.Lock(); print(7)'"
)


def test_a_program_works_in_its_workspace(house: House) -> None:
    ended = house.run(WORK)

    assert (ended.stderr, ended.returncode) == ("", 0)
    assert ended.stdout.split() == ["1", "one", "t", "7"]
    assert (house.outputs / "o").read_text() == "o\n"
    assert list((house.root / "tmp").iterdir()) == []


def test_a_named_path_can_be_written_and_secrets_in_it_stay_hidden(house: House) -> None:
    ended = house.run("echo x > ~/.cache/x; cat ~/.ssh/id_ed25519; cat ~/.netrc", "~/.cache")
    assert ended.returncode != 0

    (house.home / ".cache").mkdir()
    (house.home / ".netrc").write_text("token")
    ended = house.run("echo x > ~/.cache/x; cat ~/.ssh/id_ed25519; cat ~/.netrc", "~/.cache")
    assert (house.home / ".cache" / "x").read_text() == "x\n"
    assert ended.stdout == ""

    assert house.run("cat ~/.netrc", "~/.netrc").stdout == "token"


def test_an_agent_gets_its_own_login(house: House) -> None:
    grant = Grant(writes=(house.workspace,), homes=("~/.codex/",))
    ended = house.run("cat ~/.codex/auth.json; echo y > ~/.codex/auth.json", grant=grant)

    assert ended.stdout == "the key"
    assert house.login.read_text() == "y\n"


def test_a_cache_that_cannot_be_written_is_a_private_one(house: House) -> None:
    script = "mkdir -p $XDG_CACHE_HOME $npm_config_cache; echo ok"
    assert house.run(script).stdout == "ok\n"

    (house.home / ".cache").mkdir()
    assert house.run("echo $XDG_CACHE_HOME", "~/.cache").stdout == "\n"


def test_secrets_are_hidden_where_variables_move_them(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = house.root / "elsewhere"
    (config / "gh").mkdir(parents=True)
    (config / "gh" / "hosts.yml").write_text("token")
    (house.root / "kube").write_text("token")
    moved = {"XDG_CONFIG_HOME": str(config), "KUBECONFIG": str(house.root / "kube")}
    before = house.env
    monkeypatch.setattr(House, "env", property(lambda _: {**before, **moved}))

    assert house.run("cat $XDG_CONFIG_HOME/gh/hosts.yml $KUBECONFIG").stdout == ""


@pytest.mark.skipif(os.getuid() != 0, reason="only root could read them anyway")
def test_root_does_not_see_the_systems_secrets(house: House) -> None:
    assert house.run("cat /etc/shadow").stdout == ""


def test_a_folder_of_the_path_that_is_closed_is_passed_over(
    house: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed = tmp_path / "closed" / "bin"
    closed.mkdir(parents=True)
    monkeypatch.setenv("PATH", f"{closed}{os.pathsep}{os.environ['PATH']}")
    closed.parent.chmod(0)
    try:
        assert house.run("echo ok").stdout == "ok\n"
    finally:
        closed.parent.chmod(0o700)


def test_a_link_in_place_of_a_secret_hides_what_it_leads_to(house: House) -> None:
    real = house.root / "keys"
    (house.home / ".ssh").rename(real)
    (house.home / ".ssh").symlink_to(real)

    assert house.run(f"cat ~/.ssh/id_ed25519 {real}/id_ed25519").stdout == ""


def test_the_most_specific_rule_decides_and_needless_ones_are_left_out(tmp_path: Path) -> None:
    (tmp_path / "a" / "b").mkdir(parents=True)
    rules = Rules()
    rules.put(tmp_path, Access.READ)
    rules.put(tmp_path / "a", Access.WRITE)
    rules.put(tmp_path / "a" / "b", Access.WRITE)
    rules.put(tmp_path / "missing", Access.WRITE)

    assert rules.access(str(tmp_path / "a" / "x")) is Access.WRITE
    assert rules.in_order() == (("/", Access.READ), (str(tmp_path / "a"), Access.WRITE))


def test_a_sandbox_survives_its_way_to_the_shim() -> None:
    sandbox = Sandbox(Tier.BWRAP, (("/", Access.READ),), "/t", "/usr/bin/bwrap")
    fields = {"tier": "bwrap", "rules": [["/", "read"]], "temporary": "/t"}

    assert Sandbox.from_fields({**fields, "program": "/usr/bin/bwrap"}) == sandbox


def test_a_locked_temporary_folder_is_removed_without_following_links(tmp_path: Path) -> None:
    outside = tmp_path / "kept"
    outside.mkdir()
    (outside / "f").write_text("x")
    folder = tmp_path / "t"
    (folder / "locked").mkdir(parents=True)
    (folder / "locked" / "f").write_text("x")
    (folder / "link").symlink_to(outside)
    (folder / "locked").chmod(0)

    remove_temporary(os.fspath(folder))

    assert not folder.exists()
    assert (outside / "f").exists()


ALL = Tiers(bwrap="/usr/bin/bwrap", landlock=7)


@pytest.mark.parametrize(
    ("setting", "found", "tier"),
    [
        ("auto", ALL, Tier.BWRAP),
        ("auto", Tiers(landlock=1), Tier.LANDLOCK),
        ("auto", Tiers(), None),
        ("none", ALL, None),
        ("landlock", ALL, Tier.LANDLOCK),
    ],
)
def test_the_setting_chooses_what_works(setting: str, found: Tiers, tier: Tier | None) -> None:
    assert found.choose(setting) is tier


@pytest.mark.parametrize("setting", ["bwrap", "landlock"])
def test_a_named_tier_that_does_not_work_is_refused_with_what_to_do(setting: str) -> None:
    found = Tiers(bwrap_problem="the program bwrap is not there. Install bubblewrap.")

    with pytest.raises(SandboxError, match=f"^safety.sandbox: {setting} does not work here: "):
        found.choose(setting)
