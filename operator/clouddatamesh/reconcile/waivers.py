"""A PolicyWaiver: whether it is in force. It makes nothing; objects that it excepts are judged again when it comes, changes or ends."""

from clouddatamesh.api.fields import parse_time
from clouddatamesh.api.v1alpha1.policywaiver import PolicyWaiver
from clouddatamesh.governance.waivers import excepted_by, read_waiver, unknown_rule
from clouddatamesh.model.objects import Key, Manifest
from clouddatamesh.model.outcome import Outcome
from clouddatamesh.model.plan import Plan
from clouddatamesh.model.settings import Next
from clouddatamesh.ports import Ports
from clouddatamesh.reconcile.execute import Executor, Target
from clouddatamesh.reconcile.judging import is_in_force, policy_of
from clouddatamesh.reconcile.parse import parse
from clouddatamesh.reconcile.pipeline import Flow, run
from clouddatamesh.reconcile.visit import Visit
from clouddatamesh.status.policies import report_waiver


def reconcile(key: Key, manifest: Manifest, ports: Ports) -> Next:
    """Report one waiver."""
    if manifest["metadata"].get("deletionTimestamp"):
        return Next()
    visit = Visit.of(key, manifest, ports)
    flow: Flow[PolicyWaiver] = Flow(
        gather=lambda: parse(PolicyWaiver, visit.manifest()),
        plan=lambda _: Plan(),
        executor=lambda _: Executor(Target(visit.key, visit.uid, ports.cluster, visit.write_record, ports.clock.now())),
        report=lambda waiver, _: _report(waiver, visit.manifest(), ports),
    )
    return run(visit, flow, interval=ports.settings.drift_interval)


def _report(waiver: PolicyWaiver, manifest: Manifest, ports: Ports) -> Outcome:
    reference = waiver.spec.policy_ref
    policy = ports.cluster.get(Key(reference.kind, reference.namespace or "", reference.name))
    read, excepted = read_waiver(manifest), excepted_by(manifest)
    fault = unknown_rule(read, policy_of(policy, ports)) if policy is not None else f"{read.policy} does not exist"
    absent = str(excepted) if excepted is not None and ports.cluster.get(excepted) is None else ""
    return report_waiver(fault=fault, absent=absent, lasts=is_in_force(manifest, ports.clock), until=parse_time(waiver.spec.valid_until))
