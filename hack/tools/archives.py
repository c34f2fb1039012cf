"""What is in an image, read from its OCI archive: no engine is asked and nothing is unpacked."""

import json
import tarfile
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast


@dataclass(frozen=True)
class Archive:
    """An OCI archive with one image."""

    path: Path

    @property
    def layers(self) -> tuple[str, ...]:
        """Digests of its layers, the base's first."""
        return tuple(layer["digest"] for layer in self._manifest["layers"])

    @property
    def config(self) -> dict[str, Any]:
        """User, environment, labels and what else a container gets."""
        return dict(self._read_json(self._manifest["config"]["digest"])["config"])

    @property
    def created(self) -> str:
        """The time that it says it was made."""
        return str(self._read_json(self._manifest["config"]["digest"])["created"])

    def members(self, layer: str) -> list[tarfile.TarInfo]:
        """Files and folders of a layer, as they will be unpacked."""
        with self._open(layer) as found:
            return found.getmembers()

    def read(self, layer: str, names: Collection[str]) -> dict[str, bytes]:
        """The contents of some files of a layer, which is unpacked once for all of them; those that are not in it are left out."""
        with self._open(layer) as found:
            return {member.name: _content(found, member) for member in found if member.name in names}

    @property
    def _manifest(self) -> dict[str, Any]:
        with tarfile.open(self.path) as archive:
            (image,) = json.loads(_content(archive, "index.json"))["manifests"]
        return self._read_json(image["digest"])

    def _read_json(self, digest: str) -> dict[str, Any]:
        with tarfile.open(self.path) as archive:
            return cast(dict[str, Any], json.loads(_content(archive, _place(digest))))

    @contextmanager
    def _open(self, layer: str) -> Iterator[tarfile.TarFile]:
        with tarfile.open(self.path) as archive:
            blob = archive.extractfile(_place(layer))
            with tarfile.open(fileobj=blob) as found:
                yield found


def _content(archive: tarfile.TarFile, member: str | tarfile.TarInfo) -> bytes:
    found = archive.extractfile(member)
    if found is None:
        raise ValueError(f"{member} is not a file")
    return found.read()


def _place(digest: str) -> str:
    return f"blobs/{digest.replace(':', '/')}"
