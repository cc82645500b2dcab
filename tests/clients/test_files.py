"""What is served: bytes, validators, ranges and caching (design/wire.md W8 to W13, W15)."""

from __future__ import annotations

import json
from urllib.parse import quote

import pytest
import zstandard

import wire
from case import TRUTH, Case

FILES = sorted(path.relative_to(TRUTH).as_posix() for path in TRUTH.rglob("*") if path.is_file())
SERVED = [path for path in FILES if path != "notices.json"]
#: Larger than the 64 KiB that rattler reads first.
BLOB = "noarch/demo-blob-0.1.0-0.conda"
#: One of each kind: metadata, and a package.
SAMPLES = ["noarch/repodata.json", "noarch/repodata_shards.msgpack.zst", BLOB]


def fetch(case: Case, path: str, *headers: str, method: str = "GET") -> wire.Answer:
    """A file of the channel, with the token in the path."""
    return wire.curl(case, f"/t/{case.token}/{case.channel}/{path}", *headers, method=method)


def truth(path: str) -> bytes:
    """The file as the storage has it."""
    return (TRUTH / path).read_bytes()


@pytest.mark.parametrize("path", SERVED)
def test_w11_bytes_as_they_are(case: Case, path: str) -> None:
    """No content coding is added, whatever the client would take; the length is exact."""
    answer = fetch(case, quote(path, safe="/!+"), "Accept-Encoding: gzip, deflate, br, zstd")
    assert answer.status == 200
    assert answer.body == truth(path)
    assert answer.field("content-length") == str(len(answer.body))
    assert answer.field("content-encoding") is None
    assert answer.field("set-cookie") is None


def test_w15_protocol(case: Case) -> None:
    """HTTP/2 over TLS, and HTTP/1.1 for the clients that force it."""
    answer = fetch(case, SAMPLES[0])
    assert answer.http_version == ("2" if case.expect_http2 else "1.1")


def test_w6_mangled_shards(case: Case) -> None:
    """Conda with a stored token glues the subdir to the end of a shard's URL."""
    shard = next(path for path in FILES if path.startswith("noarch/shards/"))
    for path in (shard, "noarch/repodata_shards.msgpack.zst"):
        subdir, _, rest = path.partition("/")
        assert fetch(case, f"{rest}/{subdir}").body == truth(path)


@pytest.mark.parametrize(
    ("asked", "start", "end"),
    [
        ("0-0", 0, 1),
        ("10-19", 10, 20),
        ("1000-", 1000, None),
        ("-10", -10, None),
        ("-65536", -65536, None),
        ("0-99999999", 0, None),
        ("-99999999", 0, None),
    ],
)
def test_w9_single_range(case: Case, asked: str, start: int, end: int | None) -> None:
    """Conda resumes with `N-`; rattler reads the tail, then `a-b`."""
    whole = truth(BLOB)
    answer = fetch(case, BLOB, f"Range: bytes={asked}", "Accept-Encoding: identity")
    part = whole[start:end]
    first = len(whole) + start if start < 0 else start
    assert answer.status == 206
    assert answer.body == part
    assert answer.field("content-length") == str(len(part))
    last = first + len(part) - 1
    assert answer.field("content-range") == f"bytes {first}-{last}/{len(whole)}"
    assert answer.field("etag") == fetch(case, BLOB).field("etag")


@pytest.mark.parametrize("asked", ["bytes=0-0,5-9", "bytes=0-9,5-14", "lines=1-2"])
def test_w9_other_ranges_are_not_ranges(case: Case, asked: str) -> None:
    """Many or overlapping ranges, and other units, are ignored (RFC 9110, section 14.2)."""
    answer = fetch(case, BLOB, f"Range: {asked}")
    assert (answer.status, answer.body) == (200, truth(BLOB))


@pytest.mark.parametrize("asked", ["bytes=9-5", "bytes=x", "bytes=", "bytes=1-2-3", "bytes"])
def test_w9_invalid_range(case: Case, asked: str) -> None:
    """An invalid one is ignored or rejected (RFC 9110, section 14.2), and never guessed at."""
    answer = fetch(case, BLOB, f"Range: {asked}")
    assert answer.status in (200, 416)
    assert answer.status == 416 or answer.body == truth(BLOB)


