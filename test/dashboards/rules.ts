// What we ask of a dashboard, rule by rule. Those of https://github.com/grafana/dashboard-linter that apply are here again, since
// that is a Go program and looks at fewer panels; the rest are mistakes that were made before.

import { dashboardUids } from "../../catalog/links.ts";
import { groupMetrics, metricFamilies } from "../../catalog/metrics.ts";
import { groupRecordings, recordings } from "../../catalog/recordings.ts";
import { type Dashboard, interpolate, type Panel, panelsOf, seconds, type Target } from "../support/grafana.ts";
import { durationsOf, outermostGrouping, promqlComplaints, type Selector, selectorsOf } from "./promql.ts";

/** What is wrong, one sentence each. The others are there for links between boards. */
export type Rule = (dashboard: Dashboard, others: readonly Dashboard[]) => string[];

const source = `\${datasource}`;
const named = (panel: Panel) => panel.title ?? `panel ${panel.id}`;

interface Query {
  where: string;
  expr: string;
  panel?: Panel;
  target?: Target;
}

function queriesOf(dashboard: Dashboard): Query[] {
  return [
    ...panelsOf(dashboard).flatMap((panel) =>
      (panel.targets ?? []).map((target) => ({ where: named(panel), expr: target.expr, panel, target })),
    ),
    ...dashboard.annotations.list.map(({ name, expr }) => ({ where: `annotation ${name}`, expr })),
    ...dashboard.templating.list.flatMap(({ name, query }) => {
      const text = typeof query === "object" ? query.query : "";
      const expr = /^label_values\((.*), \w+\)$/.exec(text)?.[1] ?? /^query_result\((.*)\)$/.exec(text)?.[1];
      return expr === undefined ? [] : [{ where: `variable ${name}`, expr }];
    }),
  ];
}

/** With something in the place of every variable, so that it is PromQL. */
export function asPromql(expr: string, dashboard: Dashboard): string {
  const stand = (name: string) =>
    name === "app_label" || name === "version_label"
      ? "job"
      : name.endsWith("_metric")
        ? `app_${name}`
        : `VARIABLE_${name}`;
  const variables = Object.fromEntries(dashboard.templating.list.map(({ name }) => [name, stand(name)]));
  return interpolate(expr, { variables, range: { from: 0, to: 86_400 }, interval: 60, scrapeInterval: 15 });
}

const each = (dashboard: Dashboard, complaints: (query: Query & { promql: string }) => string[]) =>
  queriesOf(dashboard).flatMap((query) => {
    const promql = tried(() => asPromql(query.expr, dashboard));
    return promql === undefined ? [] : complaints({ ...query, promql }).map((text) => `${query.where}: ${text}`);
  });

const tried = <T>(work: () => T): T | undefined => {
  try {
    return work();
  } catch {
    return undefined; // a variable that does not exist has a rule of its own
  }
};

const eachSelector = (dashboard: Dashboard, complaint: (selector: Selector, query: Query) => string | undefined) =>
  each(dashboard, (query) => selectorsOf(query.promql).flatMap((selector) => complaint(selector, query) ?? []));

const metrics = metricFamilies.flatMap(({ metrics }): { name: string; type: string; labels: readonly string[] }[] => [
  ...metrics,
]);
const recordedNames: ReadonlySet<string> = new Set(recordings.map(({ name }) => name));
const counters = new Set(metrics.filter(({ type }) => type === "counter").map(({ name }) => name));

/** Series that others export: Prometheus, and client libraries in the exporter and in applications. */
const foreign = [
  /^(ALERTS|ALERTS_FOR_STATE|up|scrape_duration_seconds|scrape_samples_scraped)$/,
  /^process_(resident_memory_bytes|cpu_seconds_total)$/,
  /^nodejs_(gc_duration_seconds_sum|heap_space_size_used_bytes)$/,
  /^prometheus_rule_(group|evaluation)_\w+$/,
  /^app_(traffic|heap)_metric$/, // named in the bar at the top
];
const ofPrometheus = (name: string) => name.startsWith("prometheus_");
const ofApplications = (name: string) => /^(app|nodejs)_/.test(name);

/** Has the label group. */
const aboutGroups = (name: string) =>
  Object.values(groupRecordings).some((one) => one.name === name) ||
  metrics.some((metric) => metric.name === name && metric.labels.includes("group"));

/** One for each container, and so about as many as there are processes. */
const aboutCgroups = (name: string) =>
  metrics.some((metric) => metric.name === name && metric.labels.includes("cgroup"));

const matchesVariable = (matcher: string | undefined, variable: string) =>
  matcher?.includes(`VARIABLE_${variable}`) === true && matcher.startsWith("=~");

const withValues = ["timeseries", "stat", "bargauge", "xychart", "heatmap", "state-timeline", "status-history"];

