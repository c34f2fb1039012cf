"""Whether a bucket that was a product's is lost to somebody else, and what has to be true before keys are taken for it."""

from collections.abc import Callable
from datetime import timedelta
from typing import Final

from clouddatamesh import reasons
from clouddatamesh.api.fields import parse_time
from clouddatamesh.api.v1alpha1.dataproduct import DataProduct
from clouddatamesh.errors import MeshError, Terminal, Waiting
from clouddatamesh.model.evidence import Unknown
from clouddatamesh.model.world import ProductWorld
from clouddatamesh.plan import marks
from clouddatamesh.plan.ownership import Claim, judge
from clouddatamesh.plan.wish import Wish

STOPS: Final = {
    "Foreign": reasons.NOT_OWNED,
    "Withheld": reasons.NOT_ADOPTED,
    "Missing": reasons.BUCKET_MISSING,
    "MarksMissing": reasons.MARKS_MISSING,
    "Released": reasons.RELEASED,
}
"""Verdicts on a bucket that end a look at it."""
MOST_LOSSES: Final = 3
"""So many products of a store whose buckets were lost within an hour, and it is a fault of a store, of a tool, or of ours."""
_CONFIRMED: Final = timedelta(seconds=30)


def is_lost(wish: Wish, world: ProductWorld) -> bool:
    """Whether the bucket that was this product's is positively another's: then keys that were made for it must not open it.

    Marks of somebody else must have been seen twice, and not on many buckets within an hour. Consent needs no second look, nor does a
    product that had nothing there: what its name has in the store is left of an earlier one, or of a lost cluster.
    """
    if not was_ours(wish.product):
        return not isinstance(world.bucket, Unknown) and _is_anothers(judge(wish.product, wish.name, world))
    loss = find_loss(wish, world)
    return loss is not None and loss.reason in (reasons.RELEASED, reasons.NOT_OWNED)


def _is_anothers(claim: Claim) -> bool:
    return claim.verdict == "Released" or (claim.verdict == "Foreign" and claim.positive)


def was_ours(product: DataProduct) -> bool:
    """Whether the bucket was read back as this product's before, or keys were made for it: also where it is just being made again."""
    storage = product.status.storage
    return storage is not None and (storage.phase != "Creating" or product.status.producer is not None)


def find_loss(wish: Wish, world: ProductWorld) -> MeshError | None:
    """Why a bucket that was this product's is not any more, whatever else keeps the product from being served; None where it is not lost.

    Somebody else's marks, seen once or confirmed; or the tag by which its owner lets it go.
    """
    if isinstance(world.bucket, Unknown) or not was_ours(wish.product):
        return None
    claim = judge(wish.product, wish.name, world)
    return explain_loss(wish, claim, world) if _is_anothers(claim) else None


def explain_loss(wish: Wish, claim: Claim, world: ProductWorld) -> MeshError:
    """Why the bucket is not taken for this product's, and what comes of that."""
    if claim.verdict not in ("Foreign", "Withheld") or not was_ours(wish.product):
        return Terminal(STOPS[claim.verdict], claim.why)
    if not claim.positive:
        return Terminal(reasons.MARKS_MISSING, f"{claim.why}; credentials are kept, nothing is written")
    doubt = _doubt(wish, world)
    return doubt(claim.why) if doubt is not None else Terminal(reasons.NOT_OWNED, claim.why)


def _doubt(wish: Wish, world: ProductWorld) -> Callable[[str], MeshError] | None:
    """What speaks against believing at once that a bucket is somebody else's now."""
    before = next((c for c in wish.product.status.conditions if c.type == "StorageReady"), None)
    storage = wish.product.status.storage
    since = parse_time(storage.loss_seen_at) if storage is not None and storage.loss_seen_at else None
    seen_twice = since is not None and world.is_time_trusted and world.now - since >= _CONFIRMED
    if before is not None and before.reason == reasons.NOT_OWNED and seen_twice:
        return None  # it was confirmed before
    braked = (storage is not None and storage.loss_braked) or world.losses >= MOST_LOSSES - 1
    if braked and not world.handed_over:
        # Time alone never ends the brake, however many of the others were put right: somebody says what is meant.
        return lambda why: Terminal(
            reasons.STORAGE_LOSS_BRAKE,
            f"{MOST_LOSSES} products of one store, or of several stores, lost their buckets within an hour, so nothing is taken."
            f" {why}; put the tags back, or let this one go with bucket tag"
            f" {marks.RELEASED_TAG}={wish.key.namespace}/{wish.key.name}",
        )
    if seen_twice:
        return None
    return lambda why: Waiting(reasons.LOSS_UNCONFIRMED, f"{why}; it is looked at once more before credentials are taken")
