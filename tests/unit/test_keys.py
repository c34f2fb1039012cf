"""The one key of a principal and its Secret: every state of the one against every state of the other."""

from dataclasses import replace
from datetime import timedelta
from typing import Any, Final

import pytest

from clouddatamesh import reasons
from clouddatamesh.api.v1alpha1.objectstore import ObjectStore
from clouddatamesh.errors import Terminal, Transient, Waiting
from clouddatamesh.model.evidence import Absent, Present, Seen, Unknown
from clouddatamesh.model.identity import AccessKey
from clouddatamesh.model.objects import Key, Manifest
from clouddatamesh.model.operations import PatchSecret
from clouddatamesh.model.plan import Steps
from clouddatamesh.model.store_operations import DeleteKey, ReplaceKey
from clouddatamesh.plan import binding as b
from clouddatamesh.plan import marks
from clouddatamesh.plan.binding import Binding
from clouddatamesh.plan.keys import Moment, is_late, plan_keys
from clouddatamesh.plan.marks import Owner
from tests.support.worlds import CLUSTER, START, the_store

OWNER: Final = Owner("acme", CLUSTER, Key("DataProduct", "sales", "orders"), "uid-1", "sales", "uid-sales")
BINDING: Final = Binding(OWNER, the_store(), "acme-orders", "orders-producer")
SILENT: Final = Unknown(Transient("ClusterUnavailable", "The API server does not answer"))


def aws() -> ObjectStore:
    store = the_store()
    return store.model_copy(update={"spec": store.spec.model_copy(update={"endpoint_url": None})})


def a_secret(key: str = "A", *, age: int = 900, intact: bool = True, content: bool = True, **metadata: Any) -> Manifest:
    """The Secret as the API server holds it; `intact`, `content`: nobody has changed our fields."""
    manifest = b.secret_manifest(BINDING)
    issued = f"{START - timedelta(seconds=age):%Y-%m-%dT%H:%M:%SZ}"
    annotations = {**manifest["metadata"]["annotations"], marks.KEY_ID_ANNOTATION: key, marks.ISSUED_ANNOTATION: issued}
    owned = (*(b.KEY_FIELDS if intact else ()), *(b.CONTENT_FIELDS if content else ()))
    fields = {"manager": marks.MANAGER, "fieldsV1": {"f:data": {f"f:{field}": {} for field in owned}}}
    whole = {"uid": "uid-secret", "annotations": annotations, "managedFields": [fields], **metadata}
    return {**manifest, "metadata": {**manifest["metadata"], **whole}}


def planned(keys: str, secret: Seen[Manifest], *, former: str = "", store: ObjectStore | None = None) -> Steps:
    """What is planned for these keys; one in lower case is switched off."""
    found = tuple(AccessKey(key.upper(), active=key.isupper()) for key in keys)
    binding = replace(BINDING, store=store or BINDING.store)
    return plan_keys(binding, replace(b.want_principal(binding), keys=found), secret, Moment(START, former))


