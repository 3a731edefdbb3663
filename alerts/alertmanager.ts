// Who hears of an alert, and which alerts are consequences of others: alerts/alertmanager.yml.
// https://prometheus.io/docs/alerting/latest/configuration/

import { dump } from "js-yaml";
import { alerts, anyAlert, anyLeak, type DeclaredAlert } from "../catalog/alerts.ts";
import { exporterLabels as exporter, groupLabels as group, slotLabels as slot } from "../catalog/labels.ts";

/** While an alert fires that `by` matches, those that `mute` matches are not told, if they have the same `of`. */
interface Inhibition {
  readonly why: string;
  readonly by: readonly string[];
  readonly mute: readonly string[];
  readonly of: readonly string[];
}

/** Alerts by name, or all of a pattern. */
function named(...these: readonly (DeclaredAlert | string)[]): string[] {
  const names = these.map((one) => (typeof one === "string" ? one : one.name));
  const [only = ""] = names;
  return [names.length === 1 && !only.includes(".*") ? `alertname = ${only}` : `alertname =~ "${names.join("|")}"`];
}

export const inhibitions = (): Inhibition[] => [
  {
    why: "What is killed over and over also restarts, leaks, and is about to be killed.",
    by: named(alerts.oomLoop),
    mute: named(anyLeak, alerts.oomPredicted, alerts.oomKilled, alerts.restartLoop, alerts.restartsRecur),
    of: group,
  },
  {
    why: "Restarts that hide a leak are its consequence.",
    by: named(alerts.memoryLeakMasked),
    mute: named(alerts.restartLoop, alerts.restartsRecur, alerts.oomKilled),
    of: group,
  },
  {
    why: "A page about a leak says when the limit will be reached.",
    by: [...named(alerts.memoryLeak), "severity = critical"],
    mute: named(alerts.oomPredicted),
    of: slot,
  },
  {
    why: "So does a ticket about it, while there is most of a day left.",
    by: named(anyLeak),
    mute: [...named(alerts.oomPredicted), "severity = info"],
    of: slot,
  },
  {
    why: "Somebody was woken before the kernel did what was to be expected.",
    by: [...named(alerts.memoryLeak), "severity = critical"],
    mute: named(alerts.oomKilled),
    of: group,
  },
  {
    why: "What is called a leak needs no second alert for its growth.",
    by: named(anyLeak),
    mute: named(alerts.memoryGrowth, alerts.noMemoryLimit),
    of: slot,
  },
  {
    why: "The gravest of the same name is enough.",
    by: [...named(anyAlert), "severity = critical"],
    mute: [...named(anyAlert), 'severity =~ "warning|info"'],
    of: ["alertname", ...slot, "cgroup"],
  },
  {
    why: "The gravest of the same name is enough.",
    by: [...named(anyAlert), "severity = warning"],
    mute: [...named(anyAlert), "severity = info"],
    of: ["alertname", ...slot, "cgroup"],
  },
  {
    why: "Without its exporter nothing is known of a group.",
    by: named(alerts.exporterDown),
    mute: named(
      alerts.targetGone,
      alerts.samplesStale,
      alerts.podsStale,
      alerts.targetsUnreadable,
      alerts.exporterLeaks,
    ),
    of: exporter,
  },
  {
    why: "The only exporter is down: then there is none. That none is there has no labels but those of Prometheus itself.",
    by: named(alerts.exporterDown),
    mute: named(alerts.exporterAbsent),
    of: ["cluster"],
  },
];

/** Times are those of Alertmanager's own terms: how long a first message waits for more, a further one, and a reminder. */
const route = {
  receiver: "ticket",
  group_by: ["cluster", "namespace", "group"],
  // most of an evaluation, so that what mutes an alert is there before it is told
  group_wait: "5m",
  group_interval: "1h",
  // Alertmanager forgets after five days what it has told
  repeat_interval: "4d",
  routes: [
    {
      matchers: ["severity = critical"],
      receiver: "page",
      group_wait: "30s",
      group_interval: "5m",
      repeat_interval: "4h",
    },
    {
      matchers: ["severity = info"],
      receiver: "digest",
      group_by: ["cluster"],
      group_wait: "1h",
      group_interval: "1d",
    },
  ],
};

