// What panels of one kind have in common. A panel's own function then holds its title, its words and its queries.

import type { Builder } from "@grafana/grafana-foundation-sdk/cog";
import {
  BigValueColorMode,
  BigValueGraphMode,
  BigValueTextMode,
  GraphDrawStyle,
  LegendDisplayMode,
  LegendPlacement,
  LineInterpolation,
  ReduceDataOptionsBuilder,
  SortOrder,
  TableCellHeight,
  TooltipDisplayMode,
  VisibilityMode,
  VizLegendOptionsBuilder,
  VizTooltipOptionsBuilder,
} from "@grafana/grafana-foundation-sdk/common";
import {
  type DynamicConfigValue,
  FieldColorBuilder,
  FieldColorModeId,
  MappingType,
  type Panel,
  SpecialValueMatch,
  ThresholdsConfigBuilder,
  ThresholdsMode,
  type ValueMapping,
} from "@grafana/grafana-foundation-sdk/dashboard";
import { DataqueryBuilder, PromQueryFormat } from "@grafana/grafana-foundation-sdk/prometheus";
import * as stats from "@grafana/grafana-foundation-sdk/stat";
import * as tables from "@grafana/grafana-foundation-sdk/table";
import * as texts from "@grafana/grafana-foundation-sdk/text";
import * as series from "@grafana/grafana-foundation-sdk/timeseries";
import type { Step } from "../catalog/appearance.ts";
import { colours, timeToOomSteps, verdictColours } from "../catalog/appearance.ts";
import { leakSeverities, verdicts } from "../catalog/verdicts.ts";
import type { Clock } from "./clock.ts";
import { inSight, noLimit, tooYoung } from "./queries.ts";
import { source } from "./variables.ts";

/** There is nothing to say here. */
export const noDash = "–";

/** A query over the range. */
export const over = (expr: string, legend: string, refId = "A") =>
  new DataqueryBuilder().refId(refId).datasource(source).expr(expr).legendFormat(legend).range();

/** A query of the last moment of the range. Empty where the range ends in the future. */
export const at = (expr: string, legend: string, refId = "A") =>
  new DataqueryBuilder().refId(refId).datasource(source).expr(expr).legendFormat(legend).instant();

export const steps = (list: readonly Step[]) =>
  new ThresholdsConfigBuilder().mode(ThresholdsMode.Absolute).steps(list.map((step) => ({ ...step })));

export const fixed = (color: string) => new FieldColorBuilder().mode(FieldColorModeId.Fixed).fixedColor(color);
export const byThreshold = () => new FieldColorBuilder().mode(FieldColorModeId.Thresholds);
export const palette = () => new FieldColorBuilder().mode(FieldColorModeId.PaletteClassic);

export const plain: readonly Step[] = [{ value: null, color: colours.neutral }];

/** Words for numbers. */
export const words = (options: Record<string, { text: string; color?: string }>): ValueMapping => ({
  type: MappingType.ValueToText,
  options: Object.fromEntries(Object.entries(options).map(([value, word], index) => [value, { ...word, index }])),
});

/** Words for a cell without a number. Without them it would take the colour of the lowest step. */
export const whenEmpty = (text: string, color: string = colours.unknown): ValueMapping => ({
  type: MappingType.SpecialValue,
  options: { match: SpecialValueMatch.NullAndNan, result: { text, color, index: 100 } },
});

/** Infinity stands for never, so that what does not happen is sorted last. */
export const never = (text: string, color: string = colours.fine): ValueMapping[] => [
  words({ Infinity: { text, color }, "+Inf": { text, color } }),
  whenEmpty(text, color),
];

/** Words for what stands in the place of a time to OOM. */
export const timeLeftWords = (clock: Clock, none = "not growing"): ValueMapping[] => [
  words({
    [String(inSight(clock))]: { text: `> ${inSight(clock) / 86_400} days`, color: colours.fine },
    [String(noLimit(clock))]: { text: "no limit known", color: colours.unknown },
    [String(tooYoung)]: { text: "too young", color: colours.unknown },
  }),
  ...never(none),
];

