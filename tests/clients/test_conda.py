"""conda solves and installs through the gateway (design/wire.md W1, W2, W3, W8, W16)."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import rattler

import installed
import wire
from case import Case

MAIN = Path(__file__).with_name("conda_main.py")
PLATFORM = str(rattler.Subdir.current())


class Conda:
    """A conda with settings, caches and environments of its own."""

    def __init__(self, case: Case, home: Path) -> None:
        """Writes its settings (`.condarc`) below `home`."""
        self.home = home
        self.prefix = home / "environment"
        settings = {
            "solver": "classic",
            "sat_solver": "pysat",
            "default_channels": [],
            "pkgs_dirs": [str(home / "packages")],
            "envs_dirs": [str(home / "environments")],
            "report_errors": False,
            "notify_outdated_conda": False,
            "ssl_verify": case.ca_file or True,
            "remote_max_retries": 0,
        }
        (home / ".condarc").write_text(json.dumps(settings))

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Runs a conda command."""
        environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(self.home),
            "CONDA_OVERRIDE_CUDA": "",
        }
        command = [sys.executable, "-B", str(MAIN), *arguments]
        return subprocess.run(
            command, env=environment, capture_output=True, text=True, timeout=120, check=False
        )

    def create(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Makes the environment with the demo's packages in it."""
        return self.run(
            "create", "--yes", "--prefix", str(self.prefix), *arguments, *installed.SPECS
        )


@pytest.fixture
def conda(case: Case, own_home: Path) -> Conda:
    """A fresh conda."""
    return Conda(case, own_home)


@dataclass(frozen=True)
class Way:
    """One way to tell conda of the channel: commands before, and arguments of `create`."""

    name: str
    before: tuple[tuple[str, ...], ...]
    arguments: tuple[str, ...]
    netrc: bool = False

    def __str__(self) -> str:
        """The way's name in test reports."""
        return self.name.replace(" ", "_")


def override(channel: str) -> tuple[str, ...]:
    """Only this channel."""
    return ("--override-channels", "--channel", channel)


GW = "{gateway_url}"
ALIAS = ("config", "--set", "channel_alias")
WAYS = [
    Way("as printed", (("config", "--add", "channels", "{channel_url}"),), ()),
    # Requested with the token moved to the front.
    Way("mount prefix first", (), override(f"{GW}/{{mount_prefix}}/t/{{token}}/{{channel}}")),
    Way("token first", (), override(f"{GW}/t/{{token}}/{{mount_prefix}}/{{channel}}")),
    Way("alias with a token", ((*ALIAS, f"{GW}/t/{{token}}"),), override("{channel}")),
    # Requested with the token in the middle.
    Way(
        "alias below a mount prefix",
        ((*ALIAS, f"{GW}/{{mount_prefix}}/t/{{token}}"),),
        override("{channel}"),
    ),
    Way("basic", (), override("{scheme}://anyone:{token}@{host}/{channel}")),
    Way("netrc", (), override(f"{GW}/{{channel}}"), netrc=True),
]


@pytest.mark.parametrize("way", WAYS, ids=str)
def test_solve_and_install(case: Case, conda: Conda, way: Way) -> None:
    """Installed files are what the packages list, whichever way the token took."""
    if way.netrc:
        netrc = conda.home / ".netrc"
        host = urlsplit(case.gateway_url).hostname
        netrc.write_text(f"machine {host} login anyone password {case.token}\n")
        netrc.chmod(0o600)
    for arguments in way.before:
        done = conda.run(*map(case.fill, arguments))
        assert done.returncode == 0, done.stderr
    done = conda.create(*map(case.fill, way.arguments))
    assert done.returncode == 0, done.stdout + done.stderr
    installed.check(conda.prefix, installed.CHOSEN, PLATFORM)
    assert installed.says(conda.prefix) == installed.SENTENCE


def test_w8_full_repodata(case: Case, conda: Conda) -> None:
    """Other than the classic solver's first choice: `repodata.json.zst`."""
    arguments = ("--repodata-fn", "repodata.json", *override(case.channel_url))
    done = conda.create(*arguments)
    assert done.returncode == 0, done.stdout + done.stderr
    installed.check(conda.prefix, installed.CHOSEN, PLATFORM)


@pytest.mark.parametrize(
    "channel",
    [
        "/{channel}",
        "/t/{unknown_token}/{channel}",
        "/t/{mistyped_token}/{channel}",
        "/t/{expired_token}/{channel}",
        "/t/{revoked_token}/{channel}",
        "/t/{token}/{unknown_channel}",
    ],
)
def test_w16_message_reaches_the_user(case: Case, conda: Conda, channel: str) -> None:
    """conda stops, and shows our sentence in place of its own text."""
    path = case.fill(channel)
    message = wire.curl(case, f"{path}/{PLATFORM}/current_repodata.json").json()["message"]
    done = conda.create(*override(case.gateway_url + path))
    assert done.returncode == 1
    assert " ".join(message.split()) in " ".join(done.stderr.split())


def test_w7_notices_are_no_obstacle(case: Case, conda: Conda) -> None:
    """conda asks for notices without a token before it installs; a 404 is the end of it."""
    done = conda.run("notices", *override(case.channel_url))
    assert done.returncode == 0, done.stderr
