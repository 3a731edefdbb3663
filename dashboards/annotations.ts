// Marks at the exact second: the value of each query is a time, and Grafana sets the mark there. No window to tune, and the
// same marks at every zoom.

import { AnnotationQueryBuilder } from "@grafana/grafana-foundation-sdk/dashboard";
import { colours } from "../catalog/appearance.ts";
import type { Clock, Span } from "./clock.ts";
import * as q from "./queries.ts";
import { source } from "./variables.ts";

type Scope = typeof q.ofSlots;

const mark = (step: string, name: string, color: string, expr: string, title: string, text: string, tags: string) =>
  new AnnotationQueryBuilder()
    .name(name)
    .datasource(source)
    .enable(true)
    .iconColor(color)
    .expr(expr)
    .titleFormat(title)
    .textFormat(text)
    .tagKeys(tags)
    .step(step)
    .useValueForTime(true);

/** More groups than this, and the marks would be a fence. */
const markedGroups = 3;
const ofFew = (of: Scope) => `and on () (count(max ${q.byGroup} (${of(q.ledger.processes)})) <= ${markedGroups})`;

/** Every start of a process. */
export const starts = (clock: Clock, of: Scope) =>
  mark(
    clock.time("1m"),
    "Starts",
    colours.restart,
    `max ${q.bySlot} (${of(q.process.startTime)}) * 1000`,
    "start",
    "{{group}} slot {{slot}}",
    "group,slot",
  );

/** A start after an OOM kill, certain or suspected; where few groups are chosen. */
export const oomKills = (clock: Clock, of: Scope) =>
  mark(
    clock.time("1m"),
    "OOM kills",
    colours.oomKill,
    `max ${q.byGroup} (${of(q.ledger.lastRestart)} and on (${q.exporterLabels.join(", ")}, group) ${of(q.ledger.lastEnd, 'reason=~"oom|suspected_oom"')}) * 1000 ${ofFew(of)}`,
    "killed for lack of memory",
    "{{group}}",
    "group",
  );

/** The first start of a release that was not there before, in a group that was. A release is new for as long as looks are
 * apart, so each is found once; the mark is at the second of the start all the same. Every look asks much. */
export const deploys = (clock: Clock, of: Scope, groups: Scope, apart: Span) => {
  const looks = clock.time(apart);
  const labels = `${q.groupLabels.join(", ")}, release`;
  const release = q.releases(of, q.ofContainers);
  return mark(
    looks,
    "Deploys",
    colours.deploy,
    [
      `(min by (${labels}) (max by (${q.slotLabels.join(", ")}, release) (${release}) * ${q.onSlot} group_left () max ${q.bySlot} (${of(q.process.startTime)}))`,
      `unless on (${labels}) max by (${labels}) (${q.releases(of, q.ofContainers, ` offset ${looks}`)})`,
      `and on (${q.groupLabels.join(", ")}) max ${q.byGroup} (${groups(q.ledger.processes)} offset ${looks} > 0)) * 1000`,
    ].join(" "),
    "new release {{release}}",
    "{{group}}",
    "group,release",
  );
};
