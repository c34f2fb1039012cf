"""Moments of a clock that was wrong: none of them is written while it is not trusted, and none that it wrote before is believed after."""

from dataclasses import replace
from datetime import timedelta
from typing import Any, Final

import pytest

from clouddatamesh.api.fields import parse_time
from clouddatamesh.model.objects import Key
from clouddatamesh.plan import marks
from clouddatamesh.reconcile.dispatch import reconcile
from tests.reconcile.access_flows import REQUEST, disown, granted, principal
from tests.reconcile.flows import ENDPOINT
from tests.reconcile.test_access import SECRET
from tests.reconcile.test_adoption import PRODUCT, held, legacy, reason, wish
from tests.reconcile.test_takeover import a_mesh, inventory, lost_mesh, sales, users
from tests.support.manifests import a_grant, a_product, a_request, annotated
from tests.support.mesh import Mesh

OFF: Final = pytest.mark.parametrize("off", [timedelta(days=-3), timedelta(days=3)], ids=["behind", "ahead"])
PRODUCERS: Final = Key("Secret", "sales", "orders-producer")
_OTHERS: Final = ("conditions", "validFrom", "decidedAt", "validUntil", "capabilities", "probedAt")
STRAY: Final = "inventory-x-aaaaaaaaaaaaaaaa"


def wrong(mesh: Mesh, off: timedelta) -> Mesh:
    """The node's clock is set, and the API server's answers tell."""
    mesh.clock.trusted = False
    mesh.clock.time += off
    return mesh


def right(mesh: Mesh, off: timedelta) -> Mesh:
    """Some seconds later it is right again, and everything was looked at once."""
    mesh.clock.trusted = True
    mesh.clock.time += timedelta(seconds=20) - off
    return mesh.settle()


def later(mesh: Mesh, **delta: float) -> Mesh:
    mesh.clock.forward(**delta)
    return mesh.settle()


def keys(mesh: Mesh, user: str) -> list[str]:
    found = mesh.stores.at(ENDPOINT).users.get(user)
    return sorted(key.id for key in found.keys if key.active) if found is not None else []


def moments(found: Any) -> list[str]:
    """Every moment in a status but those of conditions, the API server's own, and those of probes, by which nothing ends."""
    if isinstance(found, dict):
        return [moment for name, value in found.items() if name not in _OTHERS for moment in moments(value)]
    if isinstance(found, list):
        return [moment for value in found for moment in moments(value)]
    return [found] if isinstance(found, str) and _is_moment(found) else []


def _is_moment(text: str) -> bool:
    try:
        return bool(parse_time(text))
    except ValueError:
        return False


def disturbed(off: timedelta) -> Mesh:
    """All that writes a moment: lost Secrets, a stray user, a bucket that is another's, an adoption, a rotation that is asked for."""
    mesh = wrong(granted(Mesh()), off)
    for secret in (SECRET, PRODUCERS):
        mesh.cluster.user_delete(secret)
    stray(mesh)
    mesh.apply(a_request("late", secretName="late"), a_grant("late", requestRef={"namespace": "inventory", "name": "late"}))
    mesh.settle()
    disown(mesh)
    return mesh.settle()


def stray(mesh: Mesh) -> None:
    store = mesh.stores.at(ENDPOINT)
    own = store.users[principal(mesh)]
    store.users[STRAY] = replace(own, name=STRAY, tags=(), keys=tuple(replace(key, id="KEYX") for key in own.keys))


@OFF
def test_no_status_gets_a_moment_of_a_clock_that_is_not_trusted(off: timedelta) -> None:
    mesh = disturbed(off)
    for world in (mesh, wrong(legacy(), off).apply(wish(adoptionDelay="2d")).settle(), _rebuilt(off)):
        written = {
            (kind, found["metadata"]["name"]): late
            for kind in ("ObjectStore", "DataProduct", "AccessRequest", "AccessGrant")
            for found in world.cluster.list(kind)
            if (late := [moment for moment in moments(found.get("status")) if _is_of(moment, world, off)])
        }
        assert written == {}


def _is_of(moment: str, mesh: Mesh, off: timedelta) -> bool:
    """Whether only the wrong clock can have written it."""
    return abs(parse_time(moment) - mesh.clock.now()) < timedelta(days=1) and abs(off) > timedelta(days=2)


def _rebuilt(off: timedelta) -> Mesh:
    return inventory(sales(wrong(a_mesh(1, after=lost_mesh(), lost=(0,)), off))).settle()


@OFF
def test_a_delay_begins_at_the_first_look_by_a_clock_that_is_right(off: timedelta) -> None:
    mesh = right(wrong(legacy(), off).apply(wish(adoptionDelay="2d")).settle(), off)
    assert reason(mesh) == "AdoptionPlanned"
    assert dict(held(mesh).bucket.tags).get(marks.ADOPTED_TAG) is None
    assert reason(later(mesh, hours=47)) == "AdoptionPlanned"
    assert reason(later(mesh, hours=1)) == "Ready"


@OFF
def test_a_delay_that_had_begun_goes_on(off: timedelta) -> None:
    mesh = later(legacy().apply(wish(adoptionDelay="2d")).settle(), hours=24)
    mesh = right(wrong(mesh, off).settle(), off)
    assert reason(later(mesh, hours=23)) == "AdoptionPlanned"
    assert reason(later(mesh, hours=1)) == "Ready"


