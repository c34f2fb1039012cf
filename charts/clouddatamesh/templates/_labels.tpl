{{/* Labels of everything in this chart. Names are fixed: one release serves one cluster. */}}
{{- define "clouddatamesh.labels" -}}
app.kubernetes.io/name: clouddatamesh
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- end }}
