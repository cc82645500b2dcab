"""The gateway under test: what a run of this suite is told about it.

A case is a JSON object in the file that `CONDAGATE_CLIENT_CASE` names. `condagate demo` writes
such a file (`demo.json`), which is enough for the tests of what is served; each refusal needs
something more to be refused. README.md says how.
"""

from __future__ import annotations

import dataclasses
import json
import os
import zlib
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]

#: What the storage behind the channel holds, byte for byte.
TRUTH = REPOSITORY / "demo-channel" / "channel"

#: Keys that `demo.json` has for others.
NOT_FOR_US = {"admin", "control_url", "service_account", "packages"}

BASE62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"


def checked(random_part: str) -> str:
    """A token value with the right checksum (product.md, "Token format")."""
    head = f"cg-{random_part}"
    rest = zlib.crc32(head.encode())
    digits = ""
    for _ in range(6):
        rest, digit = divmod(rest, 62)
        digits = BASE62[digit] + digits
    return head + digits


@dataclass(frozen=True, repr=False)
class Case:
    """One gateway. A test that needs a field that is None is skipped."""

    #: The gateway's root, without a slash at the end: `http://127.0.0.1:8080`.
    gateway_url: str
    #: A private channel that serves the files of demo-channel/channel.
    channel: str
    #: `<gateway_url>/t/<token>/<channel>`, as the gateway's own commands print it.
    channel_url: str
    #: May read `channel`; expires later than in 14 days.
    token: str

    #: Every optional field is there: a skipped test is a failure.
    complete: bool = False
    #: One of `gateway.mount_prefixes`, without slashes around it.
    mount_prefix: str = "api/repo"
    #: PEM file of the authority that signed the gateway's certificate, for an https gateway.
    ca_file: str | None = None
    #: The gateway speaks HTTP/2.
    expect_http2: bool = False
    #: The gateway's log; complete when an answer is.
    log_file: str | None = None
    #: `gateway.contact`.
    contact: str | None = None

    #: Was valid for `channel` until `expired_on` (`2026-11-01`).
    expired_token: str | None = None
    expired_on: str | None = None
    #: Is valid for `channel` until `expires_on`, within 14 days.
    expiring_token: str | None = None
    expires_on: str | None = None
    #: Was valid for `channel`, and is revoked.
    revoked_token: str | None = None
    #: Is valid, for other channels than `channel`.
    stranger_token: str | None = None

    #: Exists, is private, is bound to the same storage prefix as `channel`; `token` has no grant.
    ungranted_channel: str | None = None
    #: The same files, for anyone.
    public_channel: str | None = None
    #: The same files, for any valid token.
    authenticated_channel: str | None = None
    #: Granted to `token`; its storage has no `noarch`, and otherwise the same files.
    channel_without_noarch: str | None = None
    #: Granted to `token`; its storage does not answer.
    unreachable_channel: str | None = None

    def __repr__(self) -> str:
        """Without the tokens: pytest prints this beside a failed assertion."""
        return f"<case of {self.gateway_url}>"

    @property
    def unknown_channel(self) -> str:
        """A name that no channel has, and that begins like one that exists (W4)."""
        return f"{self.channel}x"

    @property
    def unknown_token(self) -> str:
        """A well-formed token that was never issued."""
        return checked("0" * 32)

    @property
    def mistyped_token(self) -> str:
        """`token` with its last character changed: the checksum is wrong."""
        return self.token[:-1] + ("0" if self.token[-1] != "0" else "1")

    @property
    def host(self) -> str:
        """The gateway's authority: `127.0.0.1:8080`."""
        return urlsplit(self.gateway_url).netloc

    @property
    def scheme(self) -> str:
        """`http` or `https`."""
        return urlsplit(self.gateway_url).scheme

    @property
    def secrets(self) -> list[str]:
        """Every token value of the case."""
        fields = dataclasses.asdict(self)
        return [value for name, value in fields.items() if name.endswith("token") and value]

    def need(self, field: str) -> str:
        """The value of an optional field; skips the test, or fails it in a complete case."""
        value = getattr(self, field)
        if value is None:
            (pytest.fail if self.complete else pytest.skip)(f"the case has no `{field}`")
        return str(value)

    def fill(self, template: str) -> str:
        """`template` with each `{field}` replaced by the case's value."""
        for field in [*self.__dataclass_fields__, *DERIVED]:
            placeholder = f"{{{field}}}"
            if placeholder in template:
                template = template.replace(placeholder, self.need(field))
        return template


DERIVED = ("unknown_channel", "unknown_token", "mistyped_token", "host", "scheme")


def load() -> Case:
    """Reads the case that the environment names."""
    path = os.environ.get("CONDAGATE_CLIENT_CASE")
    if path is None:
        pytest.exit("CONDAGATE_CLIENT_CASE must name a case file, see tests/clients/README.md", 2)
    fields = json.loads(Path(path).read_text())
    return Case(**{name: value for name, value in fields.items() if name not in NOT_FOR_US})
