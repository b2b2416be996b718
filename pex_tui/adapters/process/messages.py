"""Messages between engine, launcher and shim: JSON, one object per line."""

import json
import math
from typing import Any, Literal, NamedTuple, cast, get_args

from pex_tui.adapters.limits.values import LimitRequest
from pex_tui.adapters.process.records import ExitRecord, StartRecord
from pex_tui.core.model.sandbox import Sandbox
from pex_tui.core.network_rules import NetworkRules

Verb = Literal["pause", "resume", "stop", "send", "end_input"]
MOST_INPUT_BYTES = 64 << 20


class SpawnError(Exception):
    """A program could not be started; `permanent` if a retry cannot help."""

    def __init__(self, message: str, *, permanent: bool) -> None:
        super().__init__(message)
        self.permanent = permanent


class LaunchRequest(NamedTuple):
    """Asks the launcher for one shim; `control` is the path for the shim's socket.

    Nothing starts if the attempt's fence is above `fence`. With a `lifeline`, the program's tree
    ends with the process of that pid. The output takes up at most `log_limit` bytes on disk, 0 for
    no limit.
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
    sandbox: Sandbox | None = None
    limits: LimitRequest = LimitRequest()
    network: NetworkRules | None = None

    def encode(self) -> bytes:
        """Return the request as a line; undecodable bytes of paths are lone surrogates."""
        sandbox = self.sandbox._asdict() if self.sandbox else None
        network = self.network._asdict() if self.network else None
        values = {"sandbox": sandbox, "network": network, "limits": self.limits._asdict()}
        return json.dumps({**self._asdict(), **values}).encode() + b"\n"

    @classmethod
    def decode(cls, line: bytes) -> "LaunchRequest":
        """Parse a request from `encode`."""
        fields = json.loads(line)
        sandbox, network = fields["sandbox"], fields["network"]
        values = {
            "argv": tuple(fields["argv"]),
            "sandbox": Sandbox.from_fields(sandbox) if sandbox else None,
            "network": NetworkRules.from_fields(network) if network else None,
            "limits": LimitRequest(**fields["limits"]),
        }
        return cls(**{**fields, **values})


class LaunchReply(NamedTuple):
    """The result of a request: a record or an error message; id 0 stands for the launcher itself.

    When the program's whole tree has ended, a second reply has the `ending`. A last reply, `swept`,
    says that the shim is gone and no process that it left behind is alive.
    """

    id: int
    record: StartRecord | None = None
    error: str = ""
    permanent: bool = False
    ending: ExitRecord | None = None
    swept: bool = False

    def encode(self) -> bytes:
        """Return the reply as a line."""
        record = self.record._asdict() if self.record else None
        ending = self.ending._asdict() if self.ending else None
        return json.dumps({**self._asdict(), "record": record, "ending": ending}).encode() + b"\n"

    @classmethod
    def decode(cls, line: bytes) -> "LaunchReply":
        """Parse a reply from `encode`."""
        fields = json.loads(line)
        record, ending = fields["record"], fields["ending"]
        return cls(
            **{
                **fields,
                "record": StartRecord(**record) if record else None,
                "ending": ExitRecord(**ending) if ending else None,
            }
        )


class Order(NamedTuple):
    """An engine's order to a shim; `size` bytes of input follow the line of a `send`."""

    verb: Verb
    grace_seconds: float = 0.0
    size: int = 0

    def encode(self) -> bytes:
        """Return the order as a line."""
        return json.dumps(self._asdict()).encode() + b"\n"

    @classmethod
    def decode(cls, line: bytes) -> "Order":
        """Parse the order in a line; raise ValueError for anything else."""
        try:
            fields: Any = json.loads(line)
        except RecursionError as error:
            raise ValueError("not an order") from error
        if not isinstance(fields, dict) or fields.keys() != set(cls._fields):
            raise ValueError("not an order")
        verb, grace_seconds, size = (fields[name] for name in cls._fields)
        if not isinstance(verb, str) or verb not in get_args(Verb):
            raise ValueError("no such order")
        if type(grace_seconds) not in {int, float} or not 0 <= grace_seconds < math.inf:
            raise ValueError("no time of grace")
        if type(size) is not int or not 0 <= size <= MOST_INPUT_BYTES:
            raise ValueError("more input than a shim takes at once")
        return cls(cast("Verb", verb), float(grace_seconds), size)
