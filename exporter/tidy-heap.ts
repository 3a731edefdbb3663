// A sidecar's heap is small, and V8 sees no reason to look for garbage in so small a heap until it has doubled. Sockets and
// parsers of finished requests wait in it. So the exporter asks for a collection now and then, while that is cheap.

import v8 from "node:v8";
import vm from "node:vm";

/** With more processes than this, V8 looks at the heap often enough, and a collection would be felt in every pass. */
const fewProcesses = 200;

/** Passes between two collections: at the default interval, one in less than a minute. */
const everyPasses = 10;

/** Call it after every pass, with the number of processes watched. */
export function heapTidier(): (processes: number) => void {
  v8.setFlagsFromString("--expose-gc");
  const collect = vm.runInNewContext("gc") as () => void;
  v8.setFlagsFromString("--no-expose-gc");
  let passes = 0;
  return (processes) => {
    if (++passes % everyPasses === 0 && processes <= fewProcesses) collect();
  };
}