const secret = (name: string) => `/etc/alertmanager/secrets/${name}`;

const receivers = [
  {
    why: "Critical: somebody is woken. One incident for each group.",
    receiver: {
      name: "page",
      pagerduty_configs: [
        {
          routing_key_file: secret("pagerduty-routing-key"),
          severity: "critical",
          description: '{{ template "leakwatch.title" . }}',
          client: "leakwatch",
          client_url: "{{ (index .Alerts 0).Annotations.dashboard_url }}",
          details: { facts: '{{ template "leakwatch.text" . }}' },
          links: [
            { text: "Runbook", href: "{{ (index .Alerts 0).Annotations.runbook_url }}" },
            { text: "Dashboard", href: "{{ (index .Alerts 0).Annotations.dashboard_url }}" },
          ],
        },
      ],
      slack_configs: [slack("#oncall")],
    },
  },
  {
    why: "Warnings: work for the day. A webhook makes a ticket of each group; its body is JSON with all annotations.",
    receiver: {
      name: "ticket",
      webhook_configs: [
        {
          url: "https://tickets.example.org/alertmanager",
          send_resolved: true,
          http_config: { authorization: { credentials_file: secret("tickets-token") } },
        },
      ],
      slack_configs: [slack("#memory")],
    },
  },
  {
    why: "Information: one mail a day.",
    receiver: {
      name: "digest",
      email_configs: [
        {
          to: "memory@example.org",
          send_resolved: false,
          headers: {
            Subject:
              "leakwatch: {{ .Alerts.Firing | len }} to look at{{ with .CommonLabels.cluster }} in {{ . }}{{ end }}",
          },
          html: '{{ template "leakwatch.html" . }}',
          text: '{{ template "leakwatch.text" . }}',
        },
      ],
    },
  },
];

function slack(channel: string) {
  return {
    api_url_file: secret("slack-webhook-url"),
    channel,
    send_resolved: true,
    title: '{{ template "leakwatch.title" . }}',
    title_link: "{{ (index .Alerts 0).Annotations.dashboard_url }}",
    text: '{{ template "leakwatch.slack" . }}',
    color:
      '{{ if eq .Status "resolved" }}good{{ else if eq .CommonLabels.severity "critical" }}danger{{ else }}warning{{ end }}',
  };
}

export function renderAlertmanager(): string {
  return `# Generated by npm run generate from alerts/alertmanager.ts, as an example to start from: replace the receivers and
# take out those that you do not use. Secrets are read from files. Check it with: amtool check-config alertmanager.yml
# To use it beside other alerts, hang the route below your own with the matcher alertname =~ "${anyAlert}".

global:
  smtp_smarthost: smtp.example.org:587
  smtp_from: alertmanager@example.org
  smtp_auth_username: alertmanager
  smtp_auth_password_file: ${secret("smtp-password")}

templates:
  - templates/*.tmpl

# One message for each group of processes. Critical ones page, the rest becomes tickets; information comes once a day.
${yaml({ route }, 5)}
# One fault is one message: consequences are not told beside their cause.
inhibit_rules:
${inhibitions().map(inhibitionText).join("")}
receivers:
${receivers.map(({ why, receiver }) => item(why, receiver)).join("")}`;
}

const inhibitionText = ({ why, by, mute, of }: Inhibition) =>
  item(why, { source_matchers: by, target_matchers: mute, equal: of }, 2);

const item = (why: string, value: object, flowLevel = -1) =>
  `  # ${why}\n${yaml([value], flowLevel).replaceAll(/^(?=.)/gm, "  ")}`;

/** From `flowLevel` on, lists are written in one line. */
const yaml = (value: object, flowLevel: number) => dump(value, { lineWidth: -1, noRefs: true, flowLevel });
