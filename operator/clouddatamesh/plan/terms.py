"""What a grant and a port mean: which request a grant answers, when it ends, and which port a request asks for. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Final

from clouddatamesh.api.fields import parse_duration, parse_time
from clouddatamesh.api.v1alpha1.accessgrant import AccessGrant
from clouddatamesh.api.v1alpha1.accessrequest import AccessRequest
from clouddatamesh.api.v1alpha1.dataproduct import DataProduct
from clouddatamesh.api.v1alpha1.ports import OutputPort, OutputPortStatus, PortAccess, PortReference
from clouddatamesh.model.objects import Key

WARNING: Final = timedelta(days=14)
"""How long before its end access is called expiring; half of its term where that is shorter."""


@dataclass(frozen=True)
class Port:
    """The port that is asked for, as the product has it, or (draining) as it had it last."""

    path: str
    access: PortAccess
    draining: bool = False
    latest: datetime | None = None
    """Of a draining port, whose terms are not known any more: when access ended by them."""


def port_of(request: AccessRequest, product: DataProduct | None) -> Port | None:
    """The port that a request asks for: name and major version decide. One that left the spec is draining while status still has it."""
    if product is None:
        return None
    asked = request.spec.output_port
    for port in product.spec.output_ports:
        if _is_same_port(port, asked):
            return Port(port.path, port.access)
    for seen in product.status.output_ports:
        if seen.path and _is_same_port(seen, asked):
            latest = parse_time(request.status.valid_until) if request.status.valid_until else None
            return Port(seen.path, PortAccess(allow_permanent=True), draining=True, latest=latest)
    return None


def consumer_of(request: AccessRequest) -> Key:
    """The product or ServiceAccount that is to use the access."""
    consumer, namespace = request.spec.consumer, request.metadata.namespace
    if consumer.data_product_ref is not None:
        return Key("DataProduct", namespace, consumer.data_product_ref.name)
    return Key("ServiceAccount", namespace, consumer.service_account_ref.name if consumer.service_account_ref else "")


def major(port: PortReference | OutputPort | OutputPortStatus) -> str:
    """The major version, by which access goes."""
    return port.version.split(".", maxsplit=1)[0]


def is_answer(grant: AccessGrant, request: AccessRequest) -> bool:
    """Whether a grant answers exactly this request: product, port (name and major version), consumer and mode are the same."""
    return not any(True for _ in find_differences(grant, request))


def find_differences(grant: AccessGrant, request: AccessRequest) -> Iterator[str]:
    """The fields of a grant that do not say what the request says. A refusal of a whole namespace repeats no more than it refuses."""
    asked, given = request.spec, grant.spec
    if (grant.metadata.namespace, given.data_product_ref.name) != (asked.data_product_ref.namespace, asked.data_product_ref.name):
        yield "dataProductRef"
    every_port = given.request_ref is None and given.output_port is None
    if not every_port and not (given.output_port and _is_same_port(given.output_port, asked.output_port)):
        yield "outputPort"
    if given.request_ref is None:
        if given.decision != "Deny" or given.consumer_namespace != request.metadata.namespace:
            yield "consumerNamespace"
        return
    if (given.request_ref.namespace, given.request_ref.name) != (request.metadata.namespace, request.metadata.name):
        yield "requestRef"
    if given.consumer != asked.consumer:
        yield "consumer"
    if given.mode != asked.mode:
        yield "mode"


def _is_same_port(port: PortReference | OutputPort | OutputPortStatus, asked: PortReference) -> bool:
    """By name and major version."""
    return (port.name, major(port)) == (asked.name, major(asked))


def end_of(grant: AccessGrant, port: Port) -> datetime | None:
    """When an approval ends: validUntil, and never later than its creation plus the port's maxDuration. None: never."""
    longest = created_at(grant) + parse_duration(port.access.max_duration) if port.access.max_duration else None
    return min((end for end in (_named_end(grant), longest, port.latest) if end is not None), default=None)


def _named_end(grant: AccessGrant) -> datetime | None:
    """The end that the grant itself names. One that says permanent names none, whatever else it says."""
    return parse_time(grant.spec.valid_until) if grant.spec.valid_until and not grant.spec.permanent else None


def is_living(grant: AccessGrant, port: Port, now: datetime) -> bool:
    """Whether an approval has not ended. One without any end where none is allowed never lives."""
    end = end_of(grant, port)
    return not is_endless(grant, port) and (end is None or now < end)


def is_endless(grant: AccessGrant, port: Port) -> bool:
    """An approval without end where the port allows none."""
    return grant.spec.decision == "Approve" and _named_end(grant) is None and not port.access.allow_permanent


def sort_key(grant: AccessGrant, port: Port) -> tuple[bool, float, str]:
    """Sorts approvals by their end, the endless ones last; of two equal ones the name decides."""
    end = end_of(grant, port)
    return end is None, end.timestamp() if end else 0.0, name_of(grant)


def warns_at(grant: AccessGrant, port: Port) -> datetime | None:
    """When access begins to be called expiring: 14 days before its end, or at half of a shorter term."""
    end = end_of(grant, port)
    return end - min(WARNING, (end - created_at(grant)) / 2) if end else None


def is_expiring(grant: AccessGrant, port: Port, now: datetime) -> bool:
    """Whether the end is near."""
    moment = warns_at(grant, port)
    return moment is not None and now >= moment


def created_at(grant: AccessGrant) -> datetime:
    """When a grant was made, by the API server's clock."""
    return parse_time(grant.metadata.creation_timestamp or "1970-01-01T00:00:00Z")


def name_of(grant: AccessGrant) -> str:
    """`namespace/name`."""
    return f"{grant.metadata.namespace}/{grant.metadata.name}"


def digest(request: AccessRequest) -> str:
    """A fingerprint of what is asked: product, port (name and major version), consumer and mode; 64 bits as hexadecimal digits."""
    spec = request.spec
    parts = (
        str(Key("DataProduct", spec.data_product_ref.namespace, spec.data_product_ref.name)),
        f"{spec.output_port.name}/{major(spec.output_port)}",
        str(consumer_of(request)),
        spec.mode,
    )
    return sha256("\0".join(parts).encode()).hexdigest()[:16]
