// All rules, in the order in which they build on each other. Each group can be read in one look.

import { type Detection, detection } from "../catalog/detection.ts";
import { capacityAlerts } from "./families/capacity.ts";
import { countLeaks } from "./families/counts.ts";
import { floorRules, growthRules, levelRules, lifeRules } from "./families/growth.ts";
import { healthAlerts } from "./families/health.ts";
import { predictedOom, soonLeaks, steadyLeaks, urgentLeaks } from "./families/leak.ts";
import { lives } from "./families/restarts.ts";
import { verdictRules } from "./families/verdict.ts";
import type { RuleGroup } from "./rule.ts";

/** The rules of a set of windows and thresholds. */
export const ruleGroups = (d: Detection = detection): RuleGroup[] => [
  levelRules(d),
  floorRules(d),
  growthRules(d),
  lifeRules(d),
  urgentLeaks(d),
  soonLeaks(d),
  steadyLeaks(d),
  lives(d),
  verdictRules(d),
  predictedOom(d),
  capacityAlerts(d),
  countLeaks(d),
  healthAlerts(d),
];
