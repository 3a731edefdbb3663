// Exposition text as a Prometheus server would take it, written without a look at the exporter's own code.

export type Labels = Readonly<Record<string, string>>;

export interface Sample {
  name: string;
  labels: Labels;
  value: number;
}

/** One scrape's samples, and questions about them. */
export class Scrape {
  readonly text: string;
  readonly samples: readonly Sample[];

  constructor(text: string, samples: readonly Sample[]) {
    this.text = text;
    this.samples = samples;
  }

  /** Samples of a series family that have at least these labels. */
  all(name: string, labels: Labels = {}): Sample[] {
    return this.samples.filter((sample) => sample.name === name && has(sample.labels, labels));
  }

  /** The value of the only such series; undefined when there is none. */
  value(name: string, labels: Labels = {}): number | undefined {
    const found = this.all(name, labels);
    if (found.length > 1) throw new Error(`${found.length} series ${name} ${JSON.stringify(labels)}, expected one`);
    return found[0]?.value;
  }

  /** Over all such series. */
  sum(name: string, labels: Labels = {}): number {
    return this.all(name, labels).reduce((sum, { value }) => sum + value, 0);
  }

  /** Labels of the info series of a watched process. */
  labelsOf(pid: number): Labels | undefined {
    return this.all("leakwatch_process_info", { pid: String(pid) })[0]?.labels;
  }

  /** Value of a watched process: `valueOf(4242, "open_fds")`. */
  valueOf(pid: number, name: string): number | undefined {
    const { group = "", slot = "" } = this.labelsOf(pid) ?? {};
    return this.value(`leakwatch_process_${name}`, { group, slot });
  }
}

/** Throws when a line is neither a comment nor a sample, or when a series comes twice. */
export function parseScrape(text: string): Scrape {
  const seen = new Set<string>();
  const samples = text.split("\n").flatMap((line): Sample[] => {
    if (line === "" || line.startsWith("#")) return [];
    const [, series, name, labels = "", value] = /^(([a-zA-Z_:][\w:]*)(\{.*\})?) (\S+)$/.exec(line) ?? [];
    if (series === undefined || name === undefined || value === undefined) throw new Error(`no sample: ${line}`);
    if (seen.has(series)) throw new Error(`comes twice: ${series}`);
    seen.add(series);
    return [{ name, labels: parseLabels(labels), value: parseValue(value, line) }];
  });
  return new Scrape(text, samples);
}

function parseLabels(text: string): Labels {
  const pairs = [...text.matchAll(/([a-zA-Z_]\w*)="((?:[^"\\]|\\.)*)"/g)];
  if (text !== "" && text !== `{${pairs.map(([pair]) => pair).join(",")}}`) throw new Error(`no labels: ${text}`);
  return Object.fromEntries(pairs.map(([, name = "", value = ""]) => [name, withoutEscapes(value)]));
}

const withoutEscapes = (text: string) => text.replace(/\\(.)/g, (_, char: string) => (char === "n" ? "\n" : char));

function parseValue(text: string, line: string): number {
  const infinities: Record<string, number> = { "+Inf": Number.POSITIVE_INFINITY, "-Inf": Number.NEGATIVE_INFINITY };
  const value = infinities[text] ?? Number(text);
  if (Number.isNaN(value) && text !== "NaN" && text !== "Nan") throw new Error(`no number: ${line}`);
  return value;
}

const has = (labels: Labels, wanted: Labels) => Object.entries(wanted).every(([key, value]) => labels[key] === value);
