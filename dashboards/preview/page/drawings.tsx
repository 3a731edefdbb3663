// Plain drawings of what Grafana keeps in plug-ins that are not on npm: gauge, state timeline, status history, heatmap,
// XY chart, text. They show the same values and colours; shapes and spacing differ from Grafana's.

import {
  type DataFrame,
  type Field,
  type FieldDisplay,
  FieldType,
  formattedValueToString,
  type GrafanaTheme2,
  getFieldDisplayName,
  renderMarkdown,
} from "@grafana/data";
import type { Stretch } from "../../../test/support/board-queries.ts";

interface Size {
  width: number;
  height: number;
}

export function Message({ text, height, isError = false }: { text: string; height: number; isError?: boolean }) {
  const color = isError ? "tomato" : "inherit";
  return (
    <div
      style={{ display: "grid", placeItems: "center", textAlign: "center", height, opacity: isError ? 1 : 0.7, color }}
    >
      {text}
    </div>
  );
}

export function Text({ content }: { content: string }) {
  return <div className="markdown-html" dangerouslySetInnerHTML={{ __html: renderMarkdown(content) }} />;
}

/** Where a value stands between its smallest and largest, 0 to 1. */
const share = (value: number, least: number, most: number) =>
  Math.min(1, Math.max(0, (value - least) / (most - least || 1)));

export function Gauge({ values, width, height }: Size & { values: FieldDisplay[] }) {
  const each = width / Math.max(1, values.length);
  return (
    <svg width={width} height={height} aria-hidden="true">
      {values.map(({ display, field }, i) => {
        const radius = Math.min(each * 0.4, height * 0.6);
        const [x, y] = [each * (i + 0.5), height * 0.75];
        const part = share(display.numeric, field.min ?? 0, field.max ?? 1);
        return (
          <g key={i} fontFamily="Inter" textAnchor="middle">
            <path d={arc(x, y, radius, 1)} fill="none" stroke="rgba(128,128,128,0.25)" strokeWidth={radius / 5} />
            <path d={arc(x, y, radius, part)} fill="none" stroke={display.color} strokeWidth={radius / 5} />
            <text x={x} y={y} fontSize={radius / 2.5} fill={display.color}>
              {formattedValueToString(display)}
            </text>
            <text x={x} y={height - 4} fontSize={12} fill="currentColor">
              {values.length > 1 ? display.title : ""}
            </text>
          </g>
        );
      })}
    </svg>
  );
}

/** The left part of a half circle. */
function arc(x: number, y: number, radius: number, part: number): string {
  const angle = Math.PI * (1 - Math.max(0.002, part));
  return `M ${x - radius} ${y} A ${radius} ${radius} 0 0 1 ${x + radius * Math.cos(angle)} ${y - radius * Math.sin(angle)}`;
}

const margin = { left: 190, right: 12, top: 4, bottom: 24 };

/** One strip for each series; equal neighbours are one piece, or, as a grid, a cell for each value. */
export function Strips({
  frames,
  stretch,
  width,
  height,
  theme,
  isGrid = false,
}: Size & { frames: DataFrame[]; stretch: Stretch; theme: GrafanaTheme2; isGrid?: boolean }) {
  const rows = seriesOf(frames);
  const rowHeight = (height - margin.top - margin.bottom) / Math.max(1, rows.length);
  const x = timeScale(stretch, width);
  return (
    <svg
      width={width}
      height={height}
      aria-hidden="true"
      fontFamily="Inter"
      fontSize={12}
      fill={theme.colors.text.primary}
    >
      {rows.map(({ name, times, field }, row) => {
        const top = margin.top + row * rowHeight;
        const inset = Math.min(3, rowHeight * 0.12);
        return (
          <g key={row}>
            <text x={margin.left - 8} y={top + rowHeight / 2 + 4} textAnchor="end">
              {shortened(name, 28)}
            </text>
            {pieces(times, field, isGrid).map(({ from, to, text, color }) => {
              const left = Math.max(margin.left, x(from));
              const wide = x(to) - left - (isGrid ? 1 : 0);
              return (
                <g key={from}>
                  <rect
                    x={left}
                    y={top + inset}
                    width={Math.max(0.5, wide)}
                    height={rowHeight - 2 * inset}
                    fill={color}
                  />
                  {!isGrid && wide > text.length * 7 && rowHeight > 13 && (
                    <text x={left + 5} y={top + rowHeight / 2 + 4} fill={theme.colors.getContrastText(color)}>
                      {text}
                    </text>
                  )}
                </g>
              );
            })}
          </g>
        );
      })}
      <TimeAxis stretch={stretch} width={width} y={height - 8} theme={theme} />
    </svg>
  );
}

