"""How soon a look that failed is followed by the next one: soon where the API server alone is away, and never where a store pays for it."""

from collections import Counter
from collections.abc import Callable
from datetime import timedelta

import pytest

from clouddatamesh import reasons
from clouddatamesh.errors import Away, MeshError, Transient
from clouddatamesh.model.objects import Key
from clouddatamesh.model.outcome import Finding, Outcome
from clouddatamesh.model.plan import Part, Plan, Steps
from clouddatamesh.reconcile.execute import Executor, Target
from clouddatamesh.reconcile.pipeline import Flow, run
from clouddatamesh.reconcile.visit import Visit
from tests.reconcile.access_flows import REQUEST, asked, granted
from tests.support.driven import Driven
from tests.support.manifests import a_grant, a_request, annotated
from tests.support.mesh import Mesh

WEBHOOK = Transient(reasons.CLUSTER_UNAVAILABLE, "Creating Secret failed: failed calling webhook: connection refused")
SILENT = Away(reasons.CLUSTER_UNAVAILABLE, "The API server did not answer: ReadTimeoutError")
MOST = 30
"""Keys an hour for one object whose Secret cannot be written: a backoff that doubles up to five minutes."""
OFTEN = 300
"""Looks an hour where the API server is away: one each 8 s makes 450."""


def refuse(mesh: Mesh, error: MeshError, is_refused: Callable[[str, Key], bool]) -> None:
    """Let some writes fail, of which each is called by verb and object."""
    before = mesh.cluster.before_write

    def write(verb: str, key: Key) -> None:
        before(verb, key)
        if is_refused(verb, key):
            raise error

    mesh.cluster.before_write = write


@pytest.mark.parametrize("error", [WEBHOOK, SILENT], ids=["a webhook is down", "a webhook hangs"])
@pytest.mark.parametrize("told", [True, False], ids=["which status tells", "and status neither"])
def test_a_secret_that_cannot_be_written_costs_few_keys(error: MeshError, told: bool) -> None:
    """Each attempt issues a key and takes it again; IAM has few calls, and those that take access away need them."""
    mesh = asked(Mesh())
    driven, calls = Driven(mesh).run(minutes=1), Counter[str]()
    driven.before_store_write.append(lambda what: calls.update([" ".join(what.split()[:2])]))
    refuse(mesh, error, lambda verb, key: key.kind == "Secret" or (not told and verb == "status" and calls["create key"] > 0))
    mesh.apply(a_grant(validUntil="2026-02-01T00:00:00Z"))
    driven.run(hours=1)
    assert 3 < calls["create key"] <= MOST


def test_a_rotation_whose_secret_cannot_be_written_costs_few_keys() -> None:
    mesh = granted(Mesh())
    driven, calls = Driven(mesh).run(minutes=1), Counter[str]()
    driven.before_store_write.append(lambda what: calls.update([" ".join(what.split()[:2])]))
    refuse(mesh, SILENT, lambda _, key: key.kind == "Secret")
    mesh.apply(annotated(a_request(), rotate="1"))
    driven.run(hours=1)
    assert 3 < calls["create key"] <= MOST


@pytest.mark.parametrize(("error", "soon"), [(SILENT, True), (WEBHOOK, False)], ids=["away", "a webhook is down"])
def test_only_the_return_of_the_api_server_is_looked_for_often(error: MeshError, soon: bool) -> None:
    """While every write of the cluster fails nothing is written to a store, and access is taken away soon after."""
    mesh = granted(Mesh())
    driven, looks = Driven(mesh).run(minutes=1), Counter[Key]()
    driven.after_step.append(lambda key: looks.update([key]))
    fails = [True]
    refuse(mesh, error, lambda *_: fails[0])
    mesh.apply(a_request(secretName="another"))
    driven.run(hours=1)
    assert (looks[REQUEST] > OFTEN) is soon


@pytest.mark.parametrize("also", [None, Transient(reasons.STORE_UNAVAILABLE, "The store did not answer")], ids=["alone", "a store too"])
@pytest.mark.parametrize("told", [True, False], ids=["which status tells", "and status neither"])
def test_a_store_that_fails_too_is_asked_by_its_own_measure(also: MeshError | None, told: bool) -> None:
    mesh = granted(Mesh()).apply(a_request(secretName="another"))
    if not told:
        refuse(mesh, SILENT, lambda verb, _: verb == "status")
    manifest = mesh.cluster.get(REQUEST)
    assert manifest is not None
    parts = Plan(tuple(Part(f"part-{n}", Steps((), error)) for n, error in enumerate((SILENT, also)) if error is not None))
    outcome = Outcome(Finding("Ready", "True", reasons.READY))
    visit = Visit.of(REQUEST, manifest, mesh.ports)
    target = Target(visit.key, visit.uid, mesh.cluster, visit.write_record, mesh.clock.now())
    flow: Flow[None] = Flow(lambda: None, lambda _: parts, lambda _: Executor(target), lambda *_: outcome)
    if told:
        said = run(visit, flow, interval=timedelta(minutes=5))
        assert (said.backoff, said.brief) == (True, also is None)
        return
    with pytest.raises(Transient) as caught:
        run(visit, flow, interval=timedelta(minutes=5))
    assert isinstance(caught.value, Away) is (also is None)
