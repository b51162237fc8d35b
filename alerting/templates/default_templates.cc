#include "alerting/templates/default_templates.h"

namespace vigia::alerting::templates {

// Links lead to vigia's page, which lists alerts as Alertmanager's does below /#/alerts.
const std::string_view kDefaultTemplates = R"go(
{{- define "__vigia" }}vigia{{ end }}
{{- define "__alertmanager" }}vigia{{ end }}
{{- define "__alertmanagerURL" }}{{ .ExternalURL }}/#/alerts?receiver={{ .Receiver | urlquery }}{{ end }}

{{- define "__count" -}}
{{ with .Alerts.Firing | len }}{{ . }} firing{{ end }}
{{- if and (.Alerts.Firing | len) (.Alerts.Resolved | len) }}, {{ end }}
{{- with .Alerts.Resolved | len }}{{ . }} resolved{{ end }}
{{- end }}

{{- define "__more_labels" -}}
{{ if gt (len .CommonLabels) (len .GroupLabels) }} ({{ with .CommonLabels.Remove .GroupLabels.Names }}{{ .Values | join " " }}{{ end }}){{ end }}
{{- end }}

{{- define "__subject" -}}
[{{ .Status | toUpper }}{{ if eq .Status "firing" }}:{{ .Alerts.Firing | len }}{{ end }}] {{ .GroupLabels.SortedPairs.Values | join " " }}{{ template "__more_labels" . }}
{{- end }}

{{- define "__description" }}{{ end }}

{{- define "__headline" -}}
{{ with .Annotations.summary }}{{ . }}{{ else }}{{ .Labels.alertname }}{{ end }}
{{- end }}

{{- define "__text_alert_list" -}}
{{ range . }}{{ template "__headline" . }}
{{ with .Annotations.description }}{{ . }}
{{ end }}Labels:
{{ range .Labels.SortedPairs }} - {{ .Name }} = {{ .Value }}
{{ end }}{{ with .Annotations.Remove (stringSlice "summary" "description") }}Annotations:
{{ range .SortedPairs }} - {{ .Name }} = {{ .Value }}
{{ end }}{{ end }}{{ with .GeneratorURL }}Source: {{ . }}
{{ end }}{{ end }}
{{- end }}

{{- define "__text_groups" -}}
{{ with .Alerts.Firing }}Firing:
{{ template "__text_alert_list" . }}{{ end }}
{{- with .Alerts.Resolved }}Resolved:
{{ template "__text_alert_list" . }}{{ end }}
{{- end }}

{{- define "__text_alert_list_markdown" -}}
{{ range . }}**{{ template "__headline" . }}**
{{ with .Annotations.description }}{{ . }}
{{ end }}{{ range .Labels.SortedPairs }}- {{ .Name }} = {{ .Value }}
{{ end }}{{ with .GeneratorURL }}[source]({{ . }})
{{ end }}{{ end }}
{{- end }}

{{- define "slack.default.title" }}{{ template "__subject" . }}{{ end }}
{{- define "slack.default.username" }}{{ template "__vigia" . }}{{ end }}
{{- define "slack.default.fallback" }}{{ template "slack.default.title" . }} | {{ template "slack.default.titlelink" . }}{{ end }}
{{- define "slack.default.titlelink" }}{{ template "__alertmanagerURL" . }}{{ end }}
{{- define "slack.default.pretext" }}{{ end }}
{{- define "slack.default.callbackid" }}{{ end }}
{{- define "slack.default.iconemoji" }}{{ end }}
{{- define "slack.default.iconurl" }}{{ end }}
{{- define "slack.default.text" }}{{ end }}
{{- define "slack.default.footer" }}{{ end }}

{{- define "pagerduty.default.description" }}{{ template "__subject" . }}{{ end }}
{{- define "pagerduty.default.client" }}{{ template "__vigia" . }}{{ end }}
{{- define "pagerduty.default.clientURL" }}{{ template "__alertmanagerURL" . }}{{ end }}
{{- define "pagerduty.default.instances" }}{{ template "__text_alert_list" . }}{{ end }}

{{- define "opsgenie.default.message" }}{{ template "__subject" . }}{{ end }}
{{- define "opsgenie.default.description" }}{{ .CommonAnnotations.SortedPairs.Values | join " " }}
{{ template "__text_groups" . }}{{ end }}
{{- define "opsgenie.default.source" }}{{ template "__alertmanagerURL" . }}{{ end }}

{{- define "pushover.default.title" }}{{ template "__subject" . }}{{ end }}
{{- define "pushover.default.message" }}{{ template "__text_groups" . }}{{ end }}
{{- define "pushover.default.url" }}{{ template "__alertmanagerURL" . }}{{ end }}

{{- define "victorops.default.entity_display_name" }}{{ template "__subject" . }}{{ end }}
{{- define "victorops.default.state_message" }}{{ template "__text_groups" . }}{{ end }}
{{- define "victorops.default.monitoring_tool" }}{{ template "__vigia" . }}{{ end }}

{{- define "webex.default.message" }}{{ template "__subject" . }}
{{ template "__text_groups" . }}{{ end }}

{{- define "msteamsv2.default.title" }}{{ template "__subject" . }}{{ end }}
{{- define "msteamsv2.default.text" }}{{ template "__count" . }}{{ end }}

{{- define "msteams.default.title" }}{{ template "__subject" . }}{{ end }}
{{- define "msteams.default.summary" }}{{ template "__subject" . }}{{ end }}
{{- define "msteams.default.text" -}}
{{ with .Alerts.Firing }}{{ template "__text_alert_list_markdown" . }}{{ end }}
{{- with .Alerts.Resolved }}Resolved:

{{ template "__text_alert_list_markdown" . }}{{ end }}
{{- end }}

{{- define "rocketchat.default.title" }}{{ template "__subject" . }}{{ end }}
{{- define "rocketchat.default.titlelink" }}{{ template "__alertmanagerURL" . }}{{ end }}
{{- define "rocketchat.default.alias" }}{{ template "__vigia" . }}{{ end }}
{{- define "rocketchat.default.emoji" }}{{ end }}
{{- define "rocketchat.default.iconurl" }}{{ end }}
{{- define "rocketchat.default.text" }}{{ template "__text_groups" . }}{{ end }}

{{- define "wechat.default.message" }}{{ template "__subject" . }}
{{ template "__text_groups" . }}{{ template "__alertmanagerURL" . }}{{ end }}
{{- define "wechat.default.to_user" }}{{ end }}
{{- define "wechat.default.to_party" }}{{ end }}
{{- define "wechat.default.to_tag" }}{{ end }}
{{- define "wechat.default.agent_id" }}{{ end }}

{{- define "sns.default.subject" }}{{ template "__subject" . }}{{ end }}
{{- define "sns.default.message" }}{{ template "__text_groups" . }}
{{ template "__alertmanagerURL" . }}{{ end }}

{{- define "jira.default.summary" }}{{ template "__subject" . }}{{ end }}
{{- define "jira.default.description" }}{{ template "__text_groups" . }}
{{ template "__alertmanagerURL" . }}{{ end }}
{{- define "__jira_priority" -}}
{{ $priority := "" }}
{{- range . }}
{{- if eq .Labels.severity "critical" }}{{ $priority = "High" }}
{{- else if and (eq .Labels.severity "warning") (ne $priority "High") }}{{ $priority = "Medium" }}
{{- else if and (eq .Labels.severity "info") (eq $priority "") }}{{ $priority = "Low" }}{{ end }}
{{- end }}{{ $priority }}
{{- end }}
{{- define "jira.default.priority" -}}
{{ with .Alerts.Firing }}{{ template "__jira_priority" . }}{{ else }}{{ template "__jira_priority" .Alerts.Resolved }}{{ end }}
{{- end }}

{{- define "discord.default.title" }}{{ template "__subject" . }}{{ end }}
{{- define "discord.default.message" }}{{ template "__text_groups" . }}{{ end }}

{{- define "telegram.default.message" }}{{ template "__text_groups" . }}{{ end }}

{{- define "mattermost.default.title" }}{{ template "__subject" . }}{{ end }}
{{- define "mattermost.default.titlelink" }}{{ template "__alertmanagerURL" . }}{{ end }}
{{- define "mattermost.default.username" }}{{ template "__vigia" . }}{{ end }}
{{- define "mattermost.default.color" }}{{ if eq .Status "firing" }}#c62828{{ else }}#2e7d32{{ end }}{{ end }}
{{- define "mattermost.default.text" }}{{ template "__text_groups" . }}{{ end }}
{{- define "mattermost.default.fallback" }}{{ template "mattermost.default.title" . }} | {{ template "mattermost.default.titlelink" . }}{{ end }}

{{- define "googlechat.default.title" }}{{ template "__subject" . }}{{ end }}
{{- define "googlechat.default.text" }}{{ template "__text_groups" . }}{{ end }}

{{- define "ntfy.default.title" }}{{ template "__subject" . }}{{ end }}
{{- define "ntfy.default.message" }}{{ template "__text_groups" . }}{{ end }}

{{- define "sentry.default.message" }}{{ template "__subject" . }}{{ end }}

{{- define "email.default.subject" }}{{ template "__subject" . }}{{ end }}
{{- define "email.default.text" }}{{ template "__text_groups" . }}
{{ template "__alertmanagerURL" . }}
{{ end }}

{{- define "__html_alert" -}}
<div style="border-left:4px solid {{ if eq .Status "firing" }}#c62828{{ else }}#2e7d32{{ end }};margin:12px 0;padding:4px 12px">
<p style="margin:0"><strong>{{ template "__headline" . }}</strong></p>
{{ with .Annotations.description }}<p style="margin:4px 0">{{ . }}</p>
{{ end }}<table style="font-size:13px;color:#444">
{{ range .Labels.SortedPairs }}<tr><td style="padding-right:8px">{{ .Name }}</td><td>{{ .Value }}</td></tr>
{{ end }}<tr><td style="padding-right:8px">since</td><td>{{ .StartsAt | date "2006-01-02 15:04:05 MST" }}</td></tr>
</table>
{{ with .GeneratorURL }}<p style="margin:4px 0"><a href="{{ . }}">Source</a></p>
{{ end }}</div>
{{ end }}

{{- define "email.default.html" -}}
<!DOCTYPE html>
<html>
<head><meta charset="utf-8"><title>{{ template "__subject" . }}</title></head>
<body style="font-family:Helvetica,Arial,sans-serif;font-size:14px;color:#222;max-width:640px;margin:0 auto">
<h2 style="font-size:18px">{{ template "__subject" . }}</h2>
<p>{{ template "__count" . }}, <a href="{{ template "__alertmanagerURL" . }}">view in {{ template "__vigia" . }}</a></p>
{{ range .Alerts.Firing }}{{ template "__html_alert" . }}{{ end }}
{{ with .Alerts.Resolved }}<h3 style="font-size:15px">Resolved</h3>
{{ range . }}{{ template "__html_alert" . }}{{ end }}{{ end }}
<p style="font-size:12px;color:#888">Sent by <a href="{{ .ExternalURL }}">{{ template "__vigia" . }}</a></p>
</body>
</html>
{{ end }}
)go";

}  // namespace vigia::alerting::templates
