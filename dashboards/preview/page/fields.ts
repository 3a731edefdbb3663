// Field settings: the defaults that Grafana's panel plug-ins add to what is in the JSON, and overrides.

import {
  applyFieldOverrides,
  type DataFrame,
  FieldConfigOptionsRegistry,
  type FieldConfigPropertyItem,
  type FieldConfigSource,
  FieldType,
  type GrafanaTheme2,
  getDisplayProcessor,
  getFieldDisplayName,
  ThresholdsMode,
} from "@grafana/data";
import type { Panel } from "../../../test/support/grafana.ts";

/** What the time series plug-in sets where the JSON says nothing. */
const timeseriesDefaults = {
  drawStyle: "line",
  lineInterpolation: "linear",
  lineWidth: 1,
  fillOpacity: 0,
  pointSize: 5,
  showPoints: "auto",
  axisPlacement: "auto",
  axisLabel: "",
  gradientMode: "none",
  scaleDistribution: { type: "linear" },
  stacking: { mode: "none", group: "A" },
  thresholdsStyle: { mode: "off" },
  hideFrom: { tooltip: false, viz: false, legend: false },
  spanNulls: false,
};

const tableDefaults = { align: "auto", cellOptions: { type: "auto" }, inspect: false };

const customDefaults: Record<string, object> = { timeseries: timeseriesDefaults, table: tableDefaults };

/** Applies defaults and overrides; every value can then show itself. */
export function withSettings(panel: Panel, frames: DataFrame[], theme: GrafanaTheme2): DataFrame[] {
  const settings = settingsOf(panel);
  for (const frame of frames) for (const field of frame.fields) field.config ??= {};
  const data = applyFieldOverrides({
    data: frames,
    fieldConfig: settings,
    fieldConfigRegistry: registryOf(settings),
    replaceVariables: (text) => text,
    theme,
    timeZone: "utc",
  });
  let number = 0;
  for (const frame of data) {
    for (const field of frame.fields) {
      getFieldDisplayName(field, frame, data);
      field.config.custom = { ...(settings.defaults.custom ?? {}), ...field.config.custom };
      if (field.type === FieldType.frame) drawSparklines(field.values as DataFrame[], field.config, theme);
      if (field.type !== FieldType.number) continue;
      field.state = { ...field.state, seriesIndex: number++ };
      field.display = getDisplayProcessor({ field, theme, timeZone: "utc" });
    }
  }
  return data;
}

function settingsOf({ type, fieldConfig }: Panel): FieldConfigSource {
  const { defaults = {}, overrides = [] } = structuredClone(fieldConfig ?? {}) as Partial<FieldConfigSource>;
  const standard = {
    thresholds: {
      mode: ThresholdsMode.Absolute,
      steps: [
        { value: Number.NEGATIVE_INFINITY, color: "green" },
        { value: 80, color: "red" },
      ],
    },
    ...(["timeseries", "xychart"].includes(type) ? { color: { mode: "palette-classic" } } : {}),
    ...defaults,
    custom: { ...customDefaults[type], ...defaults.custom },
  };
  const settings = { defaults: standard, overrides } as FieldConfigSource;
  startAtMinusInfinity(settings);
  return settings;
}

/** The first threshold is null in JSON, which knows no infinity. */
function startAtMinusInfinity(part: unknown): void {
  if (typeof part !== "object" || part === null) return;
  const { steps } = part as { steps?: { value: number | null }[] };
  if (Array.isArray(steps)) for (const step of steps) step.value ??= Number.NEGATIVE_INFINITY;
  for (const inner of Object.values(part)) startAtMinusInfinity(inner);
}

const standardIds = [
  "unit",
  "decimals",
  "min",
  "max",
  "thresholds",
  "mappings",
  "displayName",
  "noValue",
  "color",
  "links",
];

/** Accepts every setting that the panel has, and takes it as it is. */
function registryOf({ defaults, overrides }: FieldConfigSource): FieldConfigOptionsRegistry {
  const ids = new Set([
    ...standardIds,
    ...Object.keys(defaults.custom ?? {}).map((name) => `custom.${name}`),
    ...overrides.flatMap(({ properties }) => properties.map(({ id }) => id)),
  ]);
  return new FieldConfigOptionsRegistry(() => [...ids].map(propertyOf));
}

function propertyOf(id: string): FieldConfigPropertyItem {
  const isCustom = id.startsWith("custom.");
  return {
    id,
    path: isCustom ? id.slice("custom.".length) : id,
    isCustom,
    name: id,
    process: (value: unknown) => value,
    shouldApply: () => true,
    settings: {},
    // nobody edits here
    editor: (() => null) as unknown as FieldConfigPropertyItem["editor"],
    override: (() => null) as unknown as FieldConfigPropertyItem["override"],
  };
}

function drawSparklines(frames: DataFrame[], config: object, theme: GrafanaTheme2): void {
  for (const frame of frames) {
    for (const field of frame.fields ?? []) {
      field.config = {
        ...config,
        custom: { drawStyle: "line", lineWidth: 1, fillOpacity: 17, showPoints: "never" },
        color: { mode: "fixed", fixedColor: "blue" },
      };
      field.display = getDisplayProcessor({ field, theme });
    }
  }
}
