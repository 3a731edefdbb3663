// What the containers of an engine are called, without what changes when they are made again. Who makes containers by the dozen
// says what they belong to in labels: Compose, Swarm, Amazon ECS, Nomad, Kubernetes. One without such a label goes by its name.

import { withoutVersion } from "../versions.ts";
import { type Container, imageName, imageTag } from "./container.ts";

/** One element of the engine's list, as far as it is read. */
export interface ListedContainer {
  Id: string;
  /** With a slash before each; the names of links to a container stand beside its own. */
  Names?: string[];
  Image?: string;
  Labels?: Record<string, string> | null;
  /** `Up 5 seconds`, `Restarting (1) 3 seconds ago`. */
  Status?: string;
}

/** The labels of who made it: what it belongs to, and what it is called in there. */
const makers: readonly { workload: string | undefined; container: string }[] = [
  { workload: "com.docker.compose.project", container: "com.docker.compose.service" },
  { workload: "io.podman.compose.project", container: "com.docker.compose.service" },
  { workload: undefined, container: "com.docker.swarm.service.name" },
  { workload: "com.amazonaws.ecs.task-definition-family", container: "com.amazonaws.ecs.container-name" },
  { workload: "com.hashicorp.nomad.job_name", container: "com.hashicorp.nomad.task_name" },
  { workload: "com.dokku.app-name", container: "com.dokku.process-type" },
];

/** Undefined for a container without a name. How often it was restarted is not in the list. */
export function describedByEngine(listed: ListedContainer): Omit<Container, "restarts"> | undefined {
  const { Id: id, Image: image = "" } = listed;
  const labels = listed.Labels ?? {};
  const called = belongingOf(labels) ?? ownName(listed);
  if (called === undefined) return undefined;
  return {
    id,
    podUid: labels["io.kubernetes.pod.uid"] ?? "",
    pod: labels["io.kubernetes.pod.name"] ?? "",
    namespace: labels["io.kubernetes.pod.namespace"] ?? "",
    ...called,
    image,
    version: imageTag(image),
    isJob: labels["com.docker.compose.oneoff"]?.toLowerCase() === "true",
  };
}

function belongingOf(labels: Record<string, string>): Pick<Container, "workload" | "container"> | undefined {
  const inPod = labels["io.kubernetes.container.name"];
  if (inPod) return { workload: "", container: inPod };
  for (const { workload, container } of makers) {
    const [outer, inner] = [workload === undefined ? "" : labels[workload], labels[container]];
    if (outer !== undefined && inner) return { workload: outer, container: inner };
  }
  return undefined;
}

/**
 * A container's own name, without a version or an id in it. `docker run` without `--name` makes one up, another each time: then
 * the image says what runs, since that is what the user typed.
 */
function ownName({ Names, Image = "" }: ListedContainer): Pick<Container, "workload" | "container"> | undefined {
  // a link is /other/name
  const given = Names?.find((name) => name.lastIndexOf("/") === 0)?.slice(1);
  if (!given) return undefined;
  // Compose calls the old one so while it makes the new one
  const name = given.replace(/^[0-9a-f]{12}_/, "");
  const image = imageName(Image);
  const stem = isMadeUp(name) ? "" : withoutVersion(name).name;
  return { workload: "", container: stem || image || name };
}

/** The words that engines begin such a name with, before the name of somebody who deserves it: `eager_curie`, `eager_curie7`. */
const adjectives = new Set(
  `admiring adoring affectionate agitated amazing angry awesome beautiful blissful bold boring brave busy charming clever compassionate
  competent condescending confident cool cranky crazy dazzling determined distracted dreamy eager ecstatic elastic elated elegant eloquent
  epic exciting fervent festive flamboyant focused friendly frosty funny gallant gifted goofy gracious great happy hardcore heuristic
  hopeful hungry infallible inspiring intelligent interesting jolly jovial keen kind laughing loving lucid magical modest musing mystifying
  naughty nervous nice nifty nostalgic objective optimistic peaceful pedantic pensive practical priceless quirky quizzical recursing relaxed
  reverent romantic sad serene sharp silly sleepy stoic strange stupefied suspicious sweet tender thirsty trusting unruffled upbeat vibrant
  vigilant vigorous wizardly wonderful xenodochial youthful zealous zen`.split(/\s+/),
);

const isMadeUp = (name: string): boolean => adjectives.has(/^([a-z]+)_[a-z]+\d?$/.exec(name)?.[1] ?? "");
