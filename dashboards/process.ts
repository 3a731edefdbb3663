// Is it a leak, how fast, since when, what kind? One process group, from the memory of its processes to what to do next.
// The board may look ahead: where the range ends in the future an instant query is empty, so all but the age of the data ask
// over the range, and each has a value wherever a process runs: what was true yesterday must not be read as of now.

import * as bars from "@grafana/grafana-foundation-sdk/bargauge";
import { StackingConfigBuilder, StackingMode, VisibilityMode } from "@grafana/grafana-foundation-sdk/common";
import * as units from "@grafana/grafana-foundation-sdk/units";
import * as xy from "@grafana/grafana-foundation-sdk/xychart";
import { colours, verdictColours } from "../catalog/appearance.ts";

import { growthLabels } from "../catalog/metrics.ts";
import { leastConfidence, verdicts } from "../catalog/verdicts.ts";
import { advice } from "./advice.ts";
import { deploys, oomKills, starts } from "./annotations.ts";
import type { Clock } from "./clock.ts";
import { board, dataAgeStat, link } from "./common.ts";
import { finished } from "./finish.ts";
import { closedRow, line, row, top } from "./layout.ts";
import { lookAhead, runbook } from "./links.ts";
import {
  dashed,
  fixed,
  markdown,
  never,
  noDash,
  over,
  plain,
  solid,
  stat,
  steps,
  timeLeftSteps,
  timeLeftWords,
  timeseries,
  verdictWord,
  verdictWords,
  words,
} from "./looks.ts";
import * as q from "./queries.ts";
import {
  application,
  cgroups,
  cluster,
  datasource,
  filters,
  instance,
  job,
  namespace,
  oneGroup,
  slot,
  source,
  versionLabel,
} from "./variables.ts";

export const process = (clock: Clock) =>
  finished(
    board(clock, "process", "Process: is it a leak?", "Is it a leak, how fast, since when, what kind?", "24h", "1m")
      .variables([
        datasource(),
        cluster(),
        namespace(),
        job(),
        instance(),
        oneGroup(),
        slot(),
        cgroups(q.ofGroups),
        ...application(),
        versionLabel(),
        filters(),
      ])
      .annotation(starts(clock, q.ofSlots))
      .annotation(oomKills(clock, q.ofGroups))
      .annotation(deploys(clock, q.ofSlots, q.ofGroups, "10m"))
      .link(lookAhead(clock)),
    top(
      line(4, [verdict(), 6], [timeToOom(clock), 5], [timeOfOom(clock), 5], [confidence(), 4], [dataAgeStat(clock), 4]),
      line(4, [growth(), 10], [headroom(), 4], [limit(), 4], [uptime(), 3], [release(), 3]),
      line(12, [memory(clock), 24]),
    ),
    row("What kind of leak?", line(9, [kindsOfMemory(clock), 8], [heap(clock), 8], [counts(clock), 8])),
    row(
      "Does it grow with traffic?",
      line(9, [traffic(clock), 10], [growthAgainstTraffic(clock), 8], [quietAndBusy(clock), 6]),
    ),
    row("What to do next", line(15, [nextStep(), 8], [runbookList(), 16])),
    closedRow("Garbage collection", line(9, [gcShare(clock), 12], [heapAfterGc(clock), 12])),
  );

const running = q.ofSlots(q.process.startTime);
const limits = q.ofSlots(q.process.memoryLimit);

const verdictOfGroup = `max(${q.ofGroups(q.ledger.verdict)}) or max(${q.ofGroups(q.ledger.processes)} == bool 0) * -1`;

const verdict = () =>
  stat(
    "Verdict",
    "The group's verdict: the gravest of its processes, or what its restarts say. Good: green. It does not change with the slots that are chosen.",
  )
    .unit(units.Short)
    .mappings([verdictWords()])
    .noValue("not judged yet")
    .withTarget(over(verdictOfGroup, "verdict"));

