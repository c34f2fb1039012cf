"""What of an event is news: an event that is none wakes nobody, and one that is may not be missed."""

from typing import Any

import pytest

from clouddatamesh.model.objects import Key, Manifest
from clouddatamesh.plan.marks import ADOPT_ANNOTATION, DOMAIN_LABEL, FINALIZER, MANAGED_LABEL, MANAGER
from clouddatamesh.reconcile.changes import Change
from clouddatamesh.reconcile.wakes import wakes
from tests.reconcile.access_flows import two_domains
from tests.support.manifests import a_domain, a_product
from tests.support.mesh import Mesh

DOMAIN = Key("Domain", "", "sales")
JUDGED = {"observedGeneration": 1, "conditions": [{"type": "Ready", "status": "True"}]}


def of(manifest: Manifest, **metadata: Any) -> dict[str, Any]:
    return {**manifest, "metadata": {"uid": "1", "generation": 1, **manifest["metadata"], **metadata}}


@pytest.mark.parametrize(
    ("old", "new", "is_news"),
    [
        (of(a_product(), finalizers=[FINALIZER]), of(a_product()), True),
        (of(a_product(), finalizers=[FINALIZER]), of(a_product(), finalizers=["other/one"]), True),
        (of(a_product()), of(a_product(lifecycle="deprecated")), True),
        (of(a_product()), of(a_product(), generation=2), True),
        (of(a_product()), of(a_product(), labels={"a": "b"}), True),
        (of(a_product()), of(a_product(), deletionTimestamp="2026-01-01T00:00:00Z"), True),
        ({**of(a_product()), "status": JUDGED}, of(a_product()), True),
        (of(a_product()), {**of(a_product()), "status": JUDGED}, False),
        (of(a_product(), resourceVersion="1"), of(a_product(), resourceVersion="2"), False),
        (of(a_product(), finalizers=[FINALIZER]), of(a_product(), finalizers=[FINALIZER], resourceVersion="2"), False),
        ({**of(a_product()), "status": {**JUDGED, "observedGeneration": 0}}, of(a_product()), True),
        ({**of(a_product()), "status": {**JUDGED, "observedGeneration": -1}}, of(a_product()), False),
        ({**of(a_product()), "status": {"observedGeneration": 1}}, of(a_product()), False),
        (None, of(a_product()), True),
        (of(a_product()), None, True),
        ({**of(a_product()), "status": JUDGED}, None, True),
    ],
    ids=["finalizers taken off", "finalizer replaced", "another spec of one generation", "generation", "labels", "being deleted",
         "status lost", "status written", "nothing", "nothing while it is held", "status of the first generation lost",
         "defaults of the schema lost", "status without conditions lost", "created", "deleted", "deleted with its status"],
)  # fmt: skip
def test_what_is_news_of_an_object(old: Manifest | None, new: Manifest | None, is_news: bool) -> None:
    assert Change(old, new).is_news == is_news


def test_a_change_is_of_the_object_as_it_is_now_or_as_it_was_last() -> None:
    old, new = of(a_product()), of(a_product(), generation=2)
    assert (Change(old, new).manifest, Change(old, None).manifest, Change(None, new).manifest) == (new, old, new)
    assert [change.is_born_or_gone for change in (Change(old, new), Change(old, None), Change(None, new))] == [False, True, True]


def test_a_finalizer_that_somebody_takes_off_wakes_its_object() -> None:
    mesh = two_domains(Mesh())
    old = mesh.product()
    mesh.cluster.user_finalize(Key("DataProduct", "sales", "orders"))
    assert Key("DataProduct", "sales", "orders") in {wake.key for wake in wakes(old, mesh.product(), mesh.cluster)}


def a_quota(*, used: dict[str, str] | None = None, hard: str = "5", **metadata: Any) -> dict[str, Any]:
    labels = {DOMAIN_LABEL: "sales", MANAGED_LABEL: MANAGER}
    status = {"status": {"hard": {"pods": hard}, "used": used}} if used is not None else {}
    place = {"name": "clouddatamesh", "namespace": "sales", "uid": "1", "labels": labels, **metadata}
    return {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": place, "spec": {"hard": {"pods": hard}}, **status}


def a_binding(*subjects: str) -> dict[str, Any]:
    place = {"name": "owners", "namespace": "sales", "uid": "1", "labels": {DOMAIN_LABEL: "sales"}}
    return {"kind": "RoleBinding", "metadata": place, "subjects": [{"kind": "User", "name": name} for name in subjects]}


@pytest.mark.parametrize(
    ("old", "new", "wakes_domain"),
    [
        (a_quota(used={"pods": "1"}), a_quota(used={"pods": "2"}), False),
        (a_quota(resourceVersion="1"), a_quota(resourceVersion="2"), False),
        (a_quota(), a_quota(used={"pods": "1"}), True),
        (a_quota(used={"pods": "1"}), a_quota(used={}), True),
        (a_quota(hard="5"), a_quota(hard="6"), True),
        (a_quota(), a_quota(labels={DOMAIN_LABEL: "other"}), True),
        (a_quota(), a_quota(uid="2"), True),
        (a_quota(), None, True),
        (None, a_quota(), True),
        (a_binding("kim"), a_binding("eve"), True),
        (a_binding("kim"), a_binding("kim"), False),
    ],
    ids=["counted more", "touched", "counted at last", "counted no more", "limit", "relabelled", "made again", "gone", "new", "subjects",
         "the same"],
)  # fmt: skip
def test_a_domain_looks_at_a_child_that_is_another_and_not_at_one_that_only_counts(
    old: Manifest | None, new: Manifest | None, wakes_domain: bool
) -> None:
    assert (DOMAIN in {wake.key for wake in wakes(old, new, Mesh().cluster)}) == wakes_domain


@pytest.mark.parametrize(
    ("metadata", "woken"),
    [
        ({"annotations": {"cattle.io/status": "7"}}, {DOMAIN}),
        ({"annotations": {ADOPT_ANNOTATION: "sales"}}, {DOMAIN}),
        ({"resourceVersion": "999"}, set()),
        ({"labels": {}}, {DOMAIN, Key("DataProduct", "sales", "late")}),
        ({"labels": {DOMAIN_LABEL: "other"}}, {DOMAIN, Key("Domain", "", "other"), Key("DataProduct", "sales", "late")}),
        ({"uid": "2"}, {DOMAIN, Key("DataProduct", "sales", "late")}),
        ({"deletionTimestamp": "2026-01-01T00:00:00Z"}, {DOMAIN, Key("DataProduct", "sales", "late")}),
    ],
    ids=["a tool's annotation", "a consent", "nothing", "labels lost", "labels forged", "made again", "going"],
)
def test_whom_a_namespace_wakes(metadata: dict[str, Any], woken: set[Key]) -> None:
    mesh = two_domains(Mesh()).apply(a_product("late"))
    old = mesh.get("Namespace", "sales")
    new = {**old, "metadata": {**old["metadata"], **metadata}}
    assert {wake.key for wake in wakes(old, new, mesh.cluster)} == woken


def test_a_parent_and_its_children_wake_each_other() -> None:
    mesh = Mesh().apply(
        a_domain("retail"), a_domain("sales", parentRef={"name": "retail"}), a_domain("stock", parentRef={"name": "retail"})
    )
    for name, others in (("sales", {"retail"}), ("retail", {"sales", "stock"})):
        found = {wake.key.name for wake in wakes(mesh.get("Domain", name), None, mesh.cluster) if wake.key.kind == "Domain"}
        assert found == {name, *others}
