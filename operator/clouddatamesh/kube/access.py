"""Asks the API server what this ServiceAccount may do, so that a missing permission is named at the start and not met at night."""

from collections.abc import Iterable
from dataclasses import dataclass

from clouddatamesh.kube.client import Transport
from clouddatamesh.kube.errors import ApiError, translate


@dataclass(frozen=True, order=True)
class Need:
    """One verb on one resource; `namespace` empty means everywhere. `name` bounds it to one object."""

    verb: str
    group: str
    resource: str
    subresource: str = ""
    namespace: str = ""
    name: str = ""

    def __str__(self) -> str:
        resource = "/".join(part for part in (self.resource, self.subresource) if part)
        place = f" in namespace {self.namespace}" if self.namespace else ""
        return f"{self.verb} {resource}{f'.{self.group}' if self.group else ''}{f' {self.name}' if self.name else ''}{place}"


def find_missing(client: Transport, needs: Iterable[Need]) -> tuple[Need, ...]:
    """The needs that are not granted, by a SelfSubjectAccessReview each."""
    return tuple(need for need in sorted(needs) if not _is_granted(client, need))


def _is_granted(client: Transport, need: Need) -> bool:
    attributes = {name: value for name, value in vars(need).items() if value}
    body = {"apiVersion": "authorization.k8s.io/v1", "kind": "SelfSubjectAccessReview", "spec": {"resourceAttributes": attributes}}
    try:
        answer = client.request("POST", "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", body=body)
    except ApiError as error:
        raise translate(error, f"Asking whether {need} is allowed") from error
    return bool(answer["status"].get("allowed"))