@OFF
@pytest.mark.parametrize("secret", [SECRET, PRODUCERS], ids=["consumer", "producer"])
def test_a_key_that_was_replaced_works_for_its_hour_and_no_longer(secret: Key, off: timedelta) -> None:
    mesh = granted(Mesh())
    user = next(
        name
        for name, found in mesh.stores.at(ENDPOINT).users.items()
        if mesh.cluster.secret_data(secret)["access-key-id"] in {key.id for key in found.keys}
    )
    (former,) = keys(mesh, user)
    wrong(mesh, off).cluster.user_delete(secret)
    mesh.settle()
    assert former in keys(mesh, user)
    assert len(keys(mesh, user)) == 2
    right(mesh, off)
    assert former in keys(later(mesh, minutes=55), user)
    assert former not in keys(later(mesh, minutes=10), user)
    assert keys(mesh, user) == [mesh.cluster.secret_data(secret)["access-key-id"]]


@OFF
def test_one_that_was_replaced_before_keeps_its_end(off: timedelta) -> None:
    mesh = granted(Mesh()).apply(annotated(a_request(), rotate="1")).settle()
    (former, _) = keys(mesh, principal(mesh))
    until = mesh.get("AccessRequest", REQUEST.name, REQUEST.namespace)["status"]["rotation"]["until"]
    right(later(wrong(mesh, off), minutes=30), off)
    assert mesh.get("AccessRequest", REQUEST.name, REQUEST.namespace)["status"]["rotation"]["until"] == until
    assert former in keys(mesh, principal(mesh))
    assert former not in keys(later(mesh, minutes=30), principal(mesh))


@OFF
def test_an_orphan_is_seen_for_five_minutes_by_a_clock_that_is_right(off: timedelta) -> None:
    mesh = wrong(granted(Mesh()), off)
    stray(mesh)
    right(mesh.settle(), off)
    assert keys(mesh, STRAY) == ["KEYX"]
    assert keys(later(mesh, minutes=4), STRAY) == ["KEYX"]
    assert keys(later(mesh, minutes=1), STRAY) == []
    assert STRAY in mesh.stores.at(ENDPOINT).users
    assert STRAY not in later(mesh, seconds=61).stores.at(ENDPOINT).users


@OFF
def test_what_is_taken_over_has_its_hour(off: timedelta) -> None:
    mesh = right(_rebuilt(off), off)
    assert len(users(mesh, "sales-orders")) == 2
    assert len(users(later(mesh, minutes=55), "sales-orders")) == 2
    assert len(users(later(mesh, minutes=6), "sales-orders")) == 1


@OFF
def test_a_loss_is_seen_twice_by_a_clock_that_is_right(off: timedelta) -> None:
    mesh = wrong(granted(Mesh()), off)
    disown(mesh)
    reconcile(PRODUCT, mesh.ports)
    mesh.clock.trusted = True
    mesh.clock.time -= off
    for seconds, said in ((1, "LossUnconfirmed"), (29, "LossUnconfirmed"), (2, "NotOwned")):
        mesh.clock.forward(seconds=seconds)
        reconcile(PRODUCT, mesh.ports)
        assert reason(mesh, "StorageReady") == said


def test_what_an_earlier_version_wrote_by_a_clock_that_was_ahead_is_bounded() -> None:
    mesh = granted(Mesh()).apply(annotated(a_request(), rotate="1"), annotated(a_product(), rotate="1")).settle()
    stray(mesh)
    mesh.settle()
    mesh.clock.time -= timedelta(days=3)  # so that all of it lies three days ahead
    mesh.settle()
    later(mesh, minutes=6)
    later(mesh, minutes=2)
    assert STRAY not in mesh.stores.at(ENDPOINT).users
    later(mesh, hours=1)
    assert {len(user.keys) for name, user in mesh.stores.at(ENDPOINT).users.items() if not name.startswith("mesh.")} == {1}


def test_a_user_whose_key_is_of_the_future_is_made_again_at_once() -> None:
    mesh = granted(Mesh())
    user = principal(mesh)
    wrong(mesh, timedelta(days=3)).cluster.user_delete(SECRET)
    right(mesh.settle(), timedelta(days=3))
    del mesh.stores.at(ENDPOINT).users[user]
    mesh.settle()
    assert keys(mesh, user) == [mesh.cluster.secret_data(SECRET)["access-key-id"]]


def test_nothing_is_near_its_end_by_a_clock_that_is_off() -> None:
    mesh = granted(Mesh())
    wrong(mesh, timedelta(days=25)).settle()
    assert mesh.condition("AccessRequest", REQUEST.name, REQUEST.namespace, "Expiring") == {}
    right(mesh, timedelta(days=25))
    assert mesh.condition("AccessRequest", REQUEST.name, REQUEST.namespace, "Expiring") == {}
    later(mesh, days=25)
    assert mesh.condition("AccessRequest", REQUEST.name, REQUEST.namespace, "Expiring")["status"] == "True"
    wrong(mesh, timedelta(days=-20)).settle()
    assert mesh.condition("AccessRequest", REQUEST.name, REQUEST.namespace, "Expiring")["status"] == "True"


@OFF
def test_a_grant_that_waits_for_its_end_says_so(off: timedelta) -> None:
    mesh = granted(Mesh())
    mesh.stores.at(ENDPOINT).down = True
    wrong(mesh.delete("AccessGrant", "inventory-forecast", "sales"), off).settle()
    assert mesh.condition("AccessGrant", "inventory-forecast", "sales", "DeletionBlocked")["status"] == "True"


def test_no_grant_is_called_expired_by_a_clock_that_is_off() -> None:
    mesh = granted(Mesh()).delete(REQUEST.kind, REQUEST.name, REQUEST.namespace).settle()
    wrong(mesh, timedelta(days=400)).settle()
    assert mesh.condition("AccessGrant", "inventory-forecast", "sales")["reason"] == "RequestNotFound"
    right(mesh, timedelta()).settle()
    assert mesh.condition("AccessGrant", "inventory-forecast", "sales")["reason"] == "Expired"
