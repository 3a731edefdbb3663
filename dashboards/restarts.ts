// Who restarts, why, how often? A restart is an answer to a leak as long as somebody knows of it; hidden ones are found here.

import * as bars from "@grafana/grafana-foundation-sdk/bargauge";
import { BigValueTextMode, GraphDrawStyle, VisibilityMode } from "@grafana/grafana-foundation-sdk/common";
import * as histories from "@grafana/grafana-foundation-sdk/statushistory";
import * as units from "@grafana/grafana-foundation-sdk/units";
import { colours, noneSteps, reasonColours, usedSteps } from "../catalog/appearance.ts";
import { restartReasons } from "../catalog/metrics.ts";
import type { Recording } from "../catalog/recordings.ts";
import { oomKills } from "./annotations.ts";
import type { Clock } from "./clock.ts";
import { board, dataAgeStat, link } from "./common.ts";
import { finished } from "./finish.ts";
import { line, row, top } from "./layout.ts";
import { aboutGroup } from "./links.ts";
import {
  at,
  byThreshold,
  fixed,
  noDash,
  over,
  plain,
  stat,
  steps,
  table,
  timeLeftWords,
  timeseries,
  whenEmpty,
  words,
} from "./looks.ts";
import * as q from "./queries.ts";
import { cluster, datasource, filters, group, instance, job, mostRestarted, namespace, source } from "./variables.ts";

export const restarts = (clock: Clock) =>
  finished(
    board(clock, "restarts", "Restarts and OOM", "Who restarts, why, how often?", "7d", "5m")
      .variables([datasource(), cluster(), namespace(), job(), instance(), group(), mostRestarted(clock), filters()])
      .annotation(oomKills(clock, q.ofWorst).enable(false)),
    top(
      line(4, [restartCount(clock), 6], [oomCount(clock), 6], [shortestMedian(clock), 7], [dataAgeStat(clock), 5]),
      line(9, [whoRestarts(clock), 24]),
    ),
    row(
      "Why and when?",
      line(9, [byReason(), 8], [recycled(clock), 8], [perHour(clock), 8]),
      line(9, [uptimes(clock), 12], [memoryAtDeath(clock), 12]),
    ),
    row("What would happen without the restarts?", line(8, [withoutRestarts(clock), 24])),
  );

/** Of all chosen groups. */
const counted = (clock: Clock, series: Recording, hours: number, of = q.ofGroups) =>
  `max by (${q.exporterLabels.join(", ")}, group) (${q.countedOver(clock, of(series), hours, q.recordedEvery(clock, series))})`;

/** 0 where there are groups, and none of them has anything to count. */
const none = `max(${q.ofGroups(q.ledger.processes)}) * 0`;

const day = 24;
const week = 7 * day;

const restartCount = (clock: Clock) =>
  stat(
    "Restarts, 24 h and 7 d",
    "Lives that ended in all chosen groups, whatever ended them: crashes, kills, deploys and clocks. Good: deploys only.",
  )
    .unit(units.Short)
    .decimals(0)
    .noValue("nothing recorded yet")
    .withTarget(at(`sum(${counted(clock, q.group.livesEnded, day)}) or ${none}`, "24 h", "A"))
    .withTarget(at(`sum(${counted(clock, q.group.livesEnded, week)}) or ${none}`, "7 d", "B"));

const oomCount = (clock: Clock) =>
  stat("OOM kills, 24 h and 7 d", "Kills that the kernel counted, and exits that look like one. Good: 0.")
    .unit(units.Short)
    .decimals(0)
    .noValue("nothing recorded yet")
    .thresholds(steps(noneSteps))
    .withTarget(at(`sum(${counted(clock, q.group.oomKills, day)}) or ${none}`, "24 h", "A"))
    .withTarget(at(`sum(${counted(clock, q.group.oomKills, week)}) or ${none}`, "7 d", "B"));