export const rules: Record<string, Rule> = {
  "is read-only, tagged, with a shared crosshair": ({ editable, tags, graphTooltip }) => [
    ...(editable ? ["editable"] : []),
    ...(tags.includes("leakwatch") ? [] : ["no tag leakwatch"]),
    ...(graphTooltip === 1 ? [] : ["no crosshair"]),
  ],

  "asks its data source variable, everywhere": (dashboard) => [
    ...(dashboard.templating.list.some(
      ({ name, type, query, label }) =>
        name === "datasource" && type === "datasource" && query === "prometheus" && label === "Data source",
    )
      ? []
      : ["no variable datasource with the label Data source"]),
    ...panelsOf(dashboard)
      .filter(({ type }) => type !== "text")
      .flatMap((panel) => [panel, ...(panel.targets ?? [])].map(({ datasource }) => ({ panel, datasource })))
      .filter(({ datasource }) => datasource?.uid !== source)
      .map(({ panel }) => `${named(panel)} asks another data source`),
    ...[...dashboard.annotations.list, ...dashboard.templating.list.filter(({ type }) => type === "query")]
      .filter(({ datasource }) => datasource?.uid !== source)
      .map(({ name }) => `${name} asks another data source`),
    ...(JSON.stringify(dashboard).includes("__inputs") ? ["has __inputs"] : []),
  ],

  "has the variables that all boards have": ({ templating: { list } }) => {
    const one = (name: string) => list.find((variable) => variable.name === name);
    return [
      ...["cluster", "namespace", "job", "instance", "group", "filters"]
        .filter((name) => one(name) === undefined)
        .map((name) => `no variable ${name}`),
      ...(one("filters")?.type === "adhoc" ? [] : ["filters are not ad hoc"]),
      ...(one("job")?.label === "Job" && one("job")?.allValue === ".+"
        ? []
        : ["job is not as dashboard-linter has it"]),
      ...list
        .filter(({ type, refresh }) => type === "query" && refresh !== 2)
        .map(({ name }) => `${name} is not asked again when the time changes`),
      ...list
        // the board of one process has one group
        .filter(({ type, name }) => type === "query" && !(name === "group" && one("slot") !== undefined))
        .filter(({ multi, includeAll }) => !multi || !includeAll)
        .map(({ name }) => `${name} does not take several and all`),
    ];
  },

  "uses only variables that exist": (dashboard) =>
    queriesOf(dashboard).flatMap(({ where, expr }) => {
      try {
        asPromql(expr, dashboard);
        return [];
      } catch (error) {
        return [`${where}: ${(error as Error).message}`];
      }
    }),

  "has a title and a description on each panel": (dashboard) =>
    panelsOf(dashboard)
      .filter(({ title, description }) => !title || (description ?? "").length < 30)
      .map((panel) => `${named(panel)} does not say what good looks like`),

  "has a unit for each number": (dashboard) =>
    panelsOf(dashboard).flatMap((panel) => {
      if (withValues.includes(panel.type) && !panel.fieldConfig?.defaults.unit) return [`${named(panel)} has no unit`];
      if (panel.type !== "table") return [];
      const columns = panel.transformations?.find(({ id }) => id === "organize")?.options as
        | { renameByName: Record<string, string>; excludeByName: Record<string, boolean> }
        | undefined;
      return Object.entries(columns?.renameByName ?? {})
        .filter(([name]) => /^(Value|Trend) #/.test(name))
        .filter(([, column]) => {
          const override = panel.fieldConfig?.overrides.find(({ matcher }) => matcher.options === column);
          return !override?.properties.some(({ id }) => id === "unit" || id === "mappings");
        })
        .map(([, column]) => `${named(panel)}: ${column} has no unit`);
    }),

  "says in words that there is nothing": (dashboard) =>
    panelsOf(dashboard)
      .filter(({ type, fieldConfig }) => type !== "text" && !fieldConfig?.defaults.noValue)
      // what always has a value needs none
      .filter(({ targets = [] }) => !targets.every(({ expr }) => /or vector\(0\)$/.test(expr)))
      .map((panel) => `${named(panel)} would say “No data”`),

  "has a query in each panel": (dashboard) =>
    panelsOf(dashboard)
      .filter(({ type, targets = [] }) => (type === "text") !== (targets.length === 0))
      .map((panel) => `${named(panel)} has no query`),

  "numbers its panels": (dashboard) => {
    const ids = dashboard.panels.flatMap((panel) => [panel.id, ...(panel.panels ?? []).map(({ id }) => id)]);
    return ids
      .filter((id, i) => !Number.isInteger(id) || id < 1 || ids.indexOf(id) !== i)
      .map((id) => `panel id ${id} is missing or there twice`);
  },

  "fills every line of the grid, without overlap": (dashboard) => {
    const taken = new Map<number, number[]>();
    const all = [...dashboard.panels, ...panelsOf(dashboard).filter(({ inClosedRow }) => inClosedRow)];
    for (const { gridPos } of all) {
      for (let y = gridPos.y; y < gridPos.y + gridPos.h; y += 1) {
        for (let x = gridPos.x; x < gridPos.x + gridPos.w; x += 1) taken.set(y, [...(taken.get(y) ?? []), x]);
      }
    }
    const whole = Array.from({ length: 24 }, (_, x) => x).join();
    return [...taken]
      .filter(([, xs]) => xs.sort((a, b) => a - b).join() !== whole)
      .map(([y]) => `line ${y} is not full, or panels overlap`);
  },

  "shows its links and annotations": (dashboard) =>
    [...dashboard.links, ...dashboard.annotations.list]
      .filter((one) => "placement" in one)
      .map((one) => `${JSON.stringify(one).slice(0, 60)} is hidden in a menu`),

  "links to boards and variables that exist": (dashboard, others) => {
    const links = JSON.stringify(dashboard).match(/\/d\/[^"\s)]+/g) ?? [];
    return links.flatMap((link) => {
      const [, uid = "", query = ""] = /^\/d\/([\w-]+)\??(.*)$/.exec(link) ?? [];
      const target = others.find((other) => other.uid === uid);
      if (target === undefined) return [`${link}: no board ${uid}`];
      const names = [...query.matchAll(/var-(\w+)=/g), ...query.matchAll(/\$\{(\w+):queryparam\}/g)].map(
        ([, name]) => name,
      );
      const here = [...query.matchAll(/\$\{(\w+):queryparam\}/g)].map(([, name]) => name);
      return [
        ...names
          .filter((name) => !target.templating.list.some((one) => one.name === name))
          .map((name) => `${uid} has no ${name}`),
        ...here
          .filter((name) => !dashboard.templating.list.some((one) => one.name === name))
          .map((name) => `no ${name} to pass on`),
        ...[...query.matchAll(/\$\{__(?:data|field)[^}]*\}/g)]
          .filter(([text]) => !text.endsWith(":percentencode}"))
          .map(([text]) => `${text} is not encoded`),
      ];
    });
  },

  "has a drop-down to the others that keeps time and variables": ({ links }) =>
    links.some(
      ({ type, tags, keepTime, includeVars }) =>
        type === "dashboards" && tags?.includes("leakwatch") && keepTime && includeVars,
    )
      ? []
      : ["no drop-down"],

  "asks only for series that exist": (dashboard) =>
    eachSelector(dashboard, ({ name }) =>
      metrics.some((metric) => metric.name === name) || recordedNames.has(name) || foreign.some((one) => one.test(name))
        ? undefined
        : `no series ${name}`,
    ),

  "asks in PromQL whose types are right": (dashboard) => each(dashboard, ({ promql }) => promqlComplaints(promql)),

  "takes rates over $__rate_interval": (dashboard) =>
    queriesOf(dashboard).flatMap(({ where, expr }) =>
      /\bi?rate\(/.test(expr.replace(/\brate\([^[\]]*(\[[^\]]*\])?[^[\]]*\[\$__rate_interval\]\)/g, ""))
        ? [`${where}: rate over a fixed time`]
        : [],
    ),

  "asks for whole seconds, in times that Grafana reads": (dashboard) => [
    ...each(dashboard, ({ promql }) =>
      durationsOf(promql)
        .filter((text) => seconds(text) < 1 || !Number.isInteger(seconds(text)))
        .map((text) => `${text} in the query`),
    ),
    // one number and one unit, else the rest is not read
    ...timesOf(dashboard)
      .filter((text) => !/^[1-9]\d*[smhdw]$/.test(text))
      .map((text) => `Grafana does not read ${text}`),
  ],

  "uses counters only inside rate and increase": (dashboard) =>
    eachSelector(dashboard, ({ name, within }) =>
      (counters.has(name) || /_(total|sum)$/.test(name)) && !["rate", "irate", "increase"].includes(within[0] ?? "")
        ? `${name} outside of rate and increase`
        : undefined,
    ),

  "narrows every selector by its variables": (dashboard) =>
    each(dashboard, ({ where, promql }) => {
      if (where.startsWith("variable ")) return [];
      return selectorsOf(promql).flatMap(({ name, matchers }) => {
        if (ofPrometheus(name)) return [];
        const wanted = ofApplications(name)
          ? ["cluster", "namespace"]
          : ["cluster", "namespace", "job", "instance", ...(aboutGroups(name) ? ["group"] : [])];
        return wanted
          .filter((label) => !matchesVariable(matchers[label], label))
          .map((label) => `${name} is not narrowed by ${label}`);
      });
    }),

  "takes group names as they are": (dashboard) =>
    queriesOf(dashboard)
      // a name with a quote would end the string
      .filter(({ expr }) => /\$(group|worst|cgroups)\b|\[\[group|\$\{(group|worst|cgroups)(?!:regex\}`)/.test(expr))
      .map(({ where }) => `${where}: write =~\`\${group:regex}\``),

  "ends all queries of a table in the same labels": (dashboard) =>
    panelsOf(dashboard)
      .filter(({ type }) => type === "table")
      .flatMap((panel) => {
        const sets = (panel.targets ?? []).flatMap(({ expr }) =>
          outermostGrouping(tried(() => asPromql(expr, dashboard)) ?? ""),
        );
        // sort_desc and the like stand outside of an aggregation and keep its labels
        return new Set(sets).size === 1 ? [] : [`${named(panel)}: ${[...new Set(sets)].join(" / ")}`];
      }),

  "counts nothing twice that two Prometheus servers scrape": (dashboard) =>
    eachSelector(dashboard, ({ name, within }) => {
      if (ofApplications(name) || ofPrometheus(name)) return undefined;
      const sum = within.findIndex((one) => one === "sum" || one === "count" || one === "avg");
      const identity = within.slice(0, Math.max(sum, 0)).some((one) => ["max", "min", "topk", "bottomk"].includes(one));
      return sum === -1 || identity ? undefined : `${name} is summed before max by its identity`;
    }),

  "has no instant query on a board that looks ahead, but with a time of its own": (dashboard) => {
    const ahead = dashboard.links.some(({ url }) => /to=now(%2B|\+)/.test(url ?? ""));
    return panelsOf(dashboard)
      .filter(({ timeFrom, targets = [] }) => ahead && !timeFrom && targets.some(({ instant }) => instant))
      .map((panel) => `${named(panel)} would be empty`);
  },

  "opens with at most 25 queries": (dashboard) => {
    const open = panelsOf(dashboard).filter(({ inClosedRow }) => !inClosedRow);
    const count = open.reduce((sum, { targets = [] }) => sum + targets.length, 0);
    return count <= 25 ? [] : [`${count} queries`];
  },

  "reads raw series over days only of a bounded number of groups": (dashboard) =>
    each(dashboard, ({ where, promql, panel }) => {
      // Grafana asks query_result at one moment
      const board = where.startsWith("variable ") ? 0 : seconds(dashboard.time.from.replace("now-", ""));
      const range = panel?.timeFrom === undefined ? board : seconds(panel.timeFrom);
      return selectorsOf(promql).flatMap(({ name, matchers, range: own, within }) => {
        const isRaw = metrics.some((metric) => metric.name === name) && (aboutGroups(name) || aboutCgroups(name));
        const subquery = Math.max(
          0,
          ...[...promql.matchAll(/\[(\d+[dhw]):/g)].map(([, text]) => seconds(text as string)),
        );
        const reach = Math.max(panel?.targets?.every(({ instant }) => instant) ? 0 : range, subquery, lookBack(own));
        const isBounded =
          matchesVariable(matchers["cgroup"], "cgroups") ||
          (matchesVariable(matchers["group"], "group") &&
            (matchers["group"]?.includes("VARIABLE_worst") || matchers["slot"] !== undefined || isOneGroup(dashboard)));
        return isRaw && reach > 86_400 && !isBounded && name !== groupMetrics.processes.name && within.length >= 0
          ? [`${name} over ${reach / 86_400} days of every group`]
          : [];
      });
    }),

  "shows growth per hour": (dashboard) =>
    panelsOf(dashboard).flatMap((panel) =>
      (panel.targets ?? [])
        .filter(
          ({ expr }) => expr.includes("growth_bytes_per_second") && !/\* 3600/.test(expr) && !expr.includes(" > 0)"),
        )
        .map(() => `${named(panel)} shows growth per second`),
    ),

  "knows no name twice": ({ templating: { list }, annotations }) =>
    [list, annotations.list].flatMap((some: readonly { name: string }[]) =>
      some.filter(({ name }, i) => some.findIndex((one) => one.name === name) !== i).map(({ name }) => `${name} twice`),
    ),
};

/** What is for Grafana itself. */
const timesOf = (dashboard: Dashboard) =>
  [
    dashboard.time.from.replace("now-", ""),
    dashboard.refresh,
    ...panelsOf(dashboard).flatMap(({ timeFrom, interval }) => [timeFrom, interval]),
    ...dashboard.annotations.list.map(({ step }) => step),
  ].filter((text) => text !== undefined);

const isOneGroup = ({ templating: { list } }: Dashboard) => list.some(({ name, multi }) => name === "group" && !multi);

const lookBack = (range: string | undefined) => {
  const text = /^\[(\d+[smhdw]+)/.exec(range ?? "")?.[1];
  return text === undefined ? 0 : seconds(text);
};

export const uids: readonly string[] = Object.values(dashboardUids);
