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
from clouddatamesh.model.operations import Announce, ClaimSecret, PatchSecret, Record
from clouddatamesh.model.plan import Steps
from clouddatamesh.model.store_operations import DeleteKey, ReplaceKey
from clouddatamesh.plan import binding as b
from clouddatamesh.plan import marks, secrets
from clouddatamesh.plan.binding import Binding
from clouddatamesh.plan.keys import Former, History, Moment, end_keys, is_late, plan_keys
from clouddatamesh.plan.marks import Owner
from clouddatamesh.status.keys import told_of_keys
from tests.support.worlds import CLUSTER, START, the_store

OWNER: Final = Owner("acme", CLUSTER, Key("DataProduct", "sales", "orders"), "uid-1", "sales", "uid-sales")
BINDING: Final = Binding(OWNER, the_store(), "acme-orders", "orders-producer")
SILENT: Final = Unknown(Transient("ClusterUnavailable", "The API server does not answer"))
SOON, OVER = START + timedelta(minutes=30), START - timedelta(minutes=1)


def aws() -> ObjectStore:
    store = the_store()
    return store.model_copy(update={"spec": store.spec.model_copy(update={"endpoint_url": None})})


def a_secret(
    key: str = "A", *, age: int = 900, intact: bool = True, content: bool = True, named: bool = True, locked: bool = False, **metadata: Any
) -> Manifest:
    """The Secret as the API server holds it; `intact`, `content`, `named`: nobody has changed our fields, or the name of the key."""
    manifest = secrets.manifest_of(BINDING)
    issued = f"{START - timedelta(seconds=age):%Y-%m-%dT%H:%M:%SZ}"
    annotations = {**manifest["metadata"]["annotations"], marks.KEY_ID_ANNOTATION: key, marks.ISSUED_ANNOTATION: issued}
    owned = (*(secrets.KEY_FIELDS if intact else ()), *(manifest["stringData"] if content else ()))
    noted: dict[str, Any] = {"f:metadata": {"f:annotations": {f"f:{marks.KEY_ID_ANNOTATION}": {}}}} if named else {}
    fields = {"manager": marks.MANAGER, "fieldsV1": {"f:data": {f"f:{field}": {} for field in owned}, **noted}}
    theirs = [{"manager": "kubectl", "fieldsV1": {"f:immutable": {}}}] if locked else []
    whole = {"uid": "uid-secret", "annotations": annotations, "managedFields": [fields, *theirs], **metadata}
    return {**manifest, "metadata": {**manifest["metadata"], **whole}}


def marked(mark: str | None, **metadata: Any) -> Manifest:
    """The Secret with another mark of its owner, or none."""
    secret = a_secret(**metadata)
    others = {name: value for name, value in secret["metadata"]["annotations"].items() if name != marks.OWNER_ANNOTATION}
    annotations = {**others, **({marks.OWNER_ANNOTATION: mark} if mark is not None else {})}
    return {**secret, "metadata": {**secret["metadata"], "annotations": annotations}}


def known(current: str = "", former: str = "", *, until: Any = SOON, **asked: Any) -> History:
    """What status says of the keys."""
    return History(write_of, current=current, former=former, until=until if former else None, **asked)


def write_of(former: Former) -> Record:
    return Record((("former", (former.key_id, former.until, former.token)),))


def planned(keys: str, secret: Seen[Manifest], history: History | None = None, *, store: ObjectStore | None = None) -> Steps:
    """What is planned for these keys; one in lower case is switched off."""
    found = tuple(AccessKey(key.upper(), active=key.isupper()) for key in keys)
    binding = replace(BINDING, store=store or BINDING.store)
    principal, told_of = replace(b.want_principal(binding), keys=found), history or known()
    ended = Steps(tuple(end_keys(OWNER, principal, secret, told_of, Moment(START))))
    return ended + plan_keys(binding, principal, secret, told_of, Moment(START))


