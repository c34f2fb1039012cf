"""Container images without a registry and without an engine: a Debian base, the pause image and our own, built by buildah.

Everything is cached, keyed by what it is made of. Nothing here runs a container but the steps of the Dockerfile.
"""

import contextlib
import functools
import hashlib
import os
import platform
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

from hack.tools.archives import Archive
from hack.tools.binaries import get_binary, get_cache, lock
from hack.tools.children import ROOT, Say, ToolError, say_aloud
from hack.tools.engines import OPERATOR, Image, Stamp, build_flags, buildah, run, sbom_path, stamp_of_commit

PROGRAMS = {"buildah": "buildah", "debootstrap": "debootstrap"}
"""What is run, and the Debian package that has it."""
PAUSE = "localhost/pause:1"
_SUITE, _INCLUDE = "bookworm", "python3,python3-venv,ca-certificates"
_LEFT_OUT = ("./dev/*", "./var/cache/apt/*", "./var/lib/apt/lists/*")
_FILES = {
    "operator": ("pyproject.toml", "README.md", "LICENSE", "requirements.txt"),
    "quickstart": ("quickstart/requirements.txt",),
}
_FOLDERS = {"operator": ("operator",), "quickstart": ("quickstart", "examples/retail")}
"""What the target of an image copies."""
_KEPT = 3
"""Archives of one image; older ones are removed."""


def ensure_programs(programs: dict[str, str], *, say: Say) -> None:
    """Install the packages of what is missing. Raises ToolError where that cannot be done."""
    packages = sorted({package for program, package in programs.items() if not shutil.which(program)})
    if not packages:
        return
    if os.geteuid() or not shutil.which("apt-get"):
        raise ToolError(f"{', '.join(packages)} missing; install them, or run as root on Debian")
    with lock("apt", say=say):
        say(f"installing {', '.join(packages)}")
        env = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        for command in (["apt-get", "-q", "update"], ["apt-get", "-qy", "--no-install-recommends", "install", *packages]):
            run(command, env=env)


def get_image(image: Image = OPERATOR, *, base: str = "", stamp: Stamp | None = None, say: Say = say_aloud) -> Path:
    """An image of this checkout as an archive; on `base`, or on one that is made of Debian's packages. Raises ToolError."""
    stamp = stamp or Stamp()
    key = _digest([image.name, base or _base_key(), repr(stamp), *_sources(image.target)])

    def build(target: Path) -> None:
        say(f"building {image.name} (half a minute where nothing is cached)")
        build_archive(image, base or get_base(say=say), stamp, target)

    found = _get_archive(f"{image.target}-{key}", build, say=say)
    for old in sorted(found.parent.glob(f"{image.target}-*.tar"), key=lambda path: path.stat().st_mtime)[:-_KEPT]:
        old.unlink(missing_ok=True)
    return found


def build_archive(image: Image, base: str, stamp: Stamp, target: Path, *, cached: bool = True) -> None:
    """Build an image into an archive; with `cached=False` every step of the Dockerfile runs. Raises ToolError."""
    if cached:
        # The stage that is copied from gets a name, so that the next build starts from its layers while those without a name are removed.
        _build(ROOT, f"localhost/{image.repository}-files", build_flags("buildah", f"{image.target}-files", stamp, base))
    _build(ROOT, image.name, (*build_flags("buildah", image.target, stamp, base), *(() if cached else ("--no-cache",))))
    buildah("push", "--quiet", image.name, f"oci-archive:{target}:{image.name}")
    nameless = buildah("images", "--quiet", "--no-trunc", "--filter", "dangling=true").split()
    with contextlib.suppress(ToolError):  # a build that was killed, or runs now, holds some of them
        if nameless:
            buildah("rmi", *nameless)


def release_image(image: Image, *, base: str) -> tuple[Path, Path]:
    """An image stamped with the commit, as an archive, and the list of its components. Raises ToolError."""
    archive, sbom = get_image(image, base=base, stamp=stamp_of_commit()), sbom_path(image)
    found = Archive(archive)
    sbom.write_bytes(found.read(found.layers[-1], {image.sbom})[image.sbom])
    return archive, sbom


