"""What a DataProduct's conditions say: what was read back, what mode and suspend keep from being done, and whether access was cut off."""

from typing import Any, Final

import pytest

from clouddatamesh.api.fields import parse_time
from clouddatamesh.api.v1alpha1.dataproduct import DataProduct
from clouddatamesh.model.evidence import Absent
from clouddatamesh.model.objects import Manifest
from clouddatamesh.model.plan import Operation, Part, Plan, Steps
from clouddatamesh.model.store_operations import DeleteKey, EmptyBucket
from clouddatamesh.plan.credentials import fingerprint
from tests.support.manifests import a_request
from tests.unit.product_scene import (
    ISSUED,
    NOT_READY,
    PRODUCER,
    RECORDED,
    SILENT,
    STRANGERS,
    look,
    said,
    served,
    told,
    user,
)

SERVED: Final = {"Ready": "True Ready", "StorageReady": "True Ready", "CredentialsReady": "True Ready", "DriftDetected": "False InSync"}
ROTATE: Final = "clouddatamesh.dev/rotate"


def withheld(*parts: str) -> Plan:
    """A plan that changes something in these parts."""
    changes: dict[str, Operation] = {"storage": EmptyBucket("b"), "credentials": DeleteKey("p", "A")}
    return Plan((Part("inbox"), *(Part(name, Steps((changes[name],))) for name in parts)))


def test_a_product_that_was_read_back_is_ready() -> None:
    """What was changed in this look is nothing that is withheld."""
    for full in (Plan(), withheld("storage", "credentials")):
        outcome = look(full=full)
        assert (said(outcome), outcome.stalled) == (SERVED, False)
        assert outcome.ready.message == "Everything asked for was read back"


@pytest.mark.parametrize(
    ("spec", "reason", "way_out"),
    [
        ({"mode": "Plan"}, "Planned", "see status.plan, and set spec.mode to Manage to have them made"),
        ({"mode": "Observe"}, "Observed", "set spec.mode to Manage to have them made"),
        ({"suspend": True}, "Suspended", "set spec.suspend to false to have them made"),
        ({"mode": "Plan", "suspend": True}, "Planned", "see status.plan, and set spec.mode to Manage to have them made"),
    ],
)
def test_a_product_that_is_not_managed_says_what_is_not_done(spec: dict[str, Any], reason: str, way_out: str) -> None:
    """It is Stalled while anything is withheld, and Ready where nothing differs."""
    differs = look(served(**spec), full=withheld("storage", "credentials"))
    assert (said(differs)["Ready"], differs.stalled) == (f"False {reason}", True)
    assert differs.ready.message == f"2 changes are not made, the first: empty bucket b; {way_out}"
    assert (said(differs)["DriftDetected"], told(differs, "DriftDetected")) == (
        "True Drifted",
        "empty bucket b; delete a key of principal p",
    )
    same = look(served(**spec))
    assert (said(same), same.stalled) == ({**SERVED, "Ready": f"True {reason}"}, False)
    assert same.ready.message == "Everything asked for was read back; nothing is written"
    plans = [list(outcome.fields.get("plan", ())) for outcome in (differs, same)]
    assert plans == [["empty bucket b", "delete a key of principal p"] if "mode" in spec and spec["mode"] == "Plan" else [], []]


@pytest.mark.parametrize(("lifecycle", "reason"), [("active", "Ready"), ("deprecated", "Ready"), ("retired", "Retired")])
def test_a_product_that_is_retired_says_so(lifecycle: str, reason: str) -> None:
    """Its bucket and its producer are served as before."""
    assert said(look(served(lifecycle=lifecycle))) == {**SERVED, "Ready": f"True {reason}"}


@pytest.mark.parametrize("storage", [True, False])
def test_a_product_that_is_proposed_is_ready_and_has_nothing(storage: bool) -> None:
    """Nothing is read back of what is not made yet."""
    outcome = look(served(storage=storage, lifecycle="proposed", status={}), bucket=Absent(), principal=Absent(), secret=Absent())
    assert said(outcome) == {"Ready": "True Proposed", "DriftDetected": "False InSync"}


def test_a_product_without_storage_has_nothing_that_could_differ() -> None:
    """Nor has it credentials."""
    assert said(look(served(storage=False, status={}), bucket=Absent())) == {"Ready": "True Ready", "DriftDetected": "False InSync"}


# The bucket.


@pytest.mark.parametrize(
    ("spec", "bucket", "parts", "storage", "drift"),
    [
        ({}, None, (), "True Ready", "False InSync"),
        ({}, None, ("storage",), "True Ready", "False InSync"),
        ({"suspend": True}, None, ("storage",), "Unknown Drifted", "True Drifted"),
        ({"suspend": True}, None, ("credentials",), "True Ready", "True Drifted"),
        ({}, SILENT, (), "Unknown StoreUnavailable", "Unknown Observed"),
        ({}, Absent(), (), "False Observed", "Unknown Observed"),
        ({}, STRANGERS, (), "False Observed", "Unknown Observed"),
        ({"suspend": True}, Absent(), ("storage",), "False Observed", "True Drifted"),
    ],
    ids=["it is as it should be", "it was repaired", "it differs, and is suspended", "credentials differ, and it is suspended",
         "the store is silent", "it is not there", "it is another product's", "it is not there, and is suspended"],
)  # fmt: skip
def test_what_is_told_of_the_bucket(spec: dict[str, Any], bucket: Any, parts: tuple[str, ...], storage: str, drift: str) -> None:
    """It is Ready only where it was read back as this product's and as it should be."""
    outcome = look(served(**spec), full=withheld(*parts), **({"bucket": bucket} if bucket is not None else {}))
    assert (said(outcome)["StorageReady"], said(outcome)["DriftDetected"]) == (storage, drift)


