"""The mesh as Backstage entities: kinds, relations, and names by Backstage's rules."""

import json
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clouddatamesh.export.backstage_names import assign, tag
from tests.support.exports import DAILY, RETAIL, Told, an_inbox, as_text, export, reads, ready_domain, stored


def entities(*objects: dict[str, Any], told: Told | None = None) -> dict[str, dict[str, Any]]:
    """Entities by their reference."""
    found = export("backstage", objects or RETAIL, told).body
    return {f"{one['kind'].lower()}:{one['metadata']['namespace']}/{one['metadata']['name']}": one for one in found}


def test_a_product_is_a_system_of_its_domain_with_a_component_ports_and_a_bucket() -> None:
    found = entities()
    system = found["system:sales/orders"]
    assert system["spec"] == {"owner": "group:default/sales-owners", "domain": "domain:default/sales", "type": "data-product"}
    assert system["metadata"]["tags"] == ["active", "finance", "sales-orders"]
    assert [known for known in found if "/orders" in known] == [
        "api:sales/orders-daily-v1",
        "component:sales/orders",
        "resource:sales/orders-bucket",
        "resource:sales/orders-daily-v2",
        "resource:sales/orders-old-v1",
        "system:sales/orders",
    ]
    assert found["component:sales/orders"]["spec"]["providesApis"] == ["api:sales/orders-daily-v1"]
    assert {found[known]["spec"]["system"] for known in found if re.match("(api|component|resource):sales/orders", known)} == {
        "system:sales/orders"
    }


def test_a_port_with_a_contract_is_an_api_with_what_is_known_of_the_contract() -> None:
    api = entities()["api:sales/orders-daily-v1"]["spec"]
    assert (api["type"], api["lifecycle"]) == ("odcs", "production")
    contract = json.loads(api["definition"])
    assert contract["id"] == "urn:acme:contract:orders"
    assert {"apiVersion", "kind", "version", "status"} <= contract.keys()


def test_inputs_and_consumers_are_relations() -> None:
    found = entities()
    expected = {
        "consumesApis": ["api:sales/orders-daily-v1"],
        "dependsOn": ["resource:inventory/forecast-bucket", "resource:sales/orders-daily-v2"],
    }
    component = found["component:inventory/forecast"]["spec"]
    assert {name: component[name] for name in expected} == expected
    loader = found["component:inventory/loader"]["spec"]
    assert loader["consumesApis"] == ["api:sales/orders-daily-v1"]
    assert (loader["type"], loader["lifecycle"], loader["owner"]) == ("service", "unknown", "group:default/Inventory-Data")


def test_consumers_are_told_only_to_who_may_read_the_inbox() -> None:
    assert "loader" not in as_text(export("backstage", [one for one in RETAIL if one["kind"] != "AccessInbox"]))


def test_a_consumer_that_is_no_exported_product_is_a_component_of_its_own() -> None:
    found = entities(stored(), an_inbox("orders", "sales", {"consumer": "DataProduct inventory/hidden", "outputPort": "daily/1.7.0"}))
    assert found["component:inventory/hidden"]["spec"] == {
        "type": "data-product",
        "lifecycle": "unknown",
        "owner": "group:default/inventory",
        "dependsOn": ["resource:sales/orders-daily-v1"],
    }


@pytest.mark.parametrize(
    "consumer", ["", "DataProduct", "DataProduct inventory", "Pod a/b", "DataProduct In Valid/x", f"DataProduct {'a' * 64}/x"]
)
def test_a_consumer_that_is_none_is_left_out(consumer: str) -> None:
    found = entities(stored(), an_inbox("orders", "sales", {"consumer": consumer}))
    assert [known for known in found if known.startswith("component:")] == ["component:sales/orders"]


def test_domains_have_owners_and_parents_that_are_there() -> None:
    found = entities()
    assert found["domain:default/sales"]["spec"] == {"owner": "group:default/sales-owners", "subdomainOf": "domain:default/commerce"}
    assert found["domain:default/inventory"]["spec"] == {"owner": "group:default/Inventory-Data", "type": "sourceAligned"}
    assert found["group:default/Inventory-Data"]["spec"]["profile"] == {"displayName": "Inventory Data"}
    hidden = entities(ready_domain("sales", parentRef={"name": "commerce"}), stored())
    assert "subdomainOf" not in hidden["domain:default/sales"]["spec"]


def test_a_product_whose_domain_is_not_read_belongs_to_its_namespace() -> None:
    found = entities(stored())
    assert found["system:sales/orders"]["spec"] == {"owner": "group:default/sales", "type": "data-product"}
    assert found["group:default/sales"]["metadata"]["title"] == "sales"