/** Half of the lives that ended were shorter. */
const medianLife = (clock: Clock) => `min ${q.byGroup} (quantile_over_time(0.5, ${q.lifeLengths(clock, q.ofWorst)}))`;
const shortestLife = (clock: Clock) => `min ${q.byGroup} (min_over_time(${q.lifeLengths(clock, q.ofWorst)}))`;

const shortestMedian = (clock: Clock) =>
  stat(
    "Shortest median life",
    "The group whose processes live shortest, by the median of seven days. Good: no restarts, or the time between two deploys.",
  )
    .unit(units.Seconds)
    .decimals(1)
    .textMode(BigValueTextMode.ValueAndName)
    .noValue("no restart in seven days")
    .withTarget(at(`bottomk(1, ${medianLife(clock)})`, "{{group}}"))
    .dataLinks([link(aboutGroup("process", "Look at it", "labels"))]);

const whoRestarts = (clock: Clock) =>
  table(
    "Who restarts",
    "Seven days, the groups that restarted most. Planned means at a steady beat, as cron does it, or that nothing was unplanned. Memory at death near the limit: it died of memory. Far below: it crashed, was deployed or was stopped. Good: few rows with numbers.",
    { group: "Group", cluster: "Cluster", namespace: "Namespace", job: "Job" },
    [
      {
        title: "Restarts",
        expr: q.orEmpty(`sum ${q.byGroup} (${counted(clock, q.group.livesEnded, week, q.ofWorst)})`, q.ofWorst, "0"),
        unit: units.Short,
        decimals: 0,
        width: 95,
      },
      {
        title: "Of these OOM",
        expr: q.orEmpty(`sum ${q.byGroup} (${counted(clock, q.group.oomKills, week, q.ofWorst)})`, q.ofWorst, "0"),
        unit: units.Short,
        decimals: 0,
        steps: noneSteps,
        coloured: "text",
        width: 115,
      },
      {
        title: "Unplanned",
        expr: q.orEmpty(`sum ${q.byGroup} (${counted(clock, q.group.restarts, week, q.ofWorst)})`, q.ofWorst, "0"),
        unit: units.Short,
        decimals: 0,
        width: 105,
      },
      {
        title: "Ended growing",
        expr: q.orEmpty(
          `sum ${q.byGroup} (${counted(clock, q.group.livesEndedGrowing, week, q.ofWorst)})`,
          q.ofWorst,
          "0",
        ),
        unit: units.Short,
        decimals: 0,
        steps: noneSteps,
        coloured: "text",
        width: 120,
      },
      {
        title: "Median life",
        expr: q.orEmpty(medianLife(clock), q.ofWorst),
        unit: units.Seconds,
        decimals: 1,
        mappings: [whenEmpty("no restart")],
        width: 110,
      },
      {
        title: "Shortest life",
        expr: q.orEmpty(shortestLife(clock), q.ofWorst),
        unit: units.Seconds,
        decimals: 1,
        mappings: [whenEmpty("no restart")],
        width: 115,
      },
      {
        title: "Memory at death",
        expr: q.orEmpty(`max ${q.byGroup} (${q.ofWorst(q.ledger.lastEndMemoryLimit)})`, q.ofWorst),
        unit: units.PercentUnit,
        decimals: 0,
        mappings: [whenEmpty(noDash)],
        steps: usedSteps,
        coloured: "text",
        width: 135,
      },
      {
        title: "Last reason",
        expr: `topk ${q.byGroup} (1, max by (${q.groupLabels.join(", ")}, reason) (${q.ofWorst(q.ledger.lastEnd)}))`,
        label: "reason",
        mappings: [reasonWords()],
        coloured: "text",
      },
    ],
    { by: "Restarts", descending: true },
  )
    .noValue("No process group is known")
    .overrideByName("Group", [
      {
        id: "links",
        value: [aboutGroup("process", "Is it a leak?", "fields"), aboutGroup("trend", "Seven days", "fields")],
      },
    ]);