def _sources(target: str) -> Iterator[bytes]:
    """Names and contents of what an image is made of."""
    files = (ROOT / name for name in ("Dockerfile", ".dockerignore", "hack/tools/image.txt", *_FILES[target]))
    found = (path for name in _FOLDERS[target] for path in sorted((ROOT / name).rglob("*")) if path.suffix in (".py", ".yaml"))
    for path in (*files, *found):
        if path.exists():
            yield str(path.relative_to(ROOT)).encode()
            yield path.read_bytes()


def get_pause(*, say: Say = say_aloud) -> Path:
    """The image that holds a Pod's namespaces, as an archive. Raises ToolError."""
    program = get_binary("pause", say=say)

    def build(target: Path) -> None:
        with tempfile.TemporaryDirectory() as context:
            shutil.copy(program, context)
            (Path(context) / "Dockerfile").write_text('FROM scratch\nCOPY pause /\nUSER 65535:65535\nENTRYPOINT ["/pause"]\n')
            _build(Path(context), PAUSE, ("--isolation", "chroot"))
            buildah("push", "--quiet", PAUSE, f"oci-archive:{target}:{PAUSE}")

    return _get_archive(f"pause-{_digest([program.read_bytes()])}", build, say=say)


def get_base(*, say: Say) -> str:
    """The name, in buildah's own storage, of an image of Debian with Python. Raises ToolError."""
    name = f"localhost/clouddatamesh-base:{_base_key()}"
    with lock("base", say=say):
        if not buildah("images", "--quiet", "--filter", f"reference={name}").strip():
            _make_base(name, say)
    return name


def _make_base(name: str, say: Say) -> None:
    say("making a base image of Debian's packages (1 min)")
    ensure_programs(PROGRAMS, say=say)
    with tempfile.TemporaryDirectory(dir=get_cache()) as scratch:
        root, context = Path(scratch) / "root", Path(scratch) / "context"
        context.mkdir()
        run(["debootstrap", "--variant=minbase", f"--include={_INCLUDE}", _SUITE, root, _find_mirror()])
        run(["tar", "-C", root, *(f"--exclude={path}" for path in _LEFT_OUT), "-cf", context / "base.tar", "."])
        (context / "Dockerfile").write_text("FROM scratch\nADD base.tar /\n")
        buildah("build", "--isolation", "chroot", "--quiet", "--tag", name, context)


def _find_mirror() -> str:
    """The one that this machine uses itself, else Debian's."""
    done = subprocess.run(["apt-get", "indextargets", "--format", "$(SITE) $(ORIGIN)"], capture_output=True, text=True, check=False)
    sites = [line.split()[0] for line in done.stdout.splitlines() if line.endswith(" Debian")]
    return sites[0] if sites else "http://deb.debian.org/debian"


def _get_archive(name: str, build: Callable[[Path], None], *, say: Say) -> Path:
    archive = get_cache() / "images" / f"{name}.tar"
    archive.parent.mkdir(parents=True, exist_ok=True)
    with lock("images", say=say):
        if not archive.exists():
            ensure_programs(PROGRAMS, say=say)
            partial = archive.with_suffix(".partial")
            partial.unlink(missing_ok=True)
            build(partial)
            partial.rename(archive)
    return archive


def _build(context: Path, name: str, flags: Sequence[str]) -> None:
    buildah("build", *flags, "--tag", name, context)


@functools.cache
def _base_key() -> str:
    return _digest([_SUITE, _INCLUDE, *_LEFT_OUT, platform.machine()])


def _digest(parts: Iterable[str | bytes]) -> str:
    digest = hashlib.sha256()
    for part in parts:
        content = part.encode() if isinstance(part, str) else part
        digest.update(len(content).to_bytes(8, "big") + content)
    return digest.hexdigest()[:16]
