// Where the inspector of a Node.js process listens, and how one is opened. It gives whoever can connect to it full control over the program, so it
// listens on loopback alone, and one that was opened here is closed again.
// https://nodejs.org/en/learn/getting-started/debugging

import path from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import type { KernelFiles } from "../../kernel/files.ts";
import { parseCmdline } from "../../procfs/cmdline.ts";
import { type ListeningSocket, parseListening } from "../../procfs/net-tcp.ts";

/** An address that only our own children listen at: no other port of the program is ever asked. */
const ownAddress = "127.98.47.1";
const nodeAddress = "127.0.0.1";
const nodePort = 9229;

/**
 * The environment of a command that is to open an inspector in each of its Node.js processes, on a free port. (Only the URL is published over
 * HTTP: else each would print it.)
 */
export function withInspector(environment: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const before = environment["NODE_OPTIONS"];
  const ours = `--inspect=${ownAddress}:0 --inspect-publish-uid=http`;
  return { ...environment, NODE_OPTIONS: before ? `${before} ${ours}` : ours };
}

export interface Inspector {
  readonly url: string;
  /** Was it opened by us, so that it has to be closed again? */
  readonly isOurs: boolean;
}

export class InspectorError extends Error {
  override readonly name = "InspectorError";
}

/** Time for Node.js to open its inspector, in seconds; it takes a quarter of one. */
const opensWithin = 3;

/** Finds the inspector, or opens one where that is allowed. Throws InspectorError. */
export async function openInspector(
  files: KernelFiles,
  pid: number,
  { maySignal }: { maySignal: boolean },
): Promise<Inspector> {
  if (files.link(files.proc(pid, "ns/net")) !== files.link(files.proc("self", "ns/net"))) {
    throw new InspectorError("it is in another network namespace, so its inspector cannot be reached");
  }
  const before = socketsOf(files, pid);
  const open = await inspectorAmong(before.filter(mayBeInspector));
  if (open !== undefined) return { url: open, isOurs: false };
  if (!maySignal) throw new InspectorError("it has no open inspector");
  mustBeSafeToSignal(files, pid);
  mustHaveItsPort(files, pid);
  process.kill(pid, "SIGUSR1");
  const isNew = ({ inode }: ListeningSocket) => before.every((known) => known.inode !== inode);
  const until = performance.now() + opensWithin * 1000;
  while (performance.now() < until) {
    await wait(25);
    const url = await inspectorAmong(socketsOf(files, pid).filter(isNew));
    if (url !== undefined) return { url, isOurs: true };
  }
  throw new InspectorError("it did not open its inspector");
}

/** Of the ports that a program had before only those are asked: others are its own business. */
const mayBeInspector = ({ address, port }: ListeningSocket): boolean =>
  address === ownAddress || (address === nodeAddress && port === nodePort);

/** To a program that does not handle it the signal is deadly; Node.js does unless it was told not to (--disable-sigusr1). */
function mustBeSafeToSignal(files: KernelFiles, pid: number): void {
  const program = path.basename(files.link(files.proc(pid, "exe")));
  const caught = /^SigCgt:\s*([\da-f]+)$/m.exec(files.text(files.proc(pid, "status")))?.[1] ?? "0";
  const handlesIt = ((BigInt(`0x${caught}`) >> BigInt(sigusr1 - 1)) & 1n) === 1n;
  if (!/^(node|nodejs)$/.test(program) || !handlesIt) {
    throw new InspectorError("it does not open an inspector on SIGUSR1");
  }
}

const sigusr1 = 10;

/** Where its arguments name no other port it is the usual one, which another process may have. */
function mustHaveItsPort(files: KernelFiles, pid: number): void {
  const hasOwn = parseCmdline(files.text(files.proc(pid, "cmdline"))).some((word) => /^--inspect-port=/.test(word));
  if (
    !hasOwn &&
    socketsOfNamespace(files, pid).some(({ address, port }) => address === nodeAddress && port === nodePort)
  ) {
    throw new InspectorError(`another process listens on port ${nodePort}, where its inspector would`);
  }
}

async function inspectorAmong(sockets: readonly ListeningSocket[]): Promise<string | undefined> {
  for (const { address, port } of sockets) {
    try {
      const answer = await fetch(`http://${address}:${port}/json/list`, { signal: AbortSignal.timeout(2000) });
      const [first] = (await answer.json()) as { type: string; webSocketDebuggerUrl: string }[];
      const url = String(first?.webSocketDebuggerUrl);
      if (first?.type === "node" && url.startsWith(`ws://${address}:${port}/`)) return url;
    } catch {
      // not an inspector, or not yet
    }
  }
  return undefined;
}

function socketsOfNamespace(files: KernelFiles, pid: number): ListeningSocket[] {
  return parseListening(files.textUpTo(files.proc(pid, "net/tcp"), mostSocketBytes));
}

/** Of the list of sockets listening ones come first. */
const mostSocketBytes = 512 * 1024;
const mostDescriptors = 4096;

function socketsOf(files: KernelFiles, pid: number): ListeningSocket[] {
  const own = new Set<string>();
  for (const fd of files.listUpTo(files.proc(pid, "fd"), mostDescriptors)) {
    try {
      const inode = /^socket:\[(\d+)\]$/.exec(files.link(files.proc(pid, "fd", fd)))?.[1];
      if (inode !== undefined) own.add(inode);
    } catch {
      // closed since
    }
  }
  return socketsOfNamespace(files, pid).filter(({ inode }) => own.has(inode));
}
