{{/* CEL: the request is the operator's own. */}}
{{- define "clouddatamesh.is-operator" -}}
request.userInfo.username == 'system:serviceaccount:{{ .Release.Namespace }}:clouddatamesh'
{{- end }}

{{/* CEL: the request is the operator's own, or comes from a group that may act in its place. */}}
{{- define "clouddatamesh.may-act-as-operator" -}}
{{ include "clouddatamesh.is-operator" . }}
{{- with .Values.guard.breakGlassGroups }} || (has(request.userInfo.groups) && request.userInfo.groups.exists(group, group in {{ toJson . }})){{ end }}
{{- end }}

{{/* For a message: who may act in the operator's place. */}}
{{- define "clouddatamesh.who-may-act" -}}
{{- with .Values.guard.breakGlassGroups }}a member of {{ join " or " . }}{{ else }}the platform team to set guard.breakGlassGroups{{ end }}
{{- end }}

{{/* The binding of a policy: `include "clouddatamesh.enforce" (list $ "name")`. */}}
{{- define "clouddatamesh.enforce" }}
---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicyBinding
metadata:
  name: {{ last . }}
  {{- include "clouddatamesh.meta" (first .) | nindent 2 }}
spec:
  policyName: {{ last . }}
  validationActions: [Deny]
{{- end }}
