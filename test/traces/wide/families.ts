// The wide set: services of all sizes and speeds, some of them recorded in test/recordings and then drawn wider.

import type { Family } from "../service.ts";
import * as caches from "./caches.ts";
import * as heaps from "./heaps.ts";
import * as leaks from "./leaks.ts";
import * as load from "./load.ts";
import * as masked from "./masked-leaks.ts";
import * as restarting from "./restarting.ts";

export const wide: readonly Family[] = [
  leak("any_steady_leak", leaks.anySteadyLeak),
  leak("fast_leak", leaks.fastLeak),
  leak("leak_begins_with_deploy", leaks.leakBeginsWithDeploy),
  leak("leak_under_waves", leaks.leakUnderWaves),
  leak("leak_under_days_of_load", leaks.leakUnderDaysOfLoad),
  leak("leak_under_deep_teeth", leaks.leakUnderDeepTeeth),
  leak("leak_rests_at_night", leaks.leakRestsAtNight),
  leak("leak_beside_filling_cache", leaks.leakBesideFillingCache),
  leak("leak_after_cache_is_full", leaks.leakAfterCacheIsFull),
  leak("accelerating_leak", leaks.acceleratingLeak),
  leak("decelerating_leak", leaks.deceleratingLeak),
  leak("leak_per_job", leaks.leakPerJob),
  leak("leak_outside_the_heap", leaks.leakOutsideTheHeap),
  leak("leak_in_committed_steps", leaks.leakInCommittedSteps),
  leak("leak_with_pauses", leaks.leakWithPauses),
  leak("leak_in_strong_noise", leaks.leakInStrongNoise),
  leak("nightly_steps_under_wave", leaks.nightlyStepsUnderWave),
  leak("one_worker_of_many", leaks.oneWorkerOfMany),
  leak("all_workers_leak", leaks.allWorkersLeak),
  leak("leak_masked_by_cron", masked.leakMaskedByCron),
  leak("leak_masked_by_deploys", masked.leakMaskedByDeploys),
  leak("oom_loop_of_minutes", masked.oomLoopOfMinutes),
  leak("oom_loop_of_hours", masked.oomLoopOfHours),
  leak("dies_of_its_heap_limit", masked.diesOfItsHeapLimit),
  leak("leaking_workers_recycled", masked.leakingWorkersRecycled),
  healthy("cache_fills_in_minutes", caches.cacheFillsInMinutes),
  healthy("cache_fills_in_hours", caches.cacheFillsInHours),
  healthy("cache_refilled_by_deploys", caches.cacheRefilledByDeploys),
  healthy("cache_with_time_to_live", caches.cacheWithTimeToLive),
  healthy("store_fills_to_its_maximum", caches.storeFillsToItsMaximum),
  healthy("two_phase_warm_up", caches.twoPhaseWarmUp),
  healthy("page_cache_wanders", caches.pageCacheWanders),
  healthy("rare_large_requests", caches.rareLargeRequests),
  healthy("slow_fragmentation", caches.slowFragmentation),
  healthy("import_that_ends", caches.importThatEnds),
  healthy("v8_ramps_to_its_maximum", heaps.v8RampsToItsMaximum),
  healthy("jvm_ramps_to_xmx", heaps.jvmRampsToXmx),
  healthy("full_collections_by_hours", heaps.fullCollectionsByHours),
  healthy("reset_by_the_week", heaps.resetByTheWeek),
  healthy("memory_returned_late", heaps.memoryReturnedLate),
  healthy("very_noisy", heaps.veryNoisy),
  healthy("idle", heaps.idle),
  healthy("waves_of_minutes", load.wavesOfMinutes),
  healthy("waves_of_hours", load.wavesOfHours),
  healthy("unequal_days", load.unequalDays),
  healthy("pool_grows_with_load", load.poolGrowsWithLoad),
  healthy("batch_raises_plateau", load.batchRaisesPlateau),
  healthy("frequent_jobs", load.frequentJobs),
  healthy("rolling_deploys", restarting.rollingDeploys),
  healthy("steps_at_deploys", restarting.stepsAtDeploys),
  healthy("young_crash_loop", restarting.youngCrashLoop),
  healthy("recycled_workers", restarting.recycledWorkers),
  healthy("cron_restarts_filling_cache", restarting.cronRestartsFillingCache),
];

function leak(name: string, make: Family["make"]): Family {
  return { name, label: "leak", make };
}

function healthy(name: string, make: Family["make"]): Family {
  return { name, label: "healthy", make };
}
