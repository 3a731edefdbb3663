// Can the other four be believed? The exporter, the rules, and the data source's idea of the scrape interval.

import * as units from "@grafana/grafana-foundation-sdk/units";
import { colours, noneSteps } from "../catalog/appearance.ts";
import { type Clock, timeText } from "./clock.ts";
import { board, dataAgeStat } from "./common.ts";
import { finished } from "./finish.ts";
import { line, row, top } from "./layout.ts";
import {
  at,
  dashed,
  leakSeverityWords,
  noDash,
  over,
  stat,
  steps,
  table,
  timeseries,
  whenEmpty,
  words,
} from "./looks.ts";
import * as q from "./queries.ts";
import { cluster, datasource, filters, hiddenGroup, instance, job, namespace } from "./variables.ts";

export const exporter = (clock: Clock) =>
  finished(
    board(
      clock,
      "exporter",
      "Exporter: can the other four be believed?",
      "Can the other four be believed?",
      "6h",
      "1m",
    ).variables([datasource(), cluster(), namespace(), job(), instance(), hiddenGroup(), filters()]),
    top(
      line(
        4,
        [exportersUp(clock), 5],
        [dataAgeStat(clock), 4],
        [unreadableNow(), 5],
        [ownVerdict(), 5],
        [configuration(), 5],
      ),
      line(8, [sampleAge(clock), 12], [intervals(clock), 12]),
    ),
    row("What it cannot read", line(8, [unreadable(clock), 12], [readErrors(clock), 12])),
    row(
      "What it costs",
      line(8, [duration(clock), 8], [judging(clock), 8], [cpu(clock), 8]),
      line(8, [memory(clock), 6], [watched(clock), 6], [seriesPerScrape(clock), 6], [stateSaved(clock), 6]),
    ),
    row("The rules", line(9, [rules(), 24])),
  );

const by = `by (${q.exporterLabels.join(", ")})`;
const onExporter = `on (${q.exporterLabels.join(", ")})`;
const { buildInfo } = q.self;

/** Only of targets that are, or were within the hour, exporters. */
const seenOf = (clock: Clock, series: string) =>
  `max ${by} (${q.ofExporter(series)}) and ${onExporter} max ${by} (last_over_time(${q.ofExporter(buildInfo)}[${clock.time("1h")}]))`;

const exportersUp = (clock: Clock) =>
  stat(
    "Exporters up, of expected",
    "Targets that answer, of those that were exporters within the hour. Good: the same number twice.",
  )
    .unit(units.Short)
    .noValue("no exporter is scraped")
    .withTarget(at(`sum(${seenOf(clock, "up")})`, "up", "A"))
    .withTarget(at(`count(${seenOf(clock, "up")})`, "expected", "B"));

const unreadableNow = () =>
  stat(
    "Processes not fully readable",
    "The most processes of one kernel file that one exporter cannot read. Good: 0. The reasons are below.",
  )
    .unit(units.Short)
    .noValue("none known")
    .thresholds(steps(noneSteps))
    .withTarget(at(`max(${q.ofExporter(q.self.unreadable)})`, "processes"));

const ownVerdict = () =>
  stat(
    "Its own leak verdict",
    "How urgent a leak of the exporter's own memory is: it judges itself as it judges others. Good: none.",
  )
    .unit(units.Short)
    .mappings([leakSeverityWords()])
    .noValue("no exporter is scraped")
    .withTarget(at(`max(${q.ofExporter(q.self.ownSeverity)})`, "severity"));

const configuration = () =>
  stat(
    "Configuration",
    "Whether the last attempt to read it succeeded; if not, the old one is still in use. Good: in use.",
  )
    .unit(units.Short)
    .mappings([words({ "0": { text: "refused", color: colours.now }, "1": { text: "in use", color: colours.fine } })])
    .noValue("no file is given")
    .withTarget(at(`min(${q.ofExporter(q.self.configReloadSuccessful)})`, "configuration"));

