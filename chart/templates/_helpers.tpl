{{- define "herald.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 40 | trimSuffix "-" -}}
{{- end -}}

{{- /* Prefix of object names: the release, with the chart's name where the release does not hold it. */ -}}
{{- define "herald.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 50 | trimSuffix "-" -}}
{{- else if contains (include "herald.name" .) .Release.Name -}}
{{- .Release.Name | trunc 50 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name (include "herald.name" .) | trunc 50 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{- /* Labels that select a workload's pods. No chart version: a new chart alone must not roll a pod. */ -}}
{{- define "herald.selector" -}}
app.kubernetes.io/name: herald
app.kubernetes.io/instance: {{ .root.Release.Name | quote }}
app.kubernetes.io/component: {{ .component }}
{{- end -}}

{{- define "herald.labels" -}}
{{ include "herald.selector" . }}
app.kubernetes.io/part-of: herald
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
{{- end -}}

{{- /* Secret with the key of the speakers' ring. */ -}}
{{- define "herald.ringSecret" -}}
{{- default (printf "%s-memberlist" (include "herald.fullname" .)) .Values.speaker.secretName -}}
{{- end -}}

{{- define "herald.serviceAccount" -}}
{{- $own := (index .root.Values .component).serviceAccount -}}
{{- default (printf "%s-%s" (include "herald.fullname" .root) .component) $own.name -}}
{{- end -}}

{{- /* One image for all programs. `controller.image` and `speaker.image` of upstream's values name other software. */ -}}
{{- define "herald.image" -}}
{{- $i := .Values.image -}}
{{- if $i.digest -}}
{{- printf "%s@%s" $i.repository $i.digest -}}
{{- else -}}
{{- printf "%s:%s" $i.repository (default .Chart.AppVersion $i.tag) -}}
{{- end -}}
{{- end -}}

{{- /*
Canonical JSON of the values in force: the text that the reconciler reads, and whose digest it checks. Numbers are whole in it;
printed by a template an AS number would read 4.2e+09.
*/ -}}
{{- define "herald.values" -}}
{{- .Values | toJson -}}
{{- end -}}

{{- /* Metadata of a workload's pods. Nothing here may follow from pools, advertisements or peers: that would roll pods. */ -}}
{{- define "herald.podMetadata" -}}
{{- $own := index .root.Values .component -}}
labels:
  {{- include "herald.selector" . | nindent 2 }}
  {{- with $own.labels }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- if or $own.podAnnotations .root.Values.prometheus.scrapeAnnotations }}
annotations:
  {{- if .root.Values.prometheus.scrapeAnnotations }}
  prometheus.io/scrape: "true"
  prometheus.io/port: {{ .root.Values.prometheus.metricsPort | quote }}
  {{- end }}
  {{- with $own.podAnnotations }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- end }}
{{- end -}}

{{- /* Who the pod is, and where it runs. `security` holds the pod's security context, over which the values go. */ -}}
{{- define "herald.pod" -}}
{{- $own := index .root.Values .component -}}
serviceAccountName: {{ include "herald.serviceAccount" . }}
securityContext:
  {{- toYaml (mergeOverwrite (dict "seccompProfile" (dict "type" "RuntimeDefault")) .security (default dict $own.securityContext)) | nindent 2 }}
{{- with .root.Values.imagePullSecrets }}
imagePullSecrets:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $own.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- with $own.runtimeClassName }}
runtimeClassName: {{ . }}
{{- end }}
{{- with $own.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{- /* A probe: defaults, with the fields of upstream's values over them. The port is the chart's own. */ -}}
{{- define "herald.probe" -}}
{{- $get := dict "path" .path "port" 17482 -}}
{{- if .loopback }}{{ $get = set $get "host" "127.0.0.1" }}{{ end -}}
{{- $own := omit (default dict .own) "enabled" "port" -}}
{{- toYaml (mergeOverwrite (dict "httpGet" $get) .defaults $own) -}}
{{- end -}}

{{- /*
Container fields that the programs share. `loopback`: on the node's network, where health answers on 127.0.0.1 only, and where
named host ports keep the scheduler from putting two on a node that would fight for them.
*/ -}}
{{- define "herald.container" -}}
{{- $own := index .root.Values .component -}}
{{- $metrics := .root.Values.prometheus.metricsPort -}}
name: {{ .component }}
image: {{ include "herald.image" .root }}
imagePullPolicy: {{ .root.Values.image.pullPolicy }}
# Why a program ended stands in the Pod's status.
terminationMessagePolicy: FallbackToLogsOnError
args:
  - /app/{{ .component }}.js
  - --namespace=$(NAMESPACE)
  - --pod-name=$(POD_NAME)
  - --port={{ $metrics }}
  - --health-probe-port=17482
  - --config-dir=/etc/herald
  {{- range .args }}
  - {{ . | quote }}
  {{- end }}
  {{- with $own.args }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
env:
  - {name: NAMESPACE, valueFrom: {fieldRef: {fieldPath: metadata.namespace}}}
  - {name: POD_NAME, valueFrom: {fieldRef: {fieldPath: metadata.name}}}
  {{- if .loopback }}
  - {name: NODE_NAME, valueFrom: {fieldRef: {fieldPath: spec.nodeName}}}
  - {name: POD_IP, valueFrom: {fieldRef: {fieldPath: status.podIP}}}
  {{- end }}
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities: {drop: [ALL]{{ if .loopback }}, add: [NET_RAW]{{ end }}}
{{- with $own.resources }}
resources:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- $probe := dict "loopback" .loopback }}
{{- with $own.startupProbe }}
{{- if .enabled }}
startupProbe:
  {{- include "herald.probe" (merge (dict "path" "/healthz" "own" . "defaults" (dict "periodSeconds" 5 "failureThreshold" 30)) $probe) | nindent 2 }}
{{- end }}
{{- end }}
{{- if ne (toString (default dict $own.livenessProbe).enabled) "false" }}
livenessProbe:
  {{- include "herald.probe" (merge (dict "path" "/healthz" "own" $own.livenessProbe "defaults" (dict "initialDelaySeconds" 5 "periodSeconds" 10 "timeoutSeconds" 3 "failureThreshold" 3)) $probe) | nindent 2 }}
{{- end }}
{{- if ne (toString (default dict $own.readinessProbe).enabled) "false" }}
readinessProbe:
  {{- include "herald.probe" (merge (dict "path" "/readyz" "own" $own.readinessProbe "defaults" (dict "periodSeconds" 2 "timeoutSeconds" 2 "failureThreshold" 3)) $probe) | nindent 2 }}
{{- end }}
ports:
  - {name: metrics, containerPort: {{ $metrics }}{{ if .loopback }}, hostPort: {{ $metrics }}{{ end }}}
  {{- if .loopback }}
  - {name: health, containerPort: 17482, hostPort: 17482, hostIP: 127.0.0.1}
  {{- else }}
  - {name: health, containerPort: 17482}
  {{- end }}
  {{- with .ring }}
  - {name: ring-tcp, containerPort: {{ .mlBindPort }}, hostPort: {{ .mlBindPort }}}
  - {name: ring-udp, containerPort: {{ .mlBindPort }}, hostPort: {{ .mlBindPort }}, protocol: UDP}
  {{- end }}
volumeMounts:
  # A directory, never a subPath: those do not follow changes.
  - {name: settings, mountPath: /etc/herald, readOnly: true}
  {{- with .ring }}
  - {name: ring, mountPath: {{ .mlSecretKeyPath }}, readOnly: true}
  {{- end }}
{{- end -}}

{{- /* The service account of a program. */ -}}
{{- define "herald.account" -}}
{{- $own := (index .root.Values .component).serviceAccount -}}
{{- if $own.create -}}
apiVersion: v1
kind: ServiceAccount
metadata:
  name: {{ include "herald.serviceAccount" . }}
  namespace: {{ .root.Release.Namespace }}
  labels:
    {{- include "herald.labels" . | nindent 4 }}
  {{- with $own.annotations }}
  annotations:
    {{- toYaml . | nindent 4 }}
  {{- end }}
{{- end -}}
{{- end -}}

{{- /* A Role with its binding to a program's service account; with no `namespace` both are cluster-wide. */ -}}
{{- define "herald.role" -}}
{{- $cluster := not .namespace -}}
apiVersion: rbac.authorization.k8s.io/v1
kind: {{ if $cluster }}ClusterRole{{ else }}Role{{ end }}
metadata:
  name: {{ .name }}
  {{- if not $cluster }}
  namespace: {{ .namespace }}
  {{- end }}
  labels:
    {{- include "herald.labels" . | nindent 4 }}
rules:
  {{- .rules | nindent 2 }}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: {{ if $cluster }}ClusterRoleBinding{{ else }}RoleBinding{{ end }}
metadata:
  name: {{ .name }}
  {{- if not $cluster }}
  namespace: {{ .namespace }}
  {{- end }}
  labels:
    {{- include "herald.labels" . | nindent 4 }}
roleRef:
  apiGroup: rbac.authorization.k8s.io
  kind: {{ if $cluster }}ClusterRole{{ else }}Role{{ end }}
  name: {{ .name }}
subjects:
  - kind: ServiceAccount
    name: {{ include "herald.serviceAccount" . }}
    namespace: {{ .root.Release.Namespace }}
{{- end -}}
