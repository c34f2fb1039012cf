"""What a product is called, who answers for it, and the names of its ports."""

from clouddatamesh.model.objects import Manifest
from clouddatamesh.view.raw import entries, text


def title_of(manifest: Manifest) -> str:
    """The name for people."""
    return text(manifest, "spec", "displayName") or str(manifest["metadata"]["name"])


def owner_of(product: Manifest) -> str:
    """The person responsible, with an address if there is one."""
    name, email = text(product, "spec", "owner", "name"), text(product, "spec", "owner", "email")
    return f"{name} <{email}>" if name and email else name or email


def named(port: Manifest) -> tuple[str, str]:
    """Name and version, by which a port of the spec is found in status."""
    return text(port, "name"), text(port, "version")


def port_names(product: Manifest) -> tuple[str, ...]:
    """`name/version` of the ports of the spec, and after them of those that left it and are still served."""
    listed = [named(port) for port in entries(product, "spec", "outputPorts")]
    last = {named(state): state.get("draining") is True for state in entries(product, "status", "outputPorts")}
    return tuple(f"{name}/{version}" for name, version in (*listed, *(port for port, draining in last.items() if draining)))
