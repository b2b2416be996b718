"""Secrets never reach a screen, a report or JSON."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from pex_tui.core.masking import MASK, know_secrets, mask_key_ends, masked, masked_object
from pex_tui.core.sanitize import clean
from pex_tui.logs.indexed import LogReader

KEY_LINE = "MIIEpAIBAAKCAQEA7b0f3Kq9wX2yLr5tV8uZ1aB4cD6eF9gH0jK2lM3nO5pQ7rS8"


@pytest.fixture(autouse=True)
def nothing_known() -> Iterator[None]:
    know_secrets({})
    yield
    know_secrets({})


def made(*parts: str) -> str:
    """Return a secret of a known form, assembled so that no scanner reports this file."""
    return "".join(parts)


@pytest.mark.parametrize(
    "secret",
    [
        made("ghp_", "a1B2" * 9),
        made("github_pat_", "11ABCDEFG0" * 5),
        made("glpat-", "abcdEFGH12345678wxyz"),
        made("AKIA", "A1B2C3D4E5F6G7H8"),
        made("sk-ant-api03-", "x7" * 20),
        made("sk-proj-", "aB3" * 14),
        made("sk-", "aB3d" * 12),
        made("sk_live_", "aB3d" * 6),
        made("xoxb-", "123456789012-abcdefGHIJ"),
        made("eyJhbGciOiJIUzI1NiJ9.", "eyJzdWIiOiIxMjM0In0.", "abcdefghijkl"),
        made("AIza", "aB3dE" * 7),
        made("npm_", "aB3d" * 9),
        made("hf_", "aB3d" * 9),
        KEY_LINE,
        made("-----BEGIN RSA ", "PRIVATE KEY-----"),
    ],
)
def test_a_secret_of_a_known_form_is_masked(secret: str) -> None:
    assert masked(secret) == MASK
    assert clean(f"\x1b[31m{secret}\x1b[0m") == MASK


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("git clone https://me:hunter22@example.org/r", f"git clone https://{MASK}@example.org/r"),
        ("Authorization: Bearer abcdefghijklmnop1234", f"Authorization: Bearer {MASK}"),
        ("DB_PASSWORD=hunter2hunter2", f"DB_PASSWORD={MASK}"),
        ('"API_KEY": "abcdefgh1234"', f'"API_KEY": "{MASK}"'),
    ],
)
def test_the_secret_part_of_a_line_is_masked_and_no_more(line: str, shown: str) -> None:
    assert clean(line) == shown


@pytest.mark.parametrize(
    "line",
    [
        "password: Optional[str] = None",
        "token = get_token(request)",
        "TOKEN=$(cat token)",
        "git@github.com:owner/name.git",
        "https://example.org/a@b",
        "a" * 64,
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        "task-runner sk-ip",
        "PRIVATE KEYS are kept elsewhere",
    ],
)
def test_what_is_no_secret_is_left_alone(line: str) -> None:
    assert clean(line) == line


def test_values_of_variables_with_secret_names_are_known() -> None:
    environ = {"MY_TOKEN": "correct horse", "X_SECRET": "short", "API_KEY_FILE": "/home/me/key"}
    know_secrets(environ | {"HOME": "/home/me"})

    assert clean("it said: correct horse battery") == f"it said: {MASK} battery"
    assert clean("short /home/me/key") == "short /home/me/key"


def test_json_is_masked_through_and_through() -> None:
    secret = made("ghp_", "a1B2" * 9)
    told = {"argv": ["curl", secret], "env": {"n": (secret, 1, None, True)}, secret: 1.5}

    found = masked_object(told)

    assert found == {"argv": ["curl", MASK], "env": {"n": [MASK, 1, None, True]}, secret: 1.5}


def test_each_line_of_a_known_value_is_masked_and_the_last_however_short() -> None:
    key = f"-----BEGIN X-----\n{KEY_LINE}\nq2Zx9w==\nQw==\n-----END X-----\n"
    know_secrets({"DEPLOY_PRIVATE_KEY": key, "GOOGLE_CREDENTIALS": '{\n  "id": "abcdefgh"\n}'})

    assert {clean(line) for line in key.splitlines()} == {MASK}
    assert clean('  "id": "abcdefgh"').strip() == MASK
    assert clean("}") == "}"
    assert clean("Qw== is base64") == "Qw== is base64"


def test_the_last_line_of_a_printed_key_is_masked_like_those_before_it(tmp_path: Path) -> None:
    openssh = KEY_LINE + "aB3dE6"
    for lines in ([KEY_LINE, KEY_LINE, "q2Zx"], [openssh, "abcDEF"]):
        assert mask_key_ends([clean(line) for line in lines]) == [MASK] * len(lines)
    log = tmp_path / "log"
    log.write_text(f"a\n{KEY_LINE}\nabcDEF\ndone\n")
    reader = LogReader(log)
    reader.refresh()
    assert reader.lines(0, 9) == ["a", MASK, MASK, "done"]
    assert reader.lines(2, 3) == [MASK]