@pytest.mark.parametrize("asked", ["99999999-", "99999999-99999999", "-0"])
def test_w9_unsatisfiable_range(case: Case, asked: str) -> None:
    """416 tells the length, so that a client whose part is complete can see that."""
    answer = fetch(case, BLOB, f"Range: bytes={asked}")
    assert answer.status == 416
    assert answer.field("content-range") == f"bytes */{len(truth(BLOB))}"


def test_w9_if_range(case: Case) -> None:
    """A part is given only of the very file that the client began with."""
    whole = fetch(case, BLOB)
    current = f"If-Range: {whole.field('etag')}"
    assert fetch(case, BLOB, "Range: bytes=5-9", current).status == 206
    changed = fetch(case, BLOB, "Range: bytes=5-9", 'If-Range: "another"')
    assert (changed.status, changed.body) == (200, whole.body)


@pytest.mark.parametrize("path", SAMPLES)
def test_w10_conditional(case: Case, path: str) -> None:
    """304 with the same validators, for each way of asking."""
    whole = fetch(case, path)
    etag, modified = whole.field("etag"), whole.field("last-modified")
    assert etag and etag.startswith('"'), "no strong validator"
    assert modified
    for condition in (
        f"If-None-Match: {etag}",
        f'If-None-Match: "another", {etag}',
        f"If-None-Match: W/{etag}",
        "If-None-Match: *",
        f"If-Modified-Since: {modified}",
    ):
        for method in ("GET", "HEAD"):
            answer = fetch(case, path, condition, method=method)
            assert (answer.status, answer.body) == (304, b""), condition
            assert answer.field("etag") == etag
            assert answer.field("cache-control") == whole.field("cache-control")
    for condition in (
        'If-None-Match: "another"',
        "If-Modified-Since: Sat, 01 Jan 2000 00:00:00 GMT",
    ):
        assert fetch(case, path, condition).status == 200, condition


def test_w10_etags_differ(case: Case) -> None:
    """No two representations share one: conda would take one for the other."""
    metadata = [path for path in SERVED if path.startswith(("noarch/", "linux-64/"))]
    etags = [fetch(case, quote(path, safe="/!+")).field("etag") for path in metadata]
    assert len(set(etags)) == len(metadata)


@pytest.mark.parametrize("path", SAMPLES)
def test_w12_cache_control(case: Case, path: str) -> None:
    """A shared cache must not keep what a token opened, and may keep what is public."""

    def directives(path: str) -> list[str]:
        value = wire.curl(case, path).field("cache-control") or ""
        return [directive.strip() for directive in value.split(",")]

    assert "private" in directives(f"/t/{case.token}/{case.channel}/{path}")
    assert "private" not in directives(f"/{case.need('public_channel')}/{path}")


@pytest.mark.parametrize("path", SAMPLES)
def test_w8_head_of_a_file(case: Case, path: str) -> None:
    """The fields of GET, and no content."""
    get, head = fetch(case, path), fetch(case, path, method="HEAD")
    assert head.status == 200
    own = {"date", "x-request-id", "age"}
    fields = [{n: v for n, v in answer.fields.items() if n not in own} for answer in (get, head)]
    assert fields[0] == fields[1]


def test_w13_noarch_is_made_where_storage_has_none(case: Case) -> None:
    """An allowed channel has a `noarch` in any case: without one no client goes on."""
    channel = case.need("channel_without_noarch")
    root = f"/t/{case.token}/{channel}"
    plain = wire.curl(case, f"{root}/noarch/repodata.json")
    packed = wire.curl(case, f"{root}/noarch/repodata.json.zst")
    assert plain.status == packed.status == 200
    index = json.loads(plain.body)
    assert index["info"]["subdir"] == "noarch"
    assert not index["packages"] and not index["packages.conda"]
    assert zstandard.ZstdDecompressor().decompress(packed.body) == plain.body
    assert plain.field("etag") != packed.field("etag")
    for path in ("noarch/repodata_shards.msgpack.zst", "linux-ppc64le/repodata.json"):
        assert wire.curl(case, f"{root}/{path}").status == 404
