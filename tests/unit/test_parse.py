"""Manifests become models: strictly for what is given, leniently for what goes; what cannot be read is dropped, never guessed."""

from copy import deepcopy
from typing import Any, Final

import pytest

from clouddatamesh.api.base import Resource
from clouddatamesh.api.kinds import KINDS
from clouddatamesh.api.v1alpha1.accessgrant import AccessGrant
from clouddatamesh.api.v1alpha1.accessrequest import AccessRequest
from clouddatamesh.api.v1alpha1.dataproduct import DataProduct
from clouddatamesh.api.v1alpha1.domain import Domain
from clouddatamesh.api.v1alpha1.domainprofile import DomainProfile
from clouddatamesh.api.v1alpha1.objectstore import ObjectStore
from clouddatamesh.api.v1alpha1.policy import DomainPolicy, GovernancePolicy
from clouddatamesh.api.v1alpha1.policywaiver import PolicyWaiver
from clouddatamesh.errors import Terminal
from clouddatamesh.plan.fates import fate_of
from clouddatamesh.reconcile.parse import is_readable, parse, read_leniently
from tests.support.manifests import a_domain, a_grant, a_policy, a_product, a_profile, a_request, a_store, a_team, a_waiver

LONG: Final = "x" * 5000
WHOLE: Final[dict[type[Resource], dict[str, Any]]] = {
    ObjectStore: a_store(),
    Domain: a_domain(),
    DataProduct: a_product(),
    AccessRequest: a_request(),
    AccessGrant: a_grant(),
    GovernancePolicy: a_policy(),
    DomainPolicy: a_policy(namespace="sales"),
    PolicyWaiver: a_waiver(),
    DomainProfile: a_profile(team=a_team(("kim", "owner", "2026-01-01", "")), training=[{"name": "gdpr", "validFor": "365d"}]),
}


def changed(manifest: dict[str, Any], path: str, value: Any) -> dict[str, Any]:
    """The manifest with one value at a dotted path; numbers are places of a list."""
    copy = deepcopy(manifest)
    inner: Any = copy
    *way, last = (int(part) if part.isdigit() else part for part in path.split("."))
    for part in way:
        inner = inner[part] if isinstance(part, int) else inner.setdefault(part, {})
    inner[last] = value
    return copy


@pytest.mark.parametrize("model", WHOLE, ids=lambda model: model.__name__)
def test_what_can_be_read_is_read_alike_either_way(model: type[Resource]) -> None:
    assert is_readable(model, WHOLE[model])
    assert read_leniently(model, WHOLE[model]) == parse(model, WHOLE[model])


BROKEN: Final[tuple[tuple[type[Resource], str, Any], ...]] = (
    (DataProduct, "spec.owner.email", "kim"),
    (DataProduct, "spec.owner", "Kim"),
    (DataProduct, "spec.owner.name", 7),
    (DataProduct, "spec.producer.secretName", "Not a name"),
    (DataProduct, "spec.displayName", LONG),
    (DataProduct, "spec.classification", "cosmic"),
    (DataProduct, "spec.lifecycle", "paused"),
    (DataProduct, "spec.mode", "Watch"),
    (DataProduct, "spec.outputPorts.0.access.approval", "Vote"),
    (DataProduct, "spec.outputPorts.0.version", "one"),
    (DataProduct, "spec.inputPorts", {}),
    (DataProduct, "spec.tags", "orders"),
    (DataProduct, "spec.storage.deletionPolicy", "Archive"),
    (DataProduct, "spec.outputPorts.0.access.modes", ["ReadOnly", "Append"]),
    (DataProduct, "spec.outputPorts", ["daily", {"name": "x", "version": "1.0.0", "path": 7}, {"name": "y"}]),
    (DataProduct, "spec.support", [{"channel": LONG}, {"channel": "#x", "tool": LONG}]),
    (DataProduct, "spec.storage.tags", {"k" * 200: "a", "team": LONG}),
    (DataProduct, "spec.storage.lifecycleRules", [{"expireAfter": "soon"}, {"prefix": LONG}]),
    (DataProduct, "status.conditions", [{"type": "Ready"}]),
    (Domain, "spec.stakeholders", [{"name": "x", "email": LONG}]),
    (Domain, "spec.cordoned", "maybe"),
    (ObjectStore, "spec.deletionEnabled", "perhaps"),
    (ObjectStore, "spec.baseline", {"encryption": "Sometimes"}),
    (AccessRequest, "spec.renewal", {"reason": LONG}),
    (AccessRequest, "status.rotation", 7),
    (AccessGrant, "spec.note", LONG),
)