const sampleAge = (clock: Clock) =>
  timeseries(
    "Age of the samples",
    "How long ago each exporter last looked, when Prometheus asked. Good: a few seconds. Above the dashed line the alert counts.",
  )
    .unit(units.Seconds)
    .min(0)
    .interval(clock.time("1m"))
    .noValue("No exporter is scraped")
    .withTarget(
      over(
        `max ${by} (timestamp(${q.ofExporter(q.self.lastSample)}) - ${q.ofExporter(q.self.lastSample)})`,
        "{{instance}}",
        "A",
      ),
    )
    .withTarget(over(`vector(${clock.rules.health.staleSample})`, "stale", "B"))
    .overrideByName("stale", dashed(colours.now, 1));

const intervals = (clock: Clock) => {
  const window = 40 * clock.scrapeInterval; // enough to count, on any clock
  return timeseries(
    "Scrape interval, real and believed",
    `How often the exporters are scraped, and how often Grafana's data source believes they are. Good: the same, ${clock.scrapeInterval} s by default. A real one above the believed one leaves rates without data: set “Scrape interval” in the data source to the real one.`,
  )
    .unit(units.Seconds)
    .min(0)
    .timeFrom("10m")
    .noValue("No exporter is scraped")
    .withTarget(
      over(
        `${window} / max ${by} (count_over_time(${q.ofExporter(q.self.lastSample)}[${timeText(window)}]))`,
        "real {{instance}}",
        "A",
      ),
    )
    .withTarget(over("vector($__rate_interval_ms / 4000)", "data source", "B"))
    .overrideByName("data source", dashed(colours.projection, 1));
};

const unreadable = (clock: Clock) =>
  timeseries(
    "Not readable now, by file and reason",
    "Processes of which a kernel file cannot be read. What cannot be read has no series, and no alert. Good: nothing. Denied: give the exporter the rights that docs/configuration.md names.",
  )
    .unit(units.Short)
    .min(0)
    .decimals(0)
    .interval(clock.time("1m"))
    .noValue("Everything can be read, or no exporter is scraped")
    .withTarget(
      over(
        `max by (${q.exporterLabels.join(", ")}, file, reason) (${q.ofExporter(q.self.unreadable)}) > 0`,
        "{{instance}} {{file}}: {{reason}}",
      ),
    );

const readErrors = (clock: Clock) =>
  timeseries(
    "Read errors per second, by file and reason",
    "Readings that failed. Processes that end while they are read are not errors. Good: nothing.",
  )
    .unit(units.CountsPerSecond)
    .min(0)
    .interval(clock.time("1m"))
    .noValue("No reading failed, or no exporter is scraped")
    .withTarget(
      over(
        `sum by (file, reason) (max by (${q.exporterLabels.join(", ")}, file, reason) (rate(${q.ofExporter(q.self.readErrors)}[$__rate_interval]))) > 0`,
        "{{file}}: {{reason}}",
      ),
    );

const duration = (clock: Clock) =>
  timeseries(
    "Time for one pass, and for a scrape",
    "Mean time of a pass over all processes, and the time that Prometheus waits for a scrape. Good: far below a second.",
  )
    .unit(units.Seconds)
    .min(0)
    .interval(clock.time("1m"))
    .noValue("No exporter is scraped")
    .withTarget(
      over(
        `max ${by} (rate(${q.ofExporter(q.self.sampleDuration)}[$__rate_interval]) / rate(${q.ofExporter(q.self.samples)}[$__rate_interval]))`,
        "pass {{instance}}",
        "A",
      ),
    )
    .withTarget(over(seenOf(clock, "scrape_duration_seconds"), "scrape {{instance}}", "B"));

const judging = (clock: Clock) =>
  timeseries("Time for judging", "Share of one core that the exporter spends on verdicts. Good: below one percent.")
    .unit(units.PercentUnit)
    .min(0)
    .interval(clock.time("1m"))
    .noValue("No exporter is scraped")
    .withTarget(over(`max ${by} (rate(${q.ofExporter(q.self.judgeDuration)}[$__rate_interval]))`, "{{instance}}"));

const stateSaved = (clock: Clock) =>
  timeseries(
    "Age of the saved state",
    "How long ago what is known was written to --storage.path: what a restart of the exporter would lose. Good: a few minutes. It rises while saving fails, for example since the disk is full.",
  )
    .unit(units.Seconds)
    .min(0)
    .interval(clock.time("1m"))
    .noValue("No exporter saves its state, or it has not saved yet: see --storage.path")
    .withTarget(
      over(
        `max ${by} (timestamp(${q.ofExporter(q.self.stateSaved)}) - (${q.ofExporter(q.self.stateSaved)} > 0))`,
        "{{instance}}",
      ),
    );

