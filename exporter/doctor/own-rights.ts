// What we ourselves may do, from /proc/self/status and the options of the procfs mount:
//   Uid:    1000    1000    1000    1000
//   CapEff: 0000000000080000
//   22 27 0:21 / /proc rw,relatime - proc proc rw,hidepid=invisible
// https://docs.kernel.org/filesystems/proc.html (mount options), capabilities(7)

export interface Credentials {
  readonly uid: number;
  readonly effectiveUid: number;
  /** Capabilities that matter here and are in effect. */
  readonly ptrace: boolean;
  /** Ids in each pid namespace, ours last; one id where we are in the namespace of this procfs. */
  readonly namespacePids: readonly number[];
}

/** CAP_SYS_PTRACE of the kernel's capability.h. */
const ptraceBit = 1n << 19n;

/** Undefined when the file has no ids. */
export function parseCredentials(status: string): Credentials | undefined {
  const [, uid, effectiveUid] = /^Uid:\t(\d+)\t(\d+)/m.exec(status) ?? [];
  if (uid === undefined) return undefined;
  const effective = /^CapEff:\t([0-9a-f]+)$/m.exec(status)?.[1] ?? "0";
  const pids = /^NSpid:\t([\d\t]+)$/m.exec(status)?.[1];
  return {
    uid: Number(uid),
    effectiveUid: Number(effectiveUid),
    ptrace: (BigInt(`0x${effective}`) & ptraceBit) !== 0n,
    namespacePids: pids === undefined ? [] : pids.split("\t").map(Number),
  };
}

const hidesNothing = new Set(["0", "off"]);

/** Value of `hidepid` of the procfs mounted there; undefined where it hides nothing. The last mount covers the others. */
export function parseHidepid(mountinfo: string, procfs: string): string | undefined {
  const mount = mountinfo
    .split("\n")
    .filter((line) => line.split(" ")[4] === procfs)
    .at(-1);
  const value = mount === undefined ? undefined : /[ ,]hidepid=(\w+)/.exec(mount)?.[1];
  return value === undefined || hidesNothing.has(value) ? undefined : value;
}
