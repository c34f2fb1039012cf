"""Container images without a registry and without an engine: a Debian base, the pause image and the operator's own, built by buildah.

Everything is cached, keyed by what it is made of. Nothing here runs a container but the steps of the Dockerfile.
"""

import functools
import hashlib
import os
import platform
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from hack.tools.binaries import get_binary, get_cache, lock
from hack.tools.children import ROOT, Say, ToolError, make_log_dir, say_aloud

PROGRAMS = {"buildah": "buildah", "debootstrap": "debootstrap"}
"""What is run, and the Debian package that has it."""
OPERATOR, PAUSE = "localhost/clouddatamesh:test", "localhost/pause:1"
_SUITE, _INCLUDE = "bookworm", "python3,python3-venv,ca-certificates"
_LEFT_OUT = ("./dev/*", "./var/cache/apt/*", "./var/lib/apt/lists/*")
_CERTIFICATES = "/etc/ssl/certs"
_KEPT = 3
"""Archives of the operator's image; older ones are removed."""


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
            _run(command, env=env)


def get_image(*, base: str = "", say: Say = say_aloud) -> Path:
    """The operator's image of this checkout as an archive; on `base`, or on one that is made of Debian's packages. Raises ToolError."""
    made_of = (ROOT / name for name in ("Dockerfile", ".dockerignore", "pyproject.toml", "requirements.txt", "requirements-dev.txt"))
    sources = sorted((ROOT / "operator").rglob("*.py"))
    key = _digest([base or _base_key(), *_contents(made_of), *map(str, sources), *_contents(sources)])

    def build(target: Path) -> None:
        chosen = base or get_base(say=say)
        say("building the operator's image (half a minute where nothing is cached)")
        trust = ("--volume", f"{_CERTIFICATES}:{_CERTIFICATES}:ro") if Path(_CERTIFICATES).is_dir() else ()
        _build(ROOT, OPERATOR, target, ("--layers", *trust, "--build-arg", f"BASE={chosen}"))
        _forget_former()

    found = _get_archive(f"operator-{key}", build, say=say)
    for old in sorted(found.parent.glob("operator-*.tar"), key=lambda path: path.stat().st_mtime)[:-_KEPT]:
        old.unlink(missing_ok=True)
    return found


def _forget_former() -> None:
    """Remove what earlier builds left; the newest nameless image is the last build's first stage, whose layers the next one starts from."""
    nameless = _buildah("images", "--quiet", "--no-trunc", "--filter", "dangling=true").split()
    if nameless[1:]:
        _buildah("rmi", *nameless[1:])


def get_pause(*, say: Say = say_aloud) -> Path:
    """The image that holds a Pod's namespaces, as an archive. Raises ToolError."""
    program = get_binary("pause", say=say)

    def build(target: Path) -> None:
        with tempfile.TemporaryDirectory() as context:
            shutil.copy(program, context)
            (Path(context) / "Dockerfile").write_text('FROM scratch\nCOPY pause /\nUSER 65535:65535\nENTRYPOINT ["/pause"]\n')
            _build(Path(context), PAUSE, target, ())

    return _get_archive(f"pause-{_digest([program.read_bytes()])}", build, say=say)


def get_base(*, say: Say) -> str:
    """The name, in buildah's own storage, of an image of Debian with Python. Raises ToolError."""
    name = f"localhost/clouddatamesh-base:{_base_key()}"
    with lock("base", say=say):
        if not _buildah("images", "--quiet", "--filter", f"reference={name}").strip():
            _make_base(name, say)
    return name


def _make_base(name: str, say: Say) -> None:
    say("making a base image of Debian's packages (1 min)")
    ensure_programs(PROGRAMS, say=say)
    with tempfile.TemporaryDirectory(dir=get_cache()) as scratch:
        root, context = Path(scratch) / "root", Path(scratch) / "context"
        context.mkdir()
        _run(["debootstrap", "--variant=minbase", f"--include={_INCLUDE}", _SUITE, root, _find_mirror()])
        _run(["tar", "-C", root, *(f"--exclude={path}" for path in _LEFT_OUT), "-cf", context / "base.tar", "."])
        (context / "Dockerfile").write_text("FROM scratch\nADD base.tar /\n")
        _buildah("build", "--isolation", "chroot", "--quiet", "--tag", name, context)


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


def _build(context: Path, name: str, archive: Path, flags: Sequence[str]) -> None:
    _buildah("build", "--isolation", "chroot", *flags, "--tag", name, context)
    _buildah("push", "--quiet", name, f"oci-archive:{archive}:{name}")


def _buildah(*args: str | Path) -> str:
    """buildah on a storage of our own in the cache."""
    with tempfile.TemporaryDirectory(prefix="clouddatamesh-buildah-") as run:
        storage: list[str | Path] = ["--storage-driver", _driver(), "--root", get_cache() / "buildah", "--runroot", run]
        return _run(["buildah", *storage, *args])


@functools.cache
def _driver() -> str:
    """Copying whole layers works everywhere; overlays are quicker, and need root and a file system that is none itself."""
    where = subprocess.run(["stat", "-f", "-c", "%T", get_cache()], capture_output=True, text=True, check=False).stdout.strip()
    return "vfs" if os.geteuid() or where == "overlayfs" else "overlay"


def _run(command: Sequence[str | Path], *, env: dict[str, str] | None = None) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=env)
    if done.returncode:
        log = make_log_dir("images") / "failed.log"
        log.write_text(f"{done.stdout}\n{done.stderr}")
        raise ToolError(f"{' '.join(map(str, command[:8]))} failed: {done.stderr.strip()[-1000:]}; its log is {log}")
    return done.stdout


@functools.cache
def _base_key() -> str:
    return _digest([_SUITE, _INCLUDE, *_LEFT_OUT, platform.machine()])


def _contents(paths: Iterable[Path]) -> list[bytes]:
    return [path.read_bytes() for path in paths]


def _digest(parts: Iterable[str | bytes]) -> str:
    digest = hashlib.sha256()
    for part in parts:
        content = part.encode() if isinstance(part, str) else part
        digest.update(len(content).to_bytes(8, "big") + content)
    return digest.hexdigest()[:16]
