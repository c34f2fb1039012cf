"""One object on a screen: a product, a tree, a chain of causes."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from rich.text import Text

from clouddatamesh.cli.names import short, written
from clouddatamesh.cli.output import clean, note
from clouddatamesh.cli.paint import console, say_health
from clouddatamesh.view.health import Health
from clouddatamesh.view.product import Documentation, Port, ProductPage
from clouddatamesh.view.tree import Node
from clouddatamesh.view.violations import Broken
from clouddatamesh.view.why import Chain


def print_product(page: ProductPage) -> None:
    """What it is, how it is, its ports, its inputs, who has access, and what to do next."""
    out = console()
    out.print(Text.assemble((clean(page.title), "bold"), f"  {short(page.key)}  ", say_health(page.health)))
    for _, said in page.description[:1]:
        out.print(clean(said))
    out.print()
    out.print("\n".join(aligned([*page.facts, *((part.title(), said) for part, said in page.description[1:])])))
    parts = {
        "Output ports": _ports(page),
        "Ports of other systems": columns([[port.name, port.kind, port.location, port.description] for port in page.other_ports]),
        "Input ports": _inputs(page),
        "Access": _access(page),
        "Lineage": _lineage(page),
        "Policies": policies(page.violations),
        "Documentation": documentation(page.documentation, page.key.namespace),
    }
    print_parts(parts)
    for line in (*trouble(page.health), *_next(page)):
        out.print(line)


def print_parts(parts: Mapping[str, Sequence[str]]) -> None:
    """Each part that has any rows, below its title."""
    out = console()
    for title, rows in parts.items():
        if rows:
            out.print(Text(f"\n{title}", style="bold"))
            out.print("\n".join(f"  {row}" for row in rows))


def policies(violations: Sequence[Broken]) -> list[str]:
    """Each rule that is broken, with what to do, or the waiver by which it does not count."""
    rows: list[str] = []
    for one in violations:
        rows.append(clean(f"{one.severity}, {one.enforcement}: {one.message} ({one.policy}, rule {one.rule})"))
        waived = f"waived until {one.waived_until} by {one.waiver}" if one.waiver else ""
        rows += [f"  {clean(said)}" for said in (waived or one.remediation,) if said]
    return rows


def documentation(told: Documentation, place: str) -> list[str]:
    """Lines of a text stay lines; a link is only shown. `place` is the namespace of the ConfigMap."""
    held = told.config_map and f"kubectl get configmap -n {place} {told.config_map.partition('/')[0]} -o yaml"
    lines = [clean(line, keep_indent=True) for line in told.text.splitlines()]
    return [*lines, *(clean(line) for line in (held, told.url) if line)]


def aligned(pairs: Sequence[tuple[str, str]]) -> Iterator[str]:
    """Names and what is said, in two columns."""
    width = max((len(name) for name, _ in pairs), default=0)
    return (f"{name:{width}}  {clean(said)}" for name, said in pairs)


def columns(rows: Sequence[Sequence[str]]) -> list[str]:
    """Rows whose cells are below each other."""
    cells = [[clean(cell) for cell in row] for row in rows]
    widths = [max(len(row[column]) for row in cells) for column in range(len(cells[0]))] if cells else []
    return ["   ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in cells]


def _ports(page: ProductPage) -> list[str]:
    return columns([_port(port) for port in page.ports])


def _port(port: Port) -> list[str]:
    users = "1 consumer" if port.consumers == 1 else f"{port.consumers} consumers"
    return [f"{port.name}/{port.version}", port.format, port.terms, ", ".join(port.modes), users, port.location, port.description]


def _inputs(page: ProductPage) -> list[str]:
    words = {True: "satisfied", False: "missing", None: ""}
    return columns([[entry.name, entry.source, words[entry.satisfied], entry.message] for entry in page.inputs])


def _access(page: ProductPage) -> list[str]:
    own = [[f"your request {short(asked.request)}", asked.port, asked.health.word, _until(asked.until)] for asked in page.asked]
    if page.consumers is None:
        return columns(own)
    waiting = [f"{page.pending} pending: kubectl mesh requests -n {page.key.namespace}"] if page.pending else []
    others = [[entry.consumer, entry.port, entry.mode, _until(entry.until), entry.purpose] for entry in page.consumers]
    return [*waiting, *(columns(others) or ["nobody has access"]), *columns(own)]


def _until(until: str) -> str:
    return f"until {until}" if until else ""


def _lineage(page: ProductPage) -> list[str]:
    sides = (("from", page.upstream), ("to", page.downstream))
    return [f"{name} {clean(', '.join(found))}" for name, found in sides if found]


def trouble(health: Health) -> Iterator[Text]:
    """What is wrong and what to do; nothing where all is well."""
    if health.is_well:
        return
    yield Text("\nWhat is wrong", style="bold")
    yield Text(f"  {clean(health.message)}")
    yield Text(f"  {clean(health.advice)}")


def _next(page: ProductPage) -> Iterator[Text]:
    product = short(page.key)
    yield Text("\nNext", style="bold")
    if not page.health.is_well:
        yield Text(f"  kubectl mesh why {product}")
    port = next((port for port in page.ports if port.is_offered), None)
    if port is not None and not page.asked:
        length = f"--duration {port.duration or '90d'}"
        yield Text(f'  kubectl mesh request {product} {port.name} --for <your product> --purpose "…" {length}')
    for asked in page.asked[:1]:
        yield Text(
            f"  kubectl mesh use {short(asked.request)} -- <command>"
            if asked.health.is_well
            else f"  kubectl mesh why {written(asked.request)}"
        )


def print_tree(node: Node) -> None:
    """The object, and below it what was made for it."""
    out = console()
    for line in _branch(node, "", ""):
        out.print(line)


def print_trees(nodes: Iterable[Node], *, empty: str) -> None:
    """One below the other. `empty` is said where there is none."""
    roots = list(nodes)
    for root in roots:
        print_tree(root)
    if not roots:
        note(empty)


def _branch(node: Node, first: str, rest: str) -> Iterator[Text]:
    yield Text.assemble(first, (node.kind, "bold"), f" {clean(node.name)}", *_state(node))
    for place, child in enumerate(node.children):
        last = place == len(node.children) - 1
        yield from _branch(child, f"{rest}{'└── ' if last else '├── '}", f"{rest}{'    ' if last else '│   '}")


def _state(node: Node) -> Iterator[Text]:
    if node.health is not None:
        yield Text.assemble("  ", say_health(node.health))
        yield Text("" if node.health.is_well else f": {clean(node.health.message)}")
    if node.note:
        yield Text(f"  {clean(node.note)}", style="dim")


def print_chain(chain: Chain) -> None:
    """Each object with its own words, and at the end who can do what."""
    out = console()
    for depth, link in enumerate(chain.links):
        said = say_health(link.health) if link.health else Text(link.note)
        out.print(Text.assemble("  " * depth, ("because " if depth else "", "dim"), (written(link.key), "bold"), "  ", said))
        if link.health and link.health.message:
            out.print(f"{'  ' * depth}    {clean(link.health.message)}")
    if chain.who:
        out.print(Text.assemble(("\nWho can act: ", "bold"), clean(chain.who)))
    if chain.advice:
        out.print(Text.assemble(("What to do: ", "bold"), clean(chain.advice)))
