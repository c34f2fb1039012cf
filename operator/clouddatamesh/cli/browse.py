"""Commands that find: list and search. They import little: whoever waits for a list waits for imports first."""

from collections.abc import Iterable, Iterator
from typing import Annotated

import typer

from clouddatamesh.cli.app import Options, command
from clouddatamesh.cli.names import written
from clouddatamesh.cli.output import Form, Row, print_list, print_table
from clouddatamesh.cli.session import Session
from clouddatamesh.model.objects import Key
from clouddatamesh.view.listing import Entry, list_products
from clouddatamesh.view.search import find


@command("list")
def list_(session: Session, options: Options) -> None:
    """List data products; of all namespaces that you can see, or of one with -n."""
    _print(list_products(session.visible("DataProduct")), options.output)


@command("search")
def search(
    session: Session, options: Options, words: Annotated[list[str], typer.Argument(help="Words; a product has to contain all of them.")]
) -> None:
    """Search products by name, tag, port, description and owner. The best match comes first."""
    wanted = [word for given in words for word in given.split()]
    _print(list_products(find(session.visible("DataProduct"), wanted)), options.output)


def _print(found: Iterable[Entry], form: Form) -> None:
    print_list(
        form, found, name=lambda entry: written(Key("DataProduct", entry.namespace, entry.name)), table=lambda rows: _table(rows, form)
    )


def _table(found: Iterator[Entry], form: Form) -> None:
    head = ["NAMESPACE", "NAME", "VERSION", "LIFECYCLE", "HEALTH", "OWNER", "PORTS"]
    rows: Iterator[Row] = ([e.namespace, e.name, e.version, e.lifecycle, e.health, e.owner, ", ".join(e.ports)] for e in found)
    if form is Form.WIDE:
        head = [*head[:2], "TITLE", *head[2:], "TAGS", "PURPOSE"]
        rows = (
            [e.namespace, e.name, e.title, e.version, e.lifecycle, e.health, e.owner, ", ".join(e.ports), ", ".join(e.tags), e.purpose]
            for e in found
        )
    print_table(head, rows, empty="No data products found")
