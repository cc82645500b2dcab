"""Every refusal of design/wire.md, and the nearest request that is served, as one table.

`{field}` in a path, a header or an expected text is a field of the case (case.py). Rows are named
by the rule that they show. To add a case, add a row.
"""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import quote

#: A file that every channel has.
FILE = "noarch/repodata.json"
CHALLENGE = ("www-authenticate", 'Bearer realm="condagate"')


@dataclass(frozen=True)
class Row:
    """A request, and the answer that the contract gives it."""

    rule: str
    name: str
    path: str
    status: int
    headers: tuple[str, ...] = ()
    method: str = "GET"
    #: Header fields that the answer must have; an empty value: any.
    fields: tuple[tuple[str, str], ...] = ()
    #: What `message` must say.
    says: tuple[str, ...] = ()

    def __str__(self) -> str:
        """The row's name in test reports."""
        return f"{self.rule}_{self.name}".replace(" ", "_")


def served(rule: str, name: str, path: str, *headers: str) -> Row:
    """A request that must be answered with the file."""
    return Row(rule, name, path, 200, headers)


def unauthorized(name: str, path: str, *headers: str, says: tuple[str, ...] = ()) -> Row:
    """No token that counts: clients stop, and their users read the message."""
    return Row("refusal", name, path, 401, headers, fields=(CHALLENGE,), says=("{contact}", *says))


def forbidden(rule: str, name: str, path: str) -> Row:
    """A valid token that does not reach this far, or nothing that could be reached."""
    return Row(rule, name, path, 403, says=("{contact}",))


def malformed(rule: str, name: str, path: str, *headers: str) -> Row:
    """A request that is refused before anyone is asked about it."""
    return Row(rule, name, path, 400, headers)


OURS = f"/{{channel}}/{FILE}"
MINE = f"/t/{{token}}{OURS}"
PREFIX = "/{mount_prefix}"

PLACES = [
    served("w2", "token first", MINE),
    served("w2", "token, mount prefix", f"/t/{{token}}{PREFIX}{OURS}"),
    served("w2", "mount prefix, token", f"{PREFIX}{MINE}"),
    served("w3", "bearer", OURS, "Authorization: Bearer {token}"),
    served("w3", "bearer, any case", OURS, "authorization: bEARER {token}"),
    served("w3", "bearer below a mount prefix", f"{PREFIX}{OURS}", "Authorization: Bearer {token}"),
    served("w3", "token scheme", OURS, "Authorization: token {token}"),
    served("w3", "x-auth", OURS, "X-Auth: {token}"),
    served("w3", "basic, token as password", OURS, "Authorization: {basic_password}"),
    served("w3", "basic, token as user", OURS, "Authorization: {basic_user}"),
    served("w3", "the same token twice", MINE, "Authorization: Bearer {token}"),
    served("w3", "the same token thrice", MINE, "Authorization: {basic_user}", "X-Auth: {token}"),
    malformed("w2", "two pairs", f"/t/{{token}}/t/{{token}}{OURS}"),
    malformed("w2", "two pairs around a prefix", f"/t/{{token}}{PREFIX}{MINE}"),
    malformed("w3", "other token in a header", MINE, "Authorization: Bearer {unknown_token}"),
    malformed("w3", "other token in x-auth", MINE, "X-Auth: {unknown_token}"),
]

WHO = [
    unauthorized("no token", OURS),
    unauthorized("no token, unknown channel", f"/{{unknown_channel}}/{FILE}"),
    unauthorized("empty bearer", OURS, "Authorization: Bearer"),
    unauthorized("unknown scheme", OURS, "Authorization: Digest {token}"),
    unauthorized("malformed token", f"/t/short{OURS}"),
    unauthorized("mistyped token", f"/t/{{mistyped_token}}{OURS}"),
    unauthorized("unknown token", f"/t/{{unknown_token}}{OURS}"),
    unauthorized(
        "unknown token, unknown channel", f"/t/{{unknown_token}}/{{unknown_channel}}/{FILE}"
    ),
    unauthorized("revoked token", f"/t/{{revoked_token}}{OURS}"),
    unauthorized("expired token", f"/t/{{expired_token}}{OURS}", says=("expired on {expired_on}",)),
    unauthorized("expired bearer", OURS, "Authorization: Bearer {expired_token}"),
    forbidden("refusal", "no grant", f"/t/{{stranger_token}}{OURS}"),
    forbidden("refusal", "ungranted channel", f"/t/{{token}}/{{ungranted_channel}}/{FILE}"),
    forbidden("refusal", "unknown channel", f"/t/{{token}}/{{unknown_channel}}/{FILE}"),
    unauthorized("authenticated channel, no token", f"/{{authenticated_channel}}/{FILE}"),
    served("privacy", "authenticated", f"/t/{{stranger_token}}/{{authenticated_channel}}/{FILE}"),
    served("privacy", "public, no token", f"/{{public_channel}}/{FILE}"),
    served("privacy", "public, expired", f"/t/{{expired_token}}/{{public_channel}}/{FILE}"),
    served("privacy", "public, revoked", f"/t/{{revoked_token}}/{{public_channel}}/{FILE}"),
    served("privacy", "public, unknown", f"/t/{{unknown_token}}/{{public_channel}}/{FILE}"),
    served("privacy", "public, malformed", f"/t/short/{{public_channel}}/{FILE}"),
    served("privacy", "public, stranger", f"/t/{{stranger_token}}/{{public_channel}}/{FILE}"),
]

