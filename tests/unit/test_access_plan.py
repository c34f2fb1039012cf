"""What a decision on access comes to: what is taken first, what the port answers, what grants are to remember, what is given, and when."""

from dataclasses import replace
from datetime import timedelta
from typing import Any, Final

import pytest

from clouddatamesh import reasons
from clouddatamesh.api.v1alpha1.accessrequest import AccessRequest
from clouddatamesh.errors import Transient, Waiting
from clouddatamesh.model.access import Ask
from clouddatamesh.model.evidence import Absent, Present, Unknown, value_of
from clouddatamesh.model.identity import AccessKey, Principal
from clouddatamesh.model.operations import Announce, CreateChild, DeleteChild, HoldGrant, HoldObject, MarkGrant, Record
from clouddatamesh.model.plan import Operation, Part
from clouddatamesh.model.store_operations import (
    CreatePrincipal,
    DeleteKey,
    DeletePolicy,
    DeletePrincipal,
    DetachPolicy,
    PutPolicy,
    ReplaceKey,
)
from clouddatamesh.model.world import AccessWorld
from clouddatamesh.plan.access.request import plan
from clouddatamesh.plan.access.taking import RECORD
from clouddatamesh.plan.marks import FINALIZER
from tests.support.worlds import the_store
from tests.unit.access_running import running
from tests.unit.access_scene import MADE, TOO_LONG, Scene, approve, capped, going, read

SILENT: Final = Unknown(Transient("StoreUnavailable", "The store does not answer"))
ISSUED: Final = "clouddatamesh.dev/access-key-issued-at"

HELD: Final = (FINALIZER,)


def part(name: str, ask: Ask, world: AccessWorld) -> Part:
    """One part of the plan."""
    return next(found for found in plan(ask, world).parts if found.name == name)


def kinds(operations: tuple[Operation, ...]) -> list[type[Any]]:
    return [type(operation) for operation in operations]


def revoked() -> tuple[Ask, AccessWorld]:
    """Access runs, and its grant was deleted."""
    ask, world = running()
    return ask, replace(world, answers=())


def principal_of(world: AccessWorld) -> Principal:
    found = value_of(world.principal)
    assert found is not None
    return found


def test_access_that_is_as_it_should_be_is_left_alone() -> None:
    assert all(found.is_settled for found in plan(*running()).parts)


def test_that_its_store_is_not_seen_is_said_of_access_that_is_kept() -> None:
    ask, world = running()
    hidden = replace(world, store=None, obstacle=SILENT.error)
    assert part("giving", ask, hidden).stop == SILENT.error
    assert part("giving", ask, replace(hidden, answers=())).stop is None
    assert part("giving", replace(ask, readable=False), hidden).stop is None


def test_rights_and_keys_go_each_by_itself_and_then_the_user() -> None:
    """One call that is refused keeps no other from ending the access."""
    ask, world = revoked()
    taking = part("taking", ask, world)
    assert (kinds(taking.operations), taking.stop, taking.each) == ([DeletePolicy, DeleteKey], None, True)
    assert part("former", ask, world).each
    bare = replace(world, principal=Present(replace(principal_of(world), policy=None)))
    assert kinds(part("taking", ask, bare).operations) == [DeleteKey]
    empty = replace(world, principal=Present(replace(principal_of(world), policy=None, keys=())))
    assert kinds(part("taking", ask, empty).operations) == [DeletePrincipal]
    assert part("taking", ask, replace(world, principal=Absent())).is_settled


def test_rights_that_nobody_gave_go_from_access_that_runs() -> None:
    ask, world = running()
    wider = replace(principal_of(world), attached=("arn:aws:iam::aws:policy/AdministratorAccess",), other_policies=("more",))
    assert kinds(part("taking", ask, replace(world, principal=Present(wider))).operations) == [DeletePolicy, DetachPolicy]


@pytest.mark.parametrize(
    ("arn", "stays"),
    [
        ("arn:aws:iam::aws:policy/AWSCompromisedKeyQuarantine", True),
        ("arn:aws:iam::aws:policy/AWSCompromisedKeyQuarantineV3", True),
        ("arn:aws-us-gov:iam::aws:policy/AWSCompromisedKeyQuarantineV2", True),
        ("arn:aws:iam::123456789012:policy/AWSCompromisedKeyQuarantineV2", False),
        ("arn:aws:iam::123456789012:policy/AllowAll-AWSCompromisedKeyQuarantine", False),
        ("arn:aws:iam::aws:policy/AdministratorAccess", False),
        ("arn:aws:iam::123456789012:policy/arn:aws:iam::aws:policy/AWSCompromisedKeyQuarantine", False),
    ],
)
def test_only_the_clouds_own_quarantine_stays_on_access_that_runs(arn: str, stays: bool) -> None:
    ask, world = running()
    quarantined = replace(principal_of(world), attached=(arn,))
    assert kinds(part("taking", ask, replace(world, principal=Present(quarantined))).operations) == ([] if stays else [DetachPolicy])


