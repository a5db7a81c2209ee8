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
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .component }}
{{- end -}}

{{- define "herald.labels" -}}
{{ include "herald.selector" . }}
app.kubernetes.io/part-of: herald
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
{{- end -}}

{{- define "herald.serviceAccount" -}}
{{- $own := (index .root.Values .component).serviceAccount -}}
{{- default (printf "%s-%s" (include "herald.fullname" .root) .component) $own.name -}}
{{- end -}}

{{- define "herald.image" -}}
{{- $own := default dict (index .root.Values .component).image -}}
{{- $i := mergeOverwrite (deepCopy .root.Values.image) $own -}}
{{- if $i.digest -}}
{{- printf "%s@%s" $i.repository $i.digest -}}
{{- else -}}
{{- printf "%s:%s" $i.repository (default .root.Chart.AppVersion $i.tag) -}}
{{- end -}}
{{- end -}}

{{- /* Canonical JSON of the values in force: the text that the reconciler reads, and whose digest it checks. */ -}}
{{- define "herald.values" -}}
{{- .Values | toJson -}}
{{- end -}}

{{- /* Metadata of a workload's pods. */ -}}
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

{{- /* What every pod spec ends with. */ -}}
{{- define "herald.podScheduling" -}}
{{- $own := index .root.Values .component -}}
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

{{- /* Container fields that the programs share. Health answers on 17482. */ -}}
{{- define "herald.container" -}}
{{- $own := index .root.Values .component -}}
name: {{ .component }}
image: {{ include "herald.image" . }}
imagePullPolicy: {{ default .root.Values.image.pullPolicy (default dict $own.image).pullPolicy }}
{{- with $own.resources }}
resources:
  {{- toYaml . | nindent 2 }}
{{- end }}
livenessProbe:
  httpGet: {path: /healthz, port: 17482{{ if .loopback }}, host: 127.0.0.1{{ end }}}
  initialDelaySeconds: 5
  periodSeconds: 10
  timeoutSeconds: 3
  failureThreshold: 3
readinessProbe:
  httpGet: {path: /readyz, port: 17482{{ if .loopback }}, host: 127.0.0.1{{ end }}}
  periodSeconds: 2
  timeoutSeconds: 2
  failureThreshold: 3
ports:
  - {name: metrics, containerPort: {{ .root.Values.prometheus.metricsPort }}{{ if .loopback }}, hostPort: {{ .root.Values.prometheus.metricsPort }}{{ end }}}
volumeMounts:
  # A directory, never a subPath: those do not follow changes.
  - {name: settings, mountPath: /etc/herald, readOnly: true}
{{- end -}}
