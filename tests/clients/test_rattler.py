"""rattler, pixi's engine, solves and installs through the gateway (design/wire.md W2, W3, W8)."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import rattler
from rattler.exceptions import GatewayError
from rattler.package import PathsJson

import installed
from case import Case

PLATFORM = str(rattler.Subdir.current())


@dataclass(frozen=True)
class Way:
    """One way to hand over the token: a channel URL and what is in rattler's credential file."""

    name: str
    channel: str
    stored: dict[str, dict[str, str] | str] | None = None

    def __str__(self) -> str:
        """The way's name in test reports."""
        return self.name.replace(" ", "_")


GW, REST = "{gateway_url}", "{channel}"
WAYS = [
    Way("as printed", "{channel_url}"),
    Way("token first", f"{GW}/t/{{token}}/{{mount_prefix}}/{REST}"),
    Way("mount prefix first", f"{GW}/{{mount_prefix}}/t/{{token}}/{REST}"),
    Way("bearer", f"{GW}/{REST}", {"BearerToken": "{token}"}),
    Way("bearer below a mount prefix", f"{GW}/{{mount_prefix}}/{REST}", {"BearerToken": "{token}"}),
    Way("basic", f"{GW}/{REST}", {"BasicHTTP": {"username": "anyone", "password": "{token}"}}),
    Way("userinfo", f"{{scheme}}://anyone:{{token}}@{{host}}/{REST}"),
    Way("stored token", f"{GW}/{REST}", {"CondaToken": "{token}"}),
    Way("stored token, mount prefix", f"{GW}/{{mount_prefix}}/{REST}", {"CondaToken": "{token}"}),
]


class Rattler:
    """A rattler with caches of its own."""

    def __init__(self, case: Case, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """Reads the credential file and the authority as rattler does, from the environment."""
        self.home = home
        if case.ca_file:
            monkeypatch.setenv("SSL_CERT_FILE", case.ca_file)
        monkeypatch.setenv("RATTLER_AUTH_FILE", str(home / "credentials.json"))
        self.client: rattler.Client | None = None

    def store(self, host: str, stored: str) -> None:
        """Writes the credential file; rattler looks hosts up without their port."""
        (self.home / "credentials.json").write_text(f'{{"{host}": {stored}}}')

    def connect(self) -> rattler.Client:
        """The client; credentials and authorities are read now."""
        if self.client is None:
            self.client = rattler.Client.default_client(max_retries=0, timeout=30)
        return self.client

    def gateway(self, sharded: bool) -> rattler.Gateway:
        """Rattler's source of repodata, with nothing cached."""
        return rattler.Gateway(
            cache_dir=self.home / "repodata",
            default_config=rattler.SourceConfig(sharded_enabled=sharded),
            client=self.connect(),
        )

    def solve(
        self, channel: str, sharded: bool, specs: tuple[str, ...], platform: str = PLATFORM
    ) -> list[rattler.RepoDataRecord]:
        """The packages that `specs` lead to."""
        gateway = self.gateway(sharded)
        return asyncio.run(
            rattler.solve(
                sources=[channel],
                specs=list(specs),
                gateway=gateway,
                platforms=[platform, "noarch"],
            )
        )

    def install(self, records: list[rattler.RepoDataRecord]) -> Path:
        """Installs into a fresh environment."""
        prefix = self.home / "environment"
        asyncio.run(
            rattler.install(
                records,
                target_prefix=prefix,
                cache_dir=self.home / "packages",
                client=self.connect(),
                show_progress=False,
            )
        )
        return prefix


@pytest.fixture
def engine(case: Case, own_home: Path, monkeypatch: pytest.MonkeyPatch) -> Rattler:
    """A fresh rattler."""
    return Rattler(case, own_home, monkeypatch)


@pytest.mark.parametrize("sharded", [True, False], ids=["shards", "no shards"])
@pytest.mark.parametrize("way", WAYS, ids=str)
def test_solve_and_install(case: Case, engine: Rattler, way: Way, sharded: bool) -> None:
    """Installed files are what the packages list, whichever way the token took."""
    if way.stored:
        host = urlsplit(case.gateway_url).hostname or ""
        engine.store(host, case.fill(json.dumps(way.stored)))
    channel = case.fill(way.channel)
    records = engine.solve(channel, sharded, installed.SPECS)
    assert {record.file_name for record in records} == installed.CHOSEN
    assert all(record.url.startswith(f"{channel}/") for record in records)
    prefix = engine.install(records)
    installed.check(prefix, installed.CHOSEN, PLATFORM)
    assert installed.says(prefix) == installed.SENTENCE
    cache = {path.suffix for path in (engine.home / "repodata").iterdir()}
    assert (".shards-cache-v1" in cache) == sharded, "the other kind of repodata was read"


@pytest.mark.parametrize("platform", ["linux-64", "linux-aarch64", "osx-64", "osx-arm64", "win-64"])
def test_solve_for_each_desktop(case: Case, engine: Rattler, platform: str) -> None:
    """The demo installs on any of them."""
    records = engine.solve(case.channel_url, True, installed.SPECS, platform)
    assert {record.file_name for record in records} == installed.CHOSEN


def test_label(case: Case, engine: Rattler) -> None:
    """A label is a channel of its own to a client; that it has no platform subdir is fine."""
    records = engine.solve(f"{case.channel_url}/label/rc", True, ("demo-data",))
    assert [record.file_name for record in records] == ["demo-data-2026.12.0rc1-0.conda"]


def test_w7_notices(case: Case, engine: Rattler) -> None:
    """Those of a public channel are shown; that a private one has none is no error."""

    def notices(channel: str) -> list[str]:
        found = asyncio.run(engine.gateway(True).channel_notices([channel]))
        return [notice.id for notice in found]

    assert notices(f"{case.gateway_url}/{case.channel}") == []
    assert notices(f"{case.gateway_url}/{case.need('public_channel')}") == ["condagate-demo"]


def test_w9_reads_a_package_by_ranges(case: Case, engine: Rattler) -> None:
    """rattler reads one file out of a package without fetching the whole."""
    url = f"{case.channel_url}/noarch/demo-blob-0.1.0-0.conda"
    paths = asyncio.run(PathsJson.from_remote_url(engine.connect(), url))
    assert paths is not None
    expected = installed.info(installed.package("demo-blob-0.1.0-0.conda", "noarch"), "paths.json")
    read = [path.relative_path.as_posix() for path in paths.paths]
    assert read == [entry["_path"] for entry in expected["paths"]]


def test_w13_solves_without_noarch(case: Case, engine: Rattler) -> None:
    """A channel whose storage has no `noarch` still works."""
    channel = f"{case.gateway_url}/t/{case.token}/{case.need('channel_without_noarch')}"
    for sharded in (True, False):
        records = engine.solve(channel, sharded, ("demo-lib",))
        assert [record.file_name for record in records] == ["demo-lib-1!2.0-0.conda"]


@pytest.mark.parametrize("sharded", [True, False], ids=["shards", "no shards"])
@pytest.mark.parametrize(
    ("channel", "status"),
    [
        ("{gateway_url}/{channel}", "401"),
        ("{gateway_url}/t/{unknown_token}/{channel}", "401"),
        ("{gateway_url}/t/{token}/{unknown_channel}", "403"),
    ],
    ids=["no token", "unknown token", "unknown channel"],
)
def test_refused(case: Case, engine: Rattler, channel: str, status: str, sharded: bool) -> None:
    """A refusal stops the solve: it is never taken for an empty channel."""
    with pytest.raises(GatewayError, match=status):
        engine.solve(case.fill(channel), sharded, installed.SPECS)
