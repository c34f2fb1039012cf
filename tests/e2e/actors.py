"""What people do to a running mesh and what they see, in words that a test can be read by."""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from hack.tools.store import Store
from tests.support.installation import NAMESPACE, Installation
from tests.support.manifests import a_product

SERVICE_ACCOUNT = f"system:serviceaccount:{NAMESPACE}:clouddatamesh"
BREAK_GLASS = "clouddatamesh:break-glass"
"""The group that the chart lets act in the operator's place."""


@dataclass(frozen=True)
class Actors:
    """Teams with kubectl on one side, the store's administrator on the other."""

    installed: Installation
    store: Store

    @property
    def s3(self) -> Any:
        """The store's administrator."""
        return self.store.client("s3")

    @property
    def iam(self) -> Any:
        """The store's administrator of users."""
        return self.store.client("iam")

    def make(self, name: str, namespace: str = "sales", **spec: Any) -> dict[str, Any]:
        """Apply a product and wait until it is Ready; the object."""
        self.installed.apply(a_product(name, namespace, **spec))
        self.installed.wait("dataproduct", name, namespace)
        return self.product(name, namespace)

    def product(self, name: str, namespace: str = "sales") -> dict[str, Any]:
        return self.installed.get("dataproduct", name, namespace)

    def bucket(self, name: str, namespace: str = "sales") -> str:
        return str(self.product(name, namespace)["status"]["storage"]["bucket"])

    def condition(self, name: str, namespace: str = "sales", *, type_: str = "Ready") -> dict[str, Any]:
        conditions = self.product(name, namespace).get("status", {}).get("conditions", ())
        return next((dict(found) for found in conditions if found["type"] == type_), {})

    def ends(self, name: str, namespace: str = "sales", *, reason: str, type_: str = "Ready", seconds: float = 30) -> dict[str, Any]:
        """Wait until a condition has a reason; the condition as it was then."""
        seen: dict[str, Any] = {}

        def has_ended() -> bool:
            seen.clear()
            seen.update(self.condition(name, namespace, type_=type_))
            return seen.get("reason") == reason

        self.installed.until(has_ended, seconds=seconds, what=f"{namespace}/{name} {reason}")
        return seen

    def delete(self, name: str, namespace: str = "sales", *, wait: bool = True) -> None:
        flags = ["--wait=true", "--timeout=60s"] if wait else ["--wait=false"]
        self.installed.cluster.kubectl("delete", "dataproduct", name, "-n", namespace, *flags)

    def strip(self, name: str, namespace: str = "sales") -> None:
        """The platform team removes the finalizers of an object, as a member of the break-glass group."""
        patch, groups = '{"metadata":{"finalizers":null}}', ("--as-group=system:masters", f"--as-group={BREAK_GLASS}")
        self.installed.cluster.kubectl("patch", "dataproduct", name, "-n", namespace, "--type=merge", "-p", patch, "--as=rescuer", *groups)

    @contextlib.contextmanager
    def stopped(self) -> Iterator[None]:
        """No operator runs meanwhile; it is ready again afterwards, whatever happened, for the tests that share the mesh."""
        try:
            self.installed.scale(0)
            yield
        finally:
            self.installed.scale(1)
            self.installed.until(self.installed.is_ready, seconds=90, what="a ready operator")

    def bucket_exists(self, bucket: str) -> bool:
        try:
            self.s3.head_bucket(Bucket=bucket)
        except ClientError as error:
            assert error.response["ResponseMetadata"]["HTTPStatusCode"] == 404, error
            return False
        return True

    def tags(self, bucket: str) -> dict[str, str]:
        """The tags of a bucket, empty where it has none."""
        try:
            found = self.s3.get_bucket_tagging(Bucket=bucket)["TagSet"]
        except ClientError as error:
            assert error.response["Error"]["Code"] in ("NoSuchTagSet", "NoSuchTagSetError"), error
            return {}
        return {tag["Key"]: tag["Value"] for tag in found}

    def put(self, bucket: str, *keys: str) -> None:
        for key in keys:
            self.s3.put_object(Bucket=bucket, Key=key, Body=b"x")

    def writes_since(self, mark: int) -> list[str]:
        """What the operator wrote to the API server since a mark."""
        found = self.installed.cluster.audit.read(since=mark, user=SERVICE_ACCOUNT)
        return [
            f"{request.verb} {request.resource}/{request.subresource} {request.namespace}/{request.name}"
            for request in found
            if request.writes
        ]

    def is_noticed(self, kind: str, name: str, namespace: str = "") -> bool:
        """Whether the operator has looked at an object as it is now: what others rest on it, they rest on this."""
        found = self.installed.get(kind, name, namespace)
        return bool(found.get("status", {}).get("observedGeneration") == found["metadata"]["generation"])

    def nudge(self, name: str, namespace: str = "sales", *, token: str) -> None:
        """Ask for a reconciliation now and wait until it was done."""
        self.installed.annotate("dataproduct", name, namespace, reconcile_requested_at=token)
        self.installed.until(lambda: self.product(name, namespace)["status"].get("lastHandledReconcileAt") == token, what="the nudge")