/** Where nothing grows to a limit: too young to say, or never if a limit is known, or there is no limit. */
const otherwise = (clock: Clock) =>
  [
    `max(${q.ofSlots(q.judge.verdict, 'verdict="collecting"')}) * 0 + ${q.tooYoung}`,
    `max(${limits}) * 0 + Inf`,
    `max(${running}) * 0 + ${q.noLimit(clock)}`,
  ].join(" or ");

const withoutLimit = words({ "-1": { text: "no limit known", color: colours.unknown } });

const timeToOom = (clock: Clock) =>
  stat(
    "Time to OOM",
    "When the process reaches its memory limit if it goes on like this: headroom over growth, the soonest of the slots. Good: not growing.",
  )
    .unit(units.Seconds)
    .decimals(1)
    .mappings(timeLeftWords(clock))
    .thresholds(steps(timeLeftSteps(clock)))
    .noValue("no process runs")
    .withTarget(
      over(`min(${q.atMostInSight(clock, q.ofSlots(q.judge.timeToOom))}) or ${otherwise(clock)}`, "time to OOM"),
    );

const timeOfOom = (clock: Clock) =>
  stat("OOM at", "The same as a time of day. Good: not in sight.")
    .unit("dateTimeAsIsoNoDateIfToday")
    .colorScheme(fixed(colours.neutral))
    .mappings(timeLeftWords(clock, "not in sight"))
    .noValue("no process runs")
    .withTarget(
      over(
        `min(timestamp(${q.ofSlots(q.judge.timeToOom)}) + (${q.ofSlots(q.judge.timeToOom)} < ${q.inSight(clock)})) * 1000 or ${otherwise(clock)}`,
        "OOM at",
      ),
    );

const growth = () => {
  const unknown = growthLabels.map((name) => `label_replace(max(${running}) * 0 + Inf, "window", "${name}", "", "")`);
  const windows = [`max by (window) (${q.ofSlots(q.judge.growth)}) * 3600`, ...unknown];
  return (
    stat(
      "Growth per hour, over …",
      "How much the floor grew per hour over each window, the fastest slot. Good: near zero in the long ones. Faster in the short ones than in the long ones: it is new or getting worse. A window longer than the uptime shows “–”.",
    )
      .unit(units.BytesIEC)
      .decimals(1)
      .colorScheme(fixed(colours.neutral))
      .mappings(never(noDash, colours.unknown))
      .noValue(noDash)
      .withTarget(over(windows.join(" or "), "{{window}}"))
      // Prometheus sorts series by name; here they stand from short to long
      .withTransformation({ id: "joinByField", options: { byField: "Time", mode: "outer" } })
      .withTransformation({
        id: "organize",
        options: {
          excludeByName: {},
          indexByName: Object.fromEntries(["Time", ...growthLabels].map((name, i) => [name, i])),
          renameByName: {},
        },
      })
  );
};

const confidence = () =>
  stat(
    "Confidence",
    `How sure the exporter is that it leaks. At ${leastConfidence * 100} % and above it is called a leak; below, do not trust the time to OOM.`,
  )
    .unit(units.PercentUnit)
    .decimals(0)
    .mappings([words({ "-1": { text: noDash, color: colours.unknown } })])
    .noValue(noDash)
    .thresholds(
      steps([
        { value: null, color: colours.unknown },
        { value: leastConfidence, color: colours.young },
      ]),
    )
    .withTarget(over(`max(${q.ofSlots(q.judge.confidence)}) or max(${running}) * 0 - 1`, "confidence"));

const uptime = () =>
  stat("Uptime", "Age of the youngest process. Every window above that is longer has nothing to say.")
    .unit(units.Seconds)
    .decimals(1)
    .noValue("no process runs")
    .withTarget(over(`min(timestamp(${running}) - ${running})`, "uptime"));