const reasonWord = (reason: string) => reason.replaceAll("_", " ");
const reasonWords = () =>
  words(
    Object.fromEntries(
      restartReasons.map((reason) => [reason, { text: reasonWord(reason), color: reasonColours[reason] }]),
    ),
  );

const byReason = () => {
  const panel = new bars.PanelBuilder()
    .title("Restarts by reason")
    .description(
      `In the time shown, of the groups under “Charts show”. The reasons are ${restartReasons.map(reasonWord).join(", ")}. Good: scheduled and exit only, and few of them.`,
    )
    .datasource(source)
    .unit(units.Short)
    .decimals(0)
    .min(0)
    .colorScheme(fixed(colours.unknown))
    .thresholds(steps(plain))
    .noValue("No restart was seen")
    .withTarget(
      at(
        `sum by (reason) (max by (${q.exporterLabels.join(", ")}, group, reason) (round(increase(${q.ofWorst(q.ledger.restarts)}[$__range]))))`,
        "{{reason}}",
      ),
    );
  return restartReasons.reduce(
    (all, reason) =>
      all.overrideByName(reason, [
        { id: "color", value: { mode: "fixed", fixedColor: reasonColours[reason] } },
        { id: "displayName", value: reasonWord(reason) },
      ]),
    panel,
  );
};

const recycled = (clock: Clock) =>
  table(
    "Recycled workers",
    "Workers that exited in the last 24 hours while the process that started them kept running, and those of them whose memory still grew. These are no restarts. Good: no growing ones; else recycling is what hides a leak.",
    { group: "Group", cluster: "Cluster", namespace: "Namespace", job: "Job" },
    [
      {
        title: "Exits",
        expr: `sum ${q.byGroup} (max by (${q.exporterLabels.join(", ")}, group, reason) (round(increase(${q.ofWorst(q.ledger.workerExits)}[${clock.time("1d")}])))) > 0`,
        unit: units.Short,
        decimals: 0,
        width: 70,
      },
      {
        title: "Killed",
        expr: `sum ${q.byGroup} (max by (${q.exporterLabels.join(", ")}, group, reason) (round(increase(${q.ofWorst(q.ledger.workerExits, 'reason=~"oom|suspected_oom"')}[${clock.time("1d")}])))) > 0`,
        unit: units.Short,
        decimals: 0,
        steps: noneSteps,
        coloured: "text",
        width: 70,
      },
      {
        title: "Growing",
        expr: `sum ${q.byGroup} (max by (${q.exporterLabels.join(", ")}, group) (round(increase(${q.ofWorst(q.ledger.workerExitsGrowing)}[${clock.time("1d")}])))) > 0`,
        unit: units.Short,
        decimals: 0,
        steps: noneSteps,
        coloured: "text",
        width: 80,
      },
    ],
    { by: "Exits", descending: true },
    ["cluster", "namespace", "job"],
  ).noValue("No worker exited");

const perHour = (clock: Clock) =>
  new histories.PanelBuilder()
    .title("Lives ended, hour by hour")
    .description(
      "One cell for each hour, one line for each group under “Charts show”. Good: an empty line. A regular pattern is a clock. A line that fills up towards the right is getting worse.",
    )
    .datasource(source)
    .unit(units.Short)
    .decimals(0)
    .colorScheme(byThreshold())
    .thresholds(
      steps([
        { value: null, color: colours.fine },
        { value: 1, color: colours.watch },
        { value: 2, color: colours.today },
        { value: 4, color: colours.now },
      ]),
    )
    .showValue(VisibilityMode.Never)
    .interval(clock.time("1h"))
    .maxDataPoints(week)
    .noValue("Nothing recorded yet")
    .withTarget(over(q.orEmpty(`max ${q.byGroup} (${q.ofWorst(q.group.livesEnded)})`, q.ofWorst, "0"), "{{group}}"));

