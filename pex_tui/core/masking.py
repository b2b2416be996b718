"""Masking of secrets in text for people: known token formats, and registered values.

A program's output is stored as it is in its log, which only the user can read; screens, reports and
JSON are masked here.
"""

import re
from collections.abc import Iterator, Mapping, Sequence

MASK = "[secret]"
_SHORTEST_VALUE = 8
_SECRET_NAME = re.compile(
    r"TOKEN|SECRET|PASSWORD|PASSWD|PASSPHRASE|CREDENTIAL|API_?KEY|ACCESS_?KEY|PRIVATE_?KEY|_AUTH$|_PAT$",
    re.IGNORECASE,
)
_NO_SECRET_VALUE = re.compile(r"(/|~|\.|https?://[^@]*$|true$|false$|[0-9]+$)", re.IGNORECASE)

_FORMS = (
    r"gh[pousr]_[A-Za-z0-9]{20,}|github_pat_\w{20,}",
    r"gl(?:pat|ptt|dt|rt|cbt|ft|imt|agent|soat|ffct)-[\w.-]{16,}",
    r"(?:AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{16}(?![A-Z0-9])",
    r"sk-[A-Za-z0-9][\w-]{18,}",  # Anthropic, OpenAI and compatible providers
    r"[sr]k_(?:live|test)_\w{16,}",
    r"xox[a-z]-[\w-]{10,}|xapp-[\w-]{10,}|(?<=hooks\.slack\.com/services/)[\w/]{20,}",
    r"eyJ[\w-]{8,}\.eyJ[\w-]{8,}\.[\w-]{8,}",
    r"AIza[\w-]{35}|ya29\.[\w.-]{20,}",
    r"npm_[A-Za-z0-9]{30,}|pypi-[\w-]{40,}|hf_[A-Za-z0-9]{30,}|dop_v1_[0-9a-f]{40,}",
    r"SG\.[\w-]{16,}\.[\w-]{16,}",
    r"-----BEGIN [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----.*?(?:-----END [A-Z0-9 ]*-----|$)",
    r"(?<=://)[^\s/@:]*:[^\s/@]+(?=@)",
    r"(?<=[Bb]earer )[\w.~+/=-]{16,}|(?<=[Bb]asic )[A-Za-z0-9+/]{16,}={0,2}",
)
_FORM = re.compile("|".join(f"(?:{form})" for form in _FORMS), re.DOTALL)
_ASSIGNED = re.compile(
    r"(?<![A-Za-z0-9])([A-Z0-9_]*(?:TOKEN|SECRET|PASSWORD|PASSWD|API_?KEY|ACCESS_?KEY)[A-Z0-9_]*"
    r"[\"']?[=:] ?[\"']?)([^\s\"'$(){}<>]{8,})"
)
_HINTS = (
    *("ghp_", "gho_", "ghu_", "ghs_", "ghr_", "github_pat_", "AKIA", "ASIA", "ABIA", "ACCA"),
    *("glp", "gld", "glr", "glc", "glf", "gli", "gla", "gls", "sk-", "k_live_", "k_test_"),
    *("xox", "xapp-", "hooks.slack", "eyJ", "AIza", "ya29.", "npm_", "pypi-", "hf_", "dop_v1_"),
    *("SG.", "PRIVATE KEY", "://", "earer ", "asic ", "TOKEN", "SECRET", "PASSW", "KEY"),
)
_KEY_LINE = re.compile(
    r"(?=.*[a-z])(?=.*[A-Z])(?=.*[0-9])"
    r"(?:[A-Za-z0-9+/]{64}|[A-Za-z0-9+/]{70}|[A-Za-z0-9+/]{76})"  # PEM, OpenSSH, MIME
)
_KEY_LINE_LENGTHS = range(64, 92)  # with indentation
_KEY_END = re.compile(r"[A-Za-z0-9+/]{1,76}={0,2}")
_SHORT_LINE = re.compile(r"[\w+/=-]{2,}")


class _Known:
    """Registered values: one pattern, and lines too short to be searched for within others."""

    pattern: re.Pattern[str] | None = None
    short_lines: frozenset[str] = frozenset()


def know_secrets(environ: Mapping[str, str]) -> None:
    """Register the environment's values of secret variables, line by line, for masking."""
    lines = set(_lines(environ))
    values = sorted((one for one in lines if len(one) >= _SHORTEST_VALUE), key=len, reverse=True)
    _Known.pattern = re.compile("|".join(map(re.escape, values))) if values else None
    _Known.short_lines = frozenset(one for one in lines if len(one) < _SHORTEST_VALUE)


def is_secret_name(name: str) -> bool:
    """Return whether a variable of that name is likely to hold a secret."""
    return _SECRET_NAME.search(name) is not None


def masked(text: str) -> str:
    """Return the text with each secret replaced by a mark."""
    if _Known.pattern is not None:
        text = _Known.pattern.sub(MASK, text)
    if _Known.short_lines and text.strip() in _Known.short_lines:
        return MASK
    if len(text) in _KEY_LINE_LENGTHS and _KEY_LINE.fullmatch(text.strip()):
        return MASK
    if not any(hint in text for hint in _HINTS):
        return text
    return _ASSIGNED.sub(rf"\1{MASK}", _FORM.sub(MASK, text))


def masked_object(content: object) -> object:
    """Return a JSON value with all of its strings masked, keys excepted."""
    match content:
        case str():
            return masked(content)
        case dict():
            return {name: masked_object(value) for name, value in content.items()}
        case list() | tuple():
            return [masked_object(value) for value in content]
        case _:
            return content


def mask_key_ends(lines: Sequence[str]) -> list[str]:
    """Mask the last, shorter line of private keys as well, in lines masked before."""
    return [
        MASK if before == MASK and _KEY_END.fullmatch(line.strip()) else line
        for before, line in zip(("", *lines), lines, strict=False)
    ]


def _lines(environ: Mapping[str, str]) -> Iterator[str]:
    for name, value in environ.items():
        if not is_secret_name(name):
            continue
        first, *others = (line.strip() for line in value.strip().splitlines() or [""])
        if others:
            yield from (one for one in (first, *others) if _is_told(one))
        elif len(first) >= _SHORTEST_VALUE and _NO_SECRET_VALUE.match(first) is None:
            yield first


def _is_told(line: str) -> bool:
    """Return whether a line of a secret is masked by itself; a short one must look random."""
    return len(line) >= _SHORTEST_VALUE or _SHORT_LINE.fullmatch(line) is not None
