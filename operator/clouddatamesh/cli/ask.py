"""Commands of a consumer: request, renew."""

import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Annotated, Final

import typer

from clouddatamesh.cli.app import Options, command
from clouddatamesh.cli.errors import Failed
from clouddatamesh.cli.names import parse, short, written
from clouddatamesh.cli.output import Form, clean, print_data
from clouddatamesh.cli.paint import console, say_health
from clouddatamesh.cli.session import Session
from clouddatamesh.model.objects import Key, Manifest, key_of
from clouddatamesh.plan.diff import with_uid
from clouddatamesh.view.drafts import Draft, Wish, draft_renewal, draft_request, find_port
from clouddatamesh.view.health import Health, health_of

Purpose = Annotated[str, typer.Option("--purpose", "-p", help="What the data is for; the owner decides by it. Asked for in a terminal.")]
Duration = Annotated[str, typer.Option("--duration", "-d", help="As 90d or 12h; absent: as long as the port allows.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Let the API server check it, and write nothing.")]
Wait = Annotated[bool, typer.Option("--wait", help="Wait until it is in effect, and show how it is meanwhile.")]
Timeout = Annotated[int, typer.Option("--timeout", min=1, help="Seconds to wait.")]
_LENGTH: Final = 63


@command("request")
def request(
    session: Session,
    options: Options,
    product: Annotated[str, typer.Argument(help="NAMESPACE/NAME of the product.")],
    port: Annotated[str, typer.Argument(help="NAME or NAME/VERSION of the port; absent: the only one.")] = "",
    purpose: Purpose = "",
    consumer: Annotated[str, typer.Option("--for", help="Who uses it: a product of your namespace, or sa/NAME of a ServiceAccount.")] = "",
    duration: Duration = "",
    permanent: Annotated[bool, typer.Option("--permanent", help="Without an end, where the port allows it.")] = False,
    mode: Annotated[str, typer.Option("--mode", help="ReadOnly, ReadWrite or WriteOnly.")] = "ReadOnly",
    name: Annotated[str, typer.Option("--name", help="Name of the request; absent: made of product and consumer.")] = "",
    secret: Annotated[str, typer.Option("--secret", help="Name of the Secret that will hold the key; absent: as the request.")] = "",
    dry_run: DryRun = False,
    wait: Wait = False,
    timeout: Timeout = 60,
) -> None:  # fmt: skip
    """Ask for access to a port. With -o yaml the manifest is printed and nothing is written."""
    target = parse(session, product)
    found = session.demand(target)
    user = _consumer(session, consumer)
    called = name or f"{target.name}-for-{user.name}"[:_LENGTH].rstrip("-.")
    offered = find_port(found, port)
    wish = Wish(
        key=Key("AccessRequest", session.home, called),
        port=port,
        mode=mode,
        consumer=user,
        purpose=purpose or _purpose(),
        duration="" if permanent else duration or offered.duration or "90d",
        secret=secret or called,
    )
    write(session, options, draft_request(found, wish), dry_run=dry_run)
    if wait and not dry_run and options.output not in (Form.JSON, Form.YAML):
        wait_for(session, wish.key, timeout)


def _purpose() -> str:
    if not sys.stdin.isatty():
        raise Failed("Say with --purpose what the data is for; the owner decides by it", code=2)
    return str(typer.prompt("What do you need the data for?", err=True))


def _consumer(session: Session, given: str) -> Key:
    """A product of the namespace unless a ServiceAccount is named; without a name the only product there."""
    kind, _, name = given.rpartition("/")
    if kind in ("sa", "serviceaccount"):
        return Key("ServiceAccount", session.home, name)
    if kind not in ("", session.home):
        raise Failed(f"--for {given} names no product of your namespace {session.home}; to ask for another one, use -n", code=2)
    if given:
        return Key("DataProduct", session.home, name)
    session.read("DataProduct", session.home)
    found = [key_of(product) for product in session.mesh.all("DataProduct", session.home)]
    if len(found) != 1:
        listed = ", ".join(key.name for key in found) or "none"
        raise Failed(
            f"Say who uses the data with --for <product> or --for sa/<ServiceAccount>; products of {session.home}: {listed}", code=2
        )
    return found[0]


@command("renew")
def renew(
    session: Session,
    options: Options,
    request: Annotated[str, typer.Argument(help="NAME or NAMESPACE/NAME of the request.")],
    reason: Annotated[str, typer.Option("--reason", "-r", help="Why you still need it; the owner decides by it.")] = "",
    dry_run: DryRun = False,
) -> None:
    """Ask for more time. Access goes on under the present grant until its end."""
    found = session.demand(parse(session, request, "AccessRequest"))
    write(session, options, draft_renewal(found, reason, datetime.now(UTC)), dry_run=dry_run, uid=found["metadata"]["uid"])


def write(session: Session, options: Options, manifest: Draft, *, dry_run: bool, uid: str = "") -> None:
    """Print a manifest (-o yaml, json), or write it and say so: a new object, or a change of the one that has this uid."""
    if options.output in (Form.JSON, Form.YAML):
        print_data(manifest, options.output)
        return
    if uid:
        session.change(with_uid(manifest, uid), dry_run=dry_run)
    else:
        session.create(manifest, dry_run=dry_run)
    key = key_of(manifest)
    done = "changed" if uid else "created"
    said = f"{key} {done}{' (dry run)' if dry_run else ''}"
    console().print(written(key) if options.output is Form.NAME else said)


def wait_for(session: Session, key: Key, seconds: float, *, sleep: Callable[[float], None] = time.sleep) -> Manifest:
    """Until the object is Ready; each change of its state is a line. Raises Failed where somebody has to act first, or after the time."""
    end, last = time.monotonic() + seconds, Health("Unseen")
    while True:
        session.forget(key)
        found = session.demand(key)
        health = health_of(found)
        if health != last:
            console().print(say_health(health), f" {clean(health.message)}", sep="")
        if health.is_well:
            return found
        if health.word == "Stalled":
            raise Failed(f"{short(key)} is Stalled: {health.message}")
        if time.monotonic() > end:
            raise Failed(f"{short(key)} is not Ready after {seconds:.0f} s: {health.message}; kubectl mesh why {written(key)}")
        last = health
        sleep(0.5)
