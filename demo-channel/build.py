#!/usr/bin/env python3
"""Makes the demo channel, byte for byte the same on every machine.

    build.py            writes `channel/` beside this file
    build.py --check    exits 1 and names the files that differ from what would be written

Formats: package contents as conda-build writes them, `.conda` by CEP 35, sharded repodata by
CEP 16, run exports by CEP 12, notices by CEP 6. Every URL in an index is relative, so that the
channel can be served from anywhere (design/wire.md W20).
"""

from __future__ import annotations

import argparse
import bz2
import hashlib
import io
import json
import shutil
import sys
import tarfile
import tempfile
import zipfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import msgpack
import zstandard

from recipes import PREFIX, RECIPES, SUBDIRS, Link, Recipe

HERE = Path(__file__).resolve().parent
#: 2026-11-01T00:00:00Z, the time of every entry.
BUILT_AT_UNIX_S = 1_793_491_200
BUILT_AT_RFC3339 = "2026-11-01T00:00:00Z"
LICENSE = "Apache-2.0"


def zst(content: bytes) -> bytes:
    """One zstd frame with its size in the header."""
    return zstandard.ZstdCompressor(level=19).compress(content)


def as_json(value: object) -> bytes:
    """JSON with sorted keys and no spaces, as channel indexers write it."""
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode() + b"\n"


def sha256(content: bytes) -> str:
    """SHA-256 in hexadecimal."""
    return hashlib.sha256(content).hexdigest()


# Packages


def paths_json(recipe: Recipe) -> dict[str, Any]:
    """`info/paths.json`: what the package installs, with size and digest."""
    paths = []
    for path, file in sorted(recipe.files.items()):
        entry: dict[str, Any] = {
            "_path": path,
            "path_type": "softlink" if isinstance(file, Link) else "hardlink",
            "sha256": sha256(file.content),
            "size_in_bytes": len(file.content),
        }
        if not isinstance(file, Link) and file.prefix:
            entry |= {"file_mode": "text", "prefix_placeholder": PREFIX}
        paths.append(entry)
    return {"paths": paths, "paths_version": 1}


def index_json(recipe: Recipe) -> dict[str, Any]:
    """`info/index.json`: the record that also stands in repodata."""
    platform, _, arch = recipe.subdir.partition("-")
    record: dict[str, Any] = {
        "build": "0",
        "build_number": 0,
        "depends": list(recipe.depends),
        "license": LICENSE,
        "name": recipe.name,
        "subdir": recipe.subdir,
        "timestamp": BUILT_AT_UNIX_S * 1000,
        "version": recipe.version,
    }
    if recipe.subdir == "noarch":
        return record | {"arch": None, "noarch": "generic", "platform": None}
    machine = {"64": "x86_64"}.get(arch, arch)
    return record | {"arch": machine, "platform": platform}


def info_files(recipe: Recipe) -> dict[str, bytes]:
    """The `info/` folder of a package."""
    info = {
        "info/about.json": as_json({"license": LICENSE, "summary": recipe.summary}),
        "info/files": "".join(f"{path}\n" for path in sorted(recipe.files)).encode(),
        "info/index.json": as_json(index_json(recipe)),
        "info/paths.json": as_json(paths_json(recipe)),
        "info/run_exports.json": as_json(recipe.run_exports),
    }
    prefixed = [
        path
        for path, file in sorted(recipe.files.items())
        if not isinstance(file, Link) and file.prefix
    ]
    if prefixed:
        info["info/has_prefix"] = "".join(
            f'"{PREFIX}" "text" "{path}"\n' for path in prefixed
        ).encode()
    return info


def tar_entry(path: str, size: int, mode: int) -> tarfile.TarInfo:
    """A tar header without a trace of who made it and when."""
    entry = tarfile.TarInfo(path)
    entry.size, entry.mode, entry.mtime = size, mode, BUILT_AT_UNIX_S
    return entry


