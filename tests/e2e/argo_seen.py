"""What people see in Argo CD and in the store."""

from tests.e2e.access import is_allowed
from tests.support.gitops import Gitops


def told(mesh: Gitops, application: str, resource: str) -> str:
    """The message that Argo CD shows at an object."""
    return mesh.state(application).resources.get(resource, ("", "", ""))[2]


def denied(mesh: Gitops) -> set[str]:
    """What the AppProject of the folder `domains/sales` refuses."""
    operation = mesh.application("mesh-domains-sales")["status"].get("operationState") or {}
    results = (operation.get("syncResult") or {}).get("resources") or ()
    return {f"{one['kind']}/{one['name']}" for one in results if "not permitted in project" in one.get("message", "")}


def reads(mesh: Gitops, secret: dict[str, str]) -> bool:
    """Whether a consumer's key lists its port."""
    s3 = mesh.client(secret)
    return is_allowed(lambda: s3.list_objects_v2(Bucket=secret["bucket"], Prefix=secret["prefix"]))
