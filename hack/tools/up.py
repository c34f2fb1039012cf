"""Brings up a control plane or stores in the foreground and takes them down on Ctrl-C: `python hack/tools/up.py rgw`."""

import argparse
import contextlib
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path

sys.path[0] = str(Path(__file__).resolve().parents[2])

from hack.tools import argo_cd  # noqa: E402 - needs the path above
from hack.tools.binaries import get_binaries  # noqa: E402 - needs the path above
from hack.tools.catalogues import get_backstage, get_python  # noqa: E402 - needs the path above
from hack.tools.children import ToolError, interrupt_on_sigterm, say_aloud  # noqa: E402 - needs the path above
from hack.tools.controlplane import ControlPlane  # noqa: E402 - needs the path above
from hack.tools.engines import IMAGES, OPERATOR, build_by_engine, find_engine  # noqa: E402 - needs the path above
from hack.tools.faketime import get_library  # noqa: E402 - needs the path above
from hack.tools.images import ensure_programs, get_image, get_pause, release_image  # noqa: E402 - needs the path above
from hack.tools.monitoring import get_monitoring_crds  # noqa: E402 - needs the path above
from hack.tools.node import Node, find_obstacles  # noqa: E402 - needs the path above
from hack.tools.promtool import get_promtool  # noqa: E402 - needs the path above
from hack.tools.readers import get_readers  # noqa: E402 - needs the path above
from hack.tools.s3_moto import Moto  # noqa: E402 - needs the path above
from hack.tools.s3_rgw import Rgw, get_packages  # noqa: E402 - needs the path above
from hack.tools.store import Store  # noqa: E402 - needs the path above

Line = dict[str, str]


def up_controlplane(stack: contextlib.ExitStack) -> Line:
    """A control plane, and what kubectl needs to know of it."""
    cluster = stack.enter_context(ControlPlane(say=say_aloud))
    paths = get_binaries(("kubectl", "helm"), say=say_aloud)
    return {"KUBECONFIG": str(cluster.kubeconfig), **{name.upper(): str(path) for name, path in paths.items()}}


def up_moto(stack: contextlib.ExitStack) -> Line:
    """moto, and what the aws command needs to know of it."""
    return _describe(stack.enter_context(Moto(say=say_aloud)))


def up_rgw(stack: contextlib.ExitStack) -> Line:
    """Ceph RGW, and what the aws command needs to know of it."""
    return _describe(stack.enter_context(Rgw(say=say_aloud)))


def up_node(stack: contextlib.ExitStack) -> Line:
    """A control plane with a node that has the operator's image, and what kubectl and Helm need to know of it."""
    images = (get_pause(), get_image())
    cluster = stack.enter_context(ControlPlane(runs_pods=True, say=say_aloud))
    stack.enter_context(Node(cluster, images=images, say=say_aloud))
    paths = get_binaries(("kubectl", "helm"), say=say_aloud)
    return {"KUBECONFIG": str(cluster.kubeconfig), "IMAGE": OPERATOR.name, **{name.upper(): str(path) for name, path in paths.items()}}


def up_argocd(stack: contextlib.ExitStack) -> Line:
    """A control plane with Argo CD, and what kubectl needs to know of it."""
    cluster = stack.enter_context(ControlPlane(say=say_aloud))
    stack.enter_context(argo_cd.ArgoCD(cluster, parameters={}, say=say_aloud))
    return {"KUBECONFIG": str(cluster.kubeconfig), "KUBECTL": str(get_binaries(("kubectl",), say=say_aloud)["kubectl"])}


def make_images(_: contextlib.ExitStack) -> Line:
    """All images, stamped with the commit, by $ENGINE or the engine that is there, and their SBOMs; on $BASE where that is set."""
    engine, base = find_engine(os.environ.get("ENGINE", "")), os.environ.get("BASE", "")
    found = {"ENGINE": engine}
    for image in IMAGES:
        word = image.target.upper()
        found[f"{word}_IMAGE"] = image.name
        if engine == "buildah":
            archive, sbom = release_image(image, base=base)
            found[f"{word}_ARCHIVE"] = str(archive)
        else:
            say_aloud(f"building {image.name} by {engine}")
            sbom = build_by_engine(engine, image, base)
        found[f"{word}_SBOM"] = str(sbom)
    return found


def fetch_all(_: contextlib.ExitStack) -> Line:
    """Everything into the cache, nothing started; where the binaries are. Images only where a node could be started too."""
    get_packages(say=say_aloud)
    get_readers(say=say_aloud)
    get_python(say=say_aloud)
    get_backstage(say=say_aloud)
    get_library(say=say_aloud)
    get_monitoring_crds(say=say_aloud)
    if not argo_cd.find_obstacles():
        ensure_programs(argo_cd.PROGRAMS, say=say_aloud)
    binaries = {**get_binaries(), "promtool": get_promtool(say=say_aloud)}
    images = {} if find_obstacles() else {f"{image.target.upper()}_ARCHIVE": str(get_image(image)) for image in IMAGES}
    if images:
        images["PAUSE_ARCHIVE"] = str(get_pause())
    return {name.upper().replace("-", "_"): str(path) for name, path in binaries.items()} | images


WHAT: dict[str, Callable[[contextlib.ExitStack], Line]] = {
    "controlplane": up_controlplane,
    "moto": up_moto,
    "rgw": up_rgw,
    "node": up_node,
    "argocd": up_argocd,
    "image": make_images,
    "cache": fetch_all,
}


def _describe(store: Store) -> Line:
    return {
        "AWS_ENDPOINT_URL": store.endpoint,
        "AWS_ACCESS_KEY_ID": store.access_key,
        "AWS_SECRET_ACCESS_KEY": store.secret_key,
        "AWS_REGION": store.region,
    }


def main() -> int:
    """Bring up what is named, print its environment, wait for Ctrl-C, SIGTERM or SIGHUP."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=WHAT, nargs="+", help="what to bring up; `cache` and `image` only fetch and build")
    names: list[str] = parser.parse_args().what
    interrupt_on_sigterm()
    with contextlib.ExitStack() as stack, contextlib.suppress(KeyboardInterrupt):
        try:
            _run(stack, names)
        except ToolError as error:
            print(f"error: {error}", file=sys.stderr)
            return 1
    return 0


def _run(stack: contextlib.ExitStack, names: list[str]) -> None:
    for name in names:
        for variable, value in WHAT[name](stack).items():
            print(f"export {variable}={value}", flush=True)
    if not set(names) <= {"cache", "image"}:
        say_aloud("up; Ctrl-C takes it down")
        signal.pause()


if __name__ == "__main__":
    sys.exit(main())
