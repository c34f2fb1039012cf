"""Which Domain a namespace belongs to: the one that its label, that Domain's spec and that Domain's status agree on."""

from typing import Any, Final

import pytest

from clouddatamesh.kube.memory import MemoryCluster
from clouddatamesh.model.access import Home
from clouddatamesh.model.objects import Key
from clouddatamesh.reconcile.domains import find_domain, namespace_uid
from tests.support.manifests import a_domain
from tests.support.worlds import SETTINGS

DOMAIN: Final = Key("Domain", "", "sales")
NAMESPACE: Final = Key("Namespace", "", "lab")


def a_cluster(*, label: str = "sales", holds: str = "", domain: dict[str, Any] | None = None, **spec: Any) -> MemoryCluster:
    """Namespace lab, labelled as of Domain sales, which names it and holds it; `holds` is another uid than the namespace has."""
    cluster = MemoryCluster(SETTINGS)
    labels = {"labels": {"clouddatamesh.dev/domain": label}} if label else {}
    cluster.user_apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "lab", **labels}})
    cluster.user_apply(a_domain(**{"namespaces": [{"name": "lab"}], **spec}) | (domain or {}))
    seen = {"name": "lab", "uid": holds or namespace_uid("lab", cluster)}
    cluster.write_status(DOMAIN, dict(cluster.raw(DOMAIN) or {})["metadata"]["uid"], {"namespaces": [seen]})
    return cluster


def test_a_namespace_is_at_home_where_label_spec_and_status_agree() -> None:
    assert find_domain("lab", a_cluster()) == Home("sales")


@pytest.mark.parametrize(
    ("differs", "namespace"),
    [
        ({}, "elsewhere"),
        ({"label": ""}, "lab"),
        ({"label": "nobody"}, "lab"),
        ({"namespaces": [{"name": "other"}]}, "lab"),
        ({"holds": "uid-of-before"}, "lab"),
    ],
    ids=["no such namespace", "no label", "no such Domain", "spec does not name it", "the namespace was made again"],
)
def test_a_namespace_is_homeless_where_one_of_them_does_not(differs: dict[str, Any], namespace: str) -> None:
    assert find_domain(namespace, a_cluster(**differs)) is None


@pytest.mark.parametrize(("spec", "cordoned"), [({"cordoned": True}, True), ({"cordoned": False}, False), ({}, False)], ids=str)
def test_a_domain_is_cordoned_where_its_spec_says_so(spec: dict[str, Any], cordoned: bool) -> None:
    home = find_domain("lab", a_cluster(**spec))
    assert home is not None and home.cordoned is cordoned


def test_a_home_has_the_labels_by_which_stores_select_it() -> None:
    labelled = {"metadata": {"name": "sales", "labels": {"region": "eu"}}}
    home = find_domain("lab", a_cluster(domain=labelled))
    assert home is not None and home.labels == {"region": "eu"}


def test_a_domain_without_status_is_nobodys_home() -> None:
    cluster = a_cluster()
    cluster.write_status(DOMAIN, dict(cluster.raw(DOMAIN) or {})["metadata"]["uid"], {})
    assert find_domain("lab", cluster) is None


def test_a_domain_that_cannot_be_read_or_goes_says_so() -> None:
    unreadable = find_domain("lab", a_cluster(displayName=5))
    assert unreadable is not None and not unreadable.readable
    cluster = a_cluster()
    cluster.user_finalize(DOMAIN, "example.com/held")
    cluster.user_delete(DOMAIN)
    assert find_domain("lab", cluster) == Home("sales", deleting=True)


def test_a_namespace_that_was_not_seen_has_no_uid() -> None:
    cluster = a_cluster()
    assert namespace_uid("lab", cluster) == dict(cluster.raw(NAMESPACE) or {})["metadata"]["uid"]
    assert namespace_uid("elsewhere", cluster) == ""