interface Row {
  name: string;
  times: number[];
  field: Field;
}

function seriesOf(frames: DataFrame[]): Row[] {
  return frames.flatMap((frame) => {
    const time = frame.fields.find(({ type }) => type === FieldType.time);
    if (time === undefined) return [];
    return frame.fields
      .filter(({ type }) => type === FieldType.number || type === FieldType.string)
      .map((field) => ({ name: getFieldDisplayName(field, frame, frames), times: time.values as number[], field }));
  });
}

interface Piece {
  from: number;
  to: number;
  text: string;
  color: string;
}

function pieces(times: number[], { values, display }: Field, isGrid: boolean): Piece[] {
  const found: Piece[] = [];
  const step = times.length > 1 ? Math.min(...times.slice(1).map((t, i) => t - (times[i] as number))) : 3_600_000;
  for (const [i, value] of (values as (number | string | null)[]).entries()) {
    const from = times[i] as number;
    if (value === null || display === undefined) continue;
    const shown = display(value);
    const text = formattedValueToString(shown);
    const last = found.at(-1);
    if (!isGrid && last !== undefined && last.text === text && last.to >= from - step / 2) last.to = from + step;
    else found.push({ from, to: from + step, text, color: shown.color ?? "gray" });
  }
  return found;
}

const shortened = (text: string, length: number) => (text.length > length ? `${text.slice(0, length - 1)}…` : text);

const timeScale =
  ({ from, to }: Stretch, width: number) =>
  (t: number) =>
    margin.left + ((t / 1000 - from) / (to - from)) * (width - margin.left - margin.right);

function TimeAxis({ stretch, width, y, theme }: { stretch: Stretch; width: number; y: number; theme: GrafanaTheme2 }) {
  const hours = (stretch.to - stretch.from) / 3600;
  const every = [1, 2, 3, 6, 12, 24, 48].find((step) => hours / step <= width / 90) ?? 48;
  const x = timeScale(stretch, width);
  const ticks: number[] = [];
  for (let t = Math.ceil(stretch.from / (every * 3600)) * every * 3600; t <= stretch.to; t += every * 3600)
    ticks.push(t * 1000);
  return (
    <g fill={theme.colors.text.secondary} textAnchor="middle">
      {ticks.map((t) => (
        <text key={t} x={x(t)} y={y}>
          {t % 86_400_000 === 0 ? new Date(t).toISOString().slice(5, 10) : new Date(t).toISOString().slice(11, 16)}
        </text>
      ))}
    </g>
  );
}

/** A row for each series, a column for each time. */
export function Heatmap({
  frames,
  options,
  stretch,
  width,
  height,
  theme,
}: // biome-ignore lint/suspicious/noExplicitAny: the plug-in's options
Size & { frames: DataFrame[]; options: Record<string, any>; stretch: Stretch; theme: GrafanaTheme2 }) {
  if (options["calculate"] === true)
    return <Message height={height} text="not drawn: a heatmap that counts raw values" />;
  const rows = seriesOf(frames).toReversed();
  const values = rows.flatMap(({ field }) => (field.values as (number | null)[]).filter((value) => value !== null));
  const least = options["color"]?.min ?? Math.min(0, ...values);
  const most = options["color"]?.max ?? Math.max(...values);
  const rowHeight = (height - margin.top - margin.bottom) / Math.max(1, rows.length);
  const x = timeScale(stretch, width);
  return (
    <svg
      width={width}
      height={height}
      aria-hidden="true"
      fontFamily="Inter"
      fontSize={12}
      fill={theme.colors.text.primary}
    >
      {rows.map(({ name, times, field }, row) => {
        const top = margin.top + row * rowHeight;
        const step = times.length > 1 ? (times[1] as number) - (times[0] as number) : 3_600_000;
        return (
          <g key={row}>
            {(rowHeight > 12 || row % Math.ceil(14 / rowHeight) === 0) && (
              <text x={margin.left - 8} y={top + rowHeight / 2 + 4} textAnchor="end">
                {name}
              </text>
            )}
            {(field.values as (number | null)[]).map((value, i) => {
              if (value === null) return null;
              const left = Math.max(margin.left, x((times[i] as number) - step));
              const fill = heat(share(value, least, most), theme);
              const wide = Math.max(0.5, x(times[i] as number) - left - 1);
              return <rect key={times[i]} x={left} y={top} width={wide} height={rowHeight - 1} fill={fill} />;
            })}
          </g>
        );
      })}
      <TimeAxis stretch={stretch} width={width} y={height - 8} theme={theme} />
    </svg>
  );
}