const uptimes = (clock: Clock) =>
  timeseries(
    "Uptime",
    "Age of each process. Good: one long slope. A saw-tooth with equal teeth is a clock; with unequal ones, crashes or kills.",
  )
    .unit(units.Seconds)
    .min(0)
    .interval(clock.time("10m"))
    .noValue("No process was seen for ten minutes in this time")
    .withTarget(over(`time() - max ${q.byLine} (${q.ofWorst(q.process.startTime)})`, "{{group}} {{slot}}"));

const memoryAtDeath = (clock: Clock) =>
  timeseries(
    "Memory just before each end, as a share of the limit",
    "A dot for each end of a life. Near 100 %: it died of memory. Far below: a crash, a deploy or a clock. Good: no dots, or low ones.",
  )
    .unit(units.PercentUnit)
    .min(0)
    .axisSoftMax(1)
    .drawStyle(GraphDrawStyle.Points)
    .showPoints(VisibilityMode.Always)
    .pointSize(6)
    .interval(clock.time("10m"))
    .noValue("No process ended, or none had a limit that is known")
    .withTarget(
      over(
        `max ${q.byGroup} (${q.ofWorst(q.ledger.lastEndMemoryLimit)} and on (${q.exporterLabels.join(", ")}, group) (${q.ofWorst(q.ledger.lastRestart)} > time() - $__interval_ms / 1000 - ${4 * clock.scrapeInterval}))`, // of this step, or told only after the last one
        "{{group}}",
      ),
    );

/** The usual growth inside the lives of the last day. */
const usualGrowth = (clock: Clock) => `quantile_over_time(0.5, ${q.growthOver(q.ofWorst, "1h")}[${clock.time("1d")}])`;
const room = (clock: Clock) =>
  `(${q.ofWorst(q.process.memoryLimit)} - min_over_time(${q.ofWorst(q.judge.floor)}[${clock.time("1d")}]))`;

const withoutRestarts = (clock: Clock) =>
  table(
    "Without the restarts",
    "How long a life would last if nothing ended it: the room between its lowest floor and the limit, over the usual growth of the last day. If that is a little more than the median life, the restarts are what keeps it alive. Good: it would not reach the limit.",
    { group: "Group", cluster: "Cluster", namespace: "Namespace", job: "Job" },
    [
      {
        title: "A life would last",
        expr: `min ${q.byGroup} (clamp_max(${room(clock)} / ignoring (window) (${usualGrowth(clock)} > 0), ${q.inSight(clock)})) or max ${q.byGroup} (${q.ofWorst(q.ledger.processes)}) * 0 + Inf`,
        unit: units.Seconds,
        decimals: 1,
        mappings: timeLeftWords(clock, "for ever"),
      },
      {
        title: "Median life",
        expr: q.orEmpty(medianLife(clock), q.ofWorst),
        unit: units.Seconds,
        decimals: 1,
        mappings: [whenEmpty("no restart")],
      },
      {
        title: "Growth per hour in a life",
        expr: q.orEmpty(`max ${q.byGroup} (${usualGrowth(clock)}) * 3600`, q.ofWorst),
        unit: units.BytesIEC,
        decimals: 1,
        width: 230,
        mappings: [whenEmpty("too young")],
      },
      {
        title: "Restarts expected in 24 h",
        expr: q.orEmpty(
          `sum ${q.byGroup} (${counted(clock, q.group.livesEnded, week, q.ofWorst)}) / 7`,
          q.ofWorst,
          "0",
        ),
        unit: units.Short,
        decimals: 1,
        mappings: [whenEmpty(noDash)],
      },
    ],
    { by: "A life would last" },
  )
    .noValue("No process group is known")
    .overrideByName("Group", [{ id: "links", value: [aboutGroup("process", "Is it a leak?", "fields")] }]);
