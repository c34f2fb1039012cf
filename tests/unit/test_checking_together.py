"""How manifests fit together: each remark, and none on a mesh that is whole."""

from typing import Any

import pytest
import yaml

from clouddatamesh.checking.together import check_together
from tests.support.installation import ROOT
from tests.support.manifests import a_domain, a_grant, a_product, a_profile, a_request, a_store, a_team

Manifest = dict[str, Any]
PORTS = [{"name": "daily", "version": "1.0.0", "path": "daily/", "access": {"maxDuration": "30d"}}]


def a_mesh(**product: Any) -> list[Manifest]:
    """A store, two domains and a product."""
    return [a_store(), a_domain("sales"), a_domain("inventory"), a_product(**{"outputPorts": PORTS, **product})]


def remarks(*manifests: Manifest) -> list[tuple[str, str, str, bool]]:
    return [(str(one.key), one.field, one.sentence, one.is_error) for one in check_together(manifests)]


def errors(*manifests: Manifest) -> list[str]:
    return [sentence for _, _, sentence, is_error in remarks(*manifests) if is_error]


def test_the_retail_mesh_is_whole() -> None:
    manifests = [
        one for file in sorted((ROOT / "examples" / "retail").glob("*.yaml")) for one in yaml.safe_load_all(file.read_text()) if one
    ]
    assert len(manifests) > 10
    assert remarks(*manifests) == []


def test_the_team_of_the_demo_fits_the_retail_mesh() -> None:
    files = (*(ROOT / "examples" / "retail").glob("*.yaml"), *(ROOT / "examples" / "team").glob("*.yaml"))
    assert remarks(*(one for file in files for one in yaml.safe_load_all(file.read_text()) if one)) == []


def test_what_is_not_among_the_files_is_a_warning_and_said_once() -> None:
    found = remarks(a_product("orders"), a_product("returns", producer={"secretName": "returns-producer"}))
    assert [is_error for *_, is_error in found] == [False, False]
    assert [sentence for _, _, sentence, _ in found] == [
        "No Domain among the files has namespace sales; one in the cluster must",
        "ObjectStore main is not among the files; it must be in the cluster",
    ]


def test_a_profile_fits_its_domain() -> None:
    domain = a_domain(namespaces=[{"name": "sales"}, {"name": "lab"}], team=a_team(("kim", "owner", "", "")))
    training = [{"name": "gdpr", "requiredFor": ["owner"]}, {"name": "s3"}]
    assert remarks(domain, a_profile(training=training)) == []
    assert errors(domain, a_profile("sales", "lab")) == [
        "Namespace lab is not the home of Domain sales, so this profile is ignored; create it in namespace sales"
    ]
    assert errors(domain, a_profile("other", "sales")) == [
        "The profile of Domain sales is named sales, so this one is ignored; name it sales, or remove it"
    ]
    assert remarks(domain, a_profile(training=[{"name": "gdpr", "requiredFor": ["Owner"]}])) == [
        (
            "DomainProfile sales/sales",
            "spec.training[0].requiredFor",
            "No member of the team has role Owner, so nobody needs this training; roles are compared as they are written",
            False,
        )
    ]
    own = a_profile(team=a_team(("lee", "Owner", "", "")), training=[{"name": "gdpr", "requiredFor": ["Owner"]}])
    assert remarks(domain, own) == []
    assert [is_error for *_, is_error in remarks(own)] == [False], "its Domain may be in the cluster"


def a_wish(**spec: Any) -> Manifest:
    """A ServiceAccount of inventory asks for sales/orders."""
    wish = a_request("reader", "inventory")
    consumer = {"serviceAccountRef": {"name": "reader"}}
    wanted = {"dataProductRef": {"namespace": "sales", "name": "orders"}, "outputPort": {"name": "daily", "version": "1.0.0"}}
    return {**wish, "spec": {**wish["spec"], **wanted, "consumer": consumer, "mode": "ReadOnly", "duration": "7d", **spec}}


def an_answer(**spec: Any) -> Manifest:
    """An approval of it."""
    wish = a_wish()["spec"]
    same = {name: wish[name] for name in ("outputPort", "consumer", "mode")}
    named = {"dataProductRef": {"name": "orders"}, "requestRef": {"namespace": "inventory", "name": "reader"}}
    until = {"decision": "Approve", "validUntil": "2030-01-01T00:00:00Z"}
    return {**a_grant("answer", "sales"), "spec": {**named, **same, **until, **spec}}


def test_a_request_and_its_answer_fit() -> None:
    assert remarks(*a_mesh(), a_wish(), an_answer()) == []
    assert remarks(*a_mesh(), a_wish(outputPort={"name": "daily", "version": "1.7.0"})) == [], "name and major version decide"