@pytest.mark.parametrize(("model", "path", "value"), BROKEN, ids=[f"{model.__name__} {path}" for model, path, _ in BROKEN])
def test_a_field_that_cannot_be_read_shields_nothing(model: type[Resource], path: str, value: Any) -> None:
    broken = changed(WHOLE[model], path, value)
    assert not is_readable(model, broken)
    with pytest.raises(Terminal) as strict:
        parse(model, broken)
    assert path.split(".")[1] in strict.value.message
    assert read_leniently(model, broken).metadata.name == broken["metadata"]["name"]


def test_all_of_them_at_once_shield_nothing_either() -> None:
    for model, whole in WHOLE.items():
        broken = whole
        for found, path, value in BROKEN:
            if found is model and path not in ("spec.owner", "spec.outputPorts"):
                broken = changed(broken, path, value)
        assert read_leniently(model, broken).metadata.name == whole["metadata"]["name"]


def test_of_many_entries_those_that_can_be_read_are_left() -> None:
    names = [f"p{number:02}" for number in range(40)]
    ports = [{"name": name, "version": "1.0.0" if name < "p20" else "one", "path": f"{name}/"} for name in names]
    found = read_leniently(DataProduct, a_product(outputPorts=[*ports[20:], *ports[:20]]))
    assert [port.name for port in found.spec.output_ports] == names[:20]
    modes = changed(a_product(), "spec.outputPorts.0.access.modes", ["Append", "WriteOnly", "Prepend", "ReadOnly"])
    (port,) = read_leniently(DataProduct, modes).spec.output_ports
    assert port.access is not None
    assert port.access.modes == ("WriteOnly", "ReadOnly")


MEANT: Final[tuple[tuple[type[Resource], str, Any], ...]] = (
    (ObjectStore, "spec.endpointUrl", "ftp://s3.test"),
    (ObjectStore, "spec.iamEndpointUrl", "s3.test"),
    (ObjectStore, "spec.allowedDomains", "all"),
    (ObjectStore, "spec.region", ["eu"]),
    (DataProduct, "spec.storage", "main"),
    (DataProduct, "spec.storage.storeRef", "main"),
    (DataProduct, "status.storage", "acme-orders"),
    (DataProduct, "status.storage", {"bucket": "acme-orders", "phase": "Moving"}),
    (DataProduct, "status.producer", "sales-orders"),
)


@pytest.mark.parametrize(("model", "path", "value"), MEANT, ids=[f"{model.__name__} {path}" for model, path, _ in MEANT])
def test_what_would_mean_something_else_where_it_is_missing_is_named(model: type[Resource], path: str, value: Any) -> None:
    """Another store, every domain, or nothing that was ever made."""
    with pytest.raises(Terminal) as told:
        read_leniently(model, changed(WHOLE[model], path, value))
    assert path in told.value.message


def test_what_is_left_is_kept() -> None:
    product = a_product(storage={"deletionPolicy": "Delete", "bucketName": "acme-x"})
    found = read_leniently(DataProduct, changed(product, "spec.outputPorts.0.access", {"approval": "Vote"}))
    assert found.spec.storage is not None
    assert (found.spec.storage.bucket_name, found.spec.storage.deletion_policy) == ("acme-x", "Delete")
    assert [port.name for port in found.spec.output_ports] == ["daily"]


