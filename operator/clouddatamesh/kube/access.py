"""Asks the API server what this ServiceAccount may do, so that a missing permission is named at the start and not met at night."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

from clouddatamesh.kube.errors import ApiError, translate
from clouddatamesh.kube.transport import Transport


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


@dataclass(frozen=True)
class Asked:
    """Whose permissions are asked for: a user with groups, or, without a user, whoever asks."""

    user: str = ""
    groups: tuple[str, ...] = ()

    @property
    def review(self) -> str:
        """The kind of the question to the API server."""
        return "SubjectAccessReview" if self.user else "SelfSubjectAccessReview"

    @property
    def fields(self) -> dict[str, Any]:
        """What the question says of the user."""
        return {"user": self.user, "groups": list(self.groups)} if self.user else {}


MYSELF: Final = Asked()


def find_missing(client: Transport, needs: Iterable[Need], asked: Asked = MYSELF) -> tuple[Need, ...]:
    """The needs that are not granted, by a review each. Nothing is created by a review."""
    return tuple(need for need in sorted(needs) if not is_granted(client, need, asked))


def is_granted(client: Transport, need: Need, asked: Asked = MYSELF) -> bool:
    """Whether one need is granted. Raises MeshError where the API server does not say."""
    attributes = {name: value for name, value in vars(need).items() if value}
    spec = {**asked.fields, "resourceAttributes": attributes}
    body = {"apiVersion": "authorization.k8s.io/v1", "kind": asked.review, "spec": spec}
    try:
        answer = client.request("POST", f"/apis/authorization.k8s.io/v1/{asked.review.lower()}s", body=body)
    except ApiError as error:
        raise translate(error, f"Asking whether {need} is allowed") from error
    return bool(answer["status"].get("allowed"))
