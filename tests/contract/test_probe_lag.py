"""A store whose reads are a second old is probed as one whose reads are not: what was written shows later."""

import pytest

from clouddatamesh.storage.clients import BotoStores
from hack.tools.store import Store
from tests.contract.worlds import fresh, over_boto
from tests.support.fault_proxy import FaultProxy, Rule

pytestmark = pytest.mark.real
AGE = 1.0
"""Seconds; more than the half that a probe waits for what is refused."""


@pytest.mark.parametrize(
    "reads", [("GetBucket*", "GetPublicAccessBlock", "GetOwnershipControls"), ("List*", "GetUser*")], ids=["settings", "IAM"]
)
def test_reads_that_are_late_change_no_verdict(moto: Store, reads: tuple[str, ...]) -> None:
    world = over_boto(moto)
    with FaultProxy(moto.endpoint) as proxy:
        for action in reads:
            proxy.add(Rule(action, ages=AGE))
        late = type(world.connection)(**{**vars(world.connection), "endpoint": proxy.endpoint, "iam_endpoint": proxy.endpoint})
        found = BotoStores().buckets(late).probe(fresh("probe"))
    assert {capability.name for capability in found if capability.verdict == "Yes"} == world.able
