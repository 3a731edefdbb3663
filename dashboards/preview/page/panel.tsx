// The inside of one panel, by its type. What Grafana's packages can draw is drawn by them; the rest in drawings.tsx.

import {
  type DataFrame,
  FieldType,
  type GrafanaTheme2,
  getDisplayValueAlignmentFactors,
  getFieldDisplayValues,
} from "@grafana/data";
import {
  BarGauge,
  BigValue,
  BigValueColorMode,
  BigValueGraphMode,
  BigValueJustifyMode,
  BigValueTextMode,
  TimeSeries,
} from "@grafana/ui";
import { TableNG } from "@grafana/ui/unstable";
import { Component, type ReactNode } from "react";
import type { Stretch } from "../../../test/support/board-queries.ts";
import type { Panel } from "../../../test/support/grafana.ts";
import { type Mark, Marks } from "./annotations.tsx";
import { Gauge, Heatmap, Message, Strips, Text, XyChart } from "./drawings.tsx";
import { timeRangeOf } from "./frames.ts";

/** What a panel found, ready to be drawn. */
export interface Outcome {
  frames: DataFrame[];
  stretch: Stretch;
  error?: string;
}

interface Props {
  panel: Panel;
  outcome: Outcome;
  marks: Mark[];
  width: number;
  height: number;
  theme: GrafanaTheme2;
}

// biome-ignore lint/suspicious/noExplicitAny: each panel type has options of its own
const optionsOf = (panel: Panel) => (panel.options ?? {}) as Record<string, any>;

export function PanelBody(props: Props) {
  const { panel, outcome, width, height } = props;
  if (panel.type === "text") return <Text content={String(optionsOf(panel)["content"] ?? "")} />;
  if (outcome.error !== undefined) return <Message height={height} text={outcome.error} isError />;
  const noValue = panel.fieldConfig?.defaults.noValue;
  const isEmpty = !outcome.frames.some(({ length }) => length > 0);
  const isValue = ["stat", "gauge"].includes(panel.type);
  if (isEmpty && !(isValue && noValue !== undefined)) return <Message height={height} text={noValue ?? "No data"} />;
  const draw = drawings[panel.type];
  if (draw === undefined) return <Message height={height} text={`not drawn: “${panel.type}”`} />;
  return <Guard>{draw(props, width, height)}</Guard>;
}

const drawings: Record<string, (props: Props, width: number, height: number) => ReactNode> = {
  timeseries: ({ panel, outcome, marks, theme }, width, height) => {
    const { legend = {} } = optionsOf(panel);
    return (
      <TimeSeries
        frames={outcome.frames}
        structureRev={1}
        width={width}
        height={height}
        timeRange={timeRangeOf(outcome.stretch)}
        timeZone="utc"
        legend={{
          calcs: legend.calcs ?? [],
          displayMode: legend.displayMode ?? "list",
          placement: legend.placement ?? "bottom",
          showLegend: legend.showLegend !== false,
          ...(legend.width === undefined ? {} : { width: legend.width }),
        }}
        options={{}}
      >
        {(config) => <Marks config={config} marks={marks} theme={theme} />}
      </TimeSeries>
    );
  },
  stat: (props, width, height) => {
    const options = optionsOf(props.panel);
    const values = displayValues(props, options["graphMode"] === "area");
    const share = (width - 4 * (values.length - 1)) / Math.max(1, values.length);
    const textMode = options["textMode"] ?? "auto";
    return (
      <div style={{ display: "flex", gap: 4 }}>
        {values.map(({ display, sparkline }, i) => (
          <BigValue
            key={i}
            theme={props.theme}
            width={share}
            height={height}
            value={display}
            sparkline={sparkline}
            colorMode={options["colorMode"] ?? BigValueColorMode.Value}
            graphMode={options["graphMode"] ?? BigValueGraphMode.None}
            justifyMode={options["justifyMode"] ?? BigValueJustifyMode.Auto}
            textMode={textMode === "auto" && values.length === 1 ? BigValueTextMode.Value : textMode}
            count={values.length}
          />
        ))}
      </div>
    );
  },
  bargauge: (props, width, height) => {
    const options = optionsOf(props.panel);
    const values = displayValues(props, false);
    return values.map(({ display, field, view, colIndex }, i) => (
      <div key={i} style={{ marginBottom: 4 }}>
        <BarGauge
          theme={props.theme}
          width={width}
          height={Math.min(46, Math.max(20, height / values.length - 4))}
          value={display}
          field={field}
          display={view?.getFieldDisplayProcessor(colIndex ?? 0)}
          orientation={"horizontal" as never}
          displayMode={options["displayMode"] ?? "gradient"}
          valueDisplayMode={options["valueMode"] ?? "color"}
          alignmentFactors={getDisplayValueAlignmentFactors(values)}
        />
      </div>
    ));
  },
  gauge: (props, width, height) => <Gauge values={displayValues(props, false)} width={width} height={height} />,
  table: ({ panel, outcome }, width, height) => {
    const options = optionsOf(panel);
    const settings = panel.fieldConfig;
    return (
      <TableNG
        data={outcome.frames[0] as DataFrame}
        width={width}
        height={height}
        initialSortBy={options["sortBy"]}
        cellHeight={options["cellHeight"] ?? "sm"}
        noHeader={options["showHeader"] === false}
        timeRange={timeRangeOf(outcome.stretch)}
        fieldConfig={settings as never}
        getActions={() => []}
        structureRev={1}
        enableVirtualization={false}
      />
    );
  },
  "state-timeline": ({ outcome, theme }, width, height) => (
    <Strips frames={outcome.frames} stretch={outcome.stretch} width={width} height={height} theme={theme} />
  ),
  "status-history": ({ outcome, theme }, width, height) => (
    <Strips frames={outcome.frames} stretch={outcome.stretch} width={width} height={height} theme={theme} isGrid />
  ),
  heatmap: ({ panel, outcome, theme }, width, height) => (
    <Heatmap
      frames={outcome.frames}
      options={optionsOf(panel)}
      stretch={outcome.stretch}
      width={width}
      height={height}
      theme={theme}
    />
  ),
  xychart: ({ panel, outcome, theme }, width, height) => (
    <XyChart frames={outcome.frames} options={optionsOf(panel)} width={width} height={height} theme={theme} />
  ),
};

function displayValues({ panel, outcome, theme }: Props, sparkline: boolean) {
  const { reduceOptions = { calcs: ["lastNotNull"] } } = optionsOf(panel);
  const noValue = panel.fieldConfig?.defaults.noValue;
  const found = getFieldDisplayValues({
    fieldConfig: { defaults: noValue === undefined ? {} : { noValue }, overrides: [] },
    reduceOptions,
    replaceVariables: (text) => text,
    theme,
    data: outcome.frames.filter((frame) => frame.fields.some(({ type }) => type === FieldType.number)),
    sparkline,
    timeZone: "utc",
  });
  return found;
}

/** A panel that fails is a box with the reason, and the others are drawn. */
class Guard extends Component<{ children: ReactNode }, { error?: Error }> {
  override state: { error?: Error } = {};
  static getDerivedStateFromError(error: Error) {
    return { error };
  }
  override render() {
    return this.state.error === undefined ? (
      this.props.children
    ) : (
      <Message height={60} text={String(this.state.error)} isError />
    );
  }
}
