{{/* Labels by which the operator's Pods are selected by everything but the Deployment, whose selector cannot change. */}}
{{- define "clouddatamesh.selector" -}}
app.kubernetes.io/name: clouddatamesh
app.kubernetes.io/instance: {{ .Release.Name | quote }}
app.kubernetes.io/component: operator
{{- end }}

{{/* Labels of everything in this chart. Names are fixed: one release serves one cluster. */}}
{{- define "clouddatamesh.labels" -}}
{{- $own := dict
    "app.kubernetes.io/name" "clouddatamesh"
    "app.kubernetes.io/instance" .Release.Name
    "app.kubernetes.io/version" .Chart.AppVersion
    "app.kubernetes.io/managed-by" .Release.Service
    "helm.sh/chart" (printf "%s-%s" .Chart.Name (.Chart.Version | replace "+" "_")) }}
{{- toYaml (merge $own (.Values.commonLabels | default dict)) }}
{{- end }}

{{/*
Labels and annotations of an object, to be indented by 2: `include "clouddatamesh.meta" $`, or with labels and annotations of its own
`include "clouddatamesh.meta" (list $ (dict "labels" dict "annotations" dict))`. What the chart sets wins over commonLabels and commonAnnotations.
*/}}
{{- define "clouddatamesh.meta" -}}
{{- $root := . }}
{{- $own := dict }}
{{- if kindIs "slice" . }}
{{- $root = first . }}
{{- $own = last . }}
{{- end }}
{{- $labels := include "clouddatamesh.labels" $root | fromYaml }}
labels:
  {{- toYaml (merge (dict) (get $own "labels" | default dict) $labels) | nindent 2 }}
{{- with merge (dict) (get $own "annotations" | default dict) $root.Values.commonAnnotations }}
annotations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{/* The operator's image. A digest wins over the tag. */}}
{{- define "clouddatamesh.image" -}}
{{- with .Values.image }}
{{- if .digest }}{{ .repository }}@{{ .digest }}{{ else }}{{ .repository }}:{{ .tag | default $.Chart.AppVersion }}{{ end }}
{{- end }}
{{- end }}

{{/* The security context of a Pod. OpenShift assigns users and groups itself, and refuses others. */}}
{{- define "clouddatamesh.podSecurityContext" -}}
{{- $context := .Values.podSecurityContext }}
{{- if .Capabilities.APIVersions.Has "security.openshift.io/v1" }}
{{- $context = omit $context "runAsUser" "runAsGroup" "fsGroup" }}
{{- end }}
{{- toYaml $context }}
{{- end }}

{{/* The security context of every container, as the Pod Security Standard `restricted` asks for and a read-only root besides. */}}
{{- define "clouddatamesh.securityContext" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities: {drop: [ALL]}
{{- end }}

{{/* Where the Pods of this chart run, and by which image secrets and network they do. */}}
{{- define "clouddatamesh.placement" -}}
{{- with .Values.imagePullSecrets }}
imagePullSecrets:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.priorityClassName }}
priorityClassName: {{ . | quote }}
{{- end }}
{{- if .Values.hostNetwork }}
hostNetwork: true
{{- end }}
dnsPolicy: {{ .Values.dnsPolicy | default (ternary "ClusterFirstWithHostNet" "ClusterFirst" .Values.hostNetwork) }}
{{- with .Values.dnsConfig }}
dnsConfig:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.affinity }}
affinity:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}
