"""The documents that an export makes, before anybody writes them down."""

from dataclasses import dataclass
from typing import Any, TypeAlias


@dataclass(frozen=True)
class Document:
    """One file. `name` is a file name without a folder, such as `sales.orders.odps.yaml`; `body` is data as JSON knows it."""

    name: str
    media_type: str
    body: Any


Documents: TypeAlias = tuple[Document, ...]
