"""Who may have access by what is really in the cluster, whatever a cache shows: a second opinion on docs/access.md."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from clouddatamesh.api.fields import parse_time
from clouddatamesh.kube.memory import MemoryCluster
from clouddatamesh.model.objects import Key, key_of
from clouddatamesh.plan import names

Raw = Mapping[str, Any]


def justified(cluster: MemoryCluster, now: datetime) -> set[str]:
    """Names of the principals that may have rights now."""
    products = {_principal(one, cluster) for one in _all(cluster, "DataProduct") if "producer" in one["spec"]}
    return products | {_principal(one, cluster) for one in _all(cluster, "AccessRequest") if _may(one, cluster, now)}


def _principal(one: Raw, cluster: MemoryCluster) -> str:
    """All meshes of these tests are called acme."""
    system = cluster.raw(Key("Namespace", "", "kube-system"))
    assert system is not None
    return names.principal_name("acme", system["metadata"]["uid"], key_of(one))


def _all(cluster: MemoryCluster, kind: str) -> Iterator[Raw]:
    return (one for key in cluster.all_keys() if key.kind == kind and (one := cluster.raw(key)) is not None)


def _may(request: Raw, cluster: MemoryCluster, now: datetime) -> bool:
    spec, place = request["spec"], request["metadata"]["namespace"]
    product = cluster.raw(Key("DataProduct", spec["dataProductRef"]["namespace"], spec["dataProductRef"]["name"]))
    consumer = cluster.raw(Key("DataProduct", place, spec["consumer"]["dataProductRef"]["name"]))
    if request["metadata"].get("deletionTimestamp") or product is None or consumer is None:
        return False
    if product["spec"].get("lifecycle", "active") not in ("active", "deprecated"):
        return False
    grants = [one for one in _all(cluster, "AccessGrant") if _is_answer(one, request) and not one["metadata"].get("deletionTimestamp")]
    if any(grant["spec"]["decision"] == "Deny" for grant in grants):
        return False
    return any("validUntil" not in grant["spec"] or parse_time(grant["spec"]["validUntil"]) > now for grant in grants)


def _is_answer(grant: Raw, request: Raw) -> bool:
    asked = {"namespace": request["metadata"]["namespace"], "name": request["metadata"]["name"]}
    named = grant["spec"].get("requestRef")
    whole = named is None and grant["spec"].get("consumerNamespace") == asked["namespace"]
    return bool(named == asked or whole)
