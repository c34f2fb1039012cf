"""Where a contract says that its data is. A server is a place to write down, never one to connect to."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from clouddatamesh.export.bitol.odcs import PORT_PROPERTY, SERVER
from clouddatamesh.export.bitol.report import Entry, changed, error, mapped
from clouddatamesh.export.bitol.values import Node
from clouddatamesh.export.bitol.vendor import said

_OURS: Final = frozenset({"s3", "local"})
"""Server types that mean files; those of others are in other systems."""
_SEGMENT: Final = re.compile(r"[A-Za-z0-9_=-]+(\.[A-Za-z0-9_=-]+)*")
_TOLD: Final = ("host", "port", "account", "project", "catalog", "database", "dataset", "schema", "topic", "location", "path", "server")
_PASSWORD: Final = re.compile(r"(^|//|\s|=)[^/@:\s]+:[^/@\s]+@")
_REMOVE: Final = "It has a user and a password, which everybody could read who reads the product; remove them from the document"
_MOST: Final = 1024
_MOST_PATH: Final = 256


@dataclass(frozen=True)
class Place:
    """`path` and `format` of a port in our store, or `location` of one in another system; empty where the contract is silent."""

    path: str = ""
    format: str = ""
    location: str = ""
    type: str = ""
    report: tuple[Entry, ...] = ()


def place_of(contract: Node) -> Place:
    """By the server that we wrote, else the first with an S3 location, else the first."""
    listed = contract.get("servers")
    servers = [(at, one) for at, one in enumerate(listed if isinstance(listed, list) else []) if isinstance(one, Mapping)]
    form = said(contract, "format")
    if not servers:
        return Place(format=form if isinstance(form, str) else "")
    secret = next((at for at, server in servers if any(_PASSWORD.search(str(value)) for value in server.values())), None)
    if secret is not None:
        return Place(report=(error(f"$.servers[{secret}]", _REMOVE),))
    at, server = next((pair for pair in sorted(servers, key=_order)), servers[0])
    path = f"$.servers[{at}]"
    if _is_external(server):
        told = _told(server)
        return Place(
            location=told, type=str(server.get("type")), report=(changed(path, "externalPorts", f"Its place is written as {told}"),)
        )
    return _in_store(server, path, form)


def _order(pair: tuple[int, Node]) -> tuple[bool, bool, int]:
    at, server = pair
    return server.get("server") != SERVER, not _uri(server), at


def _uri(server: Node) -> str:
    uri = server.get("location")
    return uri if isinstance(uri, str) and re.match(r"s3[an]?://", uri) else ""


def _is_external(server: Node) -> bool:
    return str(server.get("type", "")).casefold() not in _OURS and not _uri(server)


def _told(server: Node) -> str:
    """The place in words; user names and keys are not among them."""
    parts = [f"{name}={server[name]}" for name in _TOLD if isinstance(server.get(name), str | int) and not isinstance(server[name], bool)]
    return " ".join([f"{server.get('type') or 'unknown'}:", *parts])[:_MOST]


def _in_store(server: Node, path: str, form: Any) -> Place:
    uri, given = _uri(server), server.get("format")
    bucket, _, key = uri.partition("://")[2].partition("/")
    folder, words = _folder(key), given if isinstance(given, str) and len(given) <= 256 else form
    report = [mapped(f"{path}.format", "outputPorts.format")] if words == given and given else []
    if folder:
        text = f"The path {folder} was taken; bucket {bucket} is not, docs/operations/adopt-a-bucket.md says how"
        report.append(changed(f"{path}.location", "outputPorts.path", text))
    return Place(path=folder, format=words if isinstance(words, str) else "", report=tuple(report))


def _folder(key: str) -> str:
    """The folders of a key up to the first that is a pattern or no folder of ours."""
    folders = []
    for segment in key.split("/")[:-1]:
        if not _SEGMENT.fullmatch(segment):
            break
        folders.append(segment)
    found = "".join(f"{segment}/" for segment in folders)
    return found if len(found) <= _MOST_PATH else ""


def port_of(contract: Node) -> str:
    """The `namespace/product/port/version` that we wrote into it; empty where somebody else made it."""
    told = said(contract, PORT_PROPERTY)
    return told if isinstance(told, str) else ""
