/** A virtual environment of the extension's own, with the server in it. Made only when a person asks for it. */

import { spawn } from "node:child_process";
import * as fs from "node:fs/promises";
import * as path from "node:path";

export interface Run {
  (command: string, args: readonly string[], cancelled: AbortSignal): Promise<string>;
}

export interface Wanted {
  readonly folder: string;
  /** What pip is to install. */
  readonly requirement: string;
  /** Interpreters to make the environment with, the likeliest first. */
  readonly pythons: readonly string[];
}

/** What pip is to install where a person says nothing: the wheel that came with the extension, which nobody can put another one in place of. */
export async function carried(extension: string): Promise<string> {
  const folder = path.join(extension, "dist", "server");
  const wheel = (await fs.readdir(folder).catch(() => [])).find((each) => each.endsWith(".whl"));
  if (!wheel) {
    throw new Error("this build of the extension carries no server: say in suture.server.package what pip is to install");
  }
  return `${path.join(folder, wheel)}[local]`;
}

const OLD_ENOUGH = "import sys, venv, ensurepip; print(int(sys.version_info >= (3, 11)))";

/** Make it, or bring it up to date. Throws with what pip said; a half-made environment is taken away again. */
export async function make(wanted: Wanted, run: Run, report: (text: string) => void, cancelled: AbortSignal): Promise<void> {
  const python = path.join(wanted.folder, "bin", "python");
  const exists = await fs.stat(python).then(() => true, () => false);
  try {
    if (!exists) {
      report("making a virtual environment");
      await fs.mkdir(path.dirname(wanted.folder), { recursive: true });
      await run(await interpreter(wanted.pythons, run, cancelled), ["-m", "venv", "--clear", wanted.folder], cancelled);
    }
    report(`installing ${path.basename(wanted.requirement)}`);
    await run(python, ["-m", "pip", "install", "--disable-pip-version-check", "--no-input", "--upgrade", wanted.requirement], cancelled);
  } catch (error) {
    if (!exists) {
      await fs.rm(wanted.folder, { recursive: true, force: true });
    }
    throw error;
  }
}

async function interpreter(pythons: readonly string[], run: Run, cancelled: AbortSignal): Promise<string> {
  for (const python of pythons) {
    const said = await run(python, ["-c", OLD_ENOUGH], cancelled).catch(() => "");
    if (said.trim() === "1") {
      return python;
    }
  }
  throw new Error("no Python 3.11 or later with venv was found: on Debian and Ubuntu, apt install python3 python3-venv");
}

/** Run a program to its end; its output, or an Error with the last lines of what it said. */
export const run: Run = (command, args, cancelled) =>
  new Promise((resolve, reject) => {
    const child = spawn(command, args, { signal: cancelled, stdio: ["ignore", "pipe", "pipe"] });
    let output = "";
    const take = (data: Buffer) => {
      output = (output + data.toString()).slice(-20_000);
    };
    child.stdout.on("data", take);
    child.stderr.on("data", take);
    child.on("error", reject);
    child.on("close", (code) => {
      if (code === 0) {
        resolve(output);
      } else {
        reject(new Error(output.trim().split("\n").slice(-5).join("\n") || `${command} ended with ${code}`));
      }
    });
  });
