"""What an uninstall must leave: the objects of the mesh, their CRDs, and the data of a product that may be deleted with its bucket."""

import json
from dataclasses import dataclass
from typing import Self

from hack.tools.store import Store
from tests.support.installation import Installation

DATA = b"what must stay"
PRODUCT, NAMESPACE, KEY = "orders", "sales", "daily/1"


@dataclass(frozen=True)
class Kept:
    """A mesh as it was at a moment. `uids` has every object by kind and name."""

    mesh: Installation
    store: Store
    bucket: str
    uids: dict[str, str]

    @classmethod
    def of(cls, mesh: Installation, store: Store) -> Self:
        """The mesh of now, after data was written to the product's bucket by its producer, and its policy was made Delete."""
        bucket = mesh.get("dataproduct", PRODUCT, NAMESPACE)["status"]["storage"]["bucket"]
        kept = cls(mesh, store, bucket, _uids(mesh))
        kept.set_policy("Delete")
        producer = mesh.secret("orders-producer", NAMESPACE)
        client = store.client("s3", access_key=producer["access-key-id"], secret_key=producer["secret-access-key"])
        client.put_object(Bucket=bucket, Key=KEY, Body=DATA)
        return kept

    def set_policy(self, policy: str) -> None:
        """What becomes of the bucket when the product is deleted."""
        change = json.dumps({"spec": {"storage": {"deletionPolicy": policy}}})
        self.mesh.cluster.kubectl("patch", "dataproduct", PRODUCT, "-n", NAMESPACE, "--type=merge", "-p", change)

    def data(self) -> bytes:
        """What the bucket has now."""
        return bytes(self.store.client("s3").get_object(Bucket=self.bucket, Key=KEY)["Body"].read())

    def crds(self) -> dict[str, str]:
        """What Helm does with each CRD when its release goes."""
        found = json.loads(self.mesh.cluster.kubectl("get", "crds", "-o", "json"))["items"]
        own = [crd["metadata"] for crd in found if crd["spec"]["group"] == "clouddatamesh.dev"]
        return {crd["name"]: crd["annotations"].get("helm.sh/resource-policy", "delete") for crd in own}

    def check(self) -> None:
        """The objects are those of then, nobody deletes them, and data and keys are as they were."""
        assert _uids(self.mesh) == self.uids
        assert not [found["metadata"]["name"] for found in self.mesh.all("datamesh") if "deletionTimestamp" in found["metadata"]]
        assert self.data() == DATA
        consumer = self.mesh.secret("stock-access", NAMESPACE)
        client = self.store.client("s3", access_key=consumer["access-key-id"], secret_key=consumer["secret-access-key"])
        client.list_objects_v2(Bucket=consumer["bucket"], Prefix=consumer["prefix"])  # raises where the key is refused


def _uids(mesh: Installation) -> dict[str, str]:
    return {f"{found['kind']} {found['metadata']['name']}": found["metadata"]["uid"] for found in mesh.all("datamesh")}
