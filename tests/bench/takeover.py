"""How long nobody writes when the leader of two replicas ends, dies or stands still, with products under churn."""

import signal
from typing import Any

from tests.support.failover import Failover
from tests.support.installation import NAMESPACE, Installation

STOOD = 30.0


def measure(mesh: Installation, products: int) -> dict[str, Any]:
    """Seconds to the next write of the other replica; and what a leader still wrote to the API server after it stood still."""
    failover = Failover(mesh, products)
    failover.prepare()
    figures = {"sigterm_s": failover.hand_over(signal.SIGTERM), "sigkill_s": failover.hand_over(signal.SIGKILL)}
    frozen = failover.freeze(seconds=STOOD)
    late, _ = failover.thaw(frozen)
    mesh.cluster.kubectl("scale", "deployment/clouddatamesh", "-n", NAMESPACE, "--replicas=1")
    return {"products": products, **figures, "sigstop_s": frozen.seconds, "late_writes": [f"{one.verb} {one.resource}" for one in late]}
