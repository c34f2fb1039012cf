{{/* Labels of the quickstart's objects. They are not the operator's, whose selectors must not match these Pods. */}}
{{- define "clouddatamesh.quickstart.labels" -}}
{{- $own := dict
    "app.kubernetes.io/name" "clouddatamesh-quickstart"
    "app.kubernetes.io/instance" .Release.Name
    "app.kubernetes.io/version" .Chart.AppVersion
    "app.kubernetes.io/managed-by" .Release.Service
    "app.kubernetes.io/part-of" "clouddatamesh-quickstart" }}
{{- toYaml (merge $own (.Values.commonLabels | default dict)) }}
{{- end }}

{{/* Labels and annotations of a Pod, to be indented by 6: `include "clouddatamesh.quickstart.podMeta" (list $ "store")`. */}}
{{- define "clouddatamesh.quickstart.podMeta" -}}
{{- $values := (first .).Values }}
{{- $labels := include "clouddatamesh.quickstart.labels" (first .) | fromYaml }}
labels:
  {{- toYaml (merge (dict "app.kubernetes.io/component" (last .)) $labels $values.podLabels) | nindent 2 }}
{{- with merge (dict) $values.podAnnotations $values.commonAnnotations }}
annotations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{- define "clouddatamesh.quickstart.image" -}}
{{- with .Values.quickstart.image }}
{{- if .digest }}{{ .repository }}@{{ .digest }}{{ else }}{{ .repository }}:{{ .tag | default $.Chart.AppVersion }}{{ end }}
{{- end }}
{{- end }}

{{/* Where the Pods run, and as whom. They are never in the network of the node, where everybody would reach the store. */}}
{{- define "clouddatamesh.quickstart.pod" -}}
securityContext:
  {{- include "clouddatamesh.podSecurityContext" . | nindent 2 }}
{{- range $name := list "imagePullSecrets" "nodeSelector" "tolerations" "affinity" }}
{{- with get $.Values $name }}
{{ $name }}:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}
{{- end }}

{{/* What all containers have in common. */}}
{{- define "clouddatamesh.quickstart.container" -}}
image: {{ include "clouddatamesh.quickstart.image" . | quote }}
imagePullPolicy: {{ .Values.quickstart.image.pullPolicy }}
resources:
  {{- toYaml .Values.quickstart.resources | nindent 2 }}
securityContext:
  {{- include "clouddatamesh.securityContext" . | nindent 2 }}
{{- end }}

{{/* Labels and annotations of an object, to be indented by 2. */}}
{{- define "clouddatamesh.quickstart.meta" -}}
labels:
  {{- include "clouddatamesh.quickstart.labels" . | nindent 2 }}
{{- with .Values.commonAnnotations }}
annotations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{/*
The same of what lives only while a hook runs: `include "clouddatamesh.quickstart.hook" (list $ "pre-install,pre-upgrade" "0")`. A Job that failed
stays, so that its log can be read.
*/}}
{{- define "clouddatamesh.quickstart.hook" -}}
labels:
  {{- include "clouddatamesh.quickstart.labels" (first .) | nindent 2 }}
annotations:
  {{- $own := dict
      "helm.sh/hook" (index . 1)
      "helm.sh/hook-weight" (index . 2)
      "helm.sh/hook-delete-policy" "before-hook-creation,hook-succeeded" }}
  {{- toYaml (merge $own (first .).Values.commonAnnotations) | nindent 2 }}
{{- end }}

{{- define "clouddatamesh.quickstart.endpoint" -}}
http://clouddatamesh-quickstart.{{ .Release.Namespace }}.svc:9000
{{- end }}

{{- define "clouddatamesh.quickstart.notes" -}}
WARNING: quickstart.enabled is true. The store of the quickstart keeps everything in memory: a restart of its Pod loses all buckets, objects, users
and keys. Use it for trials only, and never put data there that you need.

  kubectl get domains
  kubectl get dataproducts,accessrequests --all-namespaces
  kubectl get events --namespace {{ .Release.Namespace }} --field-selector reason=NotPersistent

docs/getting-started.md goes on from here: it grants access to a product, reads it, and revokes the access.
{{- end }}