# The producer.


@pytest.mark.parametrize(
    ("parts", "credentials"),
    [
        ({}, "True Ready"),
        ({"principal": SILENT}, "Unknown StoreUnavailable"),
        ({"secret": SILENT}, "Unknown StoreUnavailable"),
        ({"store": None}, "Unknown StoreUnavailable"),
        ({"principal": Absent()}, "Unknown Reconciling"),
        ({"principal": user(policy=None)}, "Unknown Reconciling"),
        ({"principal": user("")}, "Unknown Reconciling"),
        ({"principal": user("a")}, "Unknown Reconciling"),
        ({"secret": Absent()}, "Unknown Reconciling"),
        ({"bucket": SILENT}, "Unknown NotOwned"),
        ({"bucket": STRANGERS}, "Unknown NotOwned"),
        ({"bucket": STRANGERS, "principal": Absent()}, "Unknown Reconciling"),
    ],
    ids=["all is there", "the user cannot be read", "the Secret cannot be read", "there is no store", "no user", "no policy", "no key",
         "the key is switched off", "no Secret", "the bucket cannot be read", "the bucket is another product's", "and the user is gone"],
)  # fmt: skip
def test_what_is_told_of_the_producers_credentials(parts: dict[str, Any], credentials: str) -> None:
    """They are Ready only with policy, key and Secret, and with the bucket that they are for."""
    assert said(look(**parts))["CredentialsReady"] == credentials


@pytest.mark.parametrize(
    ("annotations", "producer", "told_of"),
    [({ROTATE: "1"}, None, "False InvalidSpec"), ({}, None, ""), ({ROTATE: "1"}, {"secretName": "s"}, "True Ready")],
    ids=["there is no key to replace", "nothing is asked", "the key is replaced"],
)
def test_a_rotation_that_replaces_nothing_is_told(annotations: dict[str, str], producer: Any, told_of: str) -> None:
    """An annotation that is ignored in silence looks as if it had worked."""
    assert (
        said(look(served(annotations=annotations, producer=producer, status={**RECORDED, "producer": None}))).get("CredentialsReady", "")
        == told_of
    )


# Inputs.


@pytest.mark.parametrize(
    ("ports", "missing", "condition", "inputs"),
    [
        ([], (), ("", ""), []),
        (["stock"], (), ("True Ready", "Every input port is satisfied"), [{"name": "stock", "satisfied": True}]),
        (
            ["stock", "prices"],
            (("stock", "stock has no access"),),
            ("False InputsMissing", "stock has no access"),
            [{"name": "stock", "satisfied": False, "message": "stock has no access"}, {"name": "prices", "satisfied": True}],
        ),
        (
            ["stock", "prices"],
            (("stock", "a"), ("prices", "b")),
            ("False InputsMissing", "a; b"),
            [{"name": "stock", "satisfied": False, "message": "a"}, {"name": "prices", "satisfied": False, "message": "b"}],
        ),
    ],
    ids=["it has none", "all are there", "one is missing", "both are missing"],
)
def test_each_input_that_is_missing_is_told(
    ports: list[str], missing: tuple[tuple[str, str], ...], condition: tuple[str, str], inputs: list[dict[str, Any]]
) -> None:
    """With the sentence that says what is missing; a product is Ready all the same."""
    outcome = look(served(inputPorts=[{"name": name, "external": {"type": "http", "description": "x"}} for name in ports]), inputs=missing)
    assert (said(outcome).get("InputsReady", ""), told(outcome, "InputsReady")) == condition
    assert (outcome.fields["inputPorts"], said(outcome)["Ready"]) == (inputs, "True Ready")


# Access that the owner cuts off.

HOURLY: Final = {"name": "hourly", "version": "1.0.0", "path": "hourly/", "format": "parquet"}
DAILY: Final = {"name": "daily", "version": "1.0.0", "path": "daily/", "format": "parquet"}


def asking(port: str, *, has_access: bool = True) -> Manifest:
    """A request for a port; with access, or without."""
    request = a_request(outputPort={"name": port, "version": "1.3.0"})
    return {**request, "status": {"grantRef": {"uid": "uid-yes"}, **DENIED} if has_access else DENIED}


def doubtful(**status: Any) -> Manifest:
    """A request for port daily without a grant, of which status says more."""
    return {**asking("daily"), "status": {**DENIED, **status}}