const headroom = () =>
  stat(
    "Headroom",
    "What is left of the limit: less the peak, and less what others hold of the same limit. Good: a good part of the limit.",
  )
    .unit(units.BytesIEC)
    .decimals(1)
    .mappings([words({ "-1": { text: noDash, color: colours.unknown } })])
    .noValue("no process runs")
    .withTarget(over(`min(${q.ofSlots(q.judge.headroom)}) or max(${running}) * 0 - 1`, "headroom"));

const limit = () =>
  stat(
    "Memory limit",
    "The least of the limits that will really end the process: configured, of its cgroup, of one above it, or the node's memory.",
  )
    .unit(units.BytesIEC)
    .mappings([withoutLimit])
    .noValue("no process runs")
    .withTarget(over(`min(${limits}) or max(${running}) * 0 - 1`, "limit"));

/** Where a series is not there in the time shown: a name that says so. */
const instead = (series: string, label: string, text: string) =>
  `label_replace(max(absent_over_time(${series}[$__range] @ end())), "${label}", "${text}", "", "")`;
/** The same for a line: the name stands in the legend, and nothing is drawn. */
const insteadOfLine = (series: string, text: string) => `${instead(series, "what", text)} * NaN`;

const release = () =>
  stat(
    "Version",
    "The label of the targets that “Version label” names, else the pod, else the container. More than one: a deploy is under way.",
  )
    .unit(units.Short)
    .textMode("name" as never)
    .noValue("not known")
    // the name is all that is shown, and what is not there has none
    .withTarget(
      over(
        `max by (release) (${q.releases(q.ofSlots, q.ofContainers)}) or ${instead(q.ofSlots(q.info.process), "release", "not known")}`,
        "{{release}}",
      ),
    );

/** The moment of the newest data: the right edge, or now where the range ends in the future. */
const newest = `scalar(max(last_over_time(${q.ofExporter(q.self.lastSample)}[$__range] @ end())))`;

/** The newest value of something that has one wherever a process runs. */
const newestOf = (clock: Clock, total: string) => `last_over_time((${total})[$__range:${clock.time("5m")}] @ end())`;

const memory = (clock: Clock) => {
  const perSlot = (series: Parameters<typeof q.ofSlots>[0]) => `max ${q.bySlot} (${q.ofSlots(series)})`;
  const remaining = newestOf(clock, `${perSlot(q.judge.timeToOom)} or ${perSlot(q.process.startTime)} * 0 + Inf`);
  const heading = `max(last_over_time(${limits}[$__range]))`;
  const heapLimit = `max(last_over_time(${q.ofSlots(q.process.heapLimit)}[$__range]))`;
  // from limit less headroom, now, straight to the limit, and no further
  const projection = [
    `(max ${q.bySlot} (last_over_time(${limits}[$__range]))`,
    `- ${q.onSlot} (last_over_time(${perSlot(q.judge.headroom)}[$__range:${clock.time("5m")}] @ end()) * (1 - (time() - ${newest}) / (${remaining} < Inf))))`,
    `<= ${q.onSlot} max ${q.bySlot} (last_over_time(${limits}[$__range])) and on () (vector(time()) >= ${newest})`,
  ].join(" ");
  return timeseries(
    "Resident memory, floor, limit and projection",
    `Resident memory (RSS) of each process, its floor (the least unreclaimable memory of 10 minutes, purple), the limit (dashed red), what its runtime lets the heap hold (thin dashes), and where it goes if it grows on like this (dashed orange; to the right of now: follow “Look ahead 24 h” at the top). Good: a level floor. A leak: a floor that rises in every stretch. Marks: starts, OOM kills, new releases. Where the kernel charges more than RSS to the limit, it may strike earlier.`,
  )
    .unit(units.BytesIEC)
    .min(0)
    .interval(clock.time("1m"))
    .noValue("No process of this group was seen in this time")
    .withTarget(over(perSlot(q.process.residentMemory), "resident {{instance}} {{slot}}", "A"))
    .withTarget(over(perSlot(q.judge.floor), "floor {{instance}} {{slot}}", "B"))
    .withTarget(over(`${called("limit", heading)} or ${called("heap limit", heapLimit)}`, "{{what}}", "C"))
    .withTarget(over(projection, "projection {{instance}} {{slot}}", "D"))
    .overrideByRegexp("/^resident/", solid(colours.memory, 1))
    .overrideByRegexp("/^floor/", solid(colours.floor))
    .overrideByName("limit", dashed(colours.limit))
    .overrideByRegexp("/^projection/", dashed(colours.projection))
    .overrideByName("heap limit", dashed(colours.watch, 1));
};

