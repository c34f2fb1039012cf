"""Commands that explain: describe, tree, why, map."""

from typing import Annotated

import typer

from clouddatamesh.cli import pages
from clouddatamesh.cli.app import Options, command
from clouddatamesh.cli.domain_page import print_domain
from clouddatamesh.cli.names import parse, written
from clouddatamesh.cli.output import Form, print_data, print_list
from clouddatamesh.cli.session import Session
from clouddatamesh.model.objects import Key, Manifest, key_of
from clouddatamesh.plan.access.facts import asked_product
from clouddatamesh.plan.children import CHILD_KINDS
from clouddatamesh.view.domain import profile_key, show_domain
from clouddatamesh.view.map import as_trees, show_map
from clouddatamesh.view.mesh import Mesh
from clouddatamesh.view.product import show_product
from clouddatamesh.view.tree import show_tree
from clouddatamesh.view.why import find_cause

Described = Annotated[str, typer.Argument(metavar="OBJECT", help="NAME or NAMESPACE/NAME of a product, or domain/NAME.")]
Object = Annotated[
    str, typer.Argument(metavar="OBJECT", help="NAME, NAMESPACE/NAME or KIND/NAMESPACE/NAME; a product unless a kind is named.")
]


@command("describe")
def describe(session: Session, options: Options, object_: Described) -> None:
    """Show a product on one screen: what it is, its ports, who has access, what is wrong and what to do; or a Domain with its team."""
    key = parse(session, object_)
    found = session.demand(key)
    if key.kind == "Domain":
        _describe_domain(session, options, found)
        return
    session.fetch(Key("AccessInbox", key.namespace, key.name))
    session.read("Domain")
    session.read("AccessRequest", session.home)
    page = show_product(session.mesh, found)
    if options.output in (Form.JSON, Form.YAML):
        print_data(page, options.output)
    elif options.output is Form.NAME:
        print_list(options.output, [key], name=written, table=lambda _: None)
    else:
        pages.print_product(page)


def _describe_domain(session: Session, options: Options, found: Manifest) -> None:
    session.fetch(profile_key(found))
    page = show_domain(session.mesh, found)
    if options.output in (Form.JSON, Form.YAML):
        print_data(page, options.output)
    elif options.output is Form.NAME:
        print_list(options.output, [key_of(found)], name=written, table=lambda _: None)
    else:
        print_domain(page)


@command("tree")
def tree(session: Session, options: Options, object_: Object) -> None:
    """Show an object and everything that was made for it."""
    key = parse(session, object_)
    found = session.demand(key)
    _read_around(session, key, found)
    node = show_tree(session.mesh, found)
    if options.output in (Form.JSON, Form.YAML):
        print_data(node, options.output)
    else:
        pages.print_tree(node)


def _read_around(session: Session, key: Key, found: Manifest) -> None:
    """What belongs to an object, as far as the user may read it."""
    if key.kind == "ObjectStore":
        session.read("DataProduct")
    if key.kind == "AccessRequest" and (grant := found.get("status", {}).get("grantRef")):
        session.fetch(Key("AccessGrant", grant["namespace"], grant["name"]))
    namespaces = [key.namespace] if key.kind == "DataProduct" else []
    if key.kind == "Domain":
        namespaces = [entry["name"] for entry in found.get("status", {}).get("namespaces") or ()]
    kinds = ("DataProduct", "AccessGrant", "AccessRequest", *(CHILD_KINDS if key.kind == "Domain" else ()))
    for namespace in namespaces:
        for kind in kinds:
            session.read(kind, namespace)


@command("why")
def why(session: Session, options: Options, object_: Object) -> None:
    """Say why an object is as it is, down to the one on which somebody has to act."""
    key = parse(session, object_)
    found = session.demand(key)
    session.read("Domain")
    if key.kind == "AccessRequest":
        session.fetch(asked_product(found))
    for namespace in {key.namespace, session.home} - {""}:
        session.read("AccessRequest", namespace)
    chain = find_cause(session.mesh, key)
    while chain.next is not None:
        session.fetch(chain.next)
        chain = find_cause(session.mesh, key)
    if options.output in (Form.JSON, Form.YAML):
        print_data(chain, options.output)
    else:
        pages.print_chain(chain)


@command("map")
def map_(session: Session, options: Options) -> None:
    """Show the mesh as one picture: Domains, their products, and who uses which; with -n what a namespace offers and uses."""
    session.mesh |= Mesh.of(session.visible("DataProduct"))
    session.read("Domain")
    spaces = {key.namespace for key in session.mesh.objects if key.kind == "DataProduct"}
    for kind in ("AccessInbox", "AccessRequest"):
        session.read(kind, session.namespace)
        if not session.namespace and not session.mesh.may_list(kind, ""):
            for namespace in sorted({*spaces, session.home}):
                session.read(kind, namespace)
    found = show_map(session.mesh, session.namespace)
    if options.output in (Form.JSON, Form.YAML):
        print_data(found, options.output)
    elif options.output is Form.NAME:
        print_list(options.output, [spot.key for area in found.areas for spot in area.products], name=written, table=lambda _: None)
    else:
        pages.print_trees(as_trees(found), empty="No Domains and no data products found")
