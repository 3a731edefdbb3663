// `leakwatch completion`: a script for the user's shell, made from the commands and their options.

import { Argument, Command } from "commander";
import { withManual } from "./manual.ts";

export const shells = ["bash", "zsh", "fish"] as const;

export function completionCommand(): Command {
  const command = new Command("completion")
    .description("print a script that completes commands and options in your shell")
    .addArgument(new Argument("<shell>", "the shell that you use").choices(shells))
    .allowExcessArguments(false);
  command.action(async (shell: (typeof shells)[number]) => {
    const { completionScript } = await import("../completion/script.ts");
    process.stdout.write(completionScript(shell, command.parent as Command));
  });
  return withManual(command, {
    examples: [
      ["source <(leakwatch completion bash)", "bash: in ~/.bashrc"],
      ["source <(leakwatch completion zsh)", "zsh: in ~/.zshrc, after compinit"],
      ["leakwatch completion fish > ~/.config/fish/completions/leakwatch.fish", "fish: once"],
    ],
    exitCodes: { 0: "printed", 2: "an unknown shell" },
  });
}