/** Lines of one query, by the label `what`. */
const called = (what: string, expr: string) => `label_replace(${expr}, "what", "${what}", "", "")`;

const summed = (series: Parameters<typeof q.ofSlots>[0]) => `sum(max ${q.bySlot} (${q.ofSlots(series)}))`;

const kindsOfMemory = (clock: Clock) =>
  timeseries(
    "Anonymous, file and shared memory",
    "What resident memory is made of, all chosen processes together. Anonymous (heap, stacks) grows: a leak. File grows: mapped data, which the kernel can take back. Shared grows: tmpfs or shared segments. Dashed, beside them: what their cgroups hold outside of all watched processes; if only that grows, look at tmpfs and sockets.",
  )
    .unit(units.BytesIEC)
    .min(0)
    .fillOpacity(25)
    .stacking(new StackingConfigBuilder().mode(StackingMode.Normal).group("A"))
    .interval(clock.time("1m"))
    .noValue("No process was seen, or the parts of its memory cannot be read")
    .withTarget(
      over(
        [
          called("anonymous", summed(q.process.anonymousMemory)),
          called("file", summed(q.process.fileMemory)),
          called("shared", summed(q.process.sharedMemory)),
          called(
            "outside of processes",
            `sum(max by (${q.exporterLabels.join(", ")}, cgroup) (${q.ofContainers(q.cgroup.outside)}))`,
          ),
        ].join(" or "),
        "{{what}}",
      ),
    )
    .overrideByName("outside of processes", [
      ...dashed(colours.today, 1),
      { id: "custom.stacking", value: { mode: StackingMode.None } },
      { id: "custom.fillOpacity", value: 0 },
    ]);

/** The application's own series: its label, and the place of the exporter, are all that joins them. */
const ofApplication = (metric: string) =>
  `${metric}{cluster=~"$cluster",namespace=~"$namespace",$app_label=~\`\${group:regex}\`}`;

const heapInUse = ofApplication("$heap_metric");

const heap = (clock: Clock) =>
  timeseries(
    "Resident memory against heap",
    "Both rise together: objects are kept, take a heap snapshot. Resident memory rises and the heap does not: native memory, buffers or fragmentation. The heap is the application's own series: “Heap gauge” and “App label” above say which.",
  )
    .unit(units.BytesIEC)
    .min(0)
    .interval(clock.time("1m"))
    .noValue(
      "No process of this group was seen in this time. If there is no heap series: name the application's gauge under “Heap gauge”.",
    )
    .withTarget(over(`sum(max ${q.bySlot} (${q.ofSlots(q.process.residentMemory)}))`, "resident", "A"))
    .withTarget(
      over(
        `label_replace(sum(${heapInUse}), "what", "heap in use", "", "") or ${insteadOfLine(heapInUse, "no heap series, see “Heap gauge”")}`,
        "{{what}}",
        "B",
      ),
    )
    .overrideByName("resident", solid(colours.memory, 1));

/** Indexed to what it was some minutes after the last start; at the left edge for those that are older; to the least where the
 * data begin later than both. */
