// The containers that an engine runs, from its own API over its unix socket (Docker, and Podman's likeness of it). Optional: access
// to that socket is equivalent to root, so it is asked for the list and for single containers, and never written to.
// https://docs.docker.com/reference/api/engine/version/v1.41/#tag/Container

import { engineRefreshSeconds } from "../../../catalog/defaults.ts";
import { FormatError } from "../../kernel/files.ts";
import { AnswerError, askWithin } from "./bounded-answer.ts";
import {
  type Container,
  type ContainerEnd,
  type ContainerList,
  type ContainerSource,
  signalOf,
  unixSeconds,
} from "./container.ts";
import { describedByEngine, type ListedContainer } from "./engine-names.ts";

/** See web/server.ts: an import would load much more. */
const { request } = process.getBuiltinModule("node:http");

/** An answer that takes longer is none, in seconds. */
const answerWithin = 5;

/** Seconds between two questions when a container is met that the list does not have. */
const soonest = 2;

/** Containers that are asked for one by one after each list; the others wait for the next. */
const mostDetails = 10;

/** Ids that wait for that. */
const mostWaiting = 1000;

/** What is said of a single container, as far as it is read. */
interface Details {
  readonly restarts: number | undefined;
  readonly end: ContainerEnd | undefined;
}

export class EngineSource implements ContainerSource {
  readonly file = "engine";
  readonly description = "the container engine";
  readonly interval = { usual: engineRefreshSeconds, soonest };
  private readonly socket: string;
  private readonly seconds: number;
  private listed: ReadonlySet<string> = new Set();
  /** Whose details are to be asked for. */
  private readonly waiting = new Set<string>();
  private readonly restarts = new Map<string, number>();
  /** Whose details have been asked for: it is to be known of each how often it was restarted before it is next. */
  private readonly asked = new Set<string>();

  /** `seconds` is how long an answer may take. */
  constructor(socket: string, { seconds = answerWithin } = {}) {
    this.socket = socket;
    this.seconds = seconds;
  }

  async list(ended: ReadonlySet<string>): Promise<ContainerList> {
    const listed = parseList(await this.ask("/containers/json"));
    const ids = new Set(listed.map(({ Id }) => Id));
    const gone = [...this.listed].filter((id) => !ids.has(id));
    const unsettled = listed.filter(isUnsettled).map(({ Id }) => Id);
    for (const id of [...gone, ...ended, ...unsettled]) if (this.waiting.size < mostWaiting) this.waiting.add(id);
    this.listed = ids;
    const { ends, problem } = await this.askDetails([...ids].filter((id) => !this.asked.has(id)));
    for (const id of this.restarts.keys()) if (!ids.has(id)) this.restarts.delete(id);
    for (const id of this.asked) if (!ids.has(id)) this.asked.delete(id);
    const containers = new Map<string, Container>();
    for (const container of listed) {
      const described = describedByEngine(container);
      if (described === undefined) continue;
      containers.set(container.Id, { ...described, restarts: this.restarts.get(container.Id) });
    }
    return { containers, ends, problem };
  }

  /** One after the other: an engine does some of them under a lock of the container. */
  private async askDetails(unknown: readonly string[]): Promise<Pick<ContainerList, "ends" | "problem">> {
    const ends = new Map<string, ContainerEnd>();
    for (const id of [...new Set([...this.waiting, ...unknown])].slice(0, mostDetails)) {
      this.asked.add(id);
      try {
        const details = await this.detailsOf(id);
        this.waiting.delete(id);
        if (details?.end !== undefined) ends.set(id, details.end);
        if (details?.restarts !== undefined) this.restarts.set(id, details.restarts);
      } catch (problem) {
        this.waiting.delete(id); // else one whose details are wrong would be asked for again and again
        return { ends, problem };
      }
    }
    return { ends };
  }

  /** Undefined for a container that was removed. */
  private async detailsOf(id: string): Promise<Details | undefined> {
    if (!/^\w[\w.-]*$/.test(id)) return undefined; // some of other engines are no word
    try {
      return parseDetails(await this.ask(`/containers/${id}/json`));
    } catch (error) {
      if ((error as AnswerError).code === "ENOENT") return undefined;
      throw error;
    }
  }

  private async ask(path: string): Promise<string> {
    const { status, body } = await askWithin(
      (signal, onAnswer) => request({ socketPath: this.socket, path, signal, agent: false }, onAnswer),
      { seconds: this.seconds, server: "the container engine" },
    );
    if (status === 200) return body;
    throw new AnswerError(`the container engine answered ${status}`, status === 404 ? { code: "ENOENT" } : {});
  }
}

/** It has just been started, perhaps again, or is about to be. */
const isUnsettled = ({ Status }: ListedContainer): boolean =>
  /^(?:restarting|exited|dead)\b|^up (?:less than a second|\d+ seconds?)\b/i.test(Status ?? "");

/** Throws FormatError. */
export function parseList(json: string): ListedContainer[] {
  const list = parsed(json, "list of containers");
  if (!Array.isArray(list)) throw new FormatError("the engine's list of containers is no list");
  return (list as ListedContainer[]).filter((one) => typeof one?.Id === "string");
}

/** Throws FormatError. */
export function parseDetails(json: string): Details {
  const { State, RestartCount } = (parsed(json, "container") ?? {}) as {
    State?: { Running?: boolean; Restarting?: boolean; OOMKilled?: boolean; ExitCode?: number; FinishedAt?: string };
    RestartCount?: number;
  };
  if (typeof State !== "object" || State === null) throw new FormatError("the engine's container has no state");
  const { Running, Restarting, OOMKilled, ExitCode, FinishedAt } = State;
  const finishedAt = unixSeconds(FinishedAt);
  // when it runs again, the engine has forgotten how it ended
  const hasEnded = finishedAt !== undefined && (Running !== true || Restarting === true);
  const exitCode = Number.isInteger(ExitCode) ? ExitCode : undefined;
  return {
    restarts: Number.isInteger(RestartCount)
      ? restartsThatCame(RestartCount as number, Restarting === true)
      : undefined,
    end: hasEnded ? { oomKilled: OOMKilled === true, exitCode, signal: signalOf(exitCode), finishedAt } : undefined,
  };
}

/** The one that it waits for, which can take a minute, is counted already. */
const restartsThatCame = (count: number, isWaiting: boolean) => Math.max(0, isWaiting ? count - 1 : count);

function parsed(json: string, what: string): unknown {
  try {
    return JSON.parse(json);
  } catch (error) {
    throw new FormatError(`the engine's ${what} is not JSON`, { cause: error });
  }
}
