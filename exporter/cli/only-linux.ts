// What needs the kernel's files says at once on other systems what to do instead.

import type { Command } from "commander";

const needsLinux = new WeakSet<Command>();

/** Refuses to run a command that reads /proc where there is none, unless it was given one (`--path.procfs`). */
export function onlyLinux(command: Command): Command {
  needsLinux.add(command);
  return command.hook("preAction", () => {
    if (process.platform === "linux" || command.getOptionValueSource("path.procfs") === "cli") return;
    const others = (command.parent?.commands ?? [])
      .filter((other) => !needsLinux.has(other))
      .map((other) => other.name());
    command.error(
      `error: leakwatch ${command.name()} reads /proc, which only Linux has. Run it in a container beside what it watches ` +
        `(docker compose up, or docker run --pid=container:NAME leakwatch ${command.name()}). Here you can use: ${others.join(", ")}.`,
    );
  });
}
