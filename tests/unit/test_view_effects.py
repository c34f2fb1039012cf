"""What a change does: each direction has a sentence, and what changes nothing has none."""

from typing import Any

import pytest

from clouddatamesh.view.effects import Sign, find_effects
from clouddatamesh.view.mesh import Mesh
from tests.support.manifests import a_domain, a_grant, a_product, a_request, a_store

Manifest = dict[str, Any]
DAILY: Manifest = {
    "name": "daily",
    "version": "1.0.0",
    "path": "daily/",
    "access": {"modes": ["ReadOnly", "ReadWrite"], "maxDuration": "90d"},
}
STATUS = {
    "storage": {"bucket": "acme-orders"},
    "outputPorts": [{"name": "daily", "version": "1.0.0", "location": "s3://acme-orders/daily/", "consumers": 2}],
}


def said(before: Manifest | None, after: Manifest | None, *around: Manifest) -> list[str]:
    mesh = Mesh.of([*around, *([after] if after else [])])
    return [f"{effect.sign}: {effect.sentence}" for effect in find_effects(before, after, mesh)]


def orders(**spec: Any) -> Manifest:
    return {**a_product("orders", **{"outputPorts": [DAILY], **spec}), "status": STATUS}


def port(**terms: Any) -> list[Manifest]:
    return [{**DAILY, **terms}]


NEW: tuple[tuple[Manifest, list[str]], ...] = (
    (a_store(), ["make: a bucket and a user that mark the mesh in https://s3.test"]),
    (
        a_domain("sales", namespaces=[{"name": "sales"}, {"name": "shop"}]),
        [
            "make: namespace sales, or it is adopted where it consents, with roles and limits",
            "make: namespace shop, or it is adopted where it consents, with roles and limits",
            "give: Group sales-owners is owner in sales, shop",
        ],
    ),
    (
        a_product("orders"),
        ["make: a bucket in store main", "give: a key that writes the whole bucket, in Secret orders-producer of the product's namespace"],
    ),
    (
        a_product("orders", storage={"bucketName": "acme-raw"}, producer=None),
        ["make: bucket acme-raw, or it is adopted by its adoptionPolicy, in store main"],
    ),
    (a_product("orders", lifecycle="proposed", producer=None), []),
    (a_request(), ["ask: product inventory/forecast asks the owners of sales for ReadOnly on sales/orders daily, 90d"]),
)


@pytest.mark.parametrize(("manifest", "effects"), NEW, ids=lambda one: one["kind"] if isinstance(one, dict) else "")
def test_a_new_object(manifest: Manifest, effects: list[str]) -> None:
    assert said(None, manifest) == effects
    assert said(manifest, manifest) == []


def test_a_port_that_answers_itself_gives_at_once() -> None:
    auto = a_product("orders", outputPorts=port(access={"approval": "Auto"}))
    (found,) = said(None, a_request(), auto)
    assert found == "give: product inventory/forecast gets ReadOnly on sales/orders daily at once, 90d, with a key in Secret orders-access"


@pytest.mark.parametrize(
    ("after", "effect"),
    [
        ({"lifecycle": "retired"}, "take: the access of all 2 consumers; the data stays"),
        ({"lifecycle": "deprecated"}, "take: new access; the 2 consumers keep theirs"),
        ({"outputPorts": []}, "take: output port daily/1.0.0; its 2 consumers keep access until theirs ends"),
        ({"outputPorts": port(version="2.0.0")}, "make: output port daily/2.0.0"),
        ({"outputPorts": port(deprecated=True)}, "take: new access to port daily/1.0.0; its 2 consumers keep theirs"),
        (
            {"outputPorts": port(access={"modes": ["ReadOnly"]})},
            "take: access in mode ReadWrite to port daily/1.0.0, of those who have it as well",
        ),
        (
            {"outputPorts": port(access={**DAILY["access"], "maxDuration": "7d"})},
            "take: what the 2 consumers of port daily/1.0.0 have beyond 7d of their grants",
        ),
        ({"outputPorts": port(path="other/")}, "take: the path daily/ of port daily/1: its consumers get other/ in its place"),
        ({"suspend": True}, "take: new access and repairs while it is suspended or not managed; the 2 consumers keep theirs"),
        ({"mode": "Observe"}, "take: new access and repairs while it is suspended or not managed; the 2 consumers keep theirs"),
        ({"storage": {"versioning": "Suspended"}}, "take: versions of what is written or deleted from now on"),
        ({"storage": {"deletionPolicy": "Delete"}}, "take: the protection of the bucket: it goes when the product is deleted"),
        ({"storage": {"forceDestroy": True}}, "take: the protection of its contents: a deletion may empty the bucket"),
        (
            {"storage": {"lifecycleRules": [{"prefix": "tmp/", "expireAfter": "1d"}]}},
            "take: what is under tmp/: the store removes it by expireAfter 1d",
        ),
        ({"outputPorts": port(access={**DAILY["access"], "maxDuration": "365d"})}, ""),
        ({"producer": {"secretName": "other"}}, "take: the producer's key, and Secret orders-producer"),
        ({"outputPorts": port(version="1.1.0")}, ""),
        ({"description": {"purpose": "x" * 500}}, ""),
    ],
)
def test_a_product_changes(after: Manifest, effect: str) -> None:
    found = said(orders(), orders(**after))
    assert found[0].startswith("change: spec.")
    assert effect in found if effect else not [one for one in found if not one.startswith("change")]
    assert all(len(one) < 250 for one in found)


