"""Being deleted gives nobody more: the guards of deletion, finalizers and status on the real API server, where no operator runs.

So everything that is deleted stays, held by the operator's finalizer, as it does where a store or a consumer is waited for.
"""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from hack.tools.controlplane import ControlPlane
from tests.e2e.actors import BREAK_GLASS, SERVICE_ACCOUNT
from tests.e2e.cases import Manifest, a_port
from tests.e2e.people import ENGINEER, HOME, OWNER, Guild, Person
from tests.support.installation import NAMESPACE, Installation
from tests.support.manifests import a_domain, a_grant, a_product, a_request, a_store

GUARD, FINALIZERS, STATUS = (f"clouddatamesh-{part}-guard" for part in ("deletion", "finalizer", "status"))
APPLY, DRY = ("apply", "--server-side", "--force-conflicts", "-f", "-"), "--dry-run=server"
HOLD, FOREIGN = "clouddatamesh.dev/finalizer", "example.com/hold"
ADMIN, EDITOR = Person("root", ("system:masters",)), Person("editor")
OPERATOR = Person(SERVICE_ACCOUNT, ("system:serviceaccounts", f"system:serviceaccounts:{NAMESPACE}"))
RESCUER = Person("rescuer", ("system:masters", BREAK_GLASS))
TERMS = {"maxDuration": "30d", "rotateAfter": "7d"}


def held(manifest: Manifest) -> Manifest:
    """With the operator's finalizer and somebody else's."""
    return {**manifest, "metadata": {**manifest["metadata"], "finalizers": [HOLD, FOREIGN]}}


GOING = a_product("going", HOME, outputPorts=[a_port(access=TERMS)], storage={"deletionPolicy": "Delete"})
KEPT = a_product("kept", HOME)
LATER = "2027-06-01T00:00:00Z"
OBJECTS = (
    GOING, KEPT,
    a_request("going", HOME), a_store("going"), a_domain("going"),
    a_grant("going", HOME, validUntil="2027-01-01T00:00:00Z"), a_grant("refusal", HOME, decision="Deny", validUntil=None),
    a_grant("endless", HOME, validUntil=None, permanent=True),
)  # fmt: skip


@pytest.fixture(scope="module")
def leaving() -> Iterator[Guild]:
    """Everything is being deleted. People have their roles from an administrator, since no operator binds them."""
    with ControlPlane() as cluster, Installation(cluster, mesh="leaving", values={"replicas": "0"}) as installed:
        cluster.kubectl("create", "namespace", HOME)
        for person in (OWNER, ENGINEER):
            role, group = f"--clusterrole=clouddatamesh-{person.user}", f"--group={person.groups[0]}"
            cluster.kubectl("create", "rolebinding", person.user, role, group, "-n", HOME)
        cluster.kubectl("create", "rolebinding", "editor", "--clusterrole=edit", f"--user={EDITOR.user}", "-n", HOME)
        # kubectl reads what it patches, and the operator has no right to: it patches a Domain as it knows it from its watch.
        cluster.kubectl("create", "clusterrole", "reads-domains", "--verb=get", "--resource=domains.clouddatamesh.dev")
        cluster.kubectl("create", "clusterrolebinding", "reads-domains", "--clusterrole=reads-domains", f"--user={SERVICE_ACCOUNT}")
        installed.apply(*map(held, OBJECTS))
        for manifest in OBJECTS:
            cluster.kubectl("delete", *place(manifest), "--wait=false")
        guild = Guild(installed)
        installed.until(lambda: FINALIZERS in strips(guild, ADMIN, KEPT), seconds=60, what="the policy of finalizers")
        installed.until(lambda: GUARD in patched(guild, ADMIN, GOING, {"spec": {"mode": "Plan"}}), seconds=60, what="that of deletion")
        written = {**KEPT, "status": {"observedGeneration": 7}}
        is_guarded = lambda: STATUS in guild.says(ADMIN, *APPLY, DRY, "--subresource=status", manifest=written)  # noqa: E731
        installed.until(is_guarded, seconds=60, what="that of status")
        yield guild


