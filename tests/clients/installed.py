"""What an installed environment must hold, read from the packages themselves."""

from __future__ import annotations

import bz2
import hashlib
import io
import json
import os
import subprocess
import tarfile
import zipfile
from pathlib import Path
from typing import Any

import zstandard

from case import TRUTH

#: Installed together: `.conda` and `.tar.bz2`, an epoch, a local version, a prefix, a link.
SPECS = ("demo-hello", "demo-notes", "demo-blob")
#: What a solver must choose for them.
CHOSEN = {
    "demo-blob-0.1.0-0.conda",
    "demo-data-2026.11.1-0.conda",
    "demo-hello-1.1.0-0.conda",
    "demo-lib-1!2.0-0.conda",
    "demo-notes-1.0+local.3-0.tar.bz2",
}
SENTENCE = "Hello from a private conda channel.\n"


def info(package: Path, name: str) -> Any:  # noqa: ANN401
    """A JSON file of a package's `info/`."""
    if package.suffix == ".conda":
        with zipfile.ZipFile(package) as members:
            member = next(m for m in members.namelist() if m.startswith("info-"))
            content = zstandard.ZstdDecompressor().stream_reader(members.open(member)).read()
    else:
        content = bz2.decompress(package.read_bytes())
    with tarfile.open(fileobj=io.BytesIO(content)) as archive:
        file = archive.extractfile(f"info/{name}")
        assert file is not None
        return json.load(file)


def package(filename: str, subdir: str) -> Path:
    """The package file as the storage has it."""
    return next(
        path for path in (TRUTH / subdir / filename, TRUTH / "noarch" / filename) if path.exists()
    )


def check(prefix: Path, filenames: set[str], subdir: str) -> None:
    """Each file that the packages list is installed as listed, and nothing else is."""
    listed = set()
    for filename in filenames:
        for entry in info(package(filename, subdir), "paths.json")["paths"]:
            path = prefix / entry["_path"]
            listed.add(entry["_path"])
            content = path.read_bytes()
            if placeholder := entry.get("prefix_placeholder"):
                assert str(prefix).encode() in content
                content = content.replace(str(prefix).encode(), placeholder.encode())
            assert hashlib.sha256(content).hexdigest() == entry["sha256"], path
            assert len(content) == entry["size_in_bytes"]
            assert path.is_symlink() == (entry["path_type"] == "softlink")
    found = {
        Path(folder, name).relative_to(prefix).as_posix()
        for folder, _, names in os.walk(prefix)
        for name in names
    }
    # Both clients keep records in conda-meta; rattler marks the prefix as a cache for backups.
    assert {path for path in found if not path.startswith("conda-meta/")} - {
        "CACHEDIR.TAG"
    } == listed


def says(prefix: Path) -> str:
    """What the installed command prints."""
    return subprocess.check_output([prefix / "bin" / "demo-hello"], text=True)