@pytest.mark.parametrize(
    ("path", "value", "left"),
    [
        ("spec.description", {"purpose": "sales", "usage": 7}, {"purpose": "sales"}),
        ("spec.owner", {"email": "kim@example.com"}, None),
        ("spec.storage.tags", {"k" * 200: "a", "team": "x"}, {"team": "x"}),
        ("spec.storage.tags", {"cost": LONG, "team": "x"}, {"team": "x"}),
        ("spec.support", [{"url": "https://example.com"}, {"channel": "#x"}], [{"channel": "#x"}]),
        ("spec.support", [{"channel": "#x"}, {"url": "https://example.com"}], [{"channel": "#x"}]),
        ("spec.storage.lifecycleRules", "none", []),
    ],
    ids=["a field", "a part without what it requires", "a key", "a value", "the first entry", "the last entry", "a list"],
)
def test_no_more_is_left_out_than_what_cannot_be_read(path: str, value: Any, left: Any) -> None:
    found = read_leniently(DataProduct, changed(a_product(storage={"versioning": "Suspended"}), path, value)).model_dump(
        by_alias=True, exclude_unset=True, mode="json"
    )
    assert found["spec"]["storage"]["versioning"] == "Suspended"
    for part in path.split("."):
        found = found.get(part) or {}
    assert found == (left or {})


@pytest.mark.parametrize("model", [ObjectStore, AccessRequest, AccessGrant], ids=lambda model: model.__name__)
def test_a_manifest_without_spec_is_named(model: type[Resource]) -> None:
    broken = {name: value for name, value in WHOLE[model].items() if name != "spec"}
    with pytest.raises(Terminal, match="spec: Field required"):
        read_leniently(model, broken)


def test_of_many_faults_three_are_told() -> None:
    broken = a_product(owner="Kim", tags="orders", inputPorts={}, support={}, displayName=LONG)
    with pytest.raises(Terminal) as told:
        parse(DataProduct, broken)
    assert [fault.split(":")[0] for fault in told.value.message.split("; ")] == ["spec.displayName", "spec.inputPorts", "spec.owner"]


@pytest.mark.parametrize(
    ("storage", "fate"),
    [
        ({"deletionPolicy": "Archive"}, "Retain"),
        ({"deletionPolicy": "Archive", "forceDestroy": True}, "Retain"),
        ({"deletionPolicy": "Delete", "forceDestroy": "very"}, "Delete"),
        ({"deletionPolicy": "Delete", "forceDestroy": True}, "Destroy"),
    ],
)
def test_what_cannot_be_read_destroys_nothing(storage: dict[str, Any], fate: str) -> None:
    assert fate_of(read_leniently(DataProduct, a_product(storage=storage))) == fate


@pytest.mark.parametrize("status", [{"binding": {}}, {"binding": 7}, {"adoption": {"bucket": "b"}}], ids=str)
def test_a_record_that_lacks_what_it_requires_keeps_nothing_that_goes(status: dict[str, Any]) -> None:
    """Another version may have written it."""
    assert read_leniently(DataProduct, {**a_product(), "status": status}).status.model_fields_set <= {"binding", "adoption"}


def test_what_cannot_be_read_of_a_store_deletes_nothing() -> None:
    assert not read_leniently(ObjectStore, a_store(deletionEnabled="perhaps")).spec.deletion_enabled


def test_neither_reading_changes_the_manifest_or_repeats_its_values() -> None:
    broken = changed(a_product(), "spec.owner.email", "s3cret value")
    before = deepcopy(broken)
    with pytest.raises(Terminal) as strict:
        parse(DataProduct, broken)
    read_leniently(DataProduct, broken)
    assert broken == before
    assert "s3cret" not in strict.value.message


def test_every_kind_that_a_user_writes_is_tried_here() -> None:
    assert {kind.model for kind in KINDS} - set(WHOLE) == {kind.model for kind in KINDS if kind.kind == "AccessInbox"}
