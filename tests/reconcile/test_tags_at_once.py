"""Tags are one document that several write: what came between a look and a write is not written over."""

from dataclasses import replace

import pytest

from clouddatamesh.model.bucket import Bucket
from clouddatamesh.model.evidence import Seen
from clouddatamesh.model.objects import Key
from clouddatamesh.plan import marks
from clouddatamesh.reconcile.dispatch import reconcile
from clouddatamesh.storage.memory_buckets import MemoryBuckets
from tests.reconcile.flows import ENDPOINT, ready
from tests.support.driven import Driven
from tests.support.manifests import a_product
from tests.support.mesh import Mesh

OTHER = Key("DataProduct", "sales", "orders2")


def test_a_bucket_that_is_handed_over_while_its_owner_writes_tags_is_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    mesh = ready(Mesh()).settle()
    bucket = mesh.bucket_of()
    held = mesh.stores.at(ENDPOINT).buckets[bucket]
    driven = Driven(mesh).run(minutes=1)
    mesh.apply(a_product(storage={"tags": {"cost": "1"}}), a_product(OTHER.name, storage={"bucketName": bucket}))
    real, seen = MemoryBuckets.observe_marks, list[str]()

    def hand_over(buckets: MemoryBuckets, name: str) -> Seen[Bucket]:
        """The platform team tags, and another worker looks at the other product, right before the last look."""
        if not seen:
            seen.append(name)
            tags = {**dict(held.bucket.tags), marks.TRANSFER_TAG: "sales/orders2"}
            held.bucket = replace(held.bucket, tags=tuple(sorted(tags.items())))
            reconcile(OTHER, mesh.ports)
        return real(buckets, name)

    monkeypatch.setattr(MemoryBuckets, "observe_marks", hand_over)
    driven.run(minutes=12)
    assert seen and dict(held.bucket.tags)[marks.NAME_TAG] == OTHER.name