def test_the_secret_goes_apart_from_the_user() -> None:
    ask, world = revoked()
    for principal in (world.principal, SILENT, Absent()):
        assert kinds(part("secret", ask, replace(world, principal=principal)).operations) == [DeleteChild]
    secret = value_of(world.secret)
    assert secret is not None
    leaving = Present({**secret, "metadata": {**secret["metadata"], "deletionTimestamp": MADE}})
    assert part("secret", ask, replace(world, secret=leaving)).is_settled


def test_a_secret_of_somebody_else_stays() -> None:
    ask, world = revoked()
    assert part("secret", replace(ask, key=replace(ask.key, name="another"), uid="another"), world).is_settled


def test_what_cannot_be_seen_is_not_called_gone() -> None:
    ask, world = revoked()
    taking = part("taking", ask, replace(world, principal=SILENT))
    assert (taking.operations, taking.stop) == ((), SILENT.error)
    assert part("taking", replace(ask, place=None), replace(world, principal=SILENT)).is_settled


def test_a_user_of_another_mesh_is_left() -> None:
    ask, world = revoked()
    foreign = Present(replace(principal_of(world), path="/clouddatamesh/other/", tags=(), keys=(AccessKey("THEIRS"),)))
    assert part("taking", ask, replace(world, principal=foreign)).is_settled


@pytest.mark.parametrize("spec", [{"purpose": TOO_LONG}, {}])
def test_what_cannot_be_read_takes_nothing_and_gives_nothing(spec: dict[str, Any]) -> None:
    ask, world = running()
    assert world.offer is not None
    broken = (
        (replace(ask, readable=False), replace(world, request=None))
        if spec
        else (ask, replace(world, offer=replace(world.offer, readable=False)))
    )
    assert plan(*broken).operations == ()


def test_a_store_that_was_given_up_is_told_of_and_forgotten() -> None:
    ask, world = revoked()
    told, record = part("taking", ask, replace(world, abandoned=True, principal=Absent())).operations
    assert isinstance(told, Announce)
    assert (told.event.type, told.event.reason) == ("Warning", reasons.ABANDONED)
    assert "acme-orders" in told.event.note and ask.principal in told.event.note
    assert record == Record((*((field, None) for field in RECORD), ("abandoned", "main"), ("abandonedStoreId", None)))
    assert part("taking", replace(ask, place=None), replace(world, abandoned=True)).is_settled


# The port's own answer.


def auto(**differs: Any) -> tuple[Ask, AccessWorld]:
    """A request at a port that approves by itself."""
    access = {"approval": "Auto", **differs.pop("access", {})}
    scene = Scene(access=access, grants=(), **differs)
    return scene.ask(), replace(scene.world(), request=AccessRequest.model_validate(scene.request()))


def answered(**differs: Any) -> dict[str, Any]:
    """The grant that the port makes."""
    (made,) = part("answer", *auto(**differs)).operations
    assert isinstance(made, CreateChild)
    return dict(made.manifest)


@pytest.mark.parametrize(
    ("duration", "access", "until"),
    [
        ("90d", {}, "2026-05-30T00:00:00Z"),
        ("90d", {"maxDuration": "30d"}, "2026-03-31T00:00:00Z"),
        ("90d", {"maxDuration": "365d"}, "2026-05-30T00:00:00Z"),
        ("1m", {}, "2026-03-01T01:00:00Z"),
        ("1m", {"minDuration": "12h"}, "2026-03-01T12:00:00Z"),
        ("1m", {"minDuration": "12h", "maxDuration": "2h"}, "2026-03-01T02:00:00Z"),
    ],
)
def test_how_long_a_port_gives_by_itself(duration: str, access: dict[str, Any], until: str) -> None:
    grant = answered(asks={"duration": duration}, access=access)
    assert grant["spec"]["validUntil"] == until
    assert "permanent" not in grant["spec"]


def test_a_port_answers_exactly_what_is_asked() -> None:
    ask, _ = auto()
    grant = answered()
    answer = read({**grant, "metadata": {**grant["metadata"], "uid": "u", "creationTimestamp": MADE}})
    assert answer.readable
    assert (answer.decision, answer.request, answer.consumer, answer.mode, answer.port) == (
        "Approve",
        ask.key,
        ask.consumer,
        ask.mode,
        ask.port,
    )
    assert answer.owner.endswith("/uid-request")
    lasting = answered(asks={"permanent": True, "duration": None}, access={"allowPermanent": True})
    assert lasting["spec"]["permanent"] is True
    assert "validUntil" not in lasting["spec"]


