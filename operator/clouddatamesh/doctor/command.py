"""`clouddatamesh doctor`: the log-in, the run, and the exit code."""

import argparse
import contextlib
import os
import sys
import time
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from clouddatamesh import __version__
from clouddatamesh.doctor.arguments import NAMESPACE
from clouddatamesh.doctor.examine import Options, examine
from clouddatamesh.doctor.findings import NOT_RUN
from clouddatamesh.doctor.lease import Watched
from clouddatamesh.doctor.reading import NotAllowed, Reader
from clouddatamesh.doctor.render import as_json, as_text
from clouddatamesh.doctor.subject import BINDABLE, Subject
from clouddatamesh.errors import MeshError
from clouddatamesh.kube.client import LOGIN_ERRORS, Client, Manner
from clouddatamesh.kube.errors import ApiError
from clouddatamesh.kube.resources import collection
from clouddatamesh.kube.skew import Skew
from clouddatamesh.shell.access import needs


def run(arguments: argparse.Namespace, env: Mapping[str, str] = os.environ) -> int:
    """Check, print, and return the exit code: 0 all well, 1 something to do, 2 not or not all could be checked."""
    skew = Skew(steady=time.monotonic)  # CLOCK_BOOTTIME is of Linux, and this runs on workstations as well
    try:
        manner = Manner("clouddatamesh-doctor", connections=4)
        client = Client(kubeconfig=arguments.kubeconfig, context=arguments.context, skew=skew, manner=manner)
        subject = _subject(client, skew, arguments, env)
    except LOGIN_ERRORS as error:
        return _fail(f"no way to log in to an API server: {error}; give --kubeconfig and --context, or run it in the operator's Pod")
    except (MeshError, NotAllowed) as error:
        return _fail(f"{error}; check --kubeconfig, --context and the network to the API server")
    options = Options(
        without=frozenset(arguments.without_guard),
        stores=arguments.stores,
        pod=env.get("POD_NAME", ""),
        port=env.get("HEALTH_PORT", "8080"),
        skew=skew.seconds,
    )
    report = examine(subject, options, Watched())
    sys.stdout.write((as_json if arguments.output == "json" else as_text)(report, subject))
    return report.exit_code


def _subject(client: Client, skew: Skew, arguments: argparse.Namespace, env: Mapping[str, str]) -> Subject:
    """Who asks, and the first contact, which also tells the API server's time."""
    namespace = arguments.namespace or env.get("POD_NAMESPACE") or NAMESPACE
    reader = Reader(client, seconds=arguments.timeout)
    answer = reader.review("SelfSubjectReview", "authentication.k8s.io")
    with contextlib.suppress(ApiError):  # the Date of a refusal is seen as well
        client.request("GET", collection("Domain"), query={"limit": "1"})
    return Subject(
        reader=reader,
        namespace=namespace,
        user=str(answer["status"]["userInfo"]["username"]),
        version=__version__,
        now=lambda: datetime.now(UTC) - timedelta(seconds=skew.seconds()),
        own=frozenset(needs(namespace)),
        bindable=tuple(env.get(BINDABLE, "").split()),
        mesh=arguments.mesh or env.get("CLOUDDATAMESH_MESH", ""),
    )


def _fail(why: str) -> int:
    sys.stderr.write(f"clouddatamesh doctor: {why}\n")
    return NOT_RUN
