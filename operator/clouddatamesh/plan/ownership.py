"""Whose is this bucket? The one decision on which no data being stolen or lost rests; everything else asks here."""

from dataclasses import dataclass
from typing import Literal, TypeAlias

from clouddatamesh.api.v1alpha1.dataproduct import DataProduct
from clouddatamesh.model.bucket import Bucket
from clouddatamesh.model.objects import Key
from clouddatamesh.model.world import ProductWorld
from clouddatamesh.plan import marks

Verdict: TypeAlias = Literal["Absent", "Missing", "Mine", "Made", "Returning", "Consented", "Transferred", "Foreign"]
"""
Absent       not there, and never was: may be made
Missing      not there, though status says that it existed
Mine         carries this mesh, namespace, name and uid
Made         carries no tag at all, is empty, and our Creating record stands: we were interrupted between create and tags
Returning    carries this mesh, namespace and name and the uid of no living product (a rebuilt cluster, a re-made object)
Consented    carries the consent tag for exactly this product, and nobody's marks
Transferred  another namespace's, and the platform team tagged it for this product
Foreign      anything else: never touched
"""


@dataclass(frozen=True)
class Claim:
    """The verdict and, for Foreign and Missing, the sentence that says why and what to do."""

    verdict: Verdict
    why: str = ""

    @property
    def takes_over(self) -> bool:
        """Whether the bucket existed before and becomes this product's now."""
        return self.verdict in ("Returning", "Consented", "Transferred")


def judge(product: DataProduct, name: str, world: ProductWorld) -> Claim:
    """Whose the bucket of that name is, seen from this product."""
    if world.bucket is None:
        return _judge_absence(product, name)
    tags = dict(world.bucket.tags)
    owner = (tags.get(marks.MESH_TAG), tags.get(marks.NAMESPACE_TAG), tags.get(marks.NAME_TAG))
    if owner == (world.settings.mesh, product.metadata.namespace, product.metadata.name):
        return _judge_own(product, tags.get(marks.UID_TAG, ""), world)
    if any(owner):
        return _judge_others(product, world.bucket, world)
    return _judge_unmarked(product, world.bucket, world)


def _judge_absence(product: DataProduct, name: str) -> Claim:
    storage = product.status.storage
    recreate = product.metadata.annotations.get(marks.RECREATE_ANNOTATION)
    if storage is None or storage.phase == "Creating" or recreate == name:
        return Claim("Absent")
    return Claim(
        "Missing",
        f"Bucket {name} existed and is gone; restore it, or accept the loss and have it made anew with"
        f" annotation {marks.RECREATE_ANNOTATION}={name}",
    )


def _judge_own(product: DataProduct, uid: str, world: ProductWorld) -> Claim:
    if uid == product.metadata.uid:
        return Claim("Mine")
    if uid in world.living_uids:
        return Claim("Foreign", f"Bucket {_name(world)} carries the uid of another living product ({uid})")
    if _adoption(product) == "Never":
        return Claim(
            "Foreign",
            f"Bucket {_name(world)} was an earlier {_key(product)}'s, and adoptionPolicy is Never; set it to IfOwned",
        )
    return Claim("Returning")


def _judge_others(product: DataProduct, bucket: Bucket, world: ProductWorld) -> Claim:
    target = f"{product.metadata.namespace}/{product.metadata.name}"
    same_mesh = bucket.tag(marks.MESH_TAG) == world.settings.mesh
    if same_mesh and bucket.tag(marks.TRANSFER_TAG) == target and _adoption(product) != "Never":
        return Claim("Transferred")
    return Claim(
        "Foreign",
        f"Bucket {bucket.name} belongs to another product; the platform team can hand it over with"
        f" bucket tag {marks.TRANSFER_TAG}={target}",
    )


def _judge_unmarked(product: DataProduct, bucket: Bucket, world: ProductWorld) -> Claim:
    consent = f"{world.settings.mesh}/{product.metadata.namespace}/{product.metadata.name}"
    storage = product.status.storage
    if storage is not None and storage.phase == "Creating" and not bucket.tags and world.contents is not None and world.contents.empty:
        return Claim("Made")
    if bucket.tag(marks.ADOPT_TAG) == consent and _adoption(product) == "IfConsented":
        return Claim("Consented")
    return Claim(
        "Foreign",
        f"Bucket {bucket.name} exists and carries no mark of this mesh; to adopt it set adoptionPolicy to IfConsented"
        f" and have its owner tag it {marks.ADOPT_TAG}={consent}",
    )


def _adoption(product: DataProduct) -> str:
    return product.spec.storage.adoption_policy if product.spec.storage else "Never"


def _name(world: ProductWorld) -> str:
    return world.bucket.name if world.bucket else ""


def _key(product: DataProduct) -> Key:
    return Key("DataProduct", product.metadata.namespace, product.metadata.name)