const indexed = (clock: Clock, series: Parameters<typeof q.ofSlots>[0], name: string) => {
  const now = `max ${q.bySlot} (${q.ofSlots(series)})`;
  const age = `(time() - max ${q.bySlot} (${running}))`;
  const settled = `last_over_time((${now} and ${q.onSlot} (${age} >= ${clock.seconds("2m")} < ${clock.seconds("7m")}))[$__range:${clock.time("1m")}])`;
  const edge = `max ${q.bySlot} (${q.ofSlots(series)} @ start())`;
  const least = `min ${q.bySlot} (min_over_time(${q.ofSlots(series)}[$__range] @ end()))`;
  return `label_replace(${now} / ${q.onSlot} ((${settled} or ${edge} or ${least}) > 0), "what", "${name}", "", "")`;
};

const counts = (clock: Clock) =>
  timeseries(
    "Open files and threads, 1 = at the last start",
    "How many times what the process had some minutes after its start, or at the left edge if it is older. Open files are files, sockets and pipes together. Good: near 1. A line that climbs with memory says what is not closed.",
  )
    .unit(units.Short)
    .decimals(2)
    .interval(clock.time("2m"))
    .noValue("No process was seen, or neither its open files nor its threads can be read")
    .withTarget(
      over(
        `${indexed(clock, q.process.openFds, "open files")} or ${indexed(clock, q.process.threads, "threads")}`,
        "{{what}} {{instance}} {{slot}}",
      ),
    );

const counter = ofApplication("$traffic_metric");
/** Requests per second, hour by hour. */
const hourlyRequests = (clock: Clock) => `sum(increase(${counter}[${clock.time("1h")}])) / ${clock.seconds("1h")}`;
const noTraffic =
  "If there is no request counter: name the application's counter under “Request counter”, and its label under “App label”.";

const traffic = (clock: Clock) =>
  timeseries(
    "Requests and memory",
    "Requests per second (right axis) and resident memory (left axis). Memory that follows the requests up and not down is kept per request.",
  )
    .unit(units.BytesIEC)
    .min(0)
    .interval(clock.time("1m"))
    .noValue(`No process of this group was seen in this time. ${noTraffic}`)
    .withTarget(over(`sum(max ${q.bySlot} (${q.ofSlots(q.process.residentMemory)}))`, "resident memory", "A"))
    .withTarget(
      over(
        `label_replace(sum(rate(${counter}[$__rate_interval])), "what", "requests", "", "") or ${insteadOfLine(counter, "no requests, see “Request counter”")}`,
        "{{what}}",
        "B",
      ),
    )
    .overrideByName("resident memory", solid(colours.memory, 1))
    .overrideByName("requests", [
      { id: "unit", value: units.RequestsPerSecond },
      { id: "custom.axisPlacement", value: "right" },
      { id: "color", value: { mode: "fixed", fixedColor: colours.neutral } },
    ]);

/** Of the last hour, all chosen processes together. */
const hourlyGrowth = `sum(max ${q.bySlot} (${q.growthOver(q.ofSlots, "1h")})) * 3600`;

const noHours = `No hour yet with growth and requests. ${noTraffic}`;

const growthAgainstTraffic = (clock: Clock) =>
  new xy.PanelBuilder()
    .title("Growth against traffic, one dot per hour")
    .description(
      "Seven days. Dots on a rising line: it leaks per request. A flat band above zero: it grows regardless of traffic. Around zero: no leak. Hours with a restart are left out.",
    )
    .datasource(source)
    .timeFrom(clock.time("7d"))
    .interval(clock.time("1h"))
    .maxDataPoints(168)
    .colorScheme(fixed(colours.memory))
    .thresholds(steps(plain))
    .unit(units.BytesIEC)
    .noValue(noHours)
    .mapping(xy.SeriesMapping.Manual)
    .series([
      {
        build: () => ({
          name: { fixed: "hours" },
          x: { matcher: { id: "byName", options: "requests per second" } },
          y: { matcher: { id: "byName", options: "growth per hour" } },
        }),
      },
    ])
    .overrideByName("requests per second", [{ id: "unit", value: units.RequestsPerSecond }])
    .withTarget(over(`${hourlyRequests(clock)} and on () ${hourlyGrowth}`, "requests per second", "A"))
    .withTarget(over(`${hourlyGrowth} and on () ${hourlyRequests(clock)}`, "growth per hour", "B"))
    .withTransformation({ id: "joinByField", options: { byField: "Time", mode: "outer" } });

