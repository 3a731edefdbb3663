// A sidecar's heap is small, and V8 sees no reason to look for garbage in so small a heap until it has doubled. Sockets and
// parsers of finished requests wait in it. So the exporter asks for a collection now and then, while that is cheap.

import v8 from "node:v8";
import vm from "node:vm";

/** Larger heaps are left to V8: it looks at them often enough, and a collection would be felt. */
const smallHeap = 24 * 1024 * 1024;

/** Passes between two collections. */
const everyPasses = 40;

/** Call it after every pass. */
export function heapTidier(): () => void {
  v8.setFlagsFromString("--expose-gc");
  const collect = vm.runInNewContext("gc") as () => void;
  v8.setFlagsFromString("--no-expose-gc");
  let passes = 0;
  return () => {
    if (++passes % everyPasses !== 0 || v8.getHeapStatistics().used_heap_size > smallHeap) return;
    collect();
  };
}