/** From hardly visible over orange to red. */
function heat(part: number, theme: GrafanaTheme2): string {
  const color = theme.visualization.getColorByName(part > 0.75 ? "dark-red" : part > 0.4 ? "orange" : "yellow");
  return `color-mix(in srgb, ${color} ${Math.round(8 + 92 * part)}%, ${theme.colors.background.secondary})`;
}

/** One dot for each row of the frames: the first number across, every other one up. */
export function XyChart({
  frames,
  options,
  width,
  height,
  theme,
}: // biome-ignore lint/suspicious/noExplicitAny: the plug-in's options
Size & { frames: DataFrame[]; options: Record<string, any>; theme: GrafanaTheme2 }) {
  const chosen = options["series"]?.[0] ?? {};
  const matched = (field: Field, frame: DataFrame, matcher: { id?: string; options?: string } | undefined) =>
    matcher?.options === undefined ? true : getFieldDisplayName(field, frame, frames) === matcher.options;
  const series = frames.flatMap((frame) => {
    const numbers = frame.fields.filter(({ type }) => type === FieldType.number);
    const across = numbers.find((field) => chosen.x?.matcher && matched(field, frame, chosen.x.matcher)) ?? numbers[0];
    const up = numbers.filter(
      (field) => field !== across && (!chosen.y?.matcher || matched(field, frame, chosen.y.matcher)),
    );
    return across === undefined ? [] : up.map((field) => ({ across, up: field, frame }));
  });
  const first = series[0];
  if (first === undefined) return <Message height={height} text="not drawn: no two numbers in one frame" />;
  const dots = series.flatMap(({ across, up }) =>
    (across.values as (number | null)[]).flatMap((x, i) => {
      const y = up.values[i] as number | null;
      return x === null || y === null || y === undefined ? [] : [{ x, y, color: up.display?.(y).color ?? "gray" }];
    }),
  );
  const [xs, ys] = [dots.map(({ x }) => x), dots.map(({ y }) => y)];
  const [left, right] = [Math.min(0, ...xs), Math.max(...xs)];
  const [low, high] = [Math.min(0, ...ys), Math.max(...ys)];
  const box = { left: 78, top: 10, width: width - 100, height: height - 54 };
  const at = (x: number, y: number) =>
    [box.left + share(x, left, right) * box.width, box.top + (1 - share(y, low, high)) * box.height] as const;
  const ticks = [0, 0.25, 0.5, 0.75, 1];
  const shown = (field: Field, value: number) => (field.display ? formattedValueToString(field.display(value)) : value);
  return (
    <svg
      width={width}
      height={height}
      aria-hidden="true"
      fontFamily="Inter"
      fontSize={12}
      fill={theme.colors.text.secondary}
    >
      {ticks.map((part) => (
        <g key={part}>
          <line
            x1={box.left}
            x2={box.left + box.width}
            y1={box.top + part * box.height}
            y2={box.top + part * box.height}
            stroke={theme.colors.border.weak}
          />
          <text x={box.left - 8} y={box.top + (1 - part) * box.height + 4} textAnchor="end">
            {shown(first.up, low + part * (high - low))}
          </text>
          <text x={box.left + part * box.width} y={box.top + box.height + 16} textAnchor="middle">
            {shown(first.across, left + part * (right - left))}
          </text>
        </g>
      ))}
      <text x={box.left + box.width / 2} y={height - 6} textAnchor="middle">
        {getFieldDisplayName(first.across, first.frame, frames)} →
      </text>
      {dots.map(({ x, y, color }, i) => {
        const [cx, cy] = at(x, y);
        return <circle key={i} cx={cx} cy={cy} r={3.5} fill={color} fillOpacity={0.75} />;
      })}
    </svg>
  );
}
