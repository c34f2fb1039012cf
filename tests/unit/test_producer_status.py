"""What a DataProduct's status tells of its producer: the user, its key, the one that was replaced, and the Secret."""

from typing import Any, Final

import pytest

from clouddatamesh.model.evidence import Absent
from clouddatamesh.plan import marks
from clouddatamesh.plan.credentials import fingerprint
from clouddatamesh.status.producer import producer_fields, rotation_fields
from tests.unit.product_scene import ISSUED, NOT_READY, PRODUCER, RECORDED, SILENT, binding, secret, served, user, world

NOW: Final = "2026-01-01T00:00:00Z"
ROTATE: Final = "clouddatamesh.dev/rotate"
THEIRS: Final = secret(annotations={marks.OWNER_ANNOTATION: "DataProduct/sales/returns/uid-2"})
GOING: Final = secret(deletionTimestamp=NOW)


def producer_of(product: Any = None, **parts: Any) -> dict[str, Any] | None:
    """What is told of the producer."""
    found: dict[str, Any] | None = producer_fields(product or served(), world(**parts)).get("producer")
    return found


@pytest.mark.parametrize(
    ("product", "parts", "name"),
    [
        (served(), {}, "made"),
        (served(status={}), {}, "made"),
        (served(status={}), {"principal": Absent()}, None),
        (served(status={}), {"principal": SILENT}, None),
        (served(), {"principal": SILENT}, "recorded"),
        (served(), {"principal": Absent()}, None),
        (served(), {"principal": Absent(), "obstacle": NOT_READY}, "recorded"),
        (served(producer=None), {"principal": Absent(), "obstacle": NOT_READY}, None),
        (served(producer=None), {}, "recorded"),
        (served(producer=None, status={}), {}, None),
        (served(storage=False), {"principal": Absent()}, "recorded"),
    ],
    ids=["it is there", "it was just made", "none was made yet", "none was made and the store is silent", "the store is silent",
         "it is gone", "it is gone, and cannot be made again now", "it is gone, and not wanted any more", "it is there and not wanted",
         "one that nobody recorded is not wanted", "no store is asked"],
)  # fmt: skip
def test_the_producers_user_is_told_of_until_it_is_seen_to_be_gone(product: Any, parts: dict[str, Any], name: str | None) -> None:
    """A record that is dropped too early would leave a user behind whose key works."""
    names = {"made": user().value.name, "recorded": "recorded"}
    found = producer_of(product, **parts)
    assert (found or {}).get("principal") == (names[name] if name else None)


@pytest.mark.parametrize(
    ("parts", "key", "rotated"),
    [
        ({}, "A", ISSUED),
        ({"principal": user("AB"), "secret": secret("B")}, "B", NOW),
        ({"principal": user("AB"), "secret": secret("B"), "is_time_trusted": False}, "B", None),
        ({"principal": user("Ab"), "secret": secret("B")}, "A", ISSUED),
        ({"secret": Absent()}, "A", ISSUED),
        ({"secret": SILENT}, "A", ISSUED),
        ({"principal": user("")}, "A", ISSUED),
        ({"principal": SILENT}, "A", ISSUED),
    ],
    ids=["the same key", "a new key", "a new key by a clock that is not trusted", "the new key is switched off", "there is no Secret",
         "the Secret cannot be read", "the key is gone", "the user cannot be read"],
)  # fmt: skip
def test_the_key_is_told_of_once_its_secret_was_read_back_with_it(parts: dict[str, Any], key: str, rotated: str | None) -> None:
    """By a fingerprint: many may read this status. Its age is counted from when it was issued."""
    found = producer_of(**parts)
    assert found is not None
    assert (found["key"], found.get("rotatedAt")) == (fingerprint(key), rotated)
    assert {*found} == {"principal", "key", *(["rotatedAt"] if rotated else [])}


def test_the_age_of_a_new_key_is_that_of_its_secret() -> None:
    """The operator may have died before it wrote the status."""
    before = secret("B").value["metadata"]["annotations"]
    noted = {**before, marks.ISSUED_ANNOTATION: "2025-12-31T23:50:00Z"}
    found = producer_of(principal=user("AB"), secret=secret("B", annotations=noted))
    assert found is not None
    assert found["rotatedAt"] == "2025-12-31T23:50:00Z"


@pytest.mark.parametrize(
    ("key", "token", "handled"),
    [("A", "2", "1"), ("B", "2", "2"), ("B", "", "1")],
    ids=["the key was not replaced yet", "it was", "it was, and nobody asked"],
)
def test_a_token_counts_as_handled_once_there_is_a_new_key(key: str, token: str, handled: str) -> None:
    """Else the key would be replaced again at the next look, or not at all."""
    status = {**RECORDED, "producer": {**PRODUCER, "lastHandledRotate": "1"}}
    product = served(annotations={ROTATE: token} if token else {}, status=status)
    found = producer_of(product, principal=user("AB"), secret=secret(key))
    assert found is not None
    assert found["lastHandledRotate"] == handled