DENIED: Final = {"conditions": [{"type": "Ready", "status": "False", "reason": "Denied"}]}
TAKING: Final = [*DENIED["conditions"], {"type": "Provisioned", "status": "False", "reason": "AccessDenied"}]
LEFT: Final = [*DENIED["conditions"], {"type": "Provisioned", "status": "Unknown", "reason": "Abandoned"}]


@pytest.mark.parametrize(
    ("wanted", "requests", "condition", "message"),
    [
        ("", (asking("daily"),), "", ""),
        (" , ", (asking("daily"),), "", ""),
        ("orders", (), "True CutOff", "Access of orders is ended for as long as the annotation is there"),
        ("orders", (asking("daily"), asking("hourly")), "Unknown CutOff", "of 2 requests it is still being taken away"),
        ("orders", (asking("daily", has_access=False),), "True CutOff", "Access of orders is ended"),
        ("daily/1.0.0", (asking("daily"), asking("hourly")), "Unknown CutOff", "of 1 requests it is still being taken away"),
        ("daily/1.9.9", (asking("daily"),), "Unknown CutOff", "of 1 requests it is still being taken away"),
        ("daily/1.0.0", (asking("hourly"), asking("daily", has_access=False)), "True CutOff", "Access of daily/1.0.0 is ended"),
        ("daily/1.0.0,hourly/1.0.0", (asking("daily"), asking("hourly")), "Unknown CutOff", "of 2 requests"),
        ("former/1.0.0", (asking("former"), asking("daily")), "Unknown CutOff", "of 1 requests"),
        ("orders", (doubtful(conditions=TAKING),), "Unknown CutOff", "of 1 requests it is still being taken away"),
        ("orders", (doubtful(conditions=[]),), "Unknown CutOff", "of 1 requests it is still being taken away"),
        ("orders", (doubtful(conditions=LEFT, abandoned="main"),), "Unknown CutOff", "of 1 requests users were left in an ObjectStore"),
        ("hourly/1.0.0", (doubtful(conditions=LEFT, abandoned="main"),), "True CutOff", "Access of hourly/1.0.0 is ended"),
        ("order", (asking("daily"),), "False InvalidSpec", "names order, which is neither this product nor one of its ports"),
        ("daily", (), "False InvalidSpec", "write orders, or a port as daily/1.0.0"),
        ("daily/2.0.0", (), "False InvalidSpec", "names daily/2.0.0, which"),
        ("orders, x, y/1.0.0", (), "False InvalidSpec", "names x, y/1.0.0, which"),
    ],
    ids=["nothing", "only commas", "the product, which nobody reads", "the product", "the product, and nobody has access yet", "a port",
         "a port by another minor version", "a port that nobody reads", "two ports", "a port that left the spec",
         "a lost cluster's user is refused to end", "nobody looked yet", "left in a store that was given up", "left, and of another port",
         "a word with a mistake",
         "a port without version", "another major version", "words with mistakes among others"],
)  # fmt: skip
def test_an_owner_in_a_hurry_sees_whether_access_is_cut_off(
    wanted: str, requests: tuple[Manifest, ...], condition: str, message: str
) -> None:
    """What is misspelled ends nothing, and that is said; what is not taken yet may still work."""
    former = [{"name": "former", "version": "1.0.0", "path": "former/"}]
    product = served(
        annotations={"clouddatamesh.dev/cut-off": wanted}, outputPorts=[DAILY, HOURLY], status={**RECORDED, "outputPorts": former}
    )
    outcome = look(product, requests=requests)
    assert (said(outcome).get("CutOff", ""), message in told(outcome, "CutOff")) == (condition, True)


# When it is reconciled again.

SOON: Final = "2026-01-01T00:30:00Z"


def rotating(until: str = SOON, **spec: Any) -> DataProduct:
    """A product whose key was replaced; the former one works until then."""
    return served(status={**RECORDED, "producer": {**PRODUCER, "rotation": {"key": fingerprint("B"), "until": until}}}, **spec)


@pytest.mark.parametrize(
    ("product", "due"),
    [
        (served(), None),
        (rotating(), SOON),
        (rotating(producer=None), None),
        (rotating("2025-12-31T00:00:00Z"), None),
        (rotating("2026-01-01T00:00:00Z"), None),
        (served(producer={"secretName": "orders-producer", "rotateAfter": "40d"}), "2026-01-10T00:00:00Z"),
        (served(producer={"secretName": "orders-producer", "rotateAfter": "31d"}), None),
        (rotating(producer={"secretName": "orders-producer", "rotateAfter": "40d"}), SOON),
    ],
    ids=["nothing changes by time", "a former key ends", "no credentials are wanted any more", "a former key ended", "it ends exactly now",
         "the key is to be replaced", "it is due exactly now", "the first of two"],
)  # fmt: skip
def test_it_is_reconciled_again_when_time_alone_changes_something(product: DataProduct, due: str | None) -> None:
    """What is due now is not waited for: that would be a busy loop."""
    assert look(product, principal=user("AB")).due == (parse_time(due) if due else None)


def test_an_obstacle_changes_nothing_of_what_was_read_back() -> None:
    """The part that waits says why."""
    assert said(look(obstacle=NOT_READY)) == SERVED
    assert ISSUED in str(look(obstacle=NOT_READY).fields)