def test_a_port_makes_one_grant_for_a_request_and_one_for_each_renewal() -> None:
    names = [answered(asks=asks)["metadata"]["name"] for asks in ({}, {}, {"renewal": {"requestedAt": "2026-02-25T00:00:00Z"}})]
    assert names[0] == names[1] != names[2]
    assert answered(asks={"renewal": {"requestedAt": "2026-02-26T00:00:00Z"}})["metadata"]["name"] not in names


def test_a_port_answers_again_only_once_its_former_answer_is_gone() -> None:
    ask, world = running(access={"approval": "Auto"})
    leaving = replace(world, answers=tuple(read(going(approve())) for _ in "1"), answer_exists=True)
    answer = part("answer", ask, leaving)
    assert answer.operations == ()
    assert isinstance(answer.stop, Waiting)
    assert kinds(part("taking", ask, leaving).operations) == [DeletePolicy, DeleteKey]
    assert kinds(part("answer", ask, replace(leaving, answers=(), answer_exists=False)).operations) == [CreateChild]


def test_an_answer_that_is_waited_for_keeps_no_other_part_from_its_work() -> None:
    assert [found.after for found in plan(*auto()).parts if found.name in ("taking", "secret", "answer")] == [(), (), ()]


# What grants are to remember.


def test_older_approvals_are_marked_with_the_name_of_the_newer() -> None:
    newer, older = approve("newer", made="2026-02-26T00:00:00Z"), approve("older")
    scene = Scene(grants=(newer, older), runs_on="newer")
    marked = part("marks", scene.ask(), scene.world())
    (mark,) = marked.operations
    assert isinstance(mark, MarkGrant)
    assert (mark.uid, mark.superseded_by, mark.max_duration) == ("uid-older", "newer", "")


@pytest.mark.parametrize(
    ("grant", "access", "cap"),
    [
        (approve(), {}, None),
        (approve(), {"maxDuration": "90d"}, "90d0h0m"),
        (approve(), {"maxDuration": "60d12h30m"}, "60d12h30m"),
        (capped(approve(), "30d"), {"maxDuration": "90d"}, None),
        (capped(approve(), "90d"), {"maxDuration": "30d"}, None),
    ],
)
def test_the_cap_under_which_access_is_given_is_recorded_once(grant: Any, access: dict[str, Any], cap: str | None) -> None:
    scene = Scene(grants=(grant,), access=access)
    found = part("marks", scene.ask(), scene.world()).operations
    assert [operation.max_duration for operation in found if isinstance(operation, MarkGrant)] == ([cap] if cap else [])


# Giving.


def fresh(**differs: Any) -> tuple[Ask, AccessWorld]:
    """A request that was granted, and for which nothing was made yet."""
    scene = Scene(**differs)
    return scene.ask(), replace(scene.world(), request=AccessRequest.model_validate(scene.request()), store=the_store())


def test_no_key_exists_before_the_policy_was_read_back() -> None:
    giving = part("giving", *fresh())
    assert kinds(giving.operations) == [HoldObject, Record, HoldGrant, CreatePrincipal, PutPolicy]
    assert giving.after == ("taking", "marks")
    ask, world = running("")
    assert kinds(part("giving", ask, world).operations) == [HoldGrant, ReplaceKey]
    without = replace(world, principal=Present(replace(principal_of(world), policy=None)))
    assert kinds(part("giving", ask, without).operations) == [HoldGrant, PutPolicy]


def test_nothing_is_given_while_the_store_does_not_serve() -> None:
    ask, world = fresh()
    for doubt in (replace(world, obstacle=SILENT.error), replace(world, principal=SILENT)):
        giving = part("giving", ask, doubt)
        assert (giving.operations, giving.stop) == ((), SILENT.error)


def test_a_user_of_our_name_that_is_not_ours_is_left() -> None:
    ask, world = running()
    giving = part("giving", ask, replace(world, principal=Present(replace(principal_of(world), path="/"))))
    assert giving.operations == ()
    assert giving.stop is not None
    assert giving.stop.reason == reasons.NOT_OWNED


@pytest.mark.parametrize(("age", "waits"), [(5, True), (3600, False)])
def test_a_user_that_does_not_show_yet_is_waited_for_while_its_key_is_new(age: int, waits: bool) -> None:
    ask, world = running()
    secret = value_of(world.secret)
    assert secret is not None
    issued = f"{world.now - timedelta(seconds=age):%Y-%m-%dT%H:%M:%SZ}"
    annotations = {**secret["metadata"]["annotations"], ISSUED: issued}
    late = Present({**secret, "metadata": {**secret["metadata"], "annotations": annotations}})
    giving = part("giving", ask, replace(world, principal=Absent(), secret=late))
    assert (giving.stop is not None and giving.stop.reason == reasons.NOT_VISIBLE_YET) is waits
    assert (CreatePrincipal in kinds(giving.operations)) is not waits
