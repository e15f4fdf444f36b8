"""An execution's own folder, as Kodosumi's file systems show it to the author's code.

Kodosumi asks its panel for them, in the name of the user who is logged in; a stranger who hired
a job is not.
"""

from __future__ import annotations

import asyncio
import shutil
import uuid
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from tempfile import mkdtemp
from typing import Any, Self

_CHUNK = 2**16
_ROOTS = ("in", "out")

File = dict[str, Any]
"""``{"path": "in/a.pdf", "size": bytes, "last_modified": epoch seconds}``."""


class SyncExecutionFolder:
    """Stands for Kodosumi's ``SyncFileSystem``. Paths begin with ``in`` or ``out``."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def ls(self, path: str = "in") -> list[File]:
        """All files of ``in`` or ``out``. Raises FileNotFoundError when there are none."""
        found = [file for file in sorted(self._top(path).rglob("*")) if file.is_file()]
        if not found:
            raise FileNotFoundError(path)
        return [self._told(file) for file in found]

    def open(self, path: str) -> SyncFile:
        return SyncFile(self, path)

    def remove(self, path: str) -> bool:
        """Raises FileNotFoundError."""
        found = self.at(path)
        if found.is_dir():
            shutil.rmtree(found)
        else:
            found.unlink()
        return True

    def download(self, path: str = "in") -> Iterator[str]:
        """Copies of all files at or below ``path``, by their paths in a new temporary folder."""
        wanted, target = self.at(path), Path(mkdtemp(prefix="kodosumi-"))
        base = wanted if wanted.is_dir() else wanted.parent
        for file in [wanted] if wanted.is_file() else sorted(wanted.rglob("*")):
            if file.is_file():
                copy = target / file.relative_to(base)
                copy.parent.mkdir(parents=True, exist_ok=True)
                yield str(shutil.copyfile(file, copy))

    def upload(self, path: str) -> str | None:
        """A local file, or all of a local folder, into ``out``; None when there is nothing."""
        given = Path(path)
        base = given.parent if given.is_file() else given
        found = [given] if given.is_file() else [f for f in given.rglob("*") if f.is_file()]
        for file in found:
            target = self._root / "out" / file.relative_to(base)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(file, target)
        return str(uuid.uuid4()) if found else None

    def close(self) -> None:
        """There is nothing to close."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def at(self, path: str) -> Path:
        """Raises FileNotFoundError for what is not there, or not in the execution."""
        top = self._top(path).resolve()
        found = (self._root / path.strip("/")).resolve()
        if not found.is_relative_to(top) or not found.exists():
            raise FileNotFoundError(path)
        return found

    def _top(self, path: str) -> Path:
        top = path.strip("/").split("/", 1)[0]
        if top not in _ROOTS:
            raise ValueError(f"invalid root '{top}'")
        return self._root / top

    def _told(self, file: Path) -> File:
        about = file.stat()
        path = str(file.relative_to(self._root))
        return {"path": path, "size": about.st_size, "last_modified": about.st_mtime}


class SyncFile:
    """Stands for Kodosumi's ``SyncFileStream``."""

    def __init__(self, folder: SyncExecutionFolder, path: str) -> None:
        self._folder, self._path = folder, path

    def read(self) -> Iterator[bytes]:
        with self._folder.at(self._path).open("rb") as file:
            while chunk := file.read(_CHUNK):
                yield chunk

    def read_all(self) -> bytes:
        return self._folder.at(self._path).read_bytes()

    def remove(self) -> bool:
        return self._folder.remove(self._path)

    def close(self) -> None:
        """There is nothing to close."""

    def __enter__(self) -> Self:
        self._folder.at(self._path)
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()


class ExecutionFolder:
    """Stands for Kodosumi's ``AsyncFileSystem``; ``sync`` is the same folder for blocking code."""

    def __init__(self, root: Path) -> None:
        self.sync = SyncExecutionFolder(root)

    async def ls(self, path: str = "in") -> list[File]:
        """As the other's; Kodosumi's runner takes FileNotFoundError as "no files"."""
        return await asyncio.to_thread(self.sync.ls, path)

    def open(self, path: str) -> AsyncFile:
        return AsyncFile(self.sync.open(path))

    async def remove(self, path: str) -> bool:
        return await asyncio.to_thread(self.sync.remove, path)

    async def download(self, path: str = "in") -> AsyncIterator[str]:
        copies = self.sync.download(path)
        while (copy := await asyncio.to_thread(next, copies, None)) is not None:
            yield copy

    async def upload(self, path: str) -> str | None:
        return await asyncio.to_thread(self.sync.upload, path)

    async def close(self) -> None:
        """There is nothing to close."""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self.close()


class AsyncFile:
    """Stands for Kodosumi's ``AsyncFileStream``."""

    def __init__(self, file: SyncFile) -> None:
        self._file = file

    async def read(self) -> AsyncIterator[bytes]:
        chunks = self._file.read()
        while (chunk := await asyncio.to_thread(next, chunks, None)) is not None:
            yield chunk

    async def read_all(self) -> bytes:
        return await asyncio.to_thread(self._file.read_all)

    async def remove(self) -> bool:
        return await asyncio.to_thread(self._file.remove)

    async def close(self) -> None:
        """There is nothing to close."""

    async def __aenter__(self) -> Self:
        await asyncio.to_thread(self._file.__enter__)
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self.close()