FILES = [
    Row("refusal", "file absent", "/t/{token}/{channel}/noarch/absent-1.0-0.conda", 404),
    Row("w13", "arch absent", "/t/{token}/{channel}/linux-ppc64le/repodata.json.zst", 404),
    Row("w4", "label absent", "/t/{token}/{channel}/label/none/linux-64/repodata.json", 404),
    served("w13", "noarch of any label", f"/t/{{token}}/{{channel}}/label/none/{FILE}"),
    served("w4", "label", f"/t/{{token}}/{{channel}}/label/rc/{FILE}"),
    served("w4", "channel-level file", "/t/{token}/{channel}/channeldata.json"),
    served("w5", "query dropped", f"{MINE}?x=1"),
    served("w5", "epoch", "/t/{token}/{channel}/linux-64/demo-lib-1!2.0-0.conda"),
    served("w5", "encoded epoch", "/t/{token}/{channel}/linux-64/demo-lib-1%212.0-0.conda"),
    served("w5", "local", "/t/{token}/{channel}/noarch/demo-notes-1.0+local.3-0.tar.bz2"),
    served("w5", "encoded local", "/t/{token}/{channel}/noarch/demo-notes-1.0%2Blocal.3-0.tar.bz2"),
    served("w6", "shard index", "/t/{token}/{channel}/repodata_shards.msgpack.zst/noarch"),
    forbidden("w4", "no file shape", "/t/{token}/{channel}/readme.txt"),
    forbidden("w4", "a channel and no file", "/t/{token}/{channel}"),
    forbidden("w4", "a subdir and no file", "/t/{token}/{channel}/noarch"),
    forbidden("w4", "something below a file", "/t/{token}/{channel}/noarch/a/b.conda"),
    forbidden("w4", "a subchannel that is none", f"/t/{{token}}/{{channel}}/prod/{FILE}"),
    forbidden("w6", "another mangled shape", "/t/{token}/{channel}/repodata.json/noarch"),
    Row("w7", "notices of a private channel", "/{channel}/notices.json", 404),
    Row("w7", "notices of an unknown channel", "/{unknown_channel}/notices.json", 404),
    served("w7", "notices of a public channel", "/{public_channel}/notices.json"),
]

PATHS = [
    malformed("w5", name, path)
    for name, path in {
        "empty segment": f"/t/{{token}}//{{channel}}/{FILE}",
        "empty first segment": f"/{MINE}",
        "empty last segment": "/t/{token}/{channel}/noarch/",
        "dot": f"/t/{{token}}/./{{channel}}/{FILE}",
        "dot dot": f"/t/{{token}}/{{channel}}/noarch/../{FILE}",
        "dot dot at the end": "/t/{token}/{channel}/noarch/..",
        "encoded dot dot": f"/t/{{token}}/{{channel}}/%2e%2E/{FILE}",
        "half-encoded dot dot": f"/t/{{token}}/{{channel}}/.%2e/{FILE}",
        "encoded slash": "/t/{token}/{channel}/noarch%2frepodata.json",
        "encoded backslash": "/t/{token}/{channel}/noarch/..%5crepodata.json",
        "encoded NUL": "/t/{token}/{channel}/noarch/repodata.json%00",
        "encoded newline": "/t/{token}/{channel}/noarch/repodata.json%0a",
        "encoded delete": "/t/{token}/{channel}/noarch/repodata.json%7f",
        "invalid UTF-8": "/t/{token}/{channel}/noarch/repodata.json%ff",
        "overlong UTF-8": "/t/{token}/{channel}/noarch/%c0%ae%c0%ae/x.conda",
        "incomplete escape": "/t/{token}/{channel}/noarch/repodata.json%2",
        "no escape": "/t/{token}/{channel}/noarch/repodata%zz.json",
        "needless escape in a channel": f"/t/{{token}}/{{escaped_channel}}/{FILE}",
        "needless escape in a token": f"/t/{{escaped_token}}{OURS}",
        "needless escape of the pair": f"/%74/{{token}}{OURS}",
    }.items()
]