def test_what_opens_a_port_is_a_gift() -> None:
    opened = {"approval": "Auto", "allowPermanent": True, "modes": ["ReadOnly", "ReadWrite", "WriteOnly"], "maxDuration": "90d"}
    found = said(orders(), orders(outputPorts=port(access=opened)))
    assert [one for one in found if not one.startswith("change")] == [
        "give: every request for port daily/1.0.0 is answered yes at once, also those that wait",
        "give: port daily/1.0.0 may be had without an end",
        "give: port daily/1.0.0 may be had in mode WriteOnly",
    ]
    assert said(orders(lifecycle="draft"), orders())[-1] == "give: new access may be asked for and granted"


@pytest.mark.parametrize(
    "closed", [{"lifecycle": "deprecated"}, {"suspend": True}, {"outputPorts": port(access={"approval": "Auto"}, deprecated=True)}]
)
def test_an_auto_port_that_gives_nothing_new_is_asked(closed: Manifest) -> None:
    auto = a_product("orders", **{"outputPorts": port(access={"approval": "Auto"}), **closed})
    (found,) = said(None, a_request(), auto)
    assert found.startswith("ask: ")


def test_the_same_moment_in_another_zone_changes_no_access() -> None:
    found = said(an_approval(), an_approval(validUntil="2030-01-01T01:00:00+01:00"))
    assert [one for one in found if not one.startswith("change")] == []


def test_permanent_access_ends_where_a_port_gives_none_any_more() -> None:
    before = orders(outputPorts=port(access={"allowPermanent": True}))
    assert said(before, orders(outputPorts=port(access={})))[-1] == "take: permanent access to port daily/1.0.0, at once"


def test_a_limit_where_there_was_none() -> None:
    found = said(orders(outputPorts=port(access={})), orders(outputPorts=port(access={"maxDuration": "7d"})))
    assert found[-1] == "take: what the 2 consumers of port daily/1.0.0 have beyond 7d of their grants"


def test_labels_and_what_selects_them() -> None:
    before = {**a_domain("sales"), "metadata": {"name": "sales", "labels": {"tier": "gold"}}}
    found = said(before, a_domain("sales"))
    assert found[0] == "change: metadata.labels: {'tier': 'gold'} -> (none)"
    assert "take: the ObjectStores whose allowedDomains no longer select the domain" in found[-1]
    narrowed = said(a_store(), a_store(allowedDomains={"matchLabels": {"tier": "gold"}}))
    assert narrowed[-1] == "take: new products and new access of Domains that are no longer selected"


def test_additional_roles_are_given_to_lists_of_the_team() -> None:
    def team(*roles: Manifest) -> Manifest:
        people = {role: [{"kind": "Group", "name": f"sales-{role}"}] for role in ("owners", "viewers")}
        return a_domain("sales", access={**people, "additionalRoles": list(roles)})

    assert (
        said(team(), team({"role": "acme-notebooks", "subjects": ["viewers"]}))[-1]
        == "give: Group sales-viewers is acme-notebooks in sales"
    )
    assert said(team({"role": "acme-notebooks"}), team())[-1] == "take: Group sales-owners is no longer acme-notebooks in sales"


def test_isolation_takes_connections() -> None:
    found = said(a_domain("sales"), a_domain("sales", resources={"networkIsolation": {"mode": "Domain"}}))
    assert found[-1] == "take: connections to its Pods from other namespaces, except those that allowFrom selects"


