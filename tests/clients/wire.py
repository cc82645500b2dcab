"""Requests to the gateway, by curl and by a bare socket."""

from __future__ import annotations

import json
import socket
import ssl
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from case import Case

#: A request that takes longer hangs.
DEADLINE_S = 30


@dataclass(frozen=True)
class Answer:
    """What came back."""

    status: int
    #: `1.1` or `2`.
    http_version: str
    #: By lower-case name; the values of a repeated field, in order.
    fields: dict[str, list[str]]
    body: bytes

    def field(self, name: str) -> str | None:
        """The one value of a header field; fails when there are more."""
        values = self.fields.get(name.lower(), [])
        assert len(values) <= 1, f"{name} is repeated: {values}"
        return values[0] if values else None

    def json(self) -> dict[str, str]:
        """The body of a refusal."""
        return json.loads(self.body)


def header_fields(lines: list[str]) -> dict[str, list[str]]:
    """Header lines as a mapping."""
    fields: dict[str, list[str]] = {}
    for line in lines:
        name, _, value = line.partition(":")
        fields.setdefault(name.strip().lower(), []).append(value.strip())
    return fields


def curl(case: Case, path: str, *headers: str, method: str = "GET") -> Answer:
    """Asks for `path` as it stands, with curl; HTTP/2 where the case has it."""
    with tempfile.TemporaryDirectory() as scratch:
        head, body = Path(scratch, "head"), Path(scratch, "body")
        command = ["curl", "--silent", "--show-error", "--path-as-is", "--globoff", "--disable"]
        command += ["--noproxy", "*", "--max-time", str(DEADLINE_S)]
        command += ["--http2" if case.expect_http2 else "--http1.1"]
        command += ["--cacert", case.ca_file] if case.ca_file else []
        command += ["--head"] if method == "HEAD" else ["--request", method]
        command += [argument for header in headers for argument in ("--header", header)]
        command += ["--dump-header", head, "--output", body]
        command += ["--write-out", "%{http_code} %{http_version}", case.gateway_url + path]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"{method} {path}: {done.stderr}"
        status, version = done.stdout.split()
        lines = head.read_text().strip().splitlines()[1:]
        content = body.read_bytes() if method != "HEAD" and body.exists() else b""
    return Answer(int(status), version, header_fields(lines), content)


def connect(case: Case) -> socket.socket:
    """A connection that speaks HTTP/1.1."""
    address = urlsplit(case.gateway_url)
    port = address.port or {"http": 80, "https": 443}[address.scheme]
    plain = socket.create_connection((address.hostname, port), timeout=DEADLINE_S)
    if address.scheme == "http":
        return plain
    context = ssl.create_default_context(cafile=case.ca_file)
    context.set_alpn_protocols(["http/1.1"])
    return context.wrap_socket(plain, server_hostname=address.hostname)


def raw(case: Case, request: bytes, patience_s: float = 5) -> tuple[bytes, bool]:
    """Sends `request` byte for byte; what came back, and whether the gateway then closed."""
    received = b""
    with connect(case) as connection:
        connection.settimeout(patience_s)
        connection.sendall(request)
        try:
            while chunk := connection.recv(65536):
                received += chunk
        except ConnectionResetError:
            return received, True
        except TimeoutError:
            return received, False
    return received, True
