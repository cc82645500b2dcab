"""Fixtures of the client tests; case.py says what they run against."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

import case as cases


@pytest.fixture(scope="session")
def case() -> cases.Case:
    """The gateway under test."""
    return cases.load()


@pytest.fixture(autouse=True)
def own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home without settings, credentials, caches or proxies of whoever runs the tests."""
    home = tmp_path / "home"
    home.mkdir()
    foreign = ("CONDA", "RATTLER", "PIXI", "MAMBA", "SSL_CERT", "REQUESTS_CA", "CURL_CA", "NETRC")
    for name in list(os.environ):
        mine = name == "CONDAGATE_CLIENT_CASE"
        if not mine and (name.startswith(foreign) or name.lower().endswith("_proxy")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("XDG_CACHE_HOME", str(home / "cache"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(home / "config"))
    return home
