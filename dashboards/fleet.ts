// Which process leaks? The page to open first: a day, one row for each group.

import { BigValueTextMode, VisibilityMode } from "@grafana/grafana-foundation-sdk/common";
import * as timelines from "@grafana/grafana-foundation-sdk/statetimeline";
import * as units from "@grafana/grafana-foundation-sdk/units";
import { severities } from "../catalog/alerts.ts";
import { colours, noneSteps, type Step, severityColours, usedSteps } from "../catalog/appearance.ts";
import { exporterLabels, slotLabels } from "../catalog/labels.ts";

import { leastConfidence, verdictCode } from "../catalog/verdicts.ts";
import type { Clock } from "./clock.ts";
import { board, dataAgeStat, link } from "./common.ts";
import { finished } from "./finish.ts";
import { closedRow, line, row, top } from "./layout.ts";
import { aboutGroup, runbook } from "./links.ts";
import {
  at,
  byThreshold,
  leakSeverityWords,
  noDash,
  over,
  stat,
  steps,
  table,
  timeLeftSteps,
  timeLeftWords,
  timeseries,
  verdictWord,
  verdictWords,
  whenEmpty,
  words,
} from "./looks.ts";
import * as q from "./queries.ts";
import {
  cluster,
  datasource,
  filters,
  gravest,
  group,
  instance,
  job,
  namespace,
  source,
  versionLabel,
} from "./variables.ts";

export const fleet = (clock: Clock) =>
  finished(
    board(
      clock,
      "fleet",
      "Fleet: which process leaks?",
      "Which process leaks, and when does it die?",
      "24h",
      "1m",
    ).variables([
      datasource(),
      cluster(),
      namespace(),
      job(),
      instance(),
      group(),
      gravest(),
      versionLabel(),
      filters(),
    ]),
    top(
      line(
        4,
        [leakingNow(), 4],
        [soonestOom(clock), 6],
        [restartLoops(), 4],
        [firingAlerts(), 5],
        [dataAgeStat(clock), 5],
      ),
      line(11, [suspects(clock), 24]),
    ),
    row("Memory and alerts", line(9, [usedOfLimit(clock), 12], [alerts(), 12])),
    closedRow("Since when?", line(10, [verdictsOverTime(clock), 24])),
  );

const leakingNow = () =>
  stat(
    "Leaking now",
    `Groups with the verdict ${q.leakingCodes.map((code) => verdictWordOf(code)).join(" or ")}. Good: 0.`,
  )
    .unit(units.Short)
    .noValue("no verdicts yet")
    .thresholds(
      steps([
        { value: null, color: colours.fine },
        { value: 1, color: colours.today },
        { value: 3, color: colours.now },
      ]),
    )
    .withTarget(
      at(q.leakingCodes.map((code) => `sum(${q.groupVerdict(q.ofGroups)} == bool ${code})`).join(" + "), "leaking"),
    );

const verdictWordOf = (code: number) =>
  verdictWord(Object.entries(verdictCode).find(([, one]) => one === code)?.[0] ?? "");

const soonestOom = (clock: Clock) =>
  stat(
    "Soonest OOM",
    "The group that reaches its memory limit first if it goes on like this. Good: none. Red: within hours.",
  )
    .unit(units.Seconds)
    .decimals(1)
    .textMode(BigValueTextMode.ValueAndName)
    .noValue("none in sight")
    .thresholds(steps(timeLeftSteps(clock)))
    .withTarget(
      at(`bottomk(1, min ${q.byGroup} (${q.ofGroups(q.judge.timeToOom)}) < ${q.inSight(clock)})`, "{{group}}"),
    )
    .dataLinks([link(aboutGroup("process", "Look at it", "labels"))]);

const restartLoops = () =>
  stat("Restart loops", "Groups that restart over and over, so that nothing else can be judged. Good: 0.")
    .unit(units.Short)
    .noValue("no verdicts yet")
    .thresholds(
      steps([
        { value: null, color: colours.fine },
        { value: 1, color: colours.now },
      ]),
    )
    .withTarget(at(`sum(${q.groupVerdict(q.ofGroups)} == bool ${verdictCode.restart_loop})`, "loops"));

