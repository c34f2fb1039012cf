"""Whether a product's input ports can be read, by the requests that it is the consumer of; and what to do where not.

A contract id leads to no product here: anybody can write any id, and whoever reads this status may not see the product that has it.
"""

from clouddatamesh.api.v1alpha1.dataproduct import DataProduct
from clouddatamesh.api.v1alpha1.ports import InputPort, ProductPortReference
from clouddatamesh.model.objects import Manifest
from clouddatamesh.plan.access import consumers, facts


def find_missing_inputs(product: DataProduct, requests: tuple[Manifest, ...]) -> tuple[tuple[str, str], ...]:
    """Each input port that is not satisfied, with the sentence that says what is missing. External inputs need nothing of us."""
    missing = ((port.name, _fault_of(port, product, requests)) for port in product.spec.input_ports)
    return tuple((name, fault) for name, fault in missing if fault)


def _fault_of(port: InputPort, product: DataProduct, requests: tuple[Manifest, ...]) -> str:
    source = port.from_
    if source is None:
        return _without_source(port)
    asking = [request for request in requests if _asks_for(request, source)]
    if any(consumers.is_in_effect(request) for request in asking):
        return ""
    where = f"Input port {port.name} reads {source.namespace}/{source.data_product}"
    if asking:
        return f"{where}, and the AccessRequest for it is not in effect; its status says why"
    return (
        f"{where} and has no access yet; apply an AccessRequest for outputPort {source.output_port.name} {source.output_port.version}"
        f" with consumer.dataProductRef.name: {product.metadata.name}"
    )


def _without_source(port: InputPort) -> str:
    """What is outside the mesh needs nothing of us. Of an input that is known by its contract alone nobody knows whether it is read."""
    if port.external is not None or port.contract_id is None:
        return ""
    named = f"Input port {port.name} names contract {port.contract_id} and no product, so no access to it is known"
    return f"{named}; set from to the output port with this contract, or set external"


def _asks_for(request: Manifest, source: ProductPortReference) -> bool:
    """Whether a request is for that very port, in a mode that reads."""
    asked = facts.asked_product(request)
    port = (source.output_port.name, source.output_port.version.split(".", maxsplit=1)[0])
    reads = (request.get("spec") or {}).get("mode") != "WriteOnly"
    return reads and (asked.namespace, asked.name) == (source.namespace, source.data_product) and facts.asked_port(request) == port