LATER: Final = "2026-01-01T00:30:00Z"


@pytest.mark.parametrize(
    ("rotation", "parts", "told"),
    [
        (None, {}, None),
        ({"until": LATER}, {"principal": user("AB")}, {"until": LATER}),
        ({"until": LATER}, {"principal": user("A")}, None),
        ({"until": LATER}, {"principal": SILENT}, {"until": LATER}),
        ({"until": LATER}, {"principal": Absent()}, {"until": LATER}),
        ({"until": ISSUED}, {"principal": user("AB")}, {"until": ISSUED}),
        ({}, {"principal": user("AB"), "is_time_trusted": False}, {}),
        ({}, {"principal": user("AB")}, {"until": "2026-01-01T01:00:00Z"}),
        ({"until": "2027-01-01T00:00:00Z"}, {"principal": user("AB")}, {"until": "2026-01-01T01:00:00Z"}),
    ],
    ids=["there is none", "it works", "it is gone", "the user cannot be read", "the user is gone", "its time is over, and it is there",
         "it has no end yet", "it gets an end", "an end that a wrong clock wrote"],
)  # fmt: skip
def test_a_key_that_was_replaced_is_told_of_until_it_is_gone(
    rotation: dict[str, str] | None, parts: dict[str, Any], told: dict[str, str] | None
) -> None:
    """With its end, once a clock that is trusted says when that is."""
    former = {} if rotation is None else {"rotation": {"key": fingerprint("B"), **rotation}}
    product = served(status={**RECORDED, "producer": {**PRODUCER, **former}})
    expected = {} if told is None else {"rotation": {"key": fingerprint("B"), **told}}
    assert rotation_fields(product, world(**parts)) == expected
    if not isinstance(parts.get("principal"), Absent):
        assert (producer_of(product, **parts) or {}).get("rotation") == expected.get("rotation")


def test_of_a_product_without_a_record_no_key_was_replaced() -> None:
    """A first look has nothing to tell."""
    assert rotation_fields(served(status={}), world()) == {}


OWN: Final = binding().secret_name


@pytest.mark.parametrize(
    ("told", "wanted", "parts", "name"),
    [
        (OWN, OWN, {}, OWN),
        ("", OWN, {}, OWN),
        ("", OWN, {"secret": Absent()}, ""),
        ("", OWN, {"principal": Absent()}, ""),
        ("", OWN, {"principal": SILENT}, ""),
        (OWN, OWN, {"secret": Absent()}, ""),
        (OWN, OWN, {"secret": SILENT}, OWN),
        (OWN, OWN, {"principal": SILENT}, OWN),
        (OWN, OWN, {"principal": SILENT, "secret": THEIRS}, ""),
        (OWN, OWN, {"principal": SILENT, "secret": GOING}, ""),
        ("former", OWN, {"former_secret": secret()}, "former"),
        ("former", OWN, {"former_secret": SILENT}, "former"),
        ("former", OWN, {"former_secret": Absent()}, OWN),
        ("former", OWN, {"former_secret": THEIRS}, OWN),
        ("former", OWN, {"former_secret": GOING}, OWN),
        ("former", OWN, {"former_secret": Absent(), "secret": Absent()}, ""),
        ("former", OWN, {"former_secret": Absent(), "principal": SILENT}, ""),
        ("former", None, {"former_secret": secret()}, "former"),
        ("former", None, {"former_secret": Absent()}, ""),
        ("", None, {}, ""),
    ],
    ids=["it is there", "it was just made", "none was made yet", "it is there and its user is gone", "it is there and its user is not seen",
         "it was deleted", "it cannot be read", "its user cannot be read", "somebody else has its name", "it goes",
         "a former one is there", "a former one cannot be read", "a former one is gone", "somebody else has the former name",
         "a former one goes", "a former one is gone, and there is none yet", "a former one is gone, and the user is not seen",
         "none is wanted, and one is there", "none is wanted, and it is gone", "none is wanted, and none was"],
)  # fmt: skip
def test_which_secret_is_told_of(told: str, wanted: str | None, parts: dict[str, Any], name: str) -> None:
    """Workloads are bound to it by this name; a former one is told of until it is gone, so that its deletion is not forgotten."""
    status = {**RECORDED, "binding": {"name": told} if told else None}
    product = served(status=status, producer={"secretName": wanted} if wanted else None)
    assert producer_fields(product, world(**parts)).get("binding", {"name": ""}) == {"name": name}