const memory = (clock: Clock) =>
  timeseries("Its own memory", "Resident memory of the exporter. Good: level. A watcher of leaks must not leak.")
    .unit(units.BytesIEC)
    .min(0)
    .interval(clock.time("1m"))
    .noValue("No exporter is scraped")
    .withTarget(over(seenOf(clock, "process_resident_memory_bytes"), "{{instance}}"));

const cpu = (clock: Clock) =>
  timeseries("Its own CPU", "Share of one core. Good: below one percent.")
    .unit(units.PercentUnit)
    .min(0)
    .interval(clock.time("1m"))
    .noValue("No exporter is scraped")
    .withTarget(
      over(
        `max ${by} (rate(${q.ofExporter("process_cpu_seconds_total")}[$__rate_interval])) and ${onExporter} max ${by} (last_over_time(${q.ofExporter(buildInfo)}[${clock.time("1h")}]))`,
        "{{instance}}",
      ),
    );

const watched = (clock: Clock) =>
  timeseries(
    "Watched processes",
    "How many processes each exporter watches. Good: what you expect; a jump is a change of the configuration or a storm of processes.",
  )
    .unit(units.Short)
    .decimals(0)
    .min(0)
    .interval(clock.time("1m"))
    .noValue("No exporter is scraped")
    .withTarget(over(`max ${by} (${q.ofExporter(q.self.watchedProcesses)})`, "{{instance}}"));

const seriesPerScrape = (clock: Clock) =>
  timeseries("Samples per scrape", "What one scrape brings: some twenty for each process. Good: level.")
    .unit(units.Short)
    .min(0)
    .interval(clock.time("1m"))
    .noValue("No exporter is scraped")
    .withTarget(over(seenOf(clock, "scrape_samples_scraped"), "{{instance}}"));

/** Prometheus on itself: its own job, so none of the variables. */
const ruleGroups = (series: string) => `${series}{rule_group=~".*;leakwatch-.*"}`;
const withoutFile = (expr: string) => `label_replace(${expr}, "rule_group", "$1", "rule_group", ".*;(.+)")`;
const perRuleGroup = "max by (rule_group)";

const rules = () =>
  table(
    "Rule groups",
    "The groups of leakwatch's rules, as Prometheus tells of itself. Good: evaluated within an interval, in a small part of it, without failures. An empty table: Prometheus does not scrape itself, or the rules are not loaded.",
    { rule_group: "Rule group" },
    [
      {
        title: "Evaluated",
        expr: `time() - ${perRuleGroup} (${withoutFile(ruleGroups("prometheus_rule_group_last_evaluation_timestamp_seconds"))})`,
        unit: units.Seconds,
        decimals: 0,
      },
      {
        title: "Interval",
        expr: `${perRuleGroup} (${withoutFile(ruleGroups("prometheus_rule_group_interval_seconds"))})`,
        unit: units.Seconds,
      },
      {
        title: "Took",
        expr: `${perRuleGroup} (${withoutFile(ruleGroups("prometheus_rule_group_last_duration_seconds"))})`,
        unit: units.Seconds,
        decimals: 1,
      },
      {
        title: "Rules",
        expr: `${perRuleGroup} (${withoutFile(ruleGroups("prometheus_rule_group_rules"))})`,
        unit: units.Short,
      },
      {
        title: "Failures",
        expr: `${perRuleGroup} (${withoutFile(`increase(${ruleGroups("prometheus_rule_evaluation_failures_total")}[$__range])`)})`,
        unit: units.Short,
        decimals: 0,
        mappings: [whenEmpty(noDash)],
        steps: noneSteps,
        coloured: "text",
      },
    ],
    { by: "Rule group" },
  )
    .noValue("Prometheus does not scrape itself, or the rules are not loaded")
    // the name comes after the path of its file
    .overrideByName("Rule group", [{ id: "custom.width", value: 480 }]);