def test_changed_fields_are_named_and_many_are_counted() -> None:
    assert said(orders(), orders(version="1.1.0")) == ["change: spec.version: 1.0.0 -> 1.1.0"]
    many = said(orders(), orders(outputPorts=[{**DAILY, "version": f"{n}.0.0", "path": f"p{n}/"} for n in range(1, 20)]))
    assert "change: and 7 fields more" in many


@pytest.mark.parametrize(
    ("product", "effects"),
    [
        (
            orders(),
            [
                "take: the producer's key, and Secret orders-producer",
                "take: the deletion waits for the 2 consumers",
                "take: bucket acme-orders is released; data stays",
                "take: output port daily/1.0.0; its 2 consumers keep access until theirs ends",
            ],
        ),
        (orders(storage={"deletionPolicy": "Delete"}), ["take: bucket acme-orders is deleted by its deletionPolicy"]),
    ],
)
def test_a_product_is_deleted(product: Manifest, effects: list[str]) -> None:
    assert set(effects) <= set(said(product, None))


def test_a_domain_changes_hands() -> None:
    before = a_domain("sales", namespaces=[{"name": "sales"}, {"name": "shop"}])
    engineer = {"kind": "ServiceAccount", "namespace": "ci", "name": "loader"}
    after = a_domain("sales", namespaces=[{"name": "sales"}], access={"engineers": [engineer]}, cordoned=True)
    found = [one for one in said(before, after) if not one.startswith("change")]
    assert found == [
        "take: namespace shop leaves the domain: the team's roles and limits there go, objects and data stay",
        "give: ServiceAccount ci/loader is engineer in sales",
        "take: Group sales-owners is no longer owner in sales",
        "take: no new products and no new access; what there is goes on",
    ]


def an_approval(**spec: Any) -> Manifest:
    given: Manifest = {
        "decision": "Approve", "validUntil": "2030-01-01T00:00:00Z", "dataProductRef": {"name": "orders"}, "mode": "ReadOnly",
        "requestRef": {"namespace": "inventory", "name": "r"}, "outputPort": {"name": "daily", "version": "1.0.0"},
        "consumer": {"dataProductRef": {"name": "forecast"}},
    }  # fmt: skip
    whole = {name: part for name, part in {**given, **spec}.items() if part is not None}
    return {**a_grant("answer", "sales"), "spec": whole}


@pytest.mark.parametrize(
    ("before", "after", "effect"),
    [
        (None, an_approval(), "give: product inventory/forecast gets ReadOnly on orders daily until 2030-01-01T00:00:00Z"),
        (
            None, an_approval(permanent=True, validUntil=None),
            "give: product inventory/forecast gets ReadOnly on orders daily until it is revoked",
        ),
        (None, an_approval(decision="Deny", validUntil=None), "take: the access of product inventory/forecast to orders daily"),
        (an_approval(), an_approval(decision="Deny"), "take: the access of product inventory/forecast to orders daily"),
        (
            an_approval(), an_approval(validUntil="2029-01-01T00:00:00Z"),
            "take: product inventory/forecast has access to orders daily until 2029-01-01T00:00:00Z, not 2030-01-01T00:00:00Z",
        ),
        (
            an_approval(), an_approval(permanent=True, validUntil=None),
            "give: product inventory/forecast has access to orders daily until it is revoked, not 2030-01-01T00:00:00Z",
        ),
        (
            an_approval(decision="Deny", validUntil=None), None,
            "give: product inventory/forecast gets access to orders daily where an approval gives it",
        ),
        (an_approval(), None, "take: the access of product inventory/forecast to orders daily, unless another approval gives it"),
        (
            None, an_approval(decision="Deny", requestRef=None, consumerNamespace="inventory", validUntil=None, outputPort=None),
            "take: the access of everybody in inventory to orders",
        ),
    ],
)  # fmt: skip
def test_an_answer(before: Manifest | None, after: Manifest | None, effect: str) -> None:
    assert said(before, after)[-1] == effect


def test_a_request_is_renewed_or_goes() -> None:
    renewed = a_request(renewal={"requestedAt": "2027-01-01T00:00:00Z"})
    assert said(a_request(), renewed)[-1] == "ask: for more time; access goes on under the present grant"
    assert said(a_request(), None) == ["take: the request"]


@pytest.mark.parametrize("sign", Sign)
def test_every_direction_has_a_word(sign: Sign) -> None:
    assert len(sign.value) <= 6
