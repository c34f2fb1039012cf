"""The Secret of a principal: what it holds for clients, and what is done where its metadata is not as it should be."""

from dataclasses import replace
from typing import Any, Final

import pytest

from clouddatamesh.model.objects import Key, Manifest
from clouddatamesh.model.operations import ClaimSecret, PatchSecret, SecretPatch
from clouddatamesh.plan import marks, secrets
from tests.support.worlds import the_store
from tests.unit.test_keys import BINDING, OWNER, a_secret, aws

PEM: Final = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"
KEY: Final = Key("Secret", "sales", "orders-producer")
OURS: Final = {"apiVersion": "clouddatamesh.dev/v1alpha1", "kind": "DataProduct", "name": "orders", "uid": "uid-1", "controller": True}
FORMER: Final = {**OURS, "uid": "uid-0"}
THEIRS: Final = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "reader", "uid": "uid-9"}


def content(**spec: Any) -> dict[str, str]:
    return secrets.content_of(replace(BINDING, store=the_store(**spec)))


@pytest.mark.parametrize(
    ("endpoint", "host", "ssl"),
    [
        ("https://s3.test", "s3.test", "true"),
        ("http://s3.test:9000", "s3.test:9000", "false"),
        ("https://gateway.test/s3/", "gateway.test/s3", "true"),
    ],
)
def test_clients_that_want_no_scheme_get_none(endpoint: str, host: str, ssl: str) -> None:
    found = content(endpointUrl=endpoint)
    assert (found["endpoint"], found["endpoint-host"], found["use-ssl"]) == (endpoint, host, ssl)


def test_the_addressing_style_is_told_also_where_it_is_the_default() -> None:
    assert content()["addressing-style"] == "path"
    assert content(addressingStyle="virtual")["addressing-style"] == "virtual"
    found = secrets.content_of(replace(BINDING, store=aws()))
    assert (found["addressing-style"], found["endpoint-host"]) == ("virtual", "s3.us-east-1.amazonaws.com")


def test_the_ca_is_told_where_the_store_has_one_of_its_own() -> None:
    assert content(caBundle=PEM)["ca.crt"] == PEM
    assert "ca.crt" not in content()


def test_every_field_that_is_written_is_known_as_ours() -> None:
    assert set(content(caBundle=PEM)) == set(secrets.OUR_FIELDS)


def updated(secret: Manifest, **spec: Any) -> list[ClaimSecret | PatchSecret]:
    return list(secrets.updates(replace(BINDING, store=the_store(**spec)), secret, "A"))  # type: ignore[arg-type]


def test_a_secret_of_before_gets_the_new_fields_by_one_write() -> None:
    before = a_secret()
    held = before["metadata"]["managedFields"][0]["fieldsV1"]["f:data"]
    for name in ("endpoint-host", "use-ssl", "addressing-style"):
        del held[f"f:{name}"]
    (claim,) = updated(before)
    assert isinstance(claim, ClaimSecret)
    assert dict(claim.data) == content()
    assert (claim.key, claim.uid) == (KEY, "uid-secret")


def test_a_ca_that_the_store_has_no_more_is_taken_out_and_nobody_elses_field_is() -> None:
    secret = a_secret()
    fields = secret["metadata"]["managedFields"][0]["fieldsV1"]["f:data"]
    fields["f:ca.crt"] = {}
    secret["metadata"]["managedFields"].append({"manager": "kubectl", "fieldsV1": {"f:data": {"f:uri2": {}, "f:notes": {}}}})
    assert updated(secret) == [PatchSecret(KEY, "uid-secret", SecretPatch(data=(("ca.crt", None),)))]
    theirs = a_secret()
    theirs["metadata"]["managedFields"].append({"manager": "kubectl", "fieldsV1": {"f:data": {"f:ca.crt": {}}}})
    assert updated(theirs) == []


@pytest.mark.parametrize(
    ("listed", "wanted"),
    [
        ([], [OURS]),
        ([FORMER], [OURS]),
        ([THEIRS, FORMER], [THEIRS, OURS]),
        ([{**THEIRS, "controller": True}], [{**THEIRS, "controller": True}, {**OURS, "controller": False}]),
        ([OURS, FORMER], [OURS]),
        ([{**OURS, "blockOwnerDeletion": True}], None),
        ([THEIRS, OURS], None),
    ],
)
def test_the_garbage_collector_is_told_of_the_living_owner(listed: list[dict[str, Any]], wanted: list[dict[str, Any]] | None) -> None:
    found = updated(a_secret(ownerReferences=listed))
    assert found == ([PatchSecret(KEY, "uid-secret", SecretPatch(owners=tuple(wanted)))] if wanted is not None else [])


def test_marks_that_somebody_took_off_are_put_back_and_his_own_stay() -> None:
    secret = a_secret(labels={"team": "theirs"})
    annotations = {"theirs": "1", marks.CONTENT_ANNOTATION: secret["metadata"]["annotations"][marks.CONTENT_ANNOTATION]}
    bare = {**secret, "metadata": {**secret["metadata"], "annotations": annotations}}
    (operation,) = updated(bare)
    assert isinstance(operation, PatchSecret)
    assert dict(operation.patch.annotations) == {
        marks.OWNER_ANNOTATION: marks.owner_reference(OWNER.key, "uid-1"),
        marks.KEY_ID_ANNOTATION: "A",
    }
    assert dict(operation.patch.labels) == {marks.MANAGED_LABEL: marks.MANAGER}
    assert (operation.patch.data, operation.patch.owners) == ((), None)


def test_a_secret_as_it_should_be_is_left_alone() -> None:
    assert updated(a_secret()) == []
    assert not secrets.is_to_be_written(BINDING, a_secret())
    assert secrets.is_to_be_written(replace(BINDING, bucket="other"), a_secret())
