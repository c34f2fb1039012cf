"""Whose is this bucket? The one decision on which no data being stolen or lost rests; everything else asks here."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

from clouddatamesh import reasons
from clouddatamesh.api.v1alpha1.dataproduct import DataProduct
from clouddatamesh.model.bucket import Bucket
from clouddatamesh.model.evidence import Present, value_of
from clouddatamesh.model.world import ProductWorld
from clouddatamesh.plan import marks, names
from clouddatamesh.plan.adoption import find_name_fault

Verdict: TypeAlias = Literal[
    "Absent", "Missing", "Mine", "Made", "Returning", "Consented", "Transferred", "MarksMissing", "Released", "Withheld", "Foreign"
]
"""
Absent        not there, and never was: may be made
Missing       not there, though status says that it existed
Mine          carries this product's marks, or lost some of them and nothing else speaks against it
Made          carries no tag at all, is empty, and our Creating record is there: we were interrupted between create and tags
Returning     carries this mesh, namespace and name and the uid of no living product (a rebuilt cluster, a re-made object)
Consented     carries the consent tag for exactly this product, and nobody's marks
Transferred   another namespace's, and the platform team tagged it for this product
MarksMissing  was this product's, and neither marks nor witness are there any more
Released      its owner let it go by a tag that names this product
Withheld      this product's in a lost cluster, and the spec keeps it from being taken back; or without any mark where a lost cluster's
              store is taken over: still nobody else's
Foreign       anything else: never touched
"""


@dataclass(frozen=True)
class Claim:
    """The verdict and, where it stops, the sentence that says why and what to do. `positive`: somebody else's marks were read."""

    verdict: Verdict
    why: str = ""
    positive: bool = False
    is_new: bool = False
    """Consented, and the bucket was never the mesh's: it is adopted by a plan that somebody agrees to."""

    @property
    def takes_over(self) -> bool:
        """Whether the bucket existed before and becomes this product's now."""
        return self.verdict in ("Returning", "Consented", "Transferred")


def judge(product: DataProduct, name: str, world: ProductWorld) -> Claim:
    """Whose the bucket of that name is, seen from this product. Ask only where it was seen to be present or absent.

    Where it would be made, the product that had it makes it, else the oldest that names it. Marks that are there are older than any name.
    """
    claim = _judge_bucket(product, name, world)
    if world.rival is not None and claim.verdict in ("Absent", "Made"):
        return Claim("Foreign", f"Bucket {name} belongs to another product, which had it or named it first; choose another name")
    return claim


def _judge_bucket(product: DataProduct, name: str, world: ProductWorld) -> Claim:
    if not isinstance(world.bucket, Present):
        return _judge_absence(product, name)
    bucket = world.bucket.value
    if bucket.is_of_other_account:
        why = f"Bucket {name} exists and is not of this account; choose another name"
        return Claim("Foreign", why, positive=True)
    if bucket.tag(marks.RELEASED_TAG) == _place(product):
        return Claim("Released", f"Bucket {name} was released by its tag {marks.RELEASED_TAG}; remove the tag to keep it")
    return _judge_marks(product, bucket, world)


def _judge_absence(product: DataProduct, name: str) -> Claim:
    storage = product.status.storage
    if storage is None or storage.phase == "Creating" or marks.accepts_loss(product.metadata, name, storage.last_handled_recreate):
        return Claim("Absent")
    return Claim(
        "Missing",
        f"Bucket {name} existed and is gone; restore it, or accept the loss and recreate it with"
        f" annotation {marks.next_consent(product.metadata, name)}",
    )


def _judge_marks(product: DataProduct, bucket: Bucket, world: ProductWorld) -> Claim:
    """By the marks that are there. A mark that is missing is no other's mark."""
    seen, ours = dict(bucket.tags), _marks_of(product, world)
    if _is_taken_over(bucket, world):
        del seen[marks.CLUSTER_TAG]
    if any(seen.get(tag, value) != value for tag, value in ours.items() if tag != marks.UID_TAG):
        return _judge_others(product, bucket, world)
    uid = seen.get(marks.UID_TAG, "")
    whole = all(tag in seen for tag in ours if tag not in (marks.UID_TAG, marks.CLUSTER_TAG))
    if uid == product.metadata.uid or (whole and not uid and was_ours(product)):
        return Claim("Mine")
    if uid and not whole and not was_ours(product):
        return _judge_others(product, bucket, world)
    if uid or whole:
        return _judge_own(product, bucket, uid, world)
    return _judge_unmarked(product, bucket, world)


