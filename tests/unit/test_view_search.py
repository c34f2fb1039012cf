"""Which products answer to which words, and in which order."""

from typing import Any

import pytest

from clouddatamesh.view.search import describe, find, score
from tests.support.manifests import a_product


def points(product: dict[str, Any], *words: str) -> int:
    return score(describe(product), words)


@pytest.mark.parametrize(
    ("words", "found"),
    [
        (["orders"], True),
        (["ORDERS"], True),
        (["Kim"], True),
        (["order", "finance"], True),
        (["order", "nowhere"], False),
        (["4711"], True),
        (["Bestellungen"], True),
        (["kafka"], True),
        (["parquet"], True),
        (["a.c"], False),
        (["("], False),
        ([""], True),
    ],
    ids=[
        "its name",
        "in capitals",
        "its owner",
        "two words",
        "one of two",
        "a property",
        "a synonym",
        "another system",
        "a format",
        "no pattern",
        "no pattern either",
        "an empty word",
    ],
)
def test_a_product_answers_where_every_word_is_somewhere_in_it(words: list[str], found: bool) -> None:
    product = a_product(
        tags=["finance"],
        synonyms=[{"synonym": "Bestellungen"}],
        customProperties=[{"property": "costCenter", "value": "4711"}],
        externalPorts=[{"name": "changes", "description": "on kafka"}],
    )
    assert bool(points(product, *words)) is found


def test_a_whole_word_counts_more_than_its_beginning_and_that_more_than_its_inside() -> None:
    names = ("order", "orders", "reorder")
    assert [found["metadata"]["name"] for found in find([a_product(name) for name in reversed(names)], ["order"])] == list(names)


def test_a_name_counts_more_than_what_is_said_of_it() -> None:
    told = a_product("returns", description={"purpose": "what of the orders came back"})
    assert [found["metadata"]["name"] for found in find([told, a_product("orders")], ["orders"])] == ["orders", "returns"]


def test_equal_ones_are_sorted_by_namespace_and_name() -> None:
    products = [a_product("b", "sales"), a_product("a", "sales"), a_product("c", "inventory")]
    found = find(products, ["kim"])
    assert [(one["metadata"]["namespace"], one["metadata"]["name"]) for one in found] == [
        ("inventory", "c"),
        ("sales", "a"),
        ("sales", "b"),
    ]
