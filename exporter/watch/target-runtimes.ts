// What the environments of processes say of their heap limits, and which runtime a program has that its name does not tell. Targets can
// hold up such readings, so they are made like those of arguments: one after the other, and within the time that a pass has for them.

import { targetReads } from "../../catalog/defaults.ts";
import { isDotnetThread } from "../discovery/runtimes/dotnet.ts";
import { readEnvironment } from "../discovery/runtimes/environment.ts";
import { headBytes, isGoProgram } from "../discovery/runtimes/go.ts";
import { failureReason, type KernelFiles, type ProcFolder } from "../kernel/files.ts";
import { HeldUpElsewhere, type TargetFiles } from "../kernel/target-files.ts";
import type { Life } from "../model/life.ts";
import { mostThreads } from "../samplers/process-folder.ts";
import { folderOf } from "../samplers/process-reader.ts";
import type { Slices } from "./slices.ts";

/** Of a process whose environment was not read, or may not be. */
export const nothingRead: Life["runtime"] = { environment: undefined };

export class TargetRuntimes {
  private readonly files: KernelFiles;
  private readonly targetFiles: TargetFiles;
  private readonly slices: Slices;
  /** Seconds that this pass has waited for its targets. */
  private waited = 0;

  constructor(files: KernelFiles, targetFiles: TargetFiles, slices: Slices) {
    this.files = files;
    this.targetFiles = targetFiles;
    this.slices = slices;
  }

  /** A pass begins. */
  begin(): void {
    this.waited = 0;
  }

  /**
   * Stores in each life what its environment says, once for each program that it runs: an environment does not change. `command` tells one
   * program from another; undefined where it is not known. `now` is in seconds since boot.
   */
  async read(lives: readonly { life: Life; command: string | undefined }[], now: number): Promise<void> {
    const due = lives.filter(
      ({ life, command }) =>
        command !== undefined && life.runtimeReadOf !== command && now >= life.environmentAsideUntil,
    );
    if (due.length === 0) return;
    await this.slices.aside(async () => {
      for (const { life, command } of due) {
        if (this.waited > targetReads.secondsInPass) return;
        const started = performance.now();
        await this.readOne(life, command, now);
        this.waited += (performance.now() - started) / 1000;
      }
    });
  }

  private async readOne(life: Life, command: string | undefined, now: number): Promise<void> {
    const folder = folderOf(life.handle);
    life.runtime = nothingRead;
    life.runtimeReadOf = undefined;
    try {
      const environment = readEnvironment(await this.targetFiles.procText(folder, "environ"));
      const { go, dotnet } = environment;
      const isGo = go !== undefined && isGoProgram(await this.targetFiles.programHead(folder, headBytes));
      const shown = isGo ? "go" : mayBeDotnet(dotnet) && this.hasDotnetThreads(life.pid) ? "dotnet" : undefined;
      life.runtime = { environment, shown };
      life.runtimeReadOf = command;
    } catch (error) {
      // who has not the permission, as is ordinary, is asked again when it is named again
      if (failureReason(error) === "timeout") {
        const isItsDoing = !(error instanceof HeldUpElsewhere);
        life.environmentAsideUntil = now + (isItsDoing ? targetReads.asideSeconds : targetReads.againSeconds);
      }
    }
  }

  /** The names of threads may be read by everybody. */
  private hasDotnetThreads(pid: number): boolean {
    const task: ProcFolder = pid;
    return this.files.listUpTo(this.files.proc(task, "task"), mostThreads).some((thread) => {
      try {
        return isDotnetThread(this.files.text(this.files.proc(task, "task", thread, "comm")));
      } catch {
        return false; // ended since
      }
    });
  }
}

/** Does its environment look as if it could be a .NET program? */
const mayBeDotnet = (dotnet: object): boolean => Object.keys(dotnet).length > 0;
