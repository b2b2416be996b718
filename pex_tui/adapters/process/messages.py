"""What engine, launcher and shim say to each other: JSON, one object a line."""

import json
import math
from dataclasses import dataclass
from typing import Any, Literal, cast, get_args

from pex_tui.adapters.process.records import ExitRecord, StartRecord, plain

Verb = Literal["pause", "resume", "stop", "send", "end_input"]
MOST_INPUT_BYTES = 64 << 20


class SpawnError(Exception):
    """A program could not be started; `permanent` when trying again cannot help."""

    def __init__(self, message: str, *, permanent: bool) -> None:
        super().__init__(message)
        self.permanent = permanent


@dataclass(frozen=True, slots=True)
class LaunchRequest:
    """Asks the launcher for one shim; `control` is the path its socket shall have.

    Nothing starts once the attempt's fence is above `fence`. With a `lifeline` the program's tree
    ends when the process of that pid does. Its output takes up at most `log_limit` bytes of the
    disk, 0 for as much as it likes.
    """

    id: int
    folder: str
    argv: tuple[str, ...]
    cwd: str
    env: dict[str, str]
    grace_seconds: float
    speaks: bool
    token: str
    control: str
    fence: int = 0
    lifeline: int = 0
    log_limit: int = 0

    def encode(self) -> bytes:
        """The request as a line; undecodable bytes of paths travel as lone surrogates."""
        return json.dumps(plain(self)).encode() + b"\n"

    @classmethod
    def decode(cls, line: bytes) -> "LaunchRequest":
        """The request that `encode` made."""
        fields = json.loads(line)
        return cls(**{**fields, "argv": tuple(fields["argv"])})


@dataclass(frozen=True, slots=True)
class LaunchReply:
    """What became of a request: a record, or an error in words; id 0 speaks of the launcher.

    Once the program and its whole tree have ended, a second reply with `ending` tells that; a last
    one, `swept`, that the shim is gone and nothing it left behind lives.
    """

    id: int
    record: StartRecord | None = None
    error: str = ""
    permanent: bool = False
    ending: ExitRecord | None = None
    swept: bool = False

    def encode(self) -> bytes:
        """The reply as a line."""
        record = plain(self.record) if self.record else None
        ending = plain(self.ending) if self.ending else None
        return json.dumps({**plain(self), "record": record, "ending": ending}).encode() + b"\n"

    @classmethod
    def decode(cls, line: bytes) -> "LaunchReply":
        """The reply that `encode` made."""
        fields = json.loads(line)
        record, ending = fields["record"], fields["ending"]
        return cls(
            **{
                **fields,
                "record": StartRecord(**record) if record else None,
                "ending": ExitRecord(**ending) if ending else None,
            }
        )


@dataclass(frozen=True, slots=True)
class Order:
    """What an engine asks of a shim; `size` bytes of input follow the line of a `send`."""

    verb: Verb
    grace_seconds: float = 0.0
    size: int = 0

    def encode(self) -> bytes:
        """The order as a line."""
        return json.dumps(plain(self)).encode() + b"\n"

    @classmethod
    def decode(cls, line: bytes) -> "Order":
        """The order in a line; raise ValueError for anything else."""
        try:
            fields: Any = json.loads(line)
        except RecursionError as error:
            raise ValueError("not an order") from error
        if not isinstance(fields, dict) or fields.keys() != set(cls.__slots__):
            raise ValueError("not an order")
        verb, grace_seconds, size = (fields[name] for name in cls.__slots__)
        if not isinstance(verb, str) or verb not in get_args(Verb):
            raise ValueError("no such order")
        if type(grace_seconds) not in {int, float} or not 0 <= grace_seconds < math.inf:
            raise ValueError("no time of grace")
        if type(size) is not int or not 0 <= size <= MOST_INPUT_BYTES:
            raise ValueError("more input than a shim takes at once")
        return cls(cast("Verb", verb), float(grace_seconds), size)
