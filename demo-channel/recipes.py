"""What the demo channel holds: one `Recipe` per package file.

The set is small on purpose and yet has what tells a real channel from a toy: both package
formats, `noarch`, an epoch (`1!2.0` beats `3.0`), a local version (`1.0+local.3`), a text file
with a prefix to replace, a symbolic link, run exports, a file larger than the 64 KiB tail that
rattler reads first, and a label with a package of its own.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field

#: Platforms that get `demo-hello`, so that the demo installs on any desktop.
UNIX_SUBDIRS = ("linux-64", "linux-aarch64", "osx-64", "osx-arm64")
SUBDIRS = (*UNIX_SUBDIRS, "win-64")

#: Replaced by the environment's path at install, as conda-build's own placeholder is.
PREFIX = "/opt/condagate_demo_build_env" + "_placehold" * 8

SHARE = "share/condagate-demo"


@dataclass(frozen=True)
class Text:
    """A regular file. `prefix` says that `PREFIX` in it is replaced at install."""

    content: bytes
    executable: bool = False
    prefix: bool = False


@dataclass(frozen=True)
class Link:
    """A symbolic link to `target`, relative to the link's own folder; `content` is its target's."""

    target: str
    content: bytes


@dataclass(frozen=True)
class Recipe:
    """One package file. Of one name, the last in `RECIPES` is the newest."""

    name: str
    version: str
    extension: str
    subdir: str
    summary: str
    files: dict[str, Text | Link]
    depends: tuple[str, ...] = ()
    run_exports: dict[str, list[str]] = field(default_factory=dict)
    #: Channel label (`label/<label>/…`), or "" for the channel itself.
    label: str = ""

    @property
    def stem(self) -> str:
        """`<name>-<version>-<build>`: the file name without its extension."""
        return f"{self.name}-{self.version}-0"

    @property
    def filename(self) -> str:
        """The name under which the channel serves this package."""
        return self.stem + self.extension


def noise(size: int) -> bytes:
    """Bytes that do not compress and are always the same: SHA-256 of a counter."""
    blocks = (hashlib.sha256(b"condagate %d" % n).digest() for n in range(size // 32))
    return b"".join(blocks)


def data(version: str, extension: str, sentence: str, label: str = "") -> Recipe:
    """`demo-data`: the sentence that `demo-hello` prints."""
    return Recipe(
        "demo-data",
        version,
        extension,
        "noarch",
        "The sentence that demo-hello prints",
        {f"{SHARE}/sentence.txt": Text(f"{sentence}\n".encode())},
        label=label,
    )


def hello(version: str, extension: str, subdir: str) -> Recipe:
    """`demo-hello`: a command without a compiled part, so that one recipe serves every platform."""
    if subdir == "win-64":
        script = f'@type "%~dp0..\\{SHARE}\\sentence.txt"\r\n'.replace("/", "\\")
        files = {"Scripts/demo-hello.bat": Text(script.encode())}
    else:
        script = f'#!/bin/sh\nexec cat "{PREFIX}/{SHARE}/sentence.txt"\n'
        files = {"bin/demo-hello": Text(script.encode(), executable=True, prefix=True)}
    return Recipe(
        "demo-hello",
        version,
        extension,
        subdir,
        "A command that prints a sentence",
        files,
        depends=("demo-data >=2026.10", "demo-lib >=1!2.0"),
    )


def lib(version: str, extension: str, subdir: str) -> Recipe:
    """`demo-lib`: what `demo-hello` depends on, with an epoch that outranks a number."""
    content = f"demo-lib {version} for {subdir}\n".encode()
    files: dict[str, Text | Link] = {"lib/demo-lib/demo.txt.2": Text(content)}
    if subdir in UNIX_SUBDIRS:
        files["lib/demo-lib/demo.txt"] = Link("demo.txt.2", content)
    return Recipe(
        "demo-lib",
        version,
        extension,
        subdir,
        "A library that is only a text file",
        files,
        run_exports={"weak": [f"demo-lib >={version}"]},
    )


RECIPES: tuple[Recipe, ...] = (
    data("2026.10.1", ".tar.bz2", "Hello from the October edition."),
    data("2026.11.1", ".conda", "Hello from a private conda channel."),
    data("2026.12.0rc1", ".conda", "Hello from the release candidate.", label="rc"),
    Recipe(
        "demo-notes",
        "1.0+local.3",
        ".tar.bz2",
        "noarch",
        "Notes with a local version",
        {
            f"{SHARE}/notes.txt": Text(
                b"A plus sign in a file name is one more thing to get right.\n"
            )
        },
        depends=("demo-data",),
    ),
    Recipe(
        "demo-blob",
        "0.1.0",
        ".conda",
        "noarch",
        "Bytes that do not compress, for ranges and progress bars",
        {f"{SHARE}/blob.bin": Text(noise(96 * 1024))},
    ),
    *(lib("3.0", ".tar.bz2", subdir) for subdir in SUBDIRS),
    *(lib("1!2.0", ".conda", subdir) for subdir in SUBDIRS),
    *(hello("1.0.0", ".tar.bz2", subdir) for subdir in SUBDIRS),
    *(hello("1.1.0", ".conda", subdir) for subdir in SUBDIRS),
)
