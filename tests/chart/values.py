"""Values that a user may set, each with one that is not its default and with what must be set besides for it to show."""

from typing import Any

NOT_DEFAULT: dict[str, Any] = {
    "mesh": "other",
    "image.repository": "registry.example/clouddatamesh",
    "image.tag": "9.9.9",
    "image.digest": "sha256:" + "0123456789abcdef" * 4,
    "imagePullSecrets": [{"name": "registry"}],
    "driftInterval": "1h",
    "resources": {"limits": {"memory": "2Gi"}},
    "governance.gate.resources": {"limits": {"memory": "2Gi"}},
    "podSecurityContext": {"fsGroup": 65532},
    "updateStrategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": "100%", "maxUnavailable": 1}},
    "nodeSelector": {"pool": "system"},
    "tolerations": [{"key": "system", "operator": "Exists", "effect": "NoSchedule"}],
    "affinity": {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [{"matchExpressions": [
        {"key": "pool", "operator": "In", "values": ["system"]}]}]}}},
    "topologySpreadConstraints": [
        {"maxSkew": 2, "topologyKey": "rack", "whenUnsatisfiable": "DoNotSchedule", "labelSelector": {"matchLabels": {"own": "selector"}}}
    ],
    "priorityClassName": "system-cluster-critical",
    "dnsPolicy": "Default",
    "dnsConfig": {"options": [{"name": "ndots", "value": "1"}]},
    "serviceAccount.annotations": {"eks.amazonaws.com/role-arn": "arn:aws:iam::123456789012:role/mesh"},
    "access.bindableRoles": ["clouddatamesh-workloads", "acme:notebooks"],
    "discover.groups": ["employees", "auditors"],
    "commonLabels": {"team": "platform"},
    "commonAnnotations": {"docs": "https://mesh.example"},
    "podLabels": {"network": "stores"},
    "podAnnotations": {"sidecar.istio.io/inject": "false"},
    "extraEnv": [{"name": "HTTPS_PROXY", "value": "http://proxy.example:3128"}],
    "extraArgs": ["--log-level=debug"],
    "extraVolumes": [{"name": "ca", "configMap": {"name": "ca"}}],
    "extraVolumeMounts": [{"name": "tmp", "mountPath": "/etc/mesh-ca", "readOnly": True}],
    "extraObjects": [
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "extra-{{ .Values.mesh }}"}},
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: extra-text, namespace: {{ .Release.Namespace }}}\n",
    ],
    "guard.breakGlassGroups": ["platform:on-call"],
    "governance.trustedAppliers": ["system:serviceaccount:argocd:argocd-application-controller"],
    "networkPolicy.metricsFrom": [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "monitoring"}}}],
    "networkPolicy.egress": [{"ports": [{"port": 443, "protocol": "TCP"}]}],
    "metrics.service.annotations": {"prometheus.io/scrape": "true"},
    "metrics.service.ipFamilies": ["IPv6", "IPv4"],
    "metrics.prometheusRule.labels": {"release": "prometheus"},
    "metrics.dashboards.labels": {"grafana": "main"},
    "metrics.dashboards.annotations": {"grafana_folder": "Mesh"},
    "quickstart.image.repository": "registry.example/quickstart",
    "quickstart.image.tag": "9.9.9",
    "quickstart.image.digest": "sha256:" + "0123456789abcdef" * 4,
    "quickstart.resources": {"limits": {"memory": "1Gi"}},
    **{
        f"metrics.{monitor}.{name}": value
        for monitor in ("serviceMonitor", "podMonitor")
        for name, value in {
            "interval": "1m",
            "scrapeTimeout": "5s",
            "labels": {"release": "prometheus"},
            "relabelings": [{"sourceLabels": ["__meta_kubernetes_pod_node_name"], "targetLabel": "node"}],
            "metricRelabelings": [{"sourceLabels": ["__name__"], "regex": "python_.*", "action": "drop"}],
        }.items()
    },
}  # fmt: skip
"""By name. What is a boolean, an integer or a choice needs no entry: another value is found by its schema."""

NEEDS: dict[str, dict[str, Any]] = {
    "crds.enabled": {"crds.keep": False},
    "crds.keep": {"crds.enabled": True},
    "uninstall.waitSeconds": {"uninstall.check": "always"},
    **{key: {"quickstart.enabled": True} for key in ("quickstart", "quickstart.image")},
    "governance.gate.healthPort": {"governance.gate.enabled": True},
    "governance.gate.resources": {"governance.gate.enabled": True},
    "flowControl.nominalConcurrencyShares": {"flowControl.enabled": True},
    **{f"metrics.{part}": {f"metrics.{part}.enabled": True} for part in ("serviceMonitor", "podMonitor", "prometheusRule", "dashboards")},
}
"""By name or by the section's name: what makes the value show."""


def nested(flat: dict[str, Any]) -> dict[str, Any]:
    """A document of values from names with dots."""
    document: dict[str, Any] = {}
    for name, value in flat.items():
        *sections, key = name.split(".")
        place = document
        for section in sections:
            place = place.setdefault(section, {})
        place[key] = value
    return document