def shows_others(product: DataProduct, bucket: Bucket, world: ProductWorld) -> bool:
    """Whether anything on a bucket says that it is not this product's: another account, or any one mark that differs."""
    return bucket.is_of_other_account or bool(others_marks(product, bucket, world))


def others_marks(product: DataProduct, bucket: Bucket, world: ProductWorld) -> tuple[str, ...]:
    """The marks on a bucket that are not this product's, each as `tag=value`. One that is missing is nobody's."""
    ours = _marks_of(product, world)
    return tuple(f"{tag}={value}" for tag, value in sorted(bucket.tags) if ours.get(tag, value) != value)


def _is_taken_over(bucket: Bucket, world: ProductWorld) -> bool:
    """Whether a bucket was made by the lost cluster whose store this one takes over."""
    cluster = bucket.tag(marks.CLUSTER_TAG)
    return world.store is not None and cluster != world.cluster and cluster in world.store.spec.take_over_from


def _marks_of(product: DataProduct, world: ProductWorld) -> Mapping[str, str]:
    return {
        marks.MESH_TAG: world.settings.mesh,
        marks.CLUSTER_TAG: world.cluster,
        marks.NAMESPACE_TAG: product.metadata.namespace,
        marks.NAME_TAG: product.metadata.name,
        marks.UID_TAG: product.metadata.uid,
    }


def _judge_own(product: DataProduct, bucket: Bucket, uid: str, world: ProductWorld) -> Claim:
    """This mesh's, namespace's and name's, of another incarnation."""
    if world.uid_lives:
        return Claim("Foreign", f"Bucket {bucket.name} carries the uid of another living product ({uid})", positive=True)
    if _changed_hands(bucket, world):
        if bucket.tag(marks.TRANSFER_TAG) == _place(product) and _adoption(product) != "Never":
            return Claim("Transferred")
        domain = bucket.tag(marks.DOMAIN_TAG)
        whose = f"that belonged to Domain {domain}" if domain else "of a Domain that is not known"
        why = f"Bucket {bucket.name} was made in another namespace of this name, {whose}"
        return Claim(_withheld(bucket, world), f"{why}; {_hand_over(product)}")
    if _adoption(product) == "Never":
        why = f"Bucket {bucket.name} was an earlier DataProduct {_place(product)}'s, and adoptionPolicy is Never; set it to IfOwned"
        return Claim(_withheld(bucket, world), why)
    return Claim("Returning")


def _withheld(bucket: Bucket, world: ProductWorld) -> Verdict:
    """A bucket of a lost cluster that the product may not take back yet is still no other's: those who used it there go on."""
    return "Withheld" if _is_taken_over(bucket, world) else "Foreign"


def _changed_hands(bucket: Bucket, world: ProductWorld) -> bool:
    """Whether the namespace is another one of that name, and the mark does not say that it belonged to the same Domain as this one does."""
    domain, namespace = bucket.tag(marks.DOMAIN_TAG), bucket.tag(marks.NAMESPACE_UID_TAG)
    if _is_taken_over(bucket, world):
        return None not in (domain, world.home) and domain != world.home.name  # type: ignore[union-attr]
    moved = namespace is not None and bool(world.namespace_uid) and namespace != world.namespace_uid
    return moved and (domain is None or world.home is None or domain != world.home.name)


def _judge_others(product: DataProduct, bucket: Bucket, world: ProductWorld) -> Claim:
    same_mesh = bucket.tag(marks.MESH_TAG) == world.settings.mesh
    same_cluster = bucket.tag(marks.CLUSTER_TAG) in (None, world.cluster) or _is_taken_over(bucket, world)
    if same_mesh and same_cluster and bucket.tag(marks.TRANSFER_TAG) == _place(product) and _adoption(product) != "Never":
        return Claim("Transferred")
    if _is_store_anothers(world) and _is_of_this_name(product, bucket, world):
        return Claim("Foreign", f"Bucket {bucket.name} is of another cluster, and so is its ObjectStore, whose status says what to do")
    whose = "another product" if same_mesh and same_cluster else "another mesh or cluster"
    return Claim("Foreign", f"Bucket {bucket.name} belongs to {whose}; {_hand_over(product)}", positive=True)


