"""What a DataProduct's status becomes after a look at a product that is served, or of which something is missing, changed or not seen."""

from dataclasses import replace
from typing import Any, Final

from clouddatamesh.api.v1alpha1.dataproduct import DataProduct
from clouddatamesh.errors import Transient, Waiting
from clouddatamesh.model.bucket import Bucket
from clouddatamesh.model.evidence import Present, Seen, Unknown
from clouddatamesh.model.identity import AccessKey, Principal
from clouddatamesh.model.objects import Manifest
from clouddatamesh.model.outcome import Outcome
from clouddatamesh.model.plan import Plan
from clouddatamesh.model.world import ProductWorld
from clouddatamesh.plan import binding as b
from clouddatamesh.plan import secrets
from clouddatamesh.plan.binding import Binding
from clouddatamesh.plan.credentials import binding_of, fingerprint
from clouddatamesh.plan.wish import wish_of
from clouddatamesh.status.dataproduct import report
from tests.support.worlds import a_world, owned_tags, the_product
from tests.unit.access_running import the_secret

NAME: Final = "acme-orders"
ISSUED: Final = "2025-12-01T00:00:00Z"
SILENT: Final = Unknown(Transient("StoreUnavailable", "The store does not answer"))
NOT_READY: Final = Waiting("StoreNotReady", "The store is not Ready")
OWNED: Final[dict[str, Any]] = {"bucket": NAME, "phase": "Owned", "ownershipVerified": True}
PRODUCER: Final[dict[str, Any]] = {"principal": "recorded", "key": fingerprint("A"), "rotatedAt": ISSUED}
RECORDED: Final[dict[str, Any]] = {"storage": OWNED, "producer": PRODUCER, "binding": {"name": "orders-producer"}}
MINE: Final = Present(Bucket(NAME, tags=owned_tags()))
STRANGERS: Final = Present(Bucket(NAME, tags=owned_tags("inventory")))


def served(
    *, status: dict[str, Any] | None = None, storage: bool = True, storage_spec: dict[str, Any] | None = None, **spec: Any
) -> DataProduct:
    """A product that was served, as status tells it; `storage`: whether its spec asks for any, `storage_spec`: how."""
    product = the_product(status=RECORDED if status is None else status, storage=storage_spec, **spec)
    return product if storage else product.model_copy(update={"spec": product.spec.model_copy(update={"storage": None})})


def binding() -> Binding:
    """The producer's user and Secret, as they are to be."""
    wish = wish_of(served(), a_world())
    found = binding_of(wish) if wish is not None else None
    assert found is not None
    return found


def user(keys: str = "A", **differs: Any) -> Present[Principal]:
    """The producer's user as it is to be, but for this; a key in lower case is switched off."""
    found = tuple(AccessKey(key.upper(), active=key.isupper()) for key in keys)
    return Present(replace(b.want_principal(binding()), **{"keys": found, **differs}))


def secret(key: str = "A", **metadata: Any) -> Present[Manifest]:
    """The producer's Secret with that key."""
    found = the_secret(secrets.manifest_of(binding()), key)
    return Present({**found, "metadata": {**found["metadata"], **metadata}})


def world(**parts: Any) -> ProductWorld:
    """Bucket, user and Secret are as they are to be, but for these parts."""
    plain: dict[str, Seen[Any]] = {"bucket": MINE, "principal": user(), "secret": secret()}
    return a_world(**{**plain, **parts})


def look(product: DataProduct | None = None, *, full: Plan | None = None, **parts: Any) -> Outcome:
    """The outcome of a look; `full` is what is to be done, as far as mode and suspend let it."""
    return report(product or served(), world(**parts), full or Plan())


def said(outcome: Outcome) -> dict[str, str]:
    """Status and reason of each condition."""
    return {found.type: f"{found.status} {found.reason}" for found in (outcome.ready, *outcome.findings)}


def told(outcome: Outcome, type_: str) -> str:
    """What a condition says; empty where there is none."""
    return next((found.message for found in (outcome.ready, *outcome.findings) if found.type == type_), "")
