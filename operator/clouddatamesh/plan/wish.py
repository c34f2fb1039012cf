"""A product's storage request, taken apart once: whose the bucket is, what it is called and where it is."""

from dataclasses import dataclass

from clouddatamesh.api.v1alpha1.dataproduct import DataProduct
from clouddatamesh.api.v1alpha1.objectstore import ObjectStore
from clouddatamesh.api.v1alpha1.storage import Storage
from clouddatamesh.model.objects import Key
from clouddatamesh.model.world import ProductWorld
from clouddatamesh.plan import names
from clouddatamesh.plan.marks import Owner
from clouddatamesh.plan.regions import region_of


@dataclass(frozen=True)
class Wish:
    """A product's storage request, taken apart once."""

    product: DataProduct
    storage: Storage
    store: ObjectStore
    owner: Owner
    region: str
    """Of the bucket: as it was read, or as the store makes it."""

    @property
    def key(self) -> Key:
        return self.owner.key

    @property
    def name(self) -> str:
        """Name of the bucket."""
        return bucket_of(self.product, self.store, self.owner.mesh)


def wish_of(product: DataProduct, world: ProductWorld) -> Wish | None:
    """The wish of a product, None where it asks for no storage or there is no store to ask."""
    if product.spec.storage is None or world.store is None:
        return None
    return Wish(product, product.spec.storage, world.store, owner_of(product, world), region_of(product, world.store, world)[0])


def owner_of(product: DataProduct, world: ProductWorld) -> Owner:
    """The marks of a product."""
    metadata = product.metadata
    return Owner(
        mesh=world.settings.mesh,
        cluster=world.cluster,
        key=Key("DataProduct", metadata.namespace, metadata.name),
        uid=metadata.uid,
        domain=world.home.name if world.home else "",
        namespace_uid=world.namespace_uid,
    )


def bucket_of(product: DataProduct, store: ObjectStore, mesh: str) -> str:
    """The name of a product's bucket: chosen, recorded, or generated."""
    key = Key("DataProduct", product.metadata.namespace, product.metadata.name)
    chosen = product.spec.storage.bucket_name if product.spec.storage else None
    recorded = product.status.storage.bucket if product.status.storage else None
    return chosen or recorded or names.bucket_name(store.spec.bucket_prefix, mesh, key)
