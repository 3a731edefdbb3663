// A command for a JVM (HotSpot), as jcmd sends it: the JVM is asked by a file and a signal to listen at a socket in its /tmp, which stays there for
// as long as it runs, and answers one command for each connection.
// https://openjdk.org/groups/hotspot/docs/Serviceability.html#battach

import fs from "node:fs";
import net from "node:net";
import { setTimeout as wait } from "node:timers/promises";
import type { KernelFiles } from "../../kernel/files.ts";

/** Time for the JVM to listen, and then to carry out the command, in seconds. */
const listensWithin = 5;
const answersWithin = 30;
const mostAnswer = 64 * 1024;
const sigquit = 3;

/** What it answers. Throws an error for the user. */
export async function runJcmd(files: KernelFiles, pid: number, command: string): Promise<string> {
  const status = files.text(files.proc(pid, "status"));
  const own = /^NSpid:.*?(\d+)$/m.exec(status)?.[1] ?? String(pid);
  const tmp = files.proc(pid, "root/tmp");
  const socket = `${tmp}/.java_pid${own}`;
  if (!isSocket(socket)) await askToListen(pid, { status, trigger: `${tmp}/.attach_pid${own}`, socket });
  return send(socket, command);
}

async function askToListen(
  pid: number,
  { status, trigger, socket }: { status: string; trigger: string; socket: string },
): Promise<void> {
  const caught = /^SigCgt:\s*([\da-f]+)$/m.exec(status)?.[1] ?? "0";
  // to a program that does not handle it the signal is deadly; a JVM that was told not to (-Xrs) has its socket from the start
  if (((BigInt(`0x${caught}`) >> BigInt(sigquit - 1)) & 1n) === 0n) throw new Error("its JVM does not listen");
  const [uid, gid] = [/^Uid:\s+\d+\s+(\d+)/m, /^Gid:\s+\d+\s+(\d+)/m].map((line) => Number(line.exec(status)?.[1]));
  fs.closeSync(fs.openSync(trigger, "wx", 0o600));
  try {
    fs.chownSync(trigger, uid as number, gid as number); // the JVM takes no orders from other users
    process.kill(pid, "SIGQUIT");
    for (let waited = 0; !isSocket(socket); waited += 0.05) {
      if (waited >= listensWithin) throw new Error("its JVM does not listen");
      await wait(50);
    }
  } finally {
    fs.rmSync(trigger, { force: true });
  }
}

function isSocket(file: string): boolean {
  return fs.lstatSync(file, { throwIfNoEntry: false })?.isSocket() === true;
}

/** Version 1 of the protocol: four words, each ended by a NUL. */
function send(socket: string, command: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const parts: Buffer[] = [];
    let length = 0;
    const connection = net.connect(socket, () => connection.write(`1\0jcmd\0${command}\0\0\0`));
    const timer = setTimeout(() => connection.destroy(new Error("its JVM does not answer")), answersWithin * 1000);
    connection.on("data", (part) => {
      length += part.length;
      if (length <= mostAnswer) parts.push(part);
    });
    connection.on("error", reject);
    connection.on("close", () => {
      clearTimeout(timer);
      const [, code, answer = ""] = /^(-?\d+)\n(.*)$/s.exec(Buffer.concat(parts).toString("utf8")) ?? [];
      if (code === "0") resolve(answer);
      else reject(new Error(`its JVM does not carry out ${command}`));
    });
  });
}