def info_entries(recipe: Recipe) -> Iterator[tuple[tarfile.TarInfo, bytes]]:
    """Tar entries of `info/`."""
    for path, content in info_files(recipe).items():
        yield tar_entry(path, len(content), 0o644), content


def payload_entries(recipe: Recipe) -> Iterator[tuple[tarfile.TarInfo, bytes]]:
    """Tar entries of what gets installed."""
    for path, file in sorted(recipe.files.items()):
        if isinstance(file, Link):
            entry = tar_entry(path, 0, 0o777)
            entry.type, entry.linkname = tarfile.SYMTYPE, file.target
            yield entry, b""
        else:
            yield (
                tar_entry(path, len(file.content), 0o755 if file.executable else 0o644),
                file.content,
            )


def tar(entries: Iterable[tuple[tarfile.TarInfo, bytes]]) -> bytes:
    """A POSIX (ustar) archive of `entries`."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for entry, content in entries:
            archive.addfile(entry, io.BytesIO(content))
    return buffer.getvalue()


def package(recipe: Recipe) -> bytes:
    """The package file: `.tar.bz2`, or `.conda` with `info` last, where its readers look first."""
    if recipe.extension == ".tar.bz2":
        return bz2.compress(tar([*info_entries(recipe), *payload_entries(recipe)]))
    members = {
        "metadata.json": as_json({"conda_pkg_format_version": 2}),
        f"pkg-{recipe.stem}.tar.zst": zst(tar(payload_entries(recipe))),
        f"info-{recipe.stem}.tar.zst": zst(tar(info_entries(recipe))),
    }
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for name, content in members.items():
            archive.writestr(zipfile.ZipInfo(name, (2026, 11, 1, 0, 0, 0)), content)
    return buffer.getvalue()


# Indexes

#: A recipe with the bytes of its package and its repodata record.
Built = tuple[Recipe, bytes, dict[str, Any]]


def build(recipe: Recipe) -> Built:
    """Makes the package and the record that repodata has of it."""
    content = package(recipe)
    record = index_json(recipe) | {
        "md5": hashlib.md5(content, usedforsecurity=False).hexdigest(),
        "sha256": sha256(content),
        "size": len(content),
    }
    return recipe, content, record


def by_format(entries: Iterable[tuple[Recipe, Any]]) -> dict[str, dict[str, Any]]:
    """`entries` by file name, under the two keys that every channel index has."""
    index: dict[str, dict[str, Any]] = {"packages": {}, "packages.conda": {}}
    for recipe, value in entries:
        index["packages.conda" if recipe.extension == ".conda" else "packages"][recipe.filename] = (
            value
        )
    return index


def repodata(subdir: str, built: Iterable[Built]) -> bytes:
    """`repodata.json`."""
    records = by_format((recipe, record) for recipe, _, record in built)
    return as_json({"info": {"subdir": subdir}, **records, "removed": [], "repodata_version": 1})


def run_exports(subdir: str, built: Iterable[Built]) -> bytes:
    """`run_exports.json` (CEP 12)."""
    exports = by_format((recipe, {"run_exports": recipe.run_exports}) for recipe, _, _ in built)
    return as_json({"info": {"subdir": subdir, "version": 1}, **exports})


def shard_files(subdir: str, built: list[Built]) -> dict[str, bytes]:
    """The shard index and one shard per package name (CEP 16)."""
    files: dict[str, bytes] = {}
    digests: dict[str, bytes] = {}
    for name in sorted({recipe.name for recipe, _, _ in built}):
        records = (
            (recipe, record | {key: bytes.fromhex(record[key]) for key in ("md5", "sha256")})
            for recipe, _, record in built
            if recipe.name == name
        )
        shard = zst(msgpack.packb({**by_format(records), "removed": []}))
        files[f"shards/{sha256(shard)}.msgpack.zst"] = shard
        digests[name] = hashlib.sha256(shard).digest()
    info = {
        "base_url": "./",
        "created_at": BUILT_AT_RFC3339,
        "shards_base_url": "./shards/",
        "subdir": subdir,
    }
    files["repodata_shards.msgpack.zst"] = zst(
        msgpack.packb({"info": info, "shards": digests, "version": 1})
    )
    return files


def subdir_files(subdir: str, built: list[Built]) -> dict[str, bytes]:
    """Everything under one subdir, by path within it."""
    newest = {recipe.name: (recipe, content, record) for recipe, content, record in built}
    files = {recipe.filename: content for recipe, content, _ in built} | shard_files(subdir, built)
    files["current_repodata.json"] = repodata(subdir, newest.values())
    for name, content in (
        ("repodata.json", repodata(subdir, built)),
        ("run_exports.json", run_exports(subdir, built)),
    ):
        files |= {name: content, f"{name}.zst": zst(content)}
    return files


def channeldata(built: list[Built]) -> bytes:
    """`channeldata.json`: one entry per package name, of its newest version."""
    packages = {
        recipe.name: {
            "license": LICENSE,
            "subdirs": sorted({other.subdir for other, _, _ in built if other.name == recipe.name}),
            "summary": recipe.summary,
            "timestamp": BUILT_AT_UNIX_S,
            "version": recipe.version,
        }
        for recipe, _, _ in built
    }
    return as_json(
        {"channeldata_version": 1, "packages": packages, "subdirs": sorted([*SUBDIRS, "noarch"])}
    )


def notices() -> bytes:
    """`notices.json` (CEP 6)."""
    notice = {
        "created_at": BUILT_AT_RFC3339,
        "expired_at": "2099-01-01T00:00:00Z",
        "id": "condagate-demo",
        "interval": 86400,
        "level": "info",
        "message": "This is the demo channel of condagate.",
    }
    return as_json({"notices": [notice]})


def channel_files() -> dict[str, bytes]:
    """The whole channel, by path."""
    built = [build(recipe) for recipe in RECIPES]
    own = [entry for entry in built if not entry[0].label]
    files = {"channeldata.json": channeldata(own), "notices.json": notices()}
    for label in sorted({recipe.label for recipe in RECIPES}):
        root = f"label/{label}/" if label else ""
        labelled = [entry for entry in built if entry[0].label == label]
        for subdir in sorted({recipe.subdir for recipe, _, _ in labelled}):
            entries = [entry for entry in labelled if entry[0].subdir == subdir]
            files |= {
                f"{root}{subdir}/{path}": content
                for path, content in subdir_files(subdir, entries).items()
            }
    return files


def write(root: Path, files: dict[str, bytes]) -> None:
    """Replaces `root` by `files`; a run that fails half-way leaves `root` as it was."""
    with tempfile.TemporaryDirectory(dir=root.parent) as scratch:
        fresh = Path(scratch) / "channel"
        for path, content in files.items():
            target = fresh / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content)
        if root.exists():
            shutil.rmtree(root)
        fresh.rename(root)


def differences(root: Path, files: dict[str, bytes]) -> list[str]:
    """What stands in `root` and should not, or should and does not, or has other bytes."""
    present = {
        path.relative_to(root).as_posix(): path.read_bytes()
        for path in root.rglob("*")
        if path.is_file()
    }
    return sorted(
        path for path in present.keys() | files.keys() if present.get(path) != files.get(path)
    )


def main() -> int:
    """Entry point; the exit status."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument(
        "--check", action="store_true", help="compare channel/ with what would be written"
    )
    arguments = parser.parse_args()
    root, files = HERE / "channel", channel_files()
    if not arguments.check:
        write(root, files)
        return 0
    wrong = differences(root, files)
    for path in wrong:
        print(f"demo-channel/channel/{path}: differs; run demo-channel/build.py", file=sys.stderr)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
