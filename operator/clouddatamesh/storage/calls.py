"""One request at a time, its errors translated at the edge. It adds nothing to a request and retries nothing."""

from collections.abc import Collection
from typing import Any, Final

from botocore.exceptions import BotoCoreError, ClientError
from botocore.parsers import ResponseParserError

from clouddatamesh import reasons
from clouddatamesh.errors import MeshError, Transient
from clouddatamesh.model.identity import Connection
from clouddatamesh.storage.errors import code_of, translate

PAGE: Final = 1000
WIRE_ERRORS = (ClientError, BotoCoreError, ResponseParserError, KeyError)
"""Everything that a request may raise; the last two, for an answer of 200 that is no XML or none of ours, are not of boto's own family."""

STRANGE: Final = (KeyError, IndexError, TypeError, ValueError, AttributeError, RecursionError)
"""What reading an answer may raise that is none of ours, or that somebody made to break its reader."""


def hidden_of(connection: Connection) -> tuple[str, ...]:
    """What no message may show."""
    return tuple(filter(None, (connection.access_key_id, connection.secret_access_key)))


class Calls:
    """Requests of one client. `ClientError` reaches the caller only for the codes that it asks for."""

    def __init__(self, client: Any, connection: Connection) -> None:
        self.client, self._hidden = client, hidden_of(connection)

    def do(self, operation: str, what: str, **arguments: Any) -> dict[str, Any]:
        """One request."""
        try:
            return dict(getattr(self.client, operation)(**arguments))
        except WIRE_ERRORS as error:
            raise self.explain(error, operation, what) from None  # the chain would show the store's words unredacted

    def get(self, operation: str, what: str, *, unless: Collection[str], **arguments: Any) -> dict[str, Any] | None:
        """One request, None where the store answers with one of the codes `unless`."""
        try:
            return dict(getattr(self.client, operation)(**arguments))
        except ClientError as error:
            if code_of(error) in unless:
                return None
            raise self.explain(error, operation, what) from None
        except WIRE_ERRORS as error:
            raise self.explain(error, operation, what) from None

    def collect(self, operation: str, what: str, *, part: str, **arguments: Any) -> list[dict[str, Any]]:
        """One part of every page of a listing, a thousand to a page; a page without it is no answer."""
        try:
            pages = self.client.get_paginator(operation).paginate(**arguments, PaginationConfig={"PageSize": PAGE})
            return [item for page in pages for item in page[part]]
        except WIRE_ERRORS as error:
            raise self.explain(error, operation, what) from None

    def explain(self, error: Exception, operation: str, what: str) -> MeshError:
        """The error in our words."""
        return translate(error, f"{name_of(operation)} {what}".strip(), hide=self._hidden)


def strange(what: str) -> Transient:
    """The error of an answer that cannot be read."""
    return Transient(reasons.STORE_UNAVAILABLE, f"{what} failed: the answer cannot be read; check the ObjectStore's endpoints")


def name_of(operation: str) -> str:
    """`put_bucket_tagging` as the S3 reference writes it."""
    return "".join(part.capitalize() for part in operation.split("_"))
