// All rules, in the order in which they build on each other. Each group can be read in one look.

import { type Detection, detection } from "../catalog/detection.ts";
import { capacityAlerts } from "./families/capacity.ts";
import { countLeaks } from "./families/counts.ts";
import { dayRules, floorRules, levelRules, lifeRules, riseRules } from "./families/growth.ts";
import { goneServices, healthAlerts, runningGroups } from "./families/health.ts";
import { dayByDayLeaks, predictedOom, soonLeaks, steadyLeaks, urgentLeaks } from "./families/leak.ts";
import { lives, restartRules } from "./families/restarts.ts";
import { verdictRules } from "./families/verdict.ts";
import type { RuleGroup } from "./rule.ts";

/** The rules of a set of windows and thresholds. */
export const ruleGroups = (d: Detection = detection): RuleGroup[] => [
  floorRules(d),
  levelRules(d),
  dayRules(d),
  lifeRules(d),
  riseRules(d),
  urgentLeaks(d),
  soonLeaks(d),
  steadyLeaks(d),
  dayByDayLeaks(d),
  restartRules(d),
  lives(d),
  runningGroups(d),
  verdictRules(d),
  predictedOom(d),
  goneServices(d),
  capacityAlerts(d),
  countLeaks(d),
  healthAlerts(d),
];