const leakwatchAlerts = (state: string) => q.ofGroups("ALERTS", `alertstate=~"${state}"`, 'alertname=~"Leakwatch.+"');

const firingAlerts = () =>
  stat("Firing alerts", "Alerts of leakwatch that fire now, of every severity. Good: 0. The table below names them.")
    .unit(units.Short)
    .thresholds(steps(noneSteps))
    .withTarget(
      at(`count(max by (alertname, ${q.slotLabels.join(", ")}) (${leakwatchAlerts("firing")})) or vector(0)`, "alerts"),
    );

const suspects = (clock: Clock) =>
  table(
    "Suspects",
    [
      "One row for each group, soonest OOM first; healthy ones are below, not hidden. Good: green words and no time to OOM.",
      "Each row shows the worst process of its group. Growth is that of the floor: spikes and garbage collection are not in it.",
      "Restarts count every life that ended, whatever ended it. The small line is resident memory over a day.",
    ].join(" "),
    { group: "Group", cluster: "Cluster", namespace: "Namespace", job: "Job" },
    [
      {
        title: "Verdict",
        expr: q.orEmpty(q.groupVerdict(q.ofGroups), q.ofGroups),
        mappings: [verdictWords(), whenEmpty("not judged yet")],
        coloured: "text",
        width: 140,
      },
      {
        title: "Severity",
        expr: q.orEmpty(`max ${q.byGroup} (${q.ofGroups(q.ledger.severity)})`, q.ofGroups),
        mappings: [leakSeverityWords(), whenEmpty(noDash)],
        coloured: "text",
        width: 80,
      },
      {
        title: "Time to OOM",
        expr: [
          `min ${q.byGroup} (${q.atMostInSight(clock, q.ofGroups(q.judge.timeToOom))})`,
          `max ${q.byGroup} (${q.ofGroups(q.judge.verdict, 'verdict="collecting"')}) * 0 + ${q.tooYoung}`,
          `max ${q.byGroup} (${q.ofGroups(q.process.memoryLimit)}) * 0 + Inf`,
          `max ${q.byGroup} (${q.ofGroups(q.ledger.processes)}) * 0 + ${q.noLimit(clock)}`,
        ].join(" or "),
        unit: units.Seconds,
        decimals: 1,
        mappings: timeLeftWords(clock),
        steps: timeLeftSteps(clock),
        coloured: "text",
        width: 120,
      },
      {
        title: "Growth per hour",
        expr: q.orEmpty(`max ${q.byGroup} (${q.pace(q.ofGroups)}) * 3600`, q.ofGroups),
        unit: units.BytesIEC,
        decimals: 1,
        mappings: [whenEmpty("too young")],
        width: 125,
      },
      {
        title: "Confidence",
        expr: q.orEmpty(`max ${q.byGroup} (${q.ofGroups(q.judge.confidence)})`, q.ofGroups),
        unit: units.PercentUnit,
        decimals: 0,
        mappings: [whenEmpty(noDash)],
        steps: [
          { value: null, color: colours.unknown },
          { value: leastConfidence, color: colours.young },
        ],
        coloured: "text",
        width: 95,
      },
      {
        title: "Used of limit",
        expr: q.orEmpty(
          `max ${q.byGroup} (${q.ofGroups(q.process.residentMemory)} / ${q.ofGroups(q.process.memoryLimit)})`,
          q.ofGroups,
        ),
        unit: units.PercentUnit,
        decimals: 0,
        mappings: [whenEmpty("no limit known")],
        steps: usedSteps,
        coloured: "text",
        width: 110,
      },
      {
        title: "Restarts 24 h",
        expr: q.orEmpty(
          `sum ${q.byGroup} (max by (${q.exporterLabels.join(", ")}, group) (${q.countedOver(clock, q.ofGroups(q.group.livesEnded), 24)}))`,
          q.ofGroups,
          "0",
        ),
        unit: units.Short,
        decimals: 0,
        mappings: [whenEmpty(noDash)],
        width: 105,
      },
      {
        title: "Uptime",
        expr: q.orEmpty(`time() - max ${q.byGroup} (${q.ofGroups(q.process.startTime)})`, q.ofGroups),
        unit: units.Seconds,
        decimals: 1,
        mappings: [whenEmpty("no process runs")],
        width: 95,
      },
      {
        title: "Version",
        expr: `topk ${q.byGroup} (1, max by (${q.groupLabels.join(", ")}, release) (${q.releases(q.ofGroups, q.ofExporter)}))`,
        label: "release",
        width: 125,
      },
      {
        title: "Resident memory, 24 h",
        expr: `max ${q.byGroup} (${q.ofGroups(q.process.residentMemory)})`,
        unit: units.BytesIEC,
        sparkline: true,
      },
    ],
    { by: "Time to OOM" },
  )
    .timeFrom(clock.time("24h"))
    .hideTimeOverride(true)
    .interval(clock.time("15m"))
    .maxDataPoints(96)
    .noValue("No process group is known. Is an exporter scraped, and are the rules loaded?")
    .overrideByName("Cluster", width(85))
    .overrideByName("Namespace", width(90))
    .overrideByName("Job", width(85))
    .overrideByName("Group", [
      {
        id: "links",
        value: [aboutGroup("process", "Is it a leak?", "fields"), aboutGroup("trend", "Seven days", "fields")],
      },
    ]);

