"""Which other objects a manifest names, so that whoever waits for one is found without reading all. Raw: it runs per event.

Some keys are of no object of the cluster: a bucket, a user, the id of a store. They are names by which objects are found.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from clouddatamesh.model.objects import Key, Manifest
from clouddatamesh.plan import marks
from clouddatamesh.plan.children import CHILD_KINDS

BUCKET: Final = "Bucket"
UID: Final = "Uid"
"""Of a DataProduct."""
PRINCIPAL: Final = "Principal"
"""A user that status records, in whatever store."""
CONSUMER: Final = "Consumer"
"""A DataProduct in its part as a consumer; as `DataProduct` it is named by those who ask for it as well."""
STORE_ID: Final = "StoreId"
"""The id of the store in which something was made; the namespace is the name of its ObjectStore."""


def references(manifest: Manifest) -> tuple[Key, ...]:
    """The objects that a manifest names; what is malformed names nothing."""
    read = _READERS.get(manifest["kind"])
    return tuple(dict.fromkeys(read(manifest))) if read else ()


def _of_product(product: Manifest) -> Iterator[Key]:
    spec, status = _map(product.get("spec")), _map(product.get("status"))
    storage = _map(status.get("storage"))
    store = _name(_map(spec.get("storage")).get("storeRef"))
    if store:
        yield Key("ObjectStore", "", store)
    bucket = _map(spec.get("storage")).get("bucketName") or storage.get("bucket")
    if bucket:
        yield Key(BUCKET, "", str(bucket))
    for port in _list(spec.get("inputPorts")):
        source = _map(_map(port).get("from"))
        if source.get("namespace") and source.get("dataProduct"):
            yield Key("DataProduct", str(source["namespace"]), str(source["dataProduct"]))
    yield Key(UID, "", str(product["metadata"].get("uid")))
    yield from _of_principal(_map(status.get("producer")))
    yield from _of_store_id(store, storage)


def _of_request(request: Manifest) -> Iterator[Key]:
    spec, namespace, status = _map(request.get("spec")), request["metadata"]["namespace"], _map(request.get("status"))
    product = _map(spec.get("dataProductRef"))
    if product.get("namespace") and product.get("name"):
        yield Key("DataProduct", str(product["namespace"]), str(product["name"]))
    yield from _of_consumer(_map(spec.get("consumer")), namespace)
    place = _map(status.get("place"))
    if place.get("store"):
        yield Key("ObjectStore", "", str(place["store"]))
    yield from _of_principal(status)
    yield from _of_store_id(str(place.get("store") or ""), place)


def _of_consumer(consumer: Mapping[str, Any], namespace: str) -> Iterator[Key]:
    for field, kinds in (("dataProductRef", ("DataProduct", CONSUMER)), ("serviceAccountRef", ("ServiceAccount",))):
        name = _name(consumer.get(field))
        if name:
            yield from (Key(kind, namespace, name) for kind in kinds)


def _of_principal(record: Mapping[str, Any]) -> Iterator[Key]:
    if record.get("principal"):
        yield Key(PRINCIPAL, "", str(record["principal"]))


def _of_store_id(store: str, record: Mapping[str, Any]) -> Iterator[Key]:
    if store and record.get("storeId"):
        yield Key(STORE_ID, store, str(record["storeId"]))


def _of_grant(grant: Manifest) -> Iterator[Key]:
    spec, namespace = _map(grant.get("spec")), grant["metadata"]["namespace"]
    product = _name(spec.get("dataProductRef"))
    if product:
        yield Key("DataProduct", namespace, product)
    request = _map(spec.get("requestRef"))
    if request.get("namespace") and request.get("name"):
        yield Key("AccessRequest", str(request["namespace"]), str(request["name"]))
    if spec.get("consumerNamespace"):
        yield Key("Namespace", "", str(spec["consumerNamespace"]))


def _of_domain(domain: Manifest) -> Iterator[Key]:
    spec = _map(domain.get("spec"))
    parent = _name(spec.get("parentRef"))
    if parent:
        yield Key("Domain", "", parent)
    for namespace in named_namespaces(domain):
        yield Key("Namespace", "", namespace)


def named_namespaces(domain: Manifest) -> tuple[str, ...]:
    """The namespaces that a domain's manifest names; without any, the one that is named as the domain."""
    entries = _list(_map(domain.get("spec")).get("namespaces")) or [{"name": domain["metadata"]["name"]}]
    return tuple(str(_map(entry).get("name")) for entry in entries)


def _of_marked(manifest: Manifest) -> Iterator[Key]:
    """A namespace, or a child in one: the Domains that its label and its marks name."""
    labels, annotations = _map(manifest["metadata"].get("labels")), _map(manifest["metadata"].get("annotations"))
    held, released = (str(annotations.get(mark) or "").partition("/")[2] for mark in (marks.HELD_ANNOTATION, marks.RELEASED_ANNOTATION))
    names = (labels.get(marks.DOMAIN_LABEL), annotations.get(marks.ADOPT_ANNOTATION), held, released, marks.domain_of(manifest))
    return (Key("Domain", "", str(name)) for name in names if name)


def _of_waiver(waiver: Manifest) -> Iterator[Key]:
    """The object that it excepts, and the policy."""
    spec = _map(waiver.get("spec"))
    for reference, kind in (("objectRef", "DataProduct"), ("policyRef", "GovernancePolicy")):
        named = _map(spec.get(reference))
        if named.get("name"):
            yield Key(str(named.get("kind") or kind), str(named.get("namespace") or ""), str(named["name"]))


_READERS: Final = {
    "PolicyWaiver": _of_waiver,
    "DataProduct": _of_product,
    "AccessRequest": _of_request,
    "AccessGrant": _of_grant,
    "Domain": _of_domain,
    **dict.fromkeys(("Namespace", *CHILD_KINDS), _of_marked),
}


def _map(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _name(reference: Any) -> str:
    return str(_map(reference).get("name") or "")