/** A time to OOM changes its colour where the alerts of the same clock change their severity. */
export const timeLeftSteps = (clock: Clock): Step[] =>
  timeToOomSteps.map((step) => ({ ...step, value: step.value === null ? null : clock.shortened(step.value) }));

export const verdictWord = (word: string) => word.replaceAll("_", " ");

export const verdictWords = (): ValueMapping =>
  words({
    "-1": { text: "no process runs", color: colours.unknown },
    ...Object.fromEntries(
      verdicts.map(({ code, word }) => [String(code), { text: verdictWord(word), color: verdictColours[word] }]),
    ),
  });

/** How urgent a leak is. */
const severityColour = [colours.fine, colours.watch, colours.today, colours.now, colours.now];

export const leakSeverityWords = (): ValueMapping =>
  words(
    Object.fromEntries(
      leakSeverities.map((text, code) => [String(code), { text, color: severityColour[code] ?? colours.now }]),
    ),
  );

const reduce = () => new ReduceDataOptionsBuilder().calcs(["lastNotNull"]).values(false);

/** One number, or a few beside each other. */
export const stat = (title: string, description: string) =>
  new stats.PanelBuilder()
    .title(title)
    .description(description)
    .datasource(source)
    .reduceOptions(reduce())
    .graphMode(BigValueGraphMode.None)
    .colorMode(BigValueColorMode.Value)
    .textMode(BigValueTextMode.Auto)
    .colorScheme(byThreshold())
    .thresholds(steps(plain));

export const timeseries = (title: string, description: string) =>
  new series.PanelBuilder()
    .title(title)
    .description(description)
    .datasource(source)
    .colorScheme(palette())
    .drawStyle(GraphDrawStyle.Line)
    .lineInterpolation(LineInterpolation.Linear)
    .lineWidth(1)
    .fillOpacity(0)
    .showPoints(VisibilityMode.Never)
    .thresholds(steps(plain))
    .legend(
      new VizLegendOptionsBuilder()
        .displayMode(LegendDisplayMode.List)
        .placement(LegendPlacement.Bottom)
        .showLegend(true),
    )
    .tooltip(new VizTooltipOptionsBuilder().mode(TooltipDisplayMode.Multi).sort(SortOrder.Descending));

export const dashed = (color: string, width = 2): DynamicConfigValue[] => [
  { id: "color", value: { mode: FieldColorModeId.Fixed, fixedColor: color } },
  { id: "custom.lineStyle", value: { fill: "dash", dash: [10, 10] } },
  { id: "custom.lineWidth", value: width },
];

export const solid = (color: string, width = 2): DynamicConfigValue[] => [
  { id: "color", value: { mode: FieldColorModeId.Fixed, fixedColor: color } },
  { id: "custom.lineWidth", value: width },
];

export const markdown = (title: string, description: string, content: string) =>
  new texts.PanelBuilder().title(title).description(description).mode(texts.TextMode.Markdown).content(content);

/** A column of a table: a query that gives one number for each row. */
export interface Column {
  readonly title: string;
  readonly expr: string;
  readonly unit?: string;
  readonly width?: number;
  readonly decimals?: number;
  readonly mappings?: readonly ValueMapping[];
  readonly steps?: readonly Step[];
  /** The text or the whole cell in the colour of its step. */
  readonly coloured?: "text" | "background";
  /** The query's label to show; its number is hidden. */
  readonly label?: string;
  /** Drawn small: a range query. */
  readonly sparkline?: boolean;
  readonly gauge?: boolean;
}

/** Of the columns that name a row. */
const keyWidths: Record<string, number> = {
  alertname: 230,
  alertstate: 75,
  severity: 80,
  group: 180,
  slot: 50,
  cluster: 90,
  namespace: 100,
  job: 95,
  release: 130,
  rule_group: 260,
};

const letter = (i: number) => String.fromCharCode("A".charCodeAt(0) + i);

