"""Manifests that a reader may apply: a request, a renewal, an answer. What the product's terms refuse is said here, before it is sent."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from clouddatamesh.api.fields import GROUP, VERSION, parse_duration, parse_time
from clouddatamesh.model.objects import Key, Manifest
from clouddatamesh.plan.names import hash80
from clouddatamesh.view.answers import terms_of
from clouddatamesh.view.product import Port, ports_of
from clouddatamesh.view.raw import text
from clouddatamesh.view.refused import Refused

_API = f"{GROUP}/{VERSION}"
Draft = dict[str, Any]


@dataclass(frozen=True)
class Wish:
    """What a consumer asks for. `port` is `name` or `name/version`; `duration` is as in `90d`, empty for access without an end."""

    key: Key
    port: str
    mode: str
    consumer: Key
    purpose: str
    duration: str
    secret: str


def find_port(product: Manifest, wanted: str) -> Port:
    """The port of a product by `name` or `name/version`; without a name the only one, without a version the newest that stays."""
    name, _, version = wanted.partition("/")
    offered = [port for port in ports_of(product) if port.is_offered]
    found = [port for port in offered if name in ("", port.name) and _is_version(version, port.version)]
    if not found or (not name and len({port.name for port in found}) > 1):
        listed = ", ".join(f"{port.name}/{port.version}" for port in offered) or "none"
        said = f"no port {wanted}" if wanted else "more than one port; name one" if offered else "no port"
        raise Refused(f"{product['metadata']['namespace']}/{product['metadata']['name']} has {said}; its ports: {listed}")
    return max(found, key=lambda port: _order(port.version))


def _is_version(wanted: str, version: str) -> bool:
    return wanted in ("", version, version.split(".", maxsplit=1)[0])


def _order(version: str) -> tuple[int, ...]:
    return tuple(int(part) if part.isdigit() else 0 for part in version.split("-", maxsplit=1)[0].split("+", maxsplit=1)[0].split("."))


def draft_request(product: Manifest, wish: Wish) -> Draft:
    """The AccessRequest. Raises Refused for what the port's terms do not offer."""
    port = find_port(product, wish.port)
    if wish.mode not in port.modes:
        raise Refused(f"Port {port.name}/{port.version} offers {', '.join(port.modes)}, not {wish.mode}; use --mode {port.modes[0]}")
    if not wish.duration and not port.permanent:
        raise Refused(
            f"Port {port.name}/{port.version} gives no permanent access; use --duration{f' {port.duration}' if port.duration else ''}"
        )
    if wish.duration:
        _span(wish.duration, "--duration")
    return {
        "apiVersion": _API,
        "kind": "AccessRequest",
        "metadata": {"name": wish.key.name, "namespace": wish.key.namespace},
        "spec": {
            "dataProductRef": {"namespace": product["metadata"]["namespace"], "name": product["metadata"]["name"]},
            "outputPort": {"name": port.name, "version": port.version},
            "mode": wish.mode,
            "consumer": _consumer(wish.consumer),
            "purpose": wish.purpose,
            **({"duration": wish.duration} if wish.duration else {"permanent": True}),
            "secretName": wish.secret,
        },
    }


def draft_renewal(request: Manifest, reason: str, now: datetime) -> Draft:
    """The request with a renewal of this moment, and nothing else changed."""
    renewal = {**({"reason": reason} if reason else {}), "requestedAt": _stamp(now)}
    return _bare(request, {**request["spec"], "renewal": renewal})


def draft_approval(grant: Manifest, end: str, note: str, now: datetime, approver: str = "") -> Draft:
    """An inbox's grant with its end: a duration from now, a time, or `permanent`. Raises Refused for an end that is none or has passed.

    With an approver it is one of several, each of which needs a name of its own.
    """
    spec = {**grant["spec"], **_end(end, now), **({"note": note} if note else {}), **({"approver": approver} if approver else {})}
    approval = _bare(grant, spec)
    own = {"name": f"{approval['metadata']['name'][:240]}-{hash80('approver', approver)[:8]}"} if approver else {}
    return {**approval, "metadata": {**approval["metadata"], **own}}


def draft_denial(grant: Manifest, note: str) -> Draft:
    """A Deny of the request that an inbox's grant, or one that is in effect, is about."""
    kept = {name: said for name, said in grant["spec"].items() if name not in ("validUntil", "permanent", "note", "approver")}
    denied = _bare(grant, {**kept, "decision": "Deny", **({"note": note} if note else {})})
    asked = text(grant, "spec", "requestRef", "namespace"), text(grant, "spec", "requestRef", "name")
    # Two requests may read alike, and one may be made again on other terms: a name that is taken would keep a denial from being written.
    name = f"deny-{asked[0][:60]}-{asked[1][:120]}".rstrip("-.") + f"-{hash80('deny', *asked, *terms_of(grant))[:8]}"
    return {**denied, "metadata": {**denied["metadata"], "name": name}}


def _bare(manifest: Manifest, spec: Draft) -> Draft:
    metadata = {"name": manifest["metadata"]["name"], "namespace": manifest["metadata"]["namespace"]}
    return {"apiVersion": _API, "kind": manifest["kind"], "metadata": metadata, "spec": spec}


def _consumer(consumer: Key) -> Draft:
    return {"dataProductRef" if consumer.kind == "DataProduct" else "serviceAccountRef": {"name": consumer.name}}


def _end(end: str, now: datetime) -> Draft:
    if end == "permanent":
        return {"permanent": True}
    try:
        until = parse_time(end)
    except ValueError:
        until = now + _span(end, "--until")
    if until <= now:
        raise Refused(f"{end} has passed; name a later end, as in --until 90d")
    return {"validUntil": _stamp(until)}


def _span(text: str, option: str) -> timedelta:
    try:
        span = parse_duration(text)
    except ValueError as error:
        raise Refused(f"{option}: {error}") from None
    if not span:
        raise Refused(f"{option} is zero; use at least 1m")
    return span


def _stamp(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