def place(manifest: Manifest) -> tuple[str, ...]:
    """Kind, name and namespace, as kubectl takes them."""
    namespace = manifest["metadata"].get("namespace")
    return (manifest["kind"].lower(), manifest["metadata"]["name"], *(("-n", namespace) if namespace else ()))


def patched(guild: Guild, person: Person, manifest: Manifest, patch: Any, *flags: str) -> str:
    """What the API server says against a change, which is not carried out."""
    return guild.says(person, "patch", *place(manifest), DRY, "--type=merge", "-p", json.dumps(patch), *flags)


def strips(guild: Guild, person: Person, manifest: Manifest) -> str:
    return patched(guild, person, manifest, {"metadata": {"finalizers": [FOREIGN]}})


MORE_OF_A_PRODUCT: dict[str, dict[str, Any]] = {
    "longer terms": {"outputPorts": [a_port()]},
    "a mode": {"outputPorts": [a_port(access={**TERMS, "modes": ["ReadOnly", "ReadWrite"]})]},
    "approval by itself": {"outputPorts": [a_port(access={**TERMS, "approval": "Auto"})]},
    "a higher version with other terms": {"outputPorts": [a_port(version="1.0.1")]},
    "a port": {"outputPorts": [a_port(access=TERMS), a_port("more", path="more/")]},
    "a wider path": {"outputPorts": [a_port(path="d/", access=TERMS)]},
    "emptying": {"storage": {"forceDestroy": True}},
    "earlier expiry of objects": {"storage": {"lifecycleRules": [{"prefix": "a/", "expireAfter": "1d"}]}},
    "another Secret": {"producer": {"secretName": "another"}},
    "another mode of working": {"mode": "Observe"},
    "an input": {"inputPorts": [{"name": "fx", "external": {"description": "rates"}}]},
    "an earlier stage": {"lifecycle": "deprecated"},
}


@pytest.mark.parametrize("person", [OWNER, EDITOR, ADMIN], ids=lambda person: person.user)
@pytest.mark.parametrize("spec", MORE_OF_A_PRODUCT.values(), ids=MORE_OF_A_PRODUCT)
def test_nobody_gets_more_of_a_product(leaving: Guild, person: Person, spec: dict[str, Any]) -> None:
    said = patched(leaving, person, GOING, {"spec": spec})
    assert GUARD in said or "clouddatamesh-port-guard" in said


@pytest.mark.parametrize("person", [OWNER, EDITOR, ADMIN], ids=lambda person: person.user)
def test_what_was_to_be_kept_is_kept(leaving: Guild, person: Person) -> None:
    assert "set deletionPolicy: Retain" in patched(leaving, person, KEPT, {"spec": {"storage": {"deletionPolicy": "Delete"}}})


def test_the_refusal_names_the_fields(leaving: Guild) -> None:
    said = patched(leaving, OWNER, GOING, {"spec": {"mode": "Plan", "storage": {"versioning": "Suspended"}}})
    assert "DataProduct going is being deleted, so these fields cannot change: spec.mode, spec.storage.versioning; keep them" in said


LESS_OF_A_PRODUCT: dict[str, dict[str, Any]] = {
    "keeps its data": {"storage": {"deletionPolicy": "Retain"}},
    "is suspended": {"suspend": True},
    "is retired": {"lifecycle": "retired"},
    "is described": {"description": {"purpose": "Gone soon"}, "owner": {"name": "Kim Roe"}, "tags": ["old"], "displayName": "Old"},
}


@pytest.mark.parametrize("spec", LESS_OF_A_PRODUCT.values(), ids=LESS_OF_A_PRODUCT)
def test_a_product_that_is_being_deleted(leaving: Guild, spec: dict[str, Any]) -> None:
    assert patched(leaving, ENGINEER, GOING, {"spec": spec}) == ""


def test_annotations_and_foreign_finalizers_are_free(leaving: Guild) -> None:
    assert patched(leaving, ENGINEER, GOING, {"metadata": {"annotations": {"clouddatamesh.dev/force-delete": "going"}}}) == ""
    assert patched(leaving, ENGINEER, GOING, {"metadata": {"finalizers": [HOLD]}}) == ""