/** Rows by the labels that all queries have in common. `keys` are those labels, with the titles of their columns. */
export function table(
  title: string,
  description: string,
  keys: Readonly<Record<string, string>>,
  columns: readonly Column[],
  sorted: { by: string; descending?: boolean },
  hiddenLabels: readonly string[] = [],
) {
  const panel = new tables.PanelBuilder()
    .title(title)
    .description(description)
    .datasource(source)
    .thresholds(steps(plain))
    .cellHeight(TableCellHeight.Sm)
    .showHeader(true)
    .filterable(true)
    // the panel's own words are for an empty table, not for an empty cell
    .overrideByRegexp("/.*/", [{ id: "noValue", value: noDash }]);
  const named = new Map<string, string>(Object.entries(keys));
  const hidden: string[] = ["Time", ...hiddenLabels];
  columns.forEach((column, i) => {
    const refId = letter(i);
    const query = column.sparkline ? over(column.expr, "", refId) : at(column.expr, "", refId);
    panel.withTarget(column.sparkline ? query : query.format(PromQueryFormat.Table));
    if (column.sparkline) named.set(`Trend #${refId}`, column.title);
    else if (column.label === undefined) named.set(`Value #${refId}`, column.title);
    else {
      hidden.push(`Value #${refId}`);
      named.set(column.label, column.title);
    }
    panel.overrideByName(column.title, properties(column));
  });
  if (columns.some(({ sparkline }) => sparkline)) panel.withTransformation({ id: "timeSeriesTable", options: {} });
  for (const [label, width] of Object.entries(keyWidths)) {
    const column = keys[label];
    if (column !== undefined) {
      panel.overrideByName(column, [
        { id: "noValue", value: noDash },
        { id: "custom.width", value: width },
      ]);
    }
  }
  const order = [
    ...Object.keys(keys),
    ...columns.map((column, i) => column.label ?? `${column.sparkline ? "Trend" : "Value"} #${letter(i)}`),
  ];
  return panel
    .withTransformation({ id: "merge", options: {} })
    .withTransformation({
      id: "organize",
      options: {
        excludeByName: Object.fromEntries(hidden.map((name) => [name, true])),
        indexByName: Object.fromEntries(order.map((name, i) => [name, i])),
        renameByName: Object.fromEntries(named),
      },
    })
    .withTransformation({
      id: "sortBy",
      options: { fields: {}, sort: [{ field: sorted.by, desc: sorted.descending ?? false }] },
    });
}

function properties(column: Column): DynamicConfigValue[] {
  // what the panel says when it is empty must not stand in an empty cell
  const list: DynamicConfigValue[] = [{ id: "noValue", value: noDash }];
  if (column.unit !== undefined) list.push({ id: "unit", value: column.unit });
  if (column.decimals !== undefined) list.push({ id: "decimals", value: column.decimals });
  if (column.width !== undefined) list.push({ id: "custom.width", value: column.width });
  if (column.mappings !== undefined) list.push({ id: "mappings", value: column.mappings });
  if (column.steps !== undefined) {
    list.push({ id: "thresholds", value: { mode: ThresholdsMode.Absolute, steps: column.steps } });
    list.push({ id: "color", value: { mode: FieldColorModeId.Thresholds } });
  }
  if (column.coloured === "text") list.push({ id: "custom.cellOptions", value: { type: "color-text" } });
  if (column.coloured === "background") {
    list.push({ id: "custom.cellOptions", value: { type: "color-background", mode: "basic" } });
  }
  if (column.gauge) {
    list.push({ id: "custom.cellOptions", value: { type: "gauge", mode: "basic", valueDisplayMode: "text" } });
    list.push({ id: "min", value: 0 }, { id: "max", value: 1 });
  }
  if (column.sparkline) {
    list.push({ id: "custom.cellOptions", value: { type: "sparkline", drawStyle: "line", hideValue: true } });
    list.push({ id: "color", value: { mode: FieldColorModeId.Fixed, fixedColor: colours.memory } });
  }
  return list;
}

export type AnyPanel = Builder<Panel>;
