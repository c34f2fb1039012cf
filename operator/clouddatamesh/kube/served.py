"""Whether the API server serves a collection. A 404 alone may be of something in front of it; what it serves it says itself."""

from clouddatamesh import reasons
from clouddatamesh.errors import Transient
from clouddatamesh.kube.errors import ApiError, translate
from clouddatamesh.kube.transport import Transport
from clouddatamesh.model.objects import Manifest


def is_served(client: Transport, path: str) -> bool:
    """Of the path of a collection or of an object in one, as `/apis/group/version/namespaces/name/plural/name`.

    Raises MeshError where the answer is not the API server's.
    """
    words = path.strip("/").split("/")
    core, group = words[0] == "api", words[1]
    root, rest = words[: 2 if core else 3], words[2 if core else 3 :]
    plural = rest[2] if rest[0] == "namespaces" and len(rest) > 2 else rest[0]
    try:
        if not core and all(found.get("name") != group for found in _listed(client.request("GET", "/apis"), "APIGroupList", "groups")):
            return False
        served = client.request("GET", f"/{'/'.join(root)}")
    except ApiError as error:
        raise translate(error, f"Asking whether {plural} are served") from error
    return any(resource.get("name") == plural for resource in _listed(served, "APIResourceList", "resources"))


def _listed(answer: Manifest, kind: str, field: str) -> list[Manifest]:
    if answer.get("kind") != kind:
        raise Transient(reasons.CLUSTER_UNAVAILABLE, f"What answered for the API server gave no {kind}")
    found: list[Manifest] = answer.get(field) or []
    return found