const width = (pixels: number) => [{ id: "custom.width", value: pixels }];

const usedOfLimit = (clock: Clock) =>
  timeseries(
    "Used of the limit",
    "Resident memory (RSS) as a share of the limit that will really end the process, the highest process of each group. Good: level, however high. High and level is a matter of room; rising is a leak. Only the groups under “Charts show”.",
  )
    .unit(units.PercentUnit)
    .min(0)
    .axisSoftMax(1)
    .interval(clock.time("1m"))
    .noValue("No process has a memory limit that is known")
    .withTarget(
      over(
        `max ${q.byGroup} (${q.ofWorst(q.process.residentMemory)} / ${q.ofWorst(q.process.memoryLimit)})`,
        "{{group}}",
      ),
    )
    .dataLinks([link(aboutGroup("process", "Is it a leak?", "labels"))]);

const alertLabels = ["alertname", "severity", "alertstate", ...slotLabels];

const alerts = () =>
  table(
    "Alerts",
    "Alerts of leakwatch that fire, or will if it goes on. Good: empty. Click the name for what to do.",
    {
      alertname: "Alert",
      severity: "Severity",
      alertstate: "State",
      group: "Group",
      slot: "Slot",
    },
    [
      {
        title: "Since",
        expr: `max by (${alertLabels.join(", ")}) (${leakwatchAlerts("firing|pending")} * ignoring (alertstate) group_left () ${q.ofGroups("ALERTS_FOR_STATE", 'alertname=~"Leakwatch.+"')}) * 1000`,
        unit: units.DateTimeFromNow,
      },
    ],
    { by: "Since", descending: true },
    exporterLabels,
  )
    .noValue("No alert of leakwatch fires")
    .overrideByName("State", width(65))
    .overrideByName("Slot", width(50))
    .overrideByName("Namespace", width(90))
    .overrideByName("Alert", [
      {
        id: "links",
        value: [{ title: "Runbook", url: runbook(`\${__data.fields.alertname:percentencode}`), targetBlank: true }],
      },
    ])
    .overrideByName("Group", [{ id: "links", value: [aboutGroup("process", "Is it a leak?", "fields")] }])
    .overrideByName("Severity", [
      {
        id: "mappings",
        value: [
          words(Object.fromEntries(severities.map((name) => [name, { text: name, color: severityColours[name] }]))),
        ],
      },
      { id: "custom.cellOptions", value: { type: "color-text" } },
    ]);

const verdictsOverTime = (clock: Clock) =>
  new timelines.PanelBuilder()
    .title("Verdict over time")
    .description(
      "One strip for each group under “Charts show”. Good: green all along. It shows since when, and whether a verdict flaps.",
    )
    .datasource(source)
    .colorScheme(byThreshold())
    .thresholds(steps([{ value: null, color: colours.unknown } satisfies Step]))
    .mappings([verdictWords()])
    .unit(units.Short)
    .mergeValues(true)
    .showValue(VisibilityMode.Auto)
    .interval(clock.time("5m"))
    .noValue("No verdicts in this time")
    .withTarget(over(q.groupVerdict(q.ofWorst), "{{group}}"));