def test_stages_become_lifecycles() -> None:
    found = entities()
    assert {known: found[known]["spec"]["lifecycle"] for known in found if known.startswith("component:") and "loader" not in known} == {
        "component:elsewhere/alone": "deprecated",
        "component:inventory/forecast": "production",
        "component:inventory/trial": "experimental",
        "component:sales/orders": "production",
    }
    assert not [known for known in found if "idea" in known or "gone" in known]


def test_links_are_pages_and_addresses() -> None:
    links = entities()["system:sales/orders"]["metadata"]["links"]
    assert [(link["url"], link["title"]) for link in links] == [
        ("https://wiki.example.com/orders", "Documentation"),
        ("mailto:sales-data@example.com", "Mail"),
        ("https://forum.example.com/sales", "Forum"),
    ]
    page = entities(told=Told(base="https://data.example.com"))["system:sales/orders"]["metadata"]["annotations"]["backstage.io/view-url"]
    assert page == "https://data.example.com/products/sales/orders"


def test_names_that_collide_are_told_apart() -> None:
    first = stored("a", "sales", outputPorts=[{**DAILY, "name": "b-c"}])
    second = stored("a-b", "sales", outputPorts=[{**DAILY, "name": "c"}])
    names = sorted(known for known in entities(first, second) if known.startswith("resource:") and "bucket" not in known)
    assert len(names) == 2
    assert all(re.fullmatch(r"resource:sales/a-b-c-v1-[a-z2-7]{16}", name) for name in names)
    alone = [known for known in entities(first) if known.startswith("resource:") and "bucket" not in known]
    assert alone == ["resource:sales/a-b-c-v1"]


def test_equal_names_in_several_namespaces_stay() -> None:
    found = entities(stored("orders", "sales"), stored("orders", "inventory"))
    assert {"system:sales/orders", "system:inventory/orders"} <= found.keys()


def test_long_names_are_shortened() -> None:
    found = entities(stored("x" * 253, "sales", inputPorts=[]))
    assert len(found) == 5
    assert all(len(one["metadata"]["name"]) <= 63 for one in found.values())


def test_an_input_of_a_product_that_is_not_exported_is_still_a_relation() -> None:
    orders, forecast = stored("orders", "sales"), stored("forecast", "inventory", inputPorts=[reads("sales", "orders")])
    found = entities(orders, forecast)
    assert "resource:sales/orders-daily-v1" in found["component:inventory/forecast"]["spec"]["dependsOn"]


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("Partitioned by day", "partitioned-by-day"),
        ("Bestände", "bestande"),
        ("c++ / c#", "c++-c#"),
        ("--x--", "x"),
        ("日本", ""),
        ("", ""),
        ("x" * 80, "x" * 63),
    ],
)
def test_a_tag_is_written_as_backstage_has_it(said: str, shown: str) -> None:
    assert tag(said) == shown


@pytest.mark.parametrize(
    ("said", "shown"),
    [("x" * 63, "x" * 63), ("x" * 64, "x" * 46 + "-[a-z2-7]{16}"), ("ab日本", "ab"), ("a日本", "a-[a-z2-7]{16}"), ("日本", "[a-z2-7]{16}")],
)
def test_a_name_is_kept_shortened_or_replaced(said: str, shown: str) -> None:
    assert re.fullmatch(shown, assign([((said,), said)])[said,])


def test_names_that_differ_only_in_case_are_told_apart() -> None:
    names = set(assign([(("a",), "Sales"), (("b",), "sales")]).values())
    assert len({name.casefold() for name in names}) == 2


def test_a_port_says_what_it_is_else_what_the_product_is() -> None:
    found = entities()
    assert found["api:sales/orders-daily-v1"]["metadata"]["description"] == "One row per order line"
    assert found["resource:sales/orders-old-v1"]["metadata"]["description"] == "What there is to know of orders"
    assert "description" not in json.loads(
        entities(stored(outputPorts=[{**DAILY, "contractId": "x"}]))["api:sales/orders-daily-v1"]["spec"]["definition"]
    )


NAME = re.compile(r"([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]")


@given(st.lists(st.text(max_size=100), unique=True, max_size=20))
def test_every_text_gets_a_name_of_its_own(said: list[str]) -> None:
    names = assign(((text,), text) for text in said)
    assert len({name.casefold() for name in names.values()}) == len(said)
    assert all(NAME.fullmatch(name) and len(name) <= 63 for name in names.values())


@given(st.text(max_size=200))
def test_every_tag_is_by_the_rules(said: str) -> None:
    assert re.fullmatch(r"([a-z0-9+#:]+(-[a-z0-9+#:]+)*)?", tag(said))
    assert len(tag(said)) <= 63
