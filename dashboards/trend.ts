// Is it slowly getting worse, did the fix work? A week, on recorded series, for the groups that a person would look at first.

import { GraphDrawStyle, VisibilityMode } from "@grafana/grafana-foundation-sdk/common";
import * as heatmaps from "@grafana/grafana-foundation-sdk/heatmap";
import * as units from "@grafana/grafana-foundation-sdk/units";
import { colours } from "../catalog/appearance.ts";
import { deploys, oomKills, starts } from "./annotations.ts";
import type { Clock, Span } from "./clock.ts";
import { board, dataAgeStat, link } from "./common.ts";
import { finished } from "./finish.ts";
import { closedRow, line, row, top } from "./layout.ts";
import { aboutGroup } from "./links.ts";
import { dashed, noDash, over, plain, steps, table, timeseries, verdictWords, whenEmpty } from "./looks.ts";
import * as q from "./queries.ts";
import {
  cgroups,
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

export const trend = (clock: Clock) =>
  finished(
    board(clock, "trend", "Seven-day trend", "Is it slowly getting worse, did the fix work?", "7d", "5m")
      .variables([
        datasource(),
        cluster(),
        namespace(),
        job(),
        instance(),
        group(),
        gravest(),
        cgroups(q.ofWorst),
        versionLabel(),
        filters(),
      ])
      .annotation(starts(clock, q.ofWorst).enable(false))
      .annotation(oomKills(clock, q.ofWorst).enable(false))
      .annotation(deploys(clock, q.ofWorst, q.ofWorst, "1h")),
    top(line(9, [floor(clock), 20], [dataAgeStat(clock), 4])),
    row(
      "The same at three scales",
      line(
        10,
        [scale(clock, "1h", "One hour"), 8],
        [scale(clock, "1d", "One day"), 8],
        [scale(clock, "7d", "Seven days"), 8],
      ),
    ),
    row("Did the fix work?", line(9, [byVersion(clock), 24])),
    row(
      "Since when?",
      line(9, [growthOverTime(clock), 12], [thisWeekAgainstLast(clock), 12]),
      line(9, [peakAndBaseline(clock), 24]),
    ),
    closedRow("At which hour?", line(12, [hoursOfTheDay(clock), 24])),
  );

/** Points ten minutes apart: a week is a thousand of them. */
const grain = "10m";

const perSlot = (series: Parameters<typeof q.ofWorst>[0]) => `max ${q.bySlot} (${q.ofWorst(series)})`;
const perLine = (expr: string) => `max ${q.byLine} (${expr})`;
const perGroup = (series: Parameters<typeof q.ofWorst>[0], more = "") =>
  `max ${q.byGroup} (${q.ofWorst(series)}${more})`;

const young = "No floor yet: it takes some minutes of a process";

const floor = (clock: Clock) =>
  timeseries(
    "Memory floor",
    `The least unreclaimable memory of 10 minutes: spikes and most garbage collection are not in it. Good: level over days. A leak: higher at the end of each day than at its start, until a restart. Only the groups under “Charts show”; more cannot be told apart.`,
  )
    .unit(units.BytesIEC)
    .min(0)
    .lineWidth(2)
    .interval(clock.time(grain))
    .noValue(young)
    .withTarget(over(perLine(q.ofWorst(q.judge.floor)), "{{group}} {{slot}}"))
    .dataLinks([link(aboutGroup("process", "Is it a leak?", "labels"))]);

/** Its own range, so that all three stand beside each other. */
const scale = (clock: Clock, span: Span, title: string) =>
  timeseries(
    `${title}`,
    `The floor over ${title.toLowerCase()}, up to now. A line that rises at every scale is a leak; one that rises only in the short one is load or a cache.`,
  )
    .unit(units.BytesIEC)
    .timeFrom(clock.time(span))
    .hideTimeOverride(true)
    .interval(clock.time(span === "7d" ? grain : "1m"))
    .noValue(young)
    .withTarget(over(perLine(q.ofWorst(q.judge.floor)), "{{group}} {{slot}}"));

/** A week by its hours. */
const week = (clock: Clock) => `[${clock.time("7d")}:${clock.time("1h")}]`;
const byRelease = `by (${q.groupLabels.join(", ")}, release)`;
const lived = (by: string) => `max by (${by}, release) (${q.releases(q.ofWorst, q.ofContainers)})`;
const slotReleases = lived(q.slotLabels.join(", "));
const groupReleases = lived(q.groupLabels.join(", "));
const onGroup = `on (${q.groupLabels.join(", ")})`;

/** The hours of a group's recorded series, given to the release that ran then; to both in an hour of change. */
const ofRelease = (series: string) => `${groupReleases} * ${onGroup} group_left () max ${q.byGroup} (${series})`;
const verdictOfRelease = ofRelease(q.ofWorst(q.ledger.verdict));

const hoursObserved = (clock: Clock) => `max ${byRelease} (count_over_time((${groupReleases})${week(clock)}))`;
/** There is a series only where there is something to count. */
const countedOf = (clock: Clock, series: Parameters<typeof q.ofWorst>[0]) =>
  `sum ${byRelease} (sum_over_time((${ofRelease(q.ofWorst(series))})${week(clock)})) or ${hoursObserved(clock)} * 0`;

const byVersion = (clock: Clock) =>
  table(
    "Growth by version",
    "One row for each release of each group in the last seven days, newest first. Good: the newest row grows less than the one below it. The version is the label of the targets that “Version label” names, else the pod, else the container. Hours are counted by the full hour.",
    { group: "Group", release: "Version", cluster: "Cluster", namespace: "Namespace", job: "Job" },
    [
      {
        title: "First seen",
        expr: `min ${byRelease} (min_over_time(timestamp(${slotReleases})${week(clock)})) * 1000`,
        unit: units.DateTimeFromNow,
        width: 140,
      },
      {
        title: "Hours observed",
        expr: hoursObserved(clock),
        unit: units.Short,
        decimals: 0,
        width: 130,
      },
      {
        title: "Growth per hour",
        expr: `avg ${byRelease} (avg_over_time((${slotReleases} * ${q.onSlot} group_left () max ${q.bySlot} (${q.growthOver(q.ofWorst, "1h")}))${week(clock)})) * 3600 or ${hoursObserved(clock)} * NaN`,
        unit: units.BytesIEC,
        decimals: 1,
        mappings: [whenEmpty("too young")],
        width: 140,
      },
      {
        title: "Restarts",
        expr: countedOf(clock, q.group.livesEnded),
        unit: units.Short,
        decimals: 0,
        mappings: [whenEmpty(noDash)],
        width: 100,
      },
      {
        title: "OOM kills",
        expr: countedOf(clock, q.group.oomKills),
        unit: units.Short,
        decimals: 0,
        mappings: [whenEmpty(noDash)],
        width: 100,
      },
      {
        title: "Verdict",
        expr: `max ${byRelease} (${verdictOfRelease}) or max ${byRelease} (last_over_time((${verdictOfRelease})${week(clock)}))`,
        mappings: [verdictWords(), whenEmpty("not judged yet")],
        coloured: "text",
      },
    ],
    { by: "First seen", descending: true },
  )
    .timeFrom(clock.time("7d"))
    .hideTimeOverride(true)
    .noValue("No process was seen for an hour yet")
    .overrideByName("Group", [{ id: "links", value: [aboutGroup("process", "Is it a leak?", "fields")] }]);

const growthOverTime = (clock: Clock) =>
  timeseries(
    "Growth per hour",
    "Growth of the floor, the fastest process of each group: over six hours, and dashed over a day. Good: around zero. Both above zero for days: a leak.",
  )
    .unit(units.BytesIEC)
    .interval(clock.time(grain))
    .axisCenteredZero(false)
    .noValue("No growth over six hours yet")
    .withTarget(over(growthOfGroup("6h"), "{{group}}", "A"))
    .withTarget(over(growthOfGroup("1d"), "{{group}}, over a day", "B"))
    .overrideByRegexp("/over a day$/", [
      { id: "custom.lineStyle", value: { fill: "dash", dash: [10, 10] } },
      outOfLegend,
    ]);

const growthOfGroup = (window: "6h" | "1d") => `max ${q.byGroup} (${q.growthOver(q.ofWorst, window)}) * 3600`;

/** Its colour says what it is, and the tooltip whose. */
const outOfLegend = { id: "custom.hideFrom", value: { legend: true, tooltip: false, viz: false } };

const thisWeekAgainstLast = (clock: Clock) =>
  timeseries(
    "This week against last week",
    "The floor now, and dashed grey the floor a week before. Good: the same shape at the same level. Prometheus must keep two weeks for it.",
  )
    .unit(units.BytesIEC)
    .min(0)
    .interval(clock.time(grain))
    .noValue(young)
    .withTarget(over(perGroup(q.judge.floor), "{{group}}", "A"))
    .withTarget(over(perGroup(q.judge.floor, ` offset ${clock.time("1w")}`), "{{group}}, a week before", "B"))
    .overrideByRegexp("/a week before$/", [...dashed(colours.lastWeek, 1), outOfLegend]);

/** A new start since the last point. */
const start = `max ${q.bySlot} (${q.ofWorst(q.process.startTime)})`;
const restarted = (clock: Clock) =>
  `(${start} > max ${q.bySlot} (last_over_time(${q.ofWorst(q.process.startTime)}[${clock.time("30m")}] offset ${clock.time(grain)})))`;

/** At one point of each life: when it has the floor that it began with. */
const settled = (clock: Clock) => {
  const age = clock.seconds(grain);
  return `(time() - ${start} >= ${age} < ${2 * age})`;
};

const peakAndBaseline = (clock: Clock) =>
  timeseries(
    "Peak and baseline of each life",
    "A dot at each end of a life: the highest memory that it reached; and dashed, from start to start: the floor that each life began with. Good: few dots. Peaks at the same height with regular gaps: restarts cut a leak. A baseline that rises: what leaks survives the restart, or more is loaded.",
  )
    .unit(units.BytesIEC)
    .min(0)
    .interval(clock.time(grain))
    .drawStyle(GraphDrawStyle.Points)
    .showPoints(VisibilityMode.Always)
    .pointSize(6)
    .noValue("No process was restarted in this time")
    .withTarget(
      over(
        perLine(
          `max ${q.bySlot} (max_over_time(${q.ofWorst(q.process.peakResidentMemory)}[${clock.time("1h")}])) and ${q.onSlot} ${restarted(clock)}`,
        ),
        "peak {{group}} {{slot}}",
        "A",
      ),
    )
    .withTarget(
      over(perLine(`${perSlot(q.judge.floor)} and ${q.onSlot} ${settled(clock)}`), "baseline {{group}} {{slot}}", "B"),
    )
    .overrideByRegexp("/^baseline/", [
      { id: "custom.drawStyle", value: GraphDrawStyle.Line },
      { id: "custom.lineStyle", value: { fill: "dash", dash: [4, 6] } },
      { id: "custom.spanNulls", value: true },
      { id: "custom.pointSize", value: 3 },
    ]);

const hoursOfTheDay = (clock: Clock) => {
  const now = clock.speed === 1 ? "time()" : `time() * ${clock.speed}`; // a day of the clock has its 24 hours too
  const hour = `label_replace(count_values("hour", hour(vector(${now}))), "hour", "0$1", "hour", "(.)")`;
  const growth = `avg(max ${q.bySlot} (${q.growthOver(q.ofWorst, "1h")})) * 3600`;
  return new heatmaps.PanelBuilder()
    .title("Growth by hour of the day (UTC)")
    .description(
      "One column for each day, one row for each hour, the mean of the groups under “Charts show”. One bright row: a job at that hour keeps memory. Bright by day and dark at night: it grows with use. Bright everywhere: it grows regardless.",
    )
    .datasource(source)
    .unit(units.BytesIEC)
    .thresholds(steps(plain))
    .calculate(false)
    .yAxis(new heatmaps.YAxisConfigBuilder().unit(units.BytesIEC).reverse(true))
    .color(
      new heatmaps.HeatmapColorOptionsBuilder()
        .mode(heatmaps.HeatmapColorMode.Scheme)
        .scheme("Oranges")
        .scale(heatmaps.HeatmapColorScale.Linear)
        .exponent(0.5)
        .steps(64)
        .reverse(false)
        .fill("dark-orange"),
    )
    .cellGap(1)
    .interval(clock.time("1d"))
    .noValue("No day of growth yet")
    .withTarget(
      over(
        `max_over_time((${hour} * on () group_left () (${growth}))[${clock.time("1d")}:${clock.time("1h")}])`,
        "{{hour}}",
      ),
    );
};