def _is_store_anothers(world: ProductWorld) -> bool:
    """Whether the whole store is another cluster's: one that is lost, and not named in spec.takeOverFrom yet, or one that lives.

    The marks of its products say no more than that, so they speak neither for this cluster nor against it. An ObjectStore that was restored
    with status tells of the other cluster's marker until it was looked at.
    """
    if world.store is None:
        return False
    status = world.store.status
    recognised = status.marker in (None, names.marker_name(world.settings.mesh, world.cluster, status.store_id or ""))
    return not recognised or any(found.type == "Ready" and found.reason == reasons.STORE_IN_USE for found in status.conditions)


def _is_of_this_name(product: DataProduct, bucket: Bucket, world: ProductWorld) -> bool:
    """Whether nothing but the cluster, and its incarnation, differs."""
    ours = _marks_of(product, world)
    return all(bucket.tag(tag) == ours[tag] for tag in (marks.MESH_TAG, marks.NAMESPACE_TAG, marks.NAME_TAG))


def _judge_unmarked(product: DataProduct, bucket: Bucket, world: ProductWorld) -> Claim:
    consent = f"{world.settings.mesh}/{_place(product)}"
    contents, storage = value_of(world.contents), product.status.storage
    if storage is not None and storage.phase == "Creating" and not bucket.tags and contents is not None and contents.empty:
        return Claim("Made")
    if was_ours(product):
        return _judge_stripped(product, bucket, consent)
    # Somebody else made it while this product's own was being made; but one that is made again may be written to with the keys of before.
    again = product.status.producer is not None or (storage is not None and storage.last_handled_recreate is not None)
    filled = contents is not None and not contents.empty and not again
    made_anyway = storage is not None and storage.phase == "Creating" and bool(bucket.tags or filled)
    fault = find_name_fault(bucket, product, world.store, world.settings.mesh) if world.store is not None else "There is no ObjectStore"
    if fault:
        return Claim("Foreign", fault, positive=made_anyway)
    willing = _adoption(product) == "IfConsented"
    if willing and marks.consents(bucket.tag(marks.ADOPT_TAG), consent):
        return Claim("Consented", is_new=True)
    wish = "" if willing else "set adoptionPolicy to IfConsented and "
    why = f"Bucket {bucket.name} exists and carries no mark of this mesh; to adopt it {wish}have its owner tag it"
    # It may be the one of before, which lost its marks while nobody restored them.
    verdict: Verdict = "Withheld" if world.store and world.store.spec.take_over_from and not made_anyway else "Foreign"
    return Claim(verdict, f"{why} {marks.ADOPT_TAG}={consent}", positive=made_anyway)


def _judge_stripped(product: DataProduct, bucket: Bucket, consent: str) -> Claim:
    """It was ours, and all marks are gone: the witness, or a new consent, says whether it still is."""
    if any(rule.id == f"{marks.WITNESS_PREFIX}{product.metadata.uid}" for rule in bucket.lifecycle or ()):
        return Claim("Mine")
    if marks.consents(bucket.tag(marks.ADOPT_TAG), consent):
        return Claim("Consented")
    why = f"Bucket {bucket.name} lost its marks, and nothing else in it proves whose it is; credentials are kept, nothing is written"
    return Claim("MarksMissing", f"{why}; put its tags back, or tag it {marks.ADOPT_TAG}={consent}")


def was_ours(product: DataProduct) -> bool:
    """Whether it was read back as this product's before."""
    storage = product.status.storage
    return storage is not None and storage.phase != "Creating"


def _hand_over(product: DataProduct) -> str:
    return f"choose another name, or the platform team can hand it over with bucket tag {marks.TRANSFER_TAG}={_place(product)}"


def _place(product: DataProduct) -> str:
    return f"{product.metadata.namespace}/{product.metadata.name}"


def _adoption(product: DataProduct) -> str:
    return product.spec.storage.adoption_policy if product.spec.storage else "Never"