METHODS = [
    Row("refusal", method, MINE, 405, method=method, fields=(("allow", "GET, HEAD, OPTIONS"),))
    for method in ("POST", "PUT", "DELETE", "PATCH", "PROPFIND")
]

ROWS = [*PLACES, *WHO, *FILES, *PATHS, *METHODS]


def escaped(text: str) -> str:
    """`text` with its first character encoded, which need not be."""
    return f"%{ord(text[0]):02x}{quote(text[1:])}"


# Framing (W5a): requests that no client library would send.


@dataclass(frozen=True)
class Raw:
    """A request byte for byte, and the status that it gets."""

    name: str
    request: str
    status: int = 400

    def __str__(self) -> str:
        """The request's name in test reports."""
        return self.name.replace(" ", "_")


def get(*fields: str, target: str = MINE, version: str = "HTTP/1.1", content: str = "") -> str:
    """A GET with just these header fields."""
    return "\r\n".join([f"GET {target} {version}", *fields, "", content])


HOST = "Host: {host}"
CLOSE = "Connection: close"

FRAMING = [
    Raw("plain", get(HOST, CLOSE), 200),
    Raw("content of no length", get(HOST, CLOSE, "Content-Length: 0"), 200),
    Raw("http 1.0", get(HOST, version="HTTP/1.0"), 200),
    Raw("absolute form", get(HOST, CLOSE, target=f"http://{{host}}{MINE}"), 200),
    Raw("expectation", get(HOST, CLOSE, "Expect: 100-continue"), 200),
    Raw("upgrade", get(HOST, "Connection: upgrade, close", "Upgrade: websocket"), 200),
    Raw(
        "h2c",
        get(
            HOST, "Connection: upgrade, HTTP2-Settings, close", "Upgrade: h2c", "HTTP2-Settings: AA"
        ),
        200,
    ),
    Raw("content", get(HOST, "Content-Length: 5", content="hello")),
    Raw("content that stays away", get(HOST, "Content-Length: 5")),
    Raw("chunked content", get(HOST, "Transfer-Encoding: chunked", content="0\r\n\r\n")),
    Raw("unknown coding", get(HOST, "Transfer-Encoding: identity")),
    Raw(
        "both lengths",
        get(HOST, "Content-Length: 5", "Transfer-Encoding: chunked", content="0\r\n\r\n"),
    ),
    Raw("no length and both", get(HOST, "Content-Length: 0", "Transfer-Encoding: chunked")),
    Raw("two lengths", get(HOST, "Content-Length: 0", "Content-Length: 5", content="hello")),
    Raw("the same length twice", get(HOST, "Content-Length: 0", "Content-Length: 0")),
    Raw("list of lengths", get(HOST, "Content-Length: 0, 0")),
    Raw("signed length", get(HOST, "Content-Length: +0")),
    Raw("negative length", get(HOST, "Content-Length: -1")),
    Raw("hexadecimal length", get(HOST, "Content-Length: 0x0")),
    Raw("empty length", get(HOST, "Content-Length:")),
    Raw("bare CR in a value", get(HOST, "X-A: b\rc")),
    Raw("bare CR as an end of line", get(HOST, "X-A: b\rX-B: c")),
    Raw("NUL in a value", get(HOST, "X-A: b\0c")),
    Raw("NUL in the target", get(HOST, target=f"{MINE}\0")),
    Raw("space before a colon", get(HOST, "Content-Length : 0")),
    Raw("tab before a colon", get(HOST, "X-A\t: b")),
    Raw("folded line", get(HOST, "X-A: b", " c")),
    Raw("first line folded", get(" Host: {host}")),
    Raw("no colon", get(HOST, "X-A")),
    Raw("empty name", get(HOST, ": b")),
    Raw("http 1.2", get(HOST, version="HTTP/1.2")),
    Raw("http 2.0", get(HOST, version="HTTP/2.0")),
    Raw("http 0.9", f"GET {MINE}\r\n\r\n"),
    Raw("no host", get(CLOSE)),
    Raw("two hosts", get(HOST, HOST)),
    Raw("two different hosts", get(HOST, "Host: elsewhere.example")),
    Raw("empty host", get("Host:")),
    Raw("list of hosts", get("Host: {host}, {host}")),
    Raw("host with user", get("Host: user@{host}")),
    Raw("host with path", get("Host: {host}/x")),
    Raw("absolute form elsewhere", get(HOST, target=f"http://elsewhere.example{MINE}")),
    Raw("fragment", get(HOST, CLOSE, target=f"{MINE}#x")),
    Raw("backslash", get(HOST, CLOSE, target="/t/{token}\\{channel}\\noarch\\repodata.json")),
    Raw("space in the target", get(HOST, CLOSE, target=f"{MINE} x")),
]
