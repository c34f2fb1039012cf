"""What people see in Argo CD and in the store."""

from tests.e2e.access import is_allowed
from tests.support.gitops import Gitops


def told(mesh: Gitops, application: str, resource: str) -> str:
    """The message that Argo CD shows at an object."""
    return mesh.state(application).resources.get(resource, ("", "", ""))[2]


def shows(mesh: Gitops, application: str, resource: str, *words: str, health: str) -> None:
    """Wait until Argo CD shows an object as Synced, with that health and those words."""

    def is_shown() -> bool:
        found = mesh.state(application).resources.get(resource, ("", "", ""))
        return found[:2] == ("Synced", health) and all(word in found[2] for word in words)

    mesh.until(is_shown, seconds=60, what=f"{resource} {health}: {', '.join(words)}")


def denied(mesh: Gitops) -> set[str]:
    """What the AppProject of the folder `domains/sales` refuses."""
    operation = mesh.application("mesh-domains-sales")["status"].get("operationState") or {}
    results = (operation.get("syncResult") or {}).get("resources") or ()
    return {f"{one['kind']}/{one['name']}" for one in results if "not permitted in project" in one.get("message", "")}


def reads(mesh: Gitops, secret: dict[str, str]) -> bool:
    """Whether a consumer's key lists its port."""
    s3 = mesh.client(secret)
    return is_allowed(lambda: s3.list_objects_v2(Bucket=secret["bucket"], Prefix=secret["prefix"]))


def granted(mesh: Gitops, request: str, namespace: str) -> dict[str, str]:
    """The Secret of a request, once its key lists the port. A request that waits for its grant is Healthy, too: a sync does not tell."""

    def is_read() -> bool:
        secret = mesh.installed.secret(request, namespace)
        return bool(secret) and reads(mesh, secret)

    mesh.until(is_read, seconds=60, what=f"access by Secret {request}")
    return mesh.installed.secret(request, namespace)
