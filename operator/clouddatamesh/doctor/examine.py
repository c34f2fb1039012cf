"""The order of the checks. One that cannot be made keeps no other from being made, and is reported as not checked."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Final

from clouddatamesh.doctor import clock, crds, health, namespaces, objects, permissions, policies, release, stores
from clouddatamesh.doctor.findings import Report, Result, Unchecked
from clouddatamesh.doctor.lease import Watched
from clouddatamesh.doctor.reading import NotAllowed, OutOfTime
from clouddatamesh.doctor.subject import Subject
from clouddatamesh.errors import MeshError
from clouddatamesh.reconcile.dispatch import RECONCILED

Look = Callable[[Subject], Iterator[Result]]
_MALFORMED: Final = (KeyError, ValueError, TypeError, AttributeError)
"""What reading an answer may raise that nobody expected."""


@dataclass(frozen=True)
class Options:
    """What the caller chose. `pod` and `port` are of the Pod in which this program runs, empty outside of one."""

    without: frozenset[str] = frozenset()
    stores: bool = False
    pod: str = ""
    port: str = ""
    skew: Callable[[], float] = lambda: 0.0


def examine(subject: Subject, options: Options, lease: Watched) -> Report:
    """All checks."""
    return Report(tuple(result for check, what, look in _checks(options, lease) for result in _run(check, what, look, subject)))


def _checks(options: Options, lease: Watched) -> Iterator[tuple[str, str, Look]]:
    """The Deployment first: what others advise depends on its release and version. The Lease is read early and judged late, so that a
    renewal need not be waited for.
    """
    yield release.CHECK, "the Deployment", release.look
    yield "lease", "who holds the Lease", lease.begin
    yield permissions.CHECK, "the operator's roles", permissions.look
    yield permissions.CHECK, "the operator's role in namespaces of Domains", permissions.look_at_domains
    yield policies.CHECK, "admission policies and their bindings", partial(policies.look, without=options.without)
    yield crds.CHECK, "CustomResourceDefinitions", crds.look
    yield release.CHECK, "images of the Pods", release.look_at_pods
    yield health.CHECK, "/readyz, watches and clocks of the Pods", partial(health.look, pod=options.pod, port=options.port)
    yield clock.CHECK, "this machine's clock", lambda subject: clock.judge(options.skew(), is_operator=subject.is_operator)
    yield stores.CHECK, "ObjectStores", stores.look
    yield "lease", "whether a replica leads", lease.look
    yield namespaces.CHECK, "namespaces that are being deleted", namespaces.look
    yield objects.CHECK, "objects in namespaces that no Domain has", objects.look_at_homes
    for kind in RECONCILED:
        yield objects.CHECK, f"{kind}s", objects.Objects(kind).look
    if options.stores:
        from clouddatamesh.doctor import orphans  # boto3 takes memory, which in the Pod is the operator's

        yield orphans.CHECK, "users and buckets in the stores", orphans.look


def _run(check: str, what: str, look: Look, subject: Subject) -> Iterator[Result]:
    """What a check found, and, where it ended early, why."""
    try:
        yield from look(subject)
    except NotAllowed as refused:
        yield Unchecked(check=check, what=what, missing=str(refused), by_design=subject.is_by_design(refused.need))
    except OutOfTime as error:
        yield Unchecked(check=check, what=what, missing=str(error))
    except MeshError as error:
        yield Unchecked(check=check, what=what, missing=error.message)
    except _MALFORMED as error:
        yield Unchecked(check=check, what=what, missing=f"an answer cannot be read: {type(error).__name__}: {error}"[:300])
