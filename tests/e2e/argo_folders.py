"""Folders of manifests that Argo CD syncs in tests."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from tests.support.gitops import Gitops, Manifest, an_application
from tests.support.manifests import a_domain, a_grant, a_product, a_request, a_store

FOREIGN: Final = "retail-foreign-data"
MODES: Final[dict[str, tuple[tuple[str, ...], dict[str, str]]]] = {
    "client": ((), {}),
    "server": (("ServerSideApply=true",), {}),
    "diff": (("ServerSideApply=true",), {"argocd.argoproj.io/compare-options": "ServerSideDiff=true"}),
}
"""Ways in which Argo CD applies and compares: options of a sync, and annotations of an Application."""
NOTHING: Final = {field: None for field in ("dataProductRef", "outputPort", "requestRef", "consumer", "mode", "validUntil")}
AUTO: Final = {
    "name": "daily",
    "version": "1.0.0",
    "path": "daily/",
    "format": "parquet",
    "access": {"approval": "Auto", "maxDuration": "90d"},
}
OF_LEDGER: Final[dict[str, Any]] = {
    "dataProductRef": {"name": "ledger"},
    "consumer": {"dataProductRef": {"name": "planning"}},
    "requestRef": {"namespace": "inventory", "name": "ledger-for-planning"},
}


def everything(mode: str, mesh: Gitops) -> list[Manifest]:
    domain, store = f"by-{mode}", {"storeRef": {"name": mode}}
    deny = a_grant("never-sales", domain, decision="Deny", consumerNamespace="sales", **{**NOTHING, "dataProductRef": {"name": "orders"}})
    return [
        a_store(mode, endpointUrl=mesh.store.endpoint, region=mesh.store.region, bucketPrefix=mode),
        a_domain(domain, resources={"quota": {"requests.cpu": "2000m"}, "networkIsolation": {"mode": "Domain"}}),
        a_product("orders", domain, storage=store, outputPorts=[AUTO]),
        a_product("forecast", domain, storage=store),
        a_request("orders-for-forecast", domain, dataProductRef={"namespace": domain, "name": "orders"}),
        deny,
    ]


@contextmanager
def in_each_mode(mesh: Gitops) -> Iterator[None]:
    """An Application for each mode, settled. They end whatever happens: the tests after these need a mesh that settles."""
    for mode in MODES:
        mesh.write(f"modes/{mode}/all.yaml", *everything(mode, mesh))
    mesh.push("Add a mesh for each mode")
    try:
        for mode, (options, annotations) in MODES.items():
            mesh.installed.apply(an_application(f"mode-{mode}", mesh, path=f"modes/{mode}", options=options, annotations=annotations))
        mesh.settles()
        yield
    finally:
        _remove_modes(mesh)


def _remove_modes(mesh: Gitops) -> None:
    delete = ("delete", "--ignore-not-found", "--timeout=60s")
    mesh.installed.cluster.kubectl(*delete, "applications.argoproj.io", "-n", "argocd", *(f"mode-{mode}" for mode in MODES))
    mesh.remove("modes/*/*")
    mesh.push("Remove them")
    for mode in MODES:
        for place in (("agrant,areq,dp", "--all", "-n", f"by-{mode}"), ("domain", f"by-{mode}"), ("objectstore", mode)):
            mesh.installed.cluster.kubectl(*delete, *place)


def a_broken_product() -> Manifest:
    return a_product("broken", "sales", storage={"bucketName": FOREIGN})


def a_busy_folder() -> list[Manifest]:
    asked: dict[str, Any] = {"consumer": {"dataProductRef": {"name": "planning"}}}
    ledger = {"dataProductRef": {"namespace": "sales", "name": "ledger"}}
    leaving = {"dataProductRef": {"namespace": "sales", "name": "leaving"}}
    return [
        a_product("ledger", "sales"),
        a_product("planning", "inventory"),
        a_broken_product(),
        a_request("ledger-for-planning", "inventory", secretName="ledger-access", **ledger, **asked),
        a_request("unanswered", "inventory", secretName="unanswered", **ledger, **asked),
        a_request("leaving-for-planning", "inventory", secretName="leaving-access", **leaving, **asked),
    ]


def touch(mesh: Gitops, mode: str, token: str) -> None:
    """Ask for a look at everything, and for a new key in the first round."""
    asked, place = f"clouddatamesh.dev/reconcile-requested-at={token}", ("-n", f"by-{mode}")
    for target in (("objectstore", mode), ("domain", f"by-{mode}"), *((kind, "--all", *place) for kind in ("dp", "areq", "agrant"))):
        mesh.installed.cluster.kubectl("annotate", "--overwrite", *target, asked)
    mesh.installed.cluster.kubectl("annotate", "--overwrite", "dp", "orders", *place, "clouddatamesh.dev/rotate=0")


def rotated(mesh: Gitops, mode: str) -> str:
    """Which wish for a new key was met last."""
    return str(mesh.installed.get("dataproduct", "orders", f"by-{mode}")["status"]["producer"].get("lastHandledRotate", ""))
