"""What commits and deletions in Argo CD do to the whole retail mesh, and what is left of it in the cluster and in the store."""

import json
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yaml

from hack.tools.argo_cd import NAMESPACE
from tests.e2e.actors import BREAK_GLASS
from tests.support.gitops import EXAMPLE, FOLDERS, PLACEHOLDER, Gitops, Manifest, an_application
from tests.support.installation import CHART, RELEASE
from tests.support.installation import NAMESPACE as OPERATOR_NAMESPACE
from tests.support.jobs import Jobs

MESH_FILES: Final = ("platform/store.yaml", "platform/domains.yaml", "domains/*/*.yaml", "grants/*/*.yaml")
SECRET_FILE: Final = "platform/secret.yaml"
CASCADE: Final = ["resources-finalizer.argocd.argoproj.io"]
ALL, OPERATOR, MESH = "all", "clouddatamesh", "mesh"
_KEY, _BODY = "daily/kept", b"kept"


@dataclass(frozen=True)
class Ends:
    """The retail mesh while it is removed and comes back."""

    mesh: Gitops

    @property
    def s3(self) -> Any:
        return self.mesh.store.client("s3")

    def objects(self) -> dict[str, Manifest]:
        """All objects of the mesh that carry our finalizer or will: kind/name -> object."""
        found = self.mesh.installed.all("datamesh")
        return {f"{one['kind']}/{one['metadata']['name']}": one for one in found if one["kind"] != "AccessInbox"}

    def terminating(self) -> dict[str, str]:
        """What is being deleted, and the reason why it waits."""
        gone = {name: one for name, one in self.objects().items() if "deletionTimestamp" in one["metadata"]}
        return {name: _blocked(one) for name, one in gone.items()}

    def standing(self) -> set[str]:
        """What nobody deletes. An approval that the operator gave is not in Git; it goes with its request."""
        return {name for name in set(self.objects()) - set(self.terminating()) if not name.startswith("AccessGrant/auto-")}

    def buckets(self) -> set[str]:
        return {one["Name"] for one in self.s3.list_buckets()["Buckets"]}

    def users(self) -> set[str]:
        """The mesh's users in the store, without the marker, which has no key."""
        return {one for one in self.mesh.store.users("/clouddatamesh/retail/") if not one.startswith("mesh.marker")}

    def fill(self, name: str, namespace: str) -> str:
        """An object in the bucket of a product; the bucket."""
        bucket: str = self.mesh.installed.get("dataproduct", name, namespace)["status"]["storage"]["bucket"]
        self.s3.put_object(Bucket=bucket, Key=_KEY, Body=_BODY)
        return bucket

    def is_kept(self, bucket: str) -> bool:
        return bool(self.s3.get_object(Bucket=bucket, Key=_KEY)["Body"].read() == _BODY)

    def empty(self, bucket: str) -> None:
        """As its owner does."""
        for one in self.s3.list_object_versions(Bucket=bucket).get("Versions", ()):
            self.s3.delete_object(Bucket=bucket, Key=one["Key"], VersionId=one["VersionId"])

    def let_folders_be_empty(self) -> None:
        """What a team sets that does want to prune everything."""
        self._patch("application", "mesh-platform", {"syncPolicy": _ALLOW})
        self._patch("applicationset", "mesh-domains", {"template": {"spec": {"syncPolicy": _ALLOW}}})

    def release(self, kind: str, name: str) -> None:
        """The platform team takes our finalizer from an object, and Argo CD its own, as docs/operations/break-glass.md describes."""
        patch, groups = '{"metadata":{"finalizers":null}}', ("--as-group=system:masters", f"--as-group={BREAK_GLASS}")
        self.mesh.installed.cluster.kubectl("patch", kind, name, "--type=merge", "-p", patch, "--as=rescuer", *groups)

    def _patch(self, kind: str, name: str, spec: Manifest) -> None:
        text = json.dumps({"spec": spec})
        self.mesh.installed.cluster.kubectl("patch", f"{kind}s.argoproj.io", name, "-n", NAMESPACE, "--type=merge", "-p", text)

    # One parent Application over the operator and the mesh

    def give_up_the_sets(self) -> None:
        """End the ApplicationSets and Applications of the example without their objects, for another Application to take these over."""
        for kind in ("applicationset", "application"):
            self.mesh.installed.cluster.kubectl("delete", f"{kind}s.argoproj.io", "--all", "-n", NAMESPACE, "--timeout=60s")

    def write_parent(self, check: str) -> None:
        """A folder with an Application for the operator and one for the mesh."""
        shutil.rmtree(self.mesh.repository.path / "charts", ignore_errors=True)
        shutil.copytree(CHART, self.mesh.repository.path / "charts" / RELEASE)
        self.mesh.write(f"{ALL}/all.yaml", self.operator(check), self._whole())
        self.mesh.push(f"An operator with uninstall.check={check}")

    def operator(self, check: str, **more: Any) -> Manifest:
        """The Application of the example, with what the stand-in for the kubelet needs and with more values."""
        text = (EXAMPLE / "argocd" / "operator.yaml").read_text().replace(PLACEHOLDER, self.mesh.repository.url)
        found: Manifest = yaml.safe_load(text)
        found["metadata"]["finalizers"] = found["metadata"]["finalizers"] if check == "wait" else CASCADE
        values = found["spec"]["source"]["helm"]["valuesObject"]
        assert values["uninstall"] == {"check": "wait"}
        values.update(
            replicas=1, health={"port": self.mesh.installed.health_port}, log={"level": "debug"}, uninstall={"check": check}, **more
        )
        return found

    def _whole(self) -> Manifest:
        """Everything but the store's Secret, without which nothing can be taken away."""
        found = an_application(MESH, self.mesh, path=".", options=("ServerSideApply=true",), finalizers=CASCADE)
        folders = ",".join(f"{folder}/*" for folder in FOLDERS)
        found["spec"]["source"]["directory"] = {"recurse": True, "include": f"{{{folders}}}", "exclude": SECRET_FILE}
        return found

    def apply_parent(self) -> None:
        """Everything in one Application, Synced and Healthy."""
        self.mesh.installed.apply(an_application(ALL, self.mesh, path=ALL, finalizers=CASCADE))
        self.mesh.until(lambda: {OPERATOR, MESH} <= set(self.mesh.applications()), seconds=90, what="the children")
        self.mesh.settles(ALL, OPERATOR, MESH, seconds=120)

    def delete_parent(self) -> None:
        self.mesh.installed.cluster.kubectl("delete", "applications.argoproj.io", ALL, "-n", NAMESPACE, "--wait=false")

    def hook_was_passed_over(self) -> bool:
        """A fault of Argo CD, by its own words: before its cache had the Job it made the Job again, and took the hook for complete."""
        log = (self.mesh.argo.logs / "argocd-application-controller.log").read_text()
        return f"Hook resource {{batch Job {OPERATOR_NAMESPACE} clouddatamesh-uninstall}} already exists, skipping" in log

    def return_operator(self) -> None:
        """Its Application is applied again, once the former one is gone."""
        self.mesh.until(lambda: OPERATOR not in self.mesh.applications(), seconds=60, what="the end of the operator's Application")
        self.mesh.installed.apply(self.operator("never", crds={"enabled": False}))

    def runs(self) -> bool:
        """Whether the operator's Deployment is there."""
        return bool(self.mesh.installed.get("deployment", RELEASE, OPERATOR_NAMESPACE))

    @contextmanager
    def jobs(self) -> Iterator[Jobs]:
        with Jobs(self.mesh.installed.cluster.kubeconfig, OPERATOR_NAMESPACE, path_prefix=Path(sys.executable).parent) as jobs:
            yield jobs


_ALLOW: Final = {"automated": {"prune": True, "selfHeal": True, "allowEmpty": True}}


def _blocked(found: Manifest) -> str:
    """The reason and message of DeletionBlocked; empty where nothing is said."""
    conditions = (found.get("status") or {}).get("conditions") or ()
    said = (f"{one['reason']}: {one['message']}" for one in conditions if (one["type"], one["status"]) == ("DeletionBlocked", "True"))
    return next(said, "")
