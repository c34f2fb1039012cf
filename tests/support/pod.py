"""One replica of a Deployment as a local process: its environment, token, volumes, probes and restarts."""

import base64
import contextlib
import hashlib
import re
import shutil
import signal
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import urllib3

from hack.tools.children import free_ports, start_child, stop_child
from hack.tools.credentials import Endpoint, write_kubeconfig
from tests.support.probes import Probe
from tests.support.rest import Api, ApiError, Manifest

TOKEN_SECONDS = 3600
BACKOFF_FIRST, BACKOFF_MAX, STEADY_AFTER = 0.1, 5.0, 10.0


class PodError(Exception):
    """The container cannot be made as its template says."""


@dataclass(frozen=True)
class Node:
    """What all pods here share: the API as admin, directories, where commands are found, variables added to each."""

    api: Api
    dir: Path
    logs: Path
    path_prefix: Path
    env: Mapping[str, str] = field(default_factory=dict)
    server: str = ""
    """Where Pods find the API server; empty: where `api` finds it."""


class Pod:
    """A container's process. `pid`, `restarts`, `exit_code`, `log`, `ports` and `kill` are for tests.

    One that is not the `first` of its Deployment listens on ports of its own, as if it had an address of its own: each variable whose value
    is the number of a port gets the other one.
    """

    def __init__(self, node: Node, namespace: str, name: str, template: Manifest, *, first: bool = True) -> None:
        self._node = node
        self._spec: Manifest = template["spec"]
        self._container: Manifest = self._spec["containers"][0]
        self._process: subprocess.Popen[bytes] | None = None
        self._probes: dict[str, Probe] = {}
        self._started = self._not_before = self._renew_at = 0.0
        self._backoff = BACKOFF_FIRST
        self.namespace, self.name = namespace, name
        named = [port for port in self._container.get("ports", ()) if "name" in port]
        numbers = [int(port["containerPort"]) for port in named]
        taken = numbers if first else free_ports(len(numbers))
        self.ports = {port["name"]: number for port, number in zip(named, taken, strict=True)}
        self._moved = {str(asked): str(number) for asked, number in zip(numbers, taken, strict=True)}
        self.dir = node.dir / namespace / name
        self.log = node.logs / f"{namespace}-{name}.log"
        self.restarts = 0
        self.exit_code: int | None = None
        self.waiting = ""

    @property
    def pid(self) -> int:
        """Of the running process, 0 where there is none."""
        return self._process.pid if self._process and self._process.poll() is None else 0

    @property
    def is_ready(self) -> bool:
        """Running, and its readiness probe says yes."""
        return bool(self.pid) and all(probe.ok for name, probe in self._probes.items() if name != "livenessProbe")

    def kill(self, number: signal.Signals = signal.SIGKILL) -> None:
        """What a node does to a process without asking it."""
        if self._process is not None:
            self._process.send_signal(number)

    def start_now(self) -> None:
        """Wait no longer after a process that died."""
        self._not_before = 0.0

    def tick(self, now: float) -> None:
        """Start what should run, notice what died, ask the probes, renew the token."""
        if self._process is None:
            self._try_start(now)
        elif self._process.poll() is not None:
            self._note_exit(now)
        else:
            self._probe(now)
            self._renew_token(now)

    def stop(self) -> None:
        """SIGTERM, then SIGKILL after terminationGracePeriodSeconds; its directory goes, its log stays."""
        if self._process is not None:
            stop_child(self._process, grace=float(self._spec.get("terminationGracePeriodSeconds", 30)))
            self._process = None
        shutil.rmtree(self.dir, ignore_errors=True)

    def _try_start(self, now: float) -> None:
        if now < self._not_before:
            return
        try:
            self._start(now)
            self.waiting = ""
        except (PodError, ApiError, urllib3.exceptions.HTTPError) as error:
            self.waiting = f"CreateContainerConfigError: {error}"
            self._not_before = now + 0.5

    def _start(self, now: float) -> None:
        """Nothing that a container wrote outlives it but what is in an emptyDir."""
        shutil.rmtree(self.dir / "home", ignore_errors=True)
        self.dir.mkdir(parents=True, exist_ok=True)
        self._renew_at = 0.0
        self._renew_token(now)
        env, argv = self._build_command()
        self._probes = {
            name: Probe(self._container[name], self.ports, eager=name != "livenessProbe")
            for name in ("startupProbe", "livenessProbe", "readinessProbe")
            if name in self._container
        }
        self._process = start_child(argv, log=self.log, env=env, cwd=self.dir)
        self._started = now

    def _note_exit(self, now: float) -> None:
        if now - self._started > STEADY_AFTER:
            self._backoff = BACKOFF_FIRST
        self.exit_code, self._process = self._process.returncode if self._process else None, None
        self.restarts += 1
        self._not_before = now + self._backoff
        self._backoff = min(self._backoff * 2, BACKOFF_MAX)

    def _probe(self, now: float) -> None:
        startup = self._probes.get("startupProbe")
        asked = [startup] if startup and not startup.ok else [p for p in self._probes.values() if p is not startup]
        for probe in asked:
            probe.poll(now)
        deadly = (self._probes.get(name) for name in ("startupProbe", "livenessProbe"))
        if any(probe and probe.has_failed for probe in deadly) and self._process is not None:
            stop_child(self._process, grace=float(self._spec.get("terminationGracePeriodSeconds", 30)))

    # What the process is given

    def _renew_token(self, now: float) -> None:
        if self._spec.get("automountServiceAccountToken", True) is False or now < self._renew_at:
            return
        account = self._spec.get("serviceAccountName", "default")
        path = f"/api/v1/namespaces/{self.namespace}/serviceaccounts/{account}/token"
        answer = self._node.api.post(path, {"spec": {"expirationSeconds": TOKEN_SECONDS}})
        folder = self.dir / "serviceaccount"
        folder.mkdir(exist_ok=True)
        (folder / "token.new").write_text(answer["status"]["token"])
        (folder / "token.new").rename(folder / "token")
        (folder / "namespace").write_text(self.namespace)
        shutil.copyfile(self._node.api.ca, folder / "ca.crt")
        self._renew_at = now + 0.8 * TOKEN_SECONDS

    def _build_command(self) -> tuple[dict[str, str], list[str]]:
        mounts = self._write_volumes()
        env = {key: _translate(self._moved.get(value, value), mounts) for key, value in self._read_env()}
        words = [*self._container.get("command", ()), *self._container.get("args", ())]
        if not words:
            raise PodError(f"Container {self._container['name']} has no command, and there is no image to ask")
        return {**self._base_env(), **env}, [_translate(_expand(word, env), mounts) for word in words]

    def _base_env(self) -> dict[str, str]:
        home = self.dir / "home"
        home.mkdir()
        env = {"PATH": f"{self._node.path_prefix}:/usr/bin:/bin", "HOME": str(home), "LANG": "C.UTF-8", **self._node.env}
        folder = self.dir / "serviceaccount"
        if folder.exists():
            endpoint = Endpoint(server=self._node.server or self._node.api.server, ca=folder / "ca.crt")
            user = {"tokenFile": str(folder / "token")}
            env["KUBECONFIG"] = str(write_kubeconfig(self.dir / "kubeconfig", endpoint, user, namespace=self.namespace))
        return env

    def _read_env(self) -> Iterator[tuple[str, str]]:
        seen: dict[str, str] = {}
        for source in self._container.get("envFrom", ()):
            seen.update(self._read_source(source))
        for entry in self._container.get("env", ()):
            value = self._read_value(entry["valueFrom"]) if "valueFrom" in entry else entry.get("value", "")
            if value is not None:
                seen[entry["name"]] = _expand(value, seen)
        yield from seen.items()

    def _read_source(self, source: Manifest) -> dict[str, str]:
        kind = "secret" if "secretRef" in source else "configMap"
        found = self._read_data(kind, source[f"{kind}Ref"])
        return {source.get("prefix", "") + key: value for key, value in found.items()}

    def _read_value(self, source: Manifest) -> str | None:
        if "fieldRef" in source:
            return self._read_field(source["fieldRef"]["fieldPath"])
        kind = "secret" if "secretKeyRef" in source else "configMap"
        reference = source.get(f"{kind}KeyRef")
        if reference is None:
            raise PodError(f"env from {', '.join(source)} is not known here")
        found = self._read_data(kind, reference)
        if reference["key"] not in found and not reference.get("optional"):
            raise PodError(f"{kind} {reference['name']} has no key {reference['key']}")
        return found.get(reference["key"])

    def _read_field(self, path: str) -> str:
        fields = {
            "metadata.name": self.name,
            "metadata.namespace": self.namespace,
            "metadata.uid": hashlib.sha256(str(self.dir).encode()).hexdigest()[:32],
            "spec.serviceAccountName": str(self._spec.get("serviceAccountName", "default")),
            "spec.nodeName": "local",
            "status.podIP": "127.0.0.1",
            "status.hostIP": "127.0.0.1",
        }
        if path not in fields:
            raise PodError(f"fieldRef {path} is not known here")
        return fields[path]

    def _read_data(self, kind: str, reference: Manifest) -> dict[str, str]:
        """The data of a ConfigMap or Secret in our namespace, named by `name` or `secretName`."""
        name = reference.get("name") or reference.get("secretName")
        try:
            found = self._node.api.get(f"/api/v1/namespaces/{self.namespace}/{kind.lower()}s/{name}")
        except ApiError as error:
            if error.code == 404 and reference.get("optional"):
                return {}
            raise
        data: dict[str, str] = found.get("data") or {}
        return {key: base64.b64decode(value).decode() for key, value in data.items()} if kind == "secret" else data

    def _write_volumes(self) -> dict[str, str]:
        """Volumes as directories of ours; where each is by the path at which the container would see it."""
        folders = {volume["name"]: self._write_volume(volume) for volume in self._spec.get("volumes", ())}
        mounts = self._container.get("volumeMounts", ())
        return {mount["mountPath"]: str(folders[mount["name"]] / mount.get("subPath", "")) for mount in mounts}

    def _write_volume(self, volume: Manifest) -> Path:
        folder = self.dir / "volumes" / str(volume["name"])
        if "emptyDir" not in volume:
            shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True, exist_ok=True)
        for kind in ("configMap", "secret"):
            if kind in volume:
                found = self._read_data(kind, volume[kind])
                items = {item["key"]: item["path"] for item in volume[kind].get("items", ())}
                for key in items or found:
                    with contextlib.suppress(KeyError):
                        (folder / items.get(key, key)).write_text(found[key])
        return folder


def _expand(text: str, env: Mapping[str, str]) -> str:
    """Kubernetes' own `$(NAME)`."""
    return re.sub(r"\$\((\w+)\)", lambda found: env.get(found[1], found[0]), text)


def _translate(text: str, mounts: Mapping[str, str]) -> str:
    """Paths of the container's volumes become paths of ours: there is no mount namespace here."""
    for path in sorted(mounts, key=len, reverse=True):
        text = re.sub(rf"(?<![\w./-]){re.escape(path)}(?=$|[/:,])", mounts[path], text)
    return text
