"""One target of the Dockerfile, built by the engine that is there: docker, podman, or buildah without a daemon and without a registry."""

import functools
import os
import shutil
import subprocess
import tempfile
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from hack.tools.binaries import get_cache
from hack.tools.children import ROOT, ToolError, make_log_dir

ENGINES: Final = ("docker", "podman", "buildah")
"""In this order; the first that works is taken."""
_CERTIFICATES: Final = "/etc/ssl/certs"
_VERSION: Final[str] = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]


@dataclass(frozen=True)
class Image:
    """A target of the Dockerfile and what its image is called: no engine asks a registry for `localhost`, so nothing is pulled instead."""

    target: str
    repository: str

    @property
    def name(self) -> str:
        """With the tag that the chart asks for by itself."""
        return f"localhost/{self.repository}:{_VERSION}"

    @property
    def sbom(self) -> str:
        """Where its list of components is, without the leading slash."""
        return f"opt/{self.repository.removeprefix('clouddatamesh-')}/sbom.cdx.json"


OPERATOR, QUICKSTART = Image("operator", "clouddatamesh"), Image("quickstart", "clouddatamesh-quickstart")
IMAGES: Final = (OPERATOR, QUICKSTART)


@dataclass(frozen=True)
class Stamp:
    """What an image says of where it is from. `epoch` is the time of all files, in seconds; the default is no commit's."""

    revision: str = "unknown"
    source: str = ""
    epoch: int = 315_532_800


def stamp_of_commit() -> Stamp:
    """Revision, remote and time of the commit; SOURCE_DATE_EPOCH wins over its time. Without git the default."""
    revision, committed = (_git("log", "-1", "--format=%H %ct") or "unknown 0").split()
    remote = _git("config", "--get", "remote.origin.url")
    source = remote.removesuffix(".git") if remote.startswith("https://") and "@" not in remote else ""
    changed = "-dirty" if _git("status", "--porcelain", "--untracked-files=no") else ""
    return Stamp(revision + changed, source, int(os.environ.get("SOURCE_DATE_EPOCH") or committed) or Stamp.epoch)


def _git(*args: str) -> str:
    done = subprocess.run(["git", "-C", str(ROOT), *args], capture_output=True, text=True, check=False)
    return done.stdout.strip() if not done.returncode else ""


def find_engine(asked: str = "") -> str:
    """`asked`, or the first engine that works; buildah where none does. Raises ToolError for an engine that is not known."""
    if asked and asked not in ENGINES:
        raise ToolError(f"ENGINE={asked} is not one of {', '.join(ENGINES)}")
    return asked or next((engine for engine in ENGINES[:2] if _works(engine)), ENGINES[2])


def _works(engine: str) -> bool:
    return bool(shutil.which(engine)) and not subprocess.run([engine, "info"], capture_output=True, check=False).returncode


def build_flags(engine: str, target: str, stamp: Stamp, base: str) -> list[str]:
    """Arguments of `<engine> build` besides the tag and the context."""
    words = {"VERSION": _VERSION, "REVISION": stamp.revision, "SOURCE": stamp.source, "SOURCE_DATE_EPOCH": str(stamp.epoch)}
    arguments = {**words, **({"BASE": base} if base else {})}
    flags = ["--target", target, *(part for name, value in arguments.items() for part in ("--build-arg", f"{name}={value}"))]
    if engine == "docker":
        return flags
    trust = ["--volume", f"{_CERTIFICATES}:{_CERTIFICATES}:ro"] if Path(_CERTIFICATES).is_dir() else []
    return [*flags, "--layers", "--timestamp", str(stamp.epoch), *(["--isolation", "chroot"] if engine == "buildah" else []), *trust]


def build_by_engine(engine: str, image: Image, base: str) -> Path:
    """Build into docker's or podman's own storage; the path of the SBOM. Raises ToolError."""
    flags = build_flags(engine, image.target, stamp_of_commit(), base)
    run([engine, "build", *flags, "--tag", image.name, str(ROOT)], env={**os.environ, "DOCKER_BUILDKIT": "1"})
    target = sbom_path(image)
    container = run([engine, "create", image.name]).strip()
    try:
        run([engine, "cp", f"{container}:/{image.sbom}", str(target)])
    finally:
        run([engine, "rm", container])
    return target


def sbom_path(image: Image) -> Path:
    """Where the list of an image's components is put in the checkout."""
    target = ROOT / "build" / "sbom" / f"{image.repository}.cdx.json"
    target.parent.mkdir(parents=True, exist_ok=True)
    return target


def buildah(*args: str | Path) -> str:
    """Run buildah on a storage of our own in the cache; its output. Raises ToolError."""
    with tempfile.TemporaryDirectory(prefix="clouddatamesh-buildah-") as place:
        storage: list[str | Path] = ["--storage-driver", _driver(), "--root", get_cache() / "buildah", "--runroot", place]
        return run(["buildah", *storage, *args])


@functools.cache
def _driver() -> str:
    """Copying whole layers works everywhere; overlays are quicker, and need root and a file system that is none itself."""
    where = subprocess.run(["stat", "-f", "-c", "%T", get_cache()], capture_output=True, text=True, check=False).stdout.strip()
    return "vfs" if os.geteuid() or where == "overlayfs" else "overlay"


def run(command: Sequence[str | Path], *, env: Mapping[str, str] | None = None) -> str:
    """The output of a program. Raises ToolError with its last words and the path of a log."""
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=env)
    if done.returncode:
        log = make_log_dir("images") / "failed.log"
        log.write_text(f"{done.stdout}\n{done.stderr}")
        raise ToolError(f"{' '.join(map(str, command[:8]))} failed: {done.stderr.strip()[-1000:]}; its log is {log}")
    return done.stdout
