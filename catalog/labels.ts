// The labels that say where a series comes from. Rules join on them, alerts are muted by them, boards choose by them.
// A target need not have all of them: PromQL takes a label that is missing for an empty one.

/** One exporter, as Prometheus scrapes it. */
export const exporterLabels = ["cluster", "namespace", "job", "instance"] as const;

/** A service that it watches. Equal names alone may be on two hosts by chance. */
export const groupLabels = [...exporterLabels, "group"] as const;

/** One process of the service. */
export const slotLabels = [...groupLabels, "slot"] as const;

/** One cgroup that holds watched processes. */
export const cgroupLabels = [...exporterLabels, "cgroup"] as const;

/** The service wherever its processes run: replicas on other hosts are the same service. */
export const serviceLabels = ["cluster", "namespace", "job", "group"] as const;

/** As PromQL writes them behind `on`, `by` and `without`. */
export const listed = (labels: readonly string[]) => labels.join(", ");
