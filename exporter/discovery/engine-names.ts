// The names of containers, from the container engine's own API over its unix socket. Optional: whoever may talk to that socket
// may do everything on the machine, so it is asked for one thing only, and never written to.
// https://docs.docker.com/reference/api/engine/version/v1.41/#tag/Container/operation/ContainerList

import { engineRefreshSeconds } from "../../catalog/defaults.ts";
import type { Failures } from "../failures.ts";
import { FormatError } from "../kernel/files.ts";
import type { ContainerName } from "../kubernetes/pods.ts";

/** See web/server.ts: an import would load much more. */
const { request } = process.getBuiltinModule("node:http");

/** An answer that takes longer is none, in milliseconds. */
const answerWithin = 5000;

/** Seconds between two questions when a container is met that the list does not have. */
const soonest = 2;

/** The parts of a group's name that come before the program's. */
type NamedContainer = Pick<ContainerName, "namespace" | "workload" | "container">;

/** One element of the engine's list, as far as it is read. */
interface ListedContainer {
  Id: string;
  /** With a slash before each; the names of links to a container stand beside its own. */
  Names: string[];
}

export class EngineNames {
  private readonly socket: string;
  private readonly failures: Failures;
  private readonly clock: { monotonic(): number };
  private readonly onChange: () => void;
  private names: ReadonlyMap<string, string> = new Map();
  private missing = false;
  private askedAt = Number.NEGATIVE_INFINITY;

  constructor(options: {
    socket: string;
    failures: Failures;
    clock: { monotonic(): number };
    /** Called when a container was named, renamed or removed. */
    onChange: () => void;
  }) {
    this.socket = options.socket;
    this.failures = options.failures;
    this.clock = options.clock;
    this.onChange = options.onChange;
  }

  /** Undefined for a container that the engine did not know when it was last asked; then it is asked again soon. */
  of(containerId: string | undefined): NamedContainer | undefined {
    if (containerId === undefined) return undefined;
    const container = this.names.get(containerId);
    if (container === undefined) this.missing = true;
    return container === undefined ? undefined : { namespace: "", workload: "", container };
  }

  /** To be called now and then; never throws. What was known stays when the engine does not answer. */
  async refreshIfDue(): Promise<void> {
    const since = this.clock.monotonic() - this.askedAt;
    if (since < (this.missing ? soonest : engineRefreshSeconds)) return;
    this.askedAt = this.clock.monotonic();
    this.missing = false;
    try {
      const names = parseContainerNames(await this.ask("/containers/json"));
      const changed = names.size !== this.names.size || [...names].some(([id, name]) => this.names.get(id) !== name);
      this.names = names;
      if (changed) this.onChange();
    } catch (error) {
      this.failures.add("engine", error, "the names of containers");
    }
  }

  private ask(path: string): Promise<string> {
    return new Promise((resolve, reject) => {
      const asked = request({ socketPath: this.socket, path, timeout: answerWithin }, (response) => {
        let text = "";
        response.setEncoding("utf8").on("data", (part: string) => {
          text += part;
        });
        response.on("error", reject);
        response.on("end", () => {
          if (response.statusCode === 200) resolve(text);
          else reject(new Error(`the engine answered ${response.statusCode}`));
        });
      });
      asked.on("timeout", () => asked.destroy(new Error("the engine does not answer")));
      asked.on("error", reject);
      asked.end();
    });
  }
}

/** Container id → its name. Throws FormatError. */
export function parseContainerNames(json: string): Map<string, string> {
  let list: ListedContainer[];
  try {
    list = JSON.parse(json) as ListedContainer[];
  } catch (error) {
    throw new FormatError("the engine's list of containers is not JSON", { cause: error });
  }
  if (!Array.isArray(list)) throw new FormatError("the engine's list of containers is no list");
  return new Map(
    list.flatMap(({ Id, Names }) => {
      // a link is /other/name
      const name = Names?.find((one) => one.lastIndexOf("/") === 0)?.slice(1);
      return typeof Id === "string" && name ? [[Id, name] as const] : [];
    }),
  );
}