@pytest.mark.parametrize("manifest", OBJECTS, ids=lambda manifest: "-".join(place(manifest)[:2]))
def test_an_unchanged_manifest_can_be_applied_again(leaving: Guild, manifest: Manifest) -> None:
    assert leaving.says(ADMIN, *APPLY, DRY, manifest=held(manifest)) == ""


GRANTS = {manifest["metadata"]["name"]: manifest for manifest in OBJECTS if manifest["kind"] == "AccessGrant"}


@pytest.mark.parametrize(
    ("grant", "spec"),
    [
        ("going", {"validUntil": LATER}),
        ("going", {"validUntil": "2027-01-01T00:00:00-01:00"}),
        ("going", {"validUntil": None, "permanent": True}),
        ("refusal", {"decision": "Approve", "validUntil": LATER}),
        ("refusal", {"decision": "Approve", "permanent": True}),
    ],
)
def test_a_grant_gives_no_more(leaving: Guild, grant: str, spec: dict[str, Any]) -> None:
    assert GUARD in patched(leaving, OWNER, GRANTS[grant], {"spec": spec})


@pytest.mark.parametrize(
    ("grant", "spec"),
    [
        ("going", {"validUntil": "2026-12-01T00:00:00Z"}),
        ("going", {"decision": "Deny", "validUntil": None}),
        ("going", {"note": "It ends"}),
        ("endless", {"permanent": False, "validUntil": LATER}),
        ("endless", {"decision": "Deny"}),
    ],
)
def test_a_grant_gives_less(leaving: Guild, grant: str, spec: dict[str, Any]) -> None:
    assert patched(leaving, OWNER, GRANTS[grant], {"spec": spec}) == ""


def test_a_request_is_not_renewed(leaving: Guild) -> None:
    said = patched(leaving, OWNER, OBJECTS[2], {"spec": {"renewal": {"requestedAt": LATER}}})
    assert "AccessRequest going is being deleted, so these fields cannot change: spec.renewal; keep them" in said


@pytest.mark.parametrize("manifest", OBJECTS, ids=lambda manifest: "-".join(place(manifest)[:2]))
def test_only_the_operator_removes_its_finalizer(leaving: Guild, manifest: Manifest) -> None:
    people = (ADMIN, *((OWNER,) if "namespace" in manifest["metadata"] else ()))
    for person in people:
        said = strips(leaving, person, manifest)
        assert FINALIZERS in said
        assert f"its status says what it waits for, or ask a member of {BREAK_GLASS}" in said
        assert FINALIZERS in patched(leaving, person, manifest, {"metadata": {"finalizers": None}})
    for person in (OPERATOR, RESCUER):
        assert strips(leaving, person, manifest) == ""


def test_a_consumer_strips_no_request(leaving: Guild) -> None:
    for person in (ENGINEER, EDITOR):
        assert FINALIZERS in strips(leaving, person, OBJECTS[2])


def test_a_living_object_is_replaced_by_one_without_the_finalizer(leaving: Guild) -> None:
    """`kubectl replace` takes no finalizer over from what it replaces; the operator puts it back."""
    living = a_product("living", HOME)
    leaving.installed.apply({**living, "metadata": {**living["metadata"], "finalizers": [HOLD]}})
    assert leaving.says(ENGINEER, "replace", DRY, "-f", "-", manifest=living) == ""


@pytest.mark.parametrize("manifest", OBJECTS, ids=lambda manifest: "-".join(place(manifest)[:2]))
def test_only_the_operator_writes_status(leaving: Guild, manifest: Manifest) -> None:
    body = {**manifest, "status": {"observedGeneration": 7}}
    assert STATUS in leaving.says(ADMIN, *APPLY, DRY, "--subresource=status", manifest=body)
    for person in (OPERATOR, RESCUER):
        assert leaving.says(person, *APPLY, DRY, "--subresource=status", manifest=body) == ""
