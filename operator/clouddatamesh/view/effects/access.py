"""Effects of requests and of the answers to them."""

from collections.abc import Iterator
from datetime import datetime

from clouddatamesh.model.objects import Key, Manifest
from clouddatamesh.plan.access.consumers import is_in_effect
from clouddatamesh.plan.access.facts import asked_port, asked_product, moment
from clouddatamesh.view.effects.effect import Effect, Sign, identity
from clouddatamesh.view.mesh import Mesh
from clouddatamesh.view.product import Port, ports_of
from clouddatamesh.view.raw import text, value


def of_request(old: Manifest, new: Manifest, mesh: Mesh) -> Iterator[Effect]:
    if not new:
        secret = text(old, "spec", "secretName")
        yield Effect(Sign.TAKE, f"the access of {_consumer(old)}, and Secret {secret}" if is_in_effect(old) else "the request")
        return
    if old:
        if value(old, "spec", "renewal") != value(new, "spec", "renewal"):
            yield Effect(Sign.ASK, "for more time; access goes on under the present grant")
        return
    target = asked_product(new)
    port = _port_of(new, mesh.get("DataProduct", target.namespace, target.name))
    span = text(new, "spec", "duration") or "without an end"
    what = f"{text(new, 'spec', 'mode') or 'ReadOnly'} on {target.namespace}/{target.name} {text(new, 'spec', 'outputPort', 'name')}"
    if port is not None and _answers_itself(port, mesh.get("DataProduct", target.namespace, target.name), new):
        yield Effect(Sign.GIVE, f"{_consumer(new)} gets {what} at once, {span}, with a key in Secret {text(new, 'spec', 'secretName')}")
    else:
        yield Effect(Sign.ASK, f"{_consumer(new)} asks the owners of {target.namespace} for {what}, {span}")


def _answers_itself(port: Port, product: Manifest | None, request: Manifest) -> bool:
    """Whether a request is granted as it comes: the port does, the product gives new access, and the terms are the port's."""
    is_given = text(product or {}, "spec", "lifecycle") in ("", "active") and text(product or {}, "spec", "suspend") != "true"
    is_offered = port.approval == "Auto" and port.is_offered and (port.permanent or value(request, "spec", "permanent") is not True)
    return is_given and is_offered


def _port_of(request: Manifest, product: Manifest | None) -> Port | None:
    return next((port for port in ports_of(product) if identity(port) == asked_port(request)), None) if product else None


def _consumer(manifest: Manifest) -> str:
    """Of a request or a grant."""
    product, account = (text(manifest, "spec", "consumer", ref, "name") for ref in ("dataProductRef", "serviceAccountRef"))
    place = text(manifest, "spec", "requestRef", "namespace") or manifest["metadata"].get("namespace", "")
    return f"product {place}/{product}" if product else f"ServiceAccount {place}/{account}"


def of_grant(old: Manifest, new: Manifest, mesh: Mesh) -> Iterator[Effect]:
    grant = new or old
    asked = Key("AccessRequest", text(grant, "spec", "requestRef", "namespace"), text(grant, "spec", "requestRef", "name"))
    whole = text(grant, "spec", "consumerNamespace")
    whose = f"everybody in {whole}" if whole else _consumer(grant)
    what = f"{text(grant, 'spec', 'dataProductRef', 'name')} {text(grant, 'spec', 'outputPort', 'name')}".strip()
    was, now = (text(one, "spec", "decision") if one else "" for one in (old, new))
    if now == "Approve" and was != "Approve":
        yield Effect(Sign.GIVE, f"{whose} gets {text(grant, 'spec', 'mode')} on {what} until {_end(new) or 'it is revoked'}")
    elif now and now != was:
        request = mesh.get("AccessRequest", asked.namespace, asked.name)
        ends = "the access of" if whole or request is None or is_in_effect(request) else "the prospect of access of"
        yield Effect(Sign.TAKE, f"{ends} {whose} to {what}")
    elif now == was == "Approve" and _moment(old) != _moment(new):
        yield Effect(
            _direction(old, new), f"{whose} has access to {what} until {_end(new) or 'it is revoked'}, not {_end(old) or 'without end'}"
        )
    elif not new and was == "Deny":
        yield Effect(Sign.GIVE, f"{whose} gets access to {what} where an approval gives it")
    elif not new and was == "Approve":
        yield Effect(Sign.TAKE, f"the access of {whose} to {what}, unless another approval gives it")


def _end(grant: Manifest) -> str:
    return "" if value(grant, "spec", "permanent") is True else text(grant, "spec", "validUntil")


def _moment(grant: Manifest) -> datetime | None:
    return moment(_end(grant) or None)


def _direction(old: Manifest, new: Manifest) -> Sign:
    before, after = _moment(old), _moment(new)
    longer = after is None or (before is not None and after > before)
    return Sign.GIVE if longer else Sign.TAKE
