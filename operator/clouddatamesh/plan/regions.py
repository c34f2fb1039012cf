"""In which region a bucket is: read of the bucket where others made it, or where a region is for good."""

from clouddatamesh.api.v1alpha1.dataproduct import DataProduct
from clouddatamesh.api.v1alpha1.objectstore import ObjectStore
from clouddatamesh.model.bucket import Bucket
from clouddatamesh.model.world import ProductWorld
from clouddatamesh.plan import features, marks


def region_of(product: DataProduct, store: ObjectStore, world: ProductWorld) -> tuple[str, str | None]:
    """The bucket's region, and where it is known from: what was read of the bucket counts over what the store's spec says now."""
    storage = product.status.storage
    if world.region is not None:
        return world.region
    if storage is not None and storage.region_from == "Bucket":
        return storage.region, "Bucket"
    return store.spec.region, storage.region_from if storage else None


def asks_region(product: DataProduct, store: ObjectStore, bucket: Bucket) -> bool:
    """Whether the bucket's region has to be read: of what others made, and on AWS, where each bucket has one for good, also of ours."""
    storage = product.status.storage
    if storage is not None and storage.region_from is not None:
        return False
    is_theirs = bucket.tag(marks.ADOPT_TAG) is not None or bucket.tag(marks.ADOPTED_TAG) is not None
    return features.is_aws(store) or storage is None or storage.phase == "Adopted" or is_theirs