const quietAndBusy = (clock: Clock) => {
  const week = `[${clock.time("7d")}:${clock.time("1h")}]`;
  const usual = `scalar(quantile_over_time(0.5, (${hourlyRequests(clock)})${week} @ end()))`;
  const when = (name: string, comparison: string) =>
    `label_replace(avg_over_time((${hourlyGrowth} and on () ((${hourlyRequests(clock)}) ${comparison} ${usual}))${week} @ end()), "hours", "${name}", "", "")`;
  return new bars.PanelBuilder()
    .title("Growth per hour, quiet and busy")
    .description(
      "Mean growth in the half of the hours with fewer requests, and in the half with more, over seven days. Much more when busy: it leaks per request. Alike: it grows regardless of traffic.",
    )
    .datasource(source)
    .unit(units.BytesIEC)
    .decimals(1)
    .min(0)
    .colorScheme(fixed(colours.memory))
    .thresholds(steps(plain))
    .min(0) // else the smaller bar is empty
    .interval(clock.time("1h"))
    .noValue(noHours)
    .withTarget(over([when("quiet", "<="), when("busy", ">")].join(" or "), "{{hours}}"));
};

const nextStep = () =>
  stat(
    "Next step",
    "The first thing to do for this verdict; beside it stands where to read on. Click for how to find the cause.",
  )
    .unit(units.Short)
    .mappings([
      words({
        "-1": { text: "No process runs", color: colours.unknown },
        ...Object.fromEntries(
          verdicts.map(({ code, word }) => [String(code), { text: advice[word].next, color: verdictColours[word] }]),
        ),
      }),
    ])
    .noValue("Not judged yet: wait for the first verdict")
    .withTarget(over(verdictOfGroup, "next step"))
    .dataLinks([link({ title: "Finding the cause", url: runbook("finding-the-cause"), targetBlank: true })]);

const runbookList = () =>
  markdown(
    "For each verdict",
    "What each verdict means, what to do next, and the runbook. Good: one of the green ones.",
    [
      `| Verdict of \${group} | What it means | Next | Read on |`,
      "|---|---|---|---|",
      ...[...verdicts]
        .reverse()
        .map(
          ({ word, meaning }) =>
            `| **${verdictWord(word)}** | ${meaning} | ${advice[word].next}. | [${advice[word].runbook}](${runbook(advice[word].runbook)}) |`,
        ),
    ].join("\n"),
  );

const noGc = "No garbage collector series of Node.js (prom-client) under “App label”";

const gcShare = (clock: Clock) =>
  timeseries(
    "Time in garbage collection",
    "Share of the time, as prom-client reports it for Node.js. A heap that is nearly full collects all the time. Good: a few percent.",
  )
    .unit(units.PercentUnit)
    .min(0)
    .interval(clock.time("1m"))
    .noValue(noGc)
    .withTarget(
      over(`sum by (kind) (rate(${ofApplication("nodejs_gc_duration_seconds_sum")}[$__rate_interval]))`, "{{kind}}"),
    );

const heapAfterGc = (clock: Clock) =>
  timeseries(
    "Heap by space",
    "What V8's spaces hold. The floor of the old space is what the last full collection could not free: if that rises, objects are kept.",
  )
    .unit(units.BytesIEC)
    .min(0)
    .interval(clock.time("1m"))
    .showPoints(VisibilityMode.Never)
    .noValue(noGc)
    .withTarget(over(`sum by (space) (${ofApplication("nodejs_heap_space_size_used_bytes")})`, "{{space}}"));