EARLIER: Final = marks.owner_reference(OWNER.key, "uid-0")
CASES: Final[tuple[tuple[str, str, Seen[Manifest], History, str], ...]] = (
    ("one key, and the Secret holds it", "A", Present(a_secret()), known("A"), "kept"),
    ("no key and no Secret", "", Absent(), known(), "replaced new"),
    ("keys that no Secret held, as after a crash", "AB", Absent(), known(), "replaced new A B"),
    ("a surplus key", "AB", Present(a_secret()), known("A"), "deleted B"),
    ("a surplus key that is switched off", "Ab", Present(a_secret()), known("A"), "deleted B"),
    # A Secret that was deleted: whoever read it works on.
    ("the Secret was deleted", "A", Absent(), known("A"), "recorded A, replaced new, keeps A"),
    ("the Secret was deleted, and a key is there that it never held", "AB", Absent(), known("A"), "recorded A, replaced new B, keeps A"),
    ("the Secret was deleted while a former key worked on", "AB", Absent(), known("B", "A"), "recorded B, replaced new A, keeps B"),
    ("it was deleted, and its key is gone, but not the one before", "A", Absent(), known("B", "A"), "replaced new, keeps A"),
    ("that was recorded, and the operator died", "A", Absent(), known("A", "A"), "replaced new, keeps A"),
    ("that was recorded, the operator died, and the hour is over", "A", Absent(), known("A", "A", until=OVER),
     "recorded A, replaced new, keeps A"),
    ("the Secret was deleted, and its key is switched off", "a", Absent(), known("A"), "replaced new A"),
    # Keys that do not work.
    ("the key in the Secret is gone", "", Present(a_secret()), known("A"), "replaced uid-secret"),
    ("it is gone, and there is another, which nobody holds", "B", Present(a_secret()), known("A"), "replaced uid-secret B"),
    ("the key in the Secret is switched off", "a", Present(a_secret()), known("A"), "replaced uid-secret A"),
    ("it is switched off, and there is another, which nobody holds", "aB", Present(a_secret()), known("A"), "replaced uid-secret A B"),
    ("it is switched off, and the one before works on", "aB", Present(a_secret()), known("A", "B"), "replaced uid-secret A, keeps B"),
    # What people and tools do to a Secret.
    ("somebody wrote a key of his own", "A", Present(a_secret(intact=False)), known("A"), "recorded A, replaced uid-secret, keeps A"),
    ("somebody did, and status is lost", "A", Present(a_secret(intact=False)), known(), "recorded A, replaced uid-secret, keeps A"),
    ("somebody did, and a former key works on", "AB", Present(a_secret("B", intact=False)), known("B", "A"),
     "recorded B, replaced uid-secret A, keeps B"),
    ("somebody changed what is beside the key", "A", Present(a_secret(content=False)), known("A"), "claimed"),
    ("somebody changed the name of the key", "A", Present(a_secret("X", named=False)), known("A"), "patched"),
    ("somebody wrote the name of the former key over it", "AB", Present(a_secret("A", named=False)), known("B", "A"), "patched"),
    ("somebody changed it and changed it back", "A", Present(a_secret(named=False)), known("A"), "kept"),
    ("somebody took the name of the key away, and status is lost", "A", Present(a_secret("", named=False)), known(),
     "replaced uid-secret A"),
    ("somebody did, and a key is there that status does not know", "AB", Present(a_secret("", named=False)), known("A"),
     "recorded A, replaced uid-secret B, keeps A"),
    ("a backup brought the Secret back with an old key", "B", Present(a_secret(intact=False, named=False)), known("B"),
     "recorded B, replaced uid-secret, keeps B"),
    ("somebody made it immutable", "A", Present(a_secret(locked=True)), known("A"), "kept"),
    ("it is immutable, and must say something new", "A", Present(a_secret(locked=True, content=False)), known("A"),
     "recorded A, replaced uid-secret, keeps A"),
    # Whose it is.
    ("the Secret is somebody else's", "A", Present(marked(None, ownerReferences=[])), known("A"), reasons.NOT_OWNED),
    ("it is another product's", "A", Present(marked("DataProduct/sales/other/uid-1")), known("A"), reasons.NOT_OWNED),
    ("it is a request's of that name", "A", Present(marked("AccessRequest/sales/orders/uid-1")), known("A"), reasons.NOT_OWNED),
    ("it is a product's of that name elsewhere", "A", Present(marked("DataProduct/inventory/orders/uid-1")), known("A"),
     reasons.NOT_OWNED),
    ("it is an earlier incarnation's", "A", Present(marked(EARLIER)), known("A"), "patched"),
    ("it was restored with an earlier owner", "A", Present(marked(EARLIER, intact=False, named=False)), known("A"),
     "recorded A, replaced uid-secret, keeps A"),
    ("somebody took our mark off", "A", Present(marked(None)), known("A"), "patched"),
    ("somebody wrote nonsense over our mark", "A", Present(marked("theirs")), known("A"), "patched"),
    # What has to be waited for.
    ("the Secret is being deleted", "A", Present(a_secret(deletionTimestamp="2026-01-01T00:00:00Z")), known("A"),
     reasons.SECRET_TERMINATING),
    ("the Secret cannot be read", "A", SILENT, known("A"), "ClusterUnavailable"),
    ("the key is new, and does not show yet", "", Present(a_secret(age=9)), known(), reasons.NOT_VISIBLE_YET),
    ("the key is new, does not show yet, and another does", "B", Present(a_secret(age=9)), known("B"), reasons.NOT_VISIBLE_YET),
    ("the key should show by now", "", Present(a_secret(age=10)), known(), "replaced uid-secret"),
    ("the key is new, shows, and is switched off", "a", Present(a_secret(age=1)), known(), "replaced uid-secret A"),
    ("the key is new, and somebody wrote another over it", "", Present(a_secret(age=1, intact=False)), known(), "replaced uid-secret"),
)  # fmt: skip


