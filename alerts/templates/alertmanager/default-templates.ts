/**
 * The names that Alertmanager's own templates have, so that template files can call and replace them. What they say is
 * documented there (prometheus.io/docs/alerting/latest/notification_examples/); the wording is ours, in the place's language.
 */
const LISTS = `
{{- define "__alertmanager" }}{{ say "四个九" "Fournines" }}{{ end -}}
{{- define "__alertmanagerURL" }}{{ with .ExternalURL }}{{ . }}/alerts{{ end }}{{ end -}}
{{- define "__subject" -}}
	[{{ .Status | toUpper }}{{ if eq .Status "firing" }}:{{ len .Alerts.Firing }}{{ end }}]
	{{- range .GroupLabels.SortedPairs }} {{ .Value }}{{ end }} {{ with .CommonLabels.Remove .GroupLabels.Names }}({{ join " " .Values }}){{ end }}
{{- end -}}
{{- define "__description" }}{{ end -}}
{{- define "__text_alert_list" }}{{ range . }}{{ say "标签" "Labels" }}:
{{ range .Labels.SortedPairs }} - {{ .Name }} = {{ .Value }}
{{ end }}{{ if .Annotations }}{{ say "注释" "Annotations" }}:
{{ range .Annotations.SortedPairs }} - {{ .Name }} = {{ .Value }}
{{ end }}{{ end }}{{ with .GeneratorURL }}{{ say "来源" "Source" }}: {{ . }}
{{ end }}{{ end }}{{ end -}}
{{- define "__text_alert_list_markdown" }}{{ range . }}
{{ range .Labels.SortedPairs }}- **{{ .Name }}**: {{ .Value }}
{{ end }}{{ range .Annotations.SortedPairs }}- {{ .Name }}: {{ .Value }}
{{ end }}{{ with .GeneratorURL }}[{{ say "来源" "Source" }}]({{ . }})
{{ end }}{{ end }}{{ end -}}
`;

const WECHAT = `
{{- define "wechat.default.message" }}{{ template "__subject" . }}
{{ with .CommonAnnotations }}{{ join " " .Values }}
{{ end }}{{ if .Alerts.Firing }}{{ say "告警" "Alerts firing" }}:
{{ template "__text_alert_list" .Alerts.Firing }}{{ end }}{{ if .Alerts.Resolved }}{{ say "恢复" "Alerts resolved" }}:
{{ template "__text_alert_list" .Alerts.Resolved }}{{ end }}{{ template "__alertmanagerURL" . }}
{{- end -}}
{{- define "wechat.default.to_user" }}{{ end -}}
{{- define "wechat.default.to_party" }}{{ end -}}
{{- define "wechat.default.to_tag" }}{{ end -}}
{{- define "wechat.default.agent_id" }}{{ end -}}
`;

const EMAIL = `
{{- define "email.default.subject" }}{{ template "__subject" . }}{{ end -}}
{{- define "__email_alerts" }}{{ range . }}
<table cellpadding="4" style="border-collapse:collapse;margin:8px 0;width:100%">
{{ range .Labels.SortedPairs }}<tr><th style="text-align:left;width:30%;border-bottom:1px solid #e5e5e5">{{ .Name }}</th><td style="border-bottom:1px solid #e5e5e5">{{ .Value }}</td></tr>
{{ end }}{{ range .Annotations.SortedPairs }}<tr><th style="text-align:left;color:#666">{{ .Name }}</th><td style="color:#666">{{ .Value }}</td></tr>
{{ end }}</table>
{{ with .GeneratorURL }}<p><a href="{{ . }}">{{ say "来源" "Source" }}</a></p>{{ end }}
{{ end }}{{ end -}}
{{- define "email.default.html" }}<!DOCTYPE html>
<html>
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{{ template "__subject" . }}</title></head>
<body style="margin:0;padding:16px;font-family:sans-serif;font-size:14px;color:#222">
<h1 style="margin:0 0 8px;padding:10px 14px;font-size:16px;color:#fff;background:{{ if eq .Status "firing" }}#c0392b{{ else }}#2e8b57{{ end }}">{{ template "__subject" . }}</h1>
{{ if .Alerts.Firing }}<h2 style="font-size:14px">{{ say "告警" "Firing" }} ({{ len .Alerts.Firing }})</h2>{{ template "__email_alerts" .Alerts.Firing }}{{ end }}
{{ if .Alerts.Resolved }}<h2 style="font-size:14px">{{ say "恢复" "Resolved" }} ({{ len .Alerts.Resolved }})</h2>{{ template "__email_alerts" .Alerts.Resolved }}{{ end }}
{{ if .ExternalURL }}<p><a href="{{ template "__alertmanagerURL" . }}">{{ template "__alertmanager" . }}</a></p>{{ end }}
</body>
</html>
{{ end -}}
`;

export const DEFAULT_TEMPLATES: readonly { readonly name: string; readonly text: string }[] = [
	{ name: 'default', text: LISTS },
	{ name: 'wechat.default', text: WECHAT },
	{ name: 'email.default', text: EMAIL },
];
