"""Which other objects a manifest names, so that whoever waits for one is found without reading all. Raw: it runs per event."""

from collections.abc import Iterator, Mapping
from typing import Any

from clouddatamesh.model.objects import Key, Manifest


def references(manifest: Manifest) -> tuple[Key, ...]:
    """The objects that a manifest's spec and status name; what is malformed names nothing."""
    read = _READERS.get(manifest["kind"])
    return tuple(dict.fromkeys(read(manifest))) if read else ()


def _of_product(product: Manifest) -> Iterator[Key]:
    spec = _map(product.get("spec"))
    store = _name(_map(spec.get("storage")).get("storeRef"))
    if store:
        yield Key("ObjectStore", "", store)
    bucket = _map(spec.get("storage")).get("bucketName") or _map(_map(product.get("status")).get("storage")).get("bucket")
    if bucket:
        yield Key("Bucket", "", str(bucket))
    for port in _list(spec.get("inputPorts")):
        source = _map(_map(port).get("from"))
        if source.get("namespace") and source.get("dataProduct"):
            yield Key("DataProduct", str(source["namespace"]), str(source["dataProduct"]))


def _of_request(request: Manifest) -> Iterator[Key]:
    spec, namespace = _map(request.get("spec")), request["metadata"]["namespace"]
    product = _map(spec.get("dataProductRef"))
    if product.get("namespace") and product.get("name"):
        yield Key("DataProduct", str(product["namespace"]), str(product["name"]))
    yield from _of_consumer(_map(spec.get("consumer")), namespace)
    store = _map(_map(request.get("status")).get("place")).get("store")
    if store:
        yield Key("ObjectStore", "", str(store))


def _of_consumer(consumer: Mapping[str, Any], namespace: str) -> Iterator[Key]:
    for field, kind in (("dataProductRef", "DataProduct"), ("serviceAccountRef", "ServiceAccount")):
        name = _name(consumer.get(field))
        if name:
            yield Key(kind, namespace, name)


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


_READERS = {"DataProduct": _of_product, "AccessRequest": _of_request, "AccessGrant": _of_grant}


def _map(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _name(reference: Any) -> str:
    return str(_map(reference).get("name") or "")