def told(steps: Steps) -> str:
    """What is done, in a few words and the keys that go."""
    if steps.stop is not None:
        assert steps.operations == ()
        return steps.stop.reason
    return ", ".join(filter(None, map(_word, steps.operations))) or "kept"


def _word(operation: object) -> str:
    match operation:
        case Record(fields=(("former", (key, until, token)),)):
            assert (until, token) == (START + timedelta(hours=1), "")
            return f"recorded {key}"
        case ReplaceKey():
            keeps = (f", keeps {operation.keeps}",) if operation.keeps else ("",)
            return " ".join(("replaced", operation.uid or "new", *operation.surplus)) + keeps[0]
        case ClaimSecret():
            return "claimed"
        case PatchSecret():
            return "patched"
        case DeleteKey():
            return f"deleted {operation.key_id}"
        case Announce():
            return ""
    raise TypeError(operation)


@pytest.mark.parametrize(("keys", "secret", "history", "wanted"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_what_becomes_of_keys_and_secret(keys: str, secret: Seen[Manifest], history: History, wanted: str) -> None:
    assert told(planned(keys, secret, history)) == wanted


def test_a_key_that_was_replaced_works_on_while_its_time_runs() -> None:
    assert told(planned("AB", Present(a_secret("B")), known("B", "A"))) == "kept"
    assert told(planned("AB", Present(a_secret("B")), known("B", "A", until=OVER))) == "deleted A"
    assert told(planned("ABC", Present(a_secret("B")), known("B", "A"))) == "deleted C"


def test_until_when_the_old_key_works_is_told() -> None:
    (announced,) = (one for one in planned("A", Absent(), known("A")).operations if isinstance(one, Announce))
    assert "works until 01:00 UTC" in announced.event.note
    (announced,) = (one for one in planned("A", Absent(), known("A", "A")).operations if isinstance(one, Announce))
    assert "works until 00:30 UTC" in announced.event.note


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
    product = planned("A", Present(marked(None, ownerReferences=[]))).stop
    assert isinstance(product, Terminal)
    assert "spec.producer.secretName" in product.message
    asking = replace(OWNER, key=Key("AccessRequest", "inventory", "r"))
    request = plan_keys(replace(BINDING, owner=asking), b.want_principal(BINDING), Present(a_secret()), known(), Moment(START)).stop
    assert isinstance(request, Terminal)
    assert "spec.secretName" in request.message


def test_what_is_waited_for_needs_nobody_to_act() -> None:
    assert isinstance(planned("", Present(a_secret(age=1))).stop, Waiting)


@pytest.mark.parametrize(
    ("history", "reason", "when"),
    [
        (known("B", "A", token="2", handled="1"), reasons.ROTATION_PENDING, "rotate=2 replaces it at 00:30 UTC, when the key"),
        (known("B", "A", until=None, token="2", handled="1"), reasons.ROTATION_PENDING, "rotate=2 replaces it once the key"),
        (known("B", "A", until=OVER, token="2", handled="1"), reasons.READY, ""),
        (known("B", token="2", handled="1"), reasons.READY, ""),
        (known("B", "A", token="1", handled="1"), reasons.READY, ""),
        (known("B", "A"), reasons.READY, ""),
    ],
    ids=["the former key works", "it has no end yet", "its time is over", "there is none", "the token was handled", "nothing is asked"],
)
def test_a_new_key_that_has_to_wait_is_told_with_the_moment(history: History, reason: str, when: str) -> None:
    """Whoever asks for a second rotation within the hour sees until when it waits."""
    said, message = told_of_keys(history, Moment(START))
    assert (said, message.startswith("Principal, policy, key and Secret were read back"), when in message) == (reason, True, True)
    assert ("that was replaced before ends" in message) is bool(when)