@pytest.mark.parametrize(
    ("wish", "sentence"),
    [
        ({"outputPort": {"name": "daily", "version": "2.0.0"}}, "no output port daily of version 2.x. Its ports: daily 1.0.0."),
        ({"outputPort": {"name": "hourly", "version": "1.0.0"}}, "The product has no output port hourly"),
        ({"mode": "ReadWrite"}, "The port offers ReadOnly, not ReadWrite"),
        ({"permanent": True, "duration": None}, "Port daily 1.0.0 gives no permanent access; set duration instead"),
    ],
)  # fmt: skip
def test_terms_that_the_port_does_not_offer(wish: Manifest, sentence: str) -> None:
    (found,) = errors(*a_mesh(), a_wish(**wish))
    assert sentence in found


@pytest.mark.parametrize(
    ("product", "wish", "sentence"),
    [
        ({"lifecycle": "draft"}, {}, "The product's lifecycle is draft"),
        ({"lifecycle": "retired"}, {}, "The product's lifecycle is retired"),
        ({"lifecycle": "deprecated"}, {}, "No new grants: the product is deprecated"),
        ({"outputPorts": [{**PORTS[0], "deprecated": True}]}, {}, "No new grants: port daily is deprecated"),
        ({"suspend": True}, {}, "No new grants: the product is suspended"),
        ({}, {"duration": "60d"}, "Port daily 1.0.0 gives at most 30d, so access ends earlier than the 60d asked for"),
    ],
)
def test_what_the_operator_will_say_against_it(product: Manifest, wish: Manifest, sentence: str) -> None:
    (found,) = remarks(*a_mesh(**product), a_wish(**wish))
    assert sentence in found[2]


@pytest.mark.parametrize(
    ("answer", "field"),
    [
        ({"mode": "ReadWrite"}, "spec.mode"),
        ({"outputPort": {"name": "daily", "version": "2.0.0"}}, "spec.outputPort"),
        ({"consumer": {"serviceAccountRef": {"name": "other"}}}, "spec.consumer"),
        ({"dataProductRef": {"name": "returns"}}, "spec.dataProductRef"),
    ],
)
def test_an_answer_to_something_else(answer: Manifest, field: str) -> None:
    found = [one for one in remarks(*a_mesh(), a_wish(), an_answer(**answer)) if one[3]]
    assert [one[1] for one in found] == [field]
    assert "repeat what the request says" in found[0][2]


def test_inputs_lead_somewhere() -> None:
    source: Manifest = {"namespace": "sales", "dataProduct": "orders", "outputPort": {"name": "daily", "version": "1.2.0"}}
    reader = a_product("forecast", "inventory", producer={"secretName": "forecast"}, inputPorts=[{"name": "in", "from": source}])
    assert remarks(*a_mesh(), reader) == []
    source["outputPort"]["version"] = "3.0.0"
    assert errors(*a_mesh(), reader) == ["DataProduct sales/orders has no output port daily of version 3.0.0; its ports: daily 1.0.0"]


def test_a_cordoned_domain_gives_nothing_new() -> None:
    (found,) = remarks(a_store(), a_domain("sales", cordoned=True), a_domain("inventory"), a_product(outputPorts=PORTS), a_wish())
    assert "No new grants: the product's domain is cordoned" in found[2]


def test_two_of_one() -> None:
    assert errors(a_domain("sales"), a_domain("sales")) == ["Domain sales is here twice; rename or remove one"]
    same = [a_product(name, storage={"bucketName": "acme-orders"}, producer={"secretName": name}) for name in ("a", "b")]
    assert errors(*a_mesh(), *same) == ["In store main, bucket acme-orders is named by DataProduct sales/a as well; choose another one"]
    assert errors(*a_mesh(), a_product("b", producer={"secretName": "orders-producer"})) == [
        "Secret sales/orders-producer is named by DataProduct sales/orders as well; choose another one"
    ]
    assert errors(a_domain("sales"), a_domain("shop", namespaces=[{"name": "sales"}])) == [
        "Namespace sales is named by Domain sales as well; choose another one"
    ]


def test_domains_in_a_circle() -> None:
    circle = [a_domain(name, parentRef={"name": parent}) for name, parent in (("a", "b"), ("b", "c"), ("c", "a"))]
    assert errors(*circle)[0] == "Domains are each other's parents: a -> b -> c -> a; remove one parentRef"
    assert errors(a_domain("a", parentRef={"name": "b"}), a_domain("b")) == []


def test_a_deletion_that_the_store_does_not_allow() -> None:
    store = a_store(deletionEnabled=False)
    (found,) = remarks(store, a_domain("sales"), a_product(storage={"deletionPolicy": "Delete"}))
    assert (found[1], found[3]) == ("spec.storage.deletionPolicy", False)