CASES: Final[tuple[tuple[str, str, Seen[Manifest], str], ...]] = (
    ("one key, and the Secret holds it", "A", Present(a_secret()), "kept"),
    ("no key and no Secret", "", Absent(), "replaced new"),
    ("keys that no Secret holds", "AB", Absent(), "replaced new A B"),
    ("a surplus key", "AB", Present(a_secret()), "deleted B"),
    ("a surplus key that is switched off", "Ab", Present(a_secret()), "deleted B"),
    ("the key in the Secret is gone", "", Present(a_secret()), "replaced uid-secret"),
    ("the key in the Secret is gone, and there is another", "B", Present(a_secret()), "replaced uid-secret B"),
    ("the key in the Secret is switched off", "a", Present(a_secret()), "replaced uid-secret A"),
    ("it is switched off, and there is another", "aB", Present(a_secret()), "replaced uid-secret B A"),
    ("somebody wrote a key of his own", "A", Present(a_secret(intact=False)), "replaced uid-secret A"),
    ("somebody wrote a key of his own, and there are two", "AB", Present(a_secret(intact=False)), "replaced uid-secret B A"),
    ("somebody changed what is beside the key", "A", Present(a_secret(content=False)), "patched"),
    ("the Secret names no key", "A", Present(a_secret("")), "replaced uid-secret A"),
    ("the Secret is somebody else's", "A", Present(a_secret(annotations={})), reasons.NOT_OWNED),
    ("the Secret is an earlier incarnation's", "A", Present({**a_secret(), "metadata": {**a_secret()["metadata"], "annotations": {
        **a_secret()["metadata"]["annotations"], marks.OWNER_ANNOTATION: marks.owner_reference(OWNER.key, "uid-0")}}}), reasons.NOT_OWNED),
    ("the Secret is being deleted", "A", Present(a_secret(deletionTimestamp="2026-01-01T00:00:00Z")), reasons.SECRET_TERMINATING),
    ("the Secret cannot be read", "A", SILENT, "ClusterUnavailable"),
    ("the key is new, and does not show yet", "", Present(a_secret(age=9)), reasons.NOT_VISIBLE_YET),
    ("the key is new, does not show yet, and another does", "B", Present(a_secret(age=9)), reasons.NOT_VISIBLE_YET),
    ("the key should show by now", "", Present(a_secret(age=10)), "replaced uid-secret"),
    ("the key is new, shows, and is switched off", "a", Present(a_secret(age=1)), "replaced uid-secret A"),
    ("the key is new, and somebody wrote another over it", "", Present(a_secret(age=1, intact=False)), "replaced uid-secret"),
)  # fmt: skip


def told(steps: Steps) -> str:
    """What is done, in a word and the keys that go."""
    if steps.stop is not None:
        assert steps.operations == ()
        return steps.stop.reason
    match steps.operations:
        case ():
            return "kept"
        case (ReplaceKey() as replaced,):
            return " ".join(("replaced", replaced.uid or "new", *replaced.surplus))
        case (PatchSecret(),):
            return "patched"
    return " ".join(("deleted", *(operation.key_id for operation in steps.operations if isinstance(operation, DeleteKey))))


@pytest.mark.parametrize(("keys", "secret", "wanted"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_what_becomes_of_keys_and_secret(keys: str, secret: Seen[Manifest], wanted: str) -> None:
    assert told(planned(keys, secret)) == wanted


def test_a_key_that_was_replaced_works_on_while_its_time_runs() -> None:
    assert told(planned("AB", Present(a_secret("B")), former="A")) == "kept"
    assert told(planned("ABC", Present(a_secret("B")), former="A")) == "deleted C"


@pytest.mark.parametrize(("age", "late"), [(59, True), (60, False)])
def test_aws_may_take_a_minute_to_show_a_key(age: int, late: bool) -> None:
    secret = a_secret(age=age)
    assert is_late(replace(BINDING, store=aws()), None, secret, START) is late
    assert not is_late(BINDING, None, secret, START)
    assert (told(planned("", Present(secret), store=aws())) == reasons.NOT_VISIBLE_YET) is late


def test_a_secret_that_does_not_say_when_its_key_was_issued_is_never_late() -> None:
    secret = a_secret(age=1)
    silent = {key: value for key, value in secret["metadata"]["annotations"].items() if key != marks.ISSUED_ANNOTATION}
    assert not is_late(BINDING, None, {**secret, "metadata": {**secret["metadata"], "annotations": silent}}, START)


def test_whose_secret_it_is_is_said_with_the_way_out() -> None:
    product = planned("A", Present(a_secret(annotations={}))).stop
    assert isinstance(product, Terminal)
    assert "spec.producer.secretName" in product.message
    asking = replace(OWNER, key=Key("AccessRequest", "inventory", "r"))
    request = plan_keys(replace(BINDING, owner=asking), b.want_principal(BINDING), Present(a_secret()), Moment(START)).stop
    assert isinstance(request, Terminal)
    assert "spec.secretName" in request.message


def test_what_is_waited_for_needs_nobody_to_act() -> None:
    assert isinstance(planned("", Present(a_secret(age=1))).stop, Waiting)
