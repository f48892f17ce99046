/** Where the server lies. Nothing is run here, and nothing is made. */

import * as path from "node:path";

export interface Places {
  /** `suture.server.path`, as it is written. */
  readonly setting: string;
  /** Interpreters that the workspace uses; empty in restricted mode, where nothing of it may run. */
  readonly interpreters: readonly string[];
  /** Workspace folders; empty in restricted mode. */
  readonly folders: readonly string[];
  readonly search: string;
  /** The managed environment's folder, whether it is there or not. */
  readonly managed: string;
  readonly home: string;
}

export type Origin = "setting" | "interpreter" | "workspace" | "path" | "managed";

export interface Found {
  readonly command: string;
  readonly origin: Origin;
}

export class NotThere extends Error {}

const ENVIRONMENTS = [".venv", "venv"];

/** The first server that is there. Throws NotThere for a setting that leads nowhere, so that it is not passed over in silence. */
export function locate(places: Places, executable: (file: string) => boolean): Found | undefined {
  if (places.setting) {
    return fromSetting(places, executable);
  }
  return candidates(places).find((each) => executable(each.command));
}

function fromSetting(places: Places, executable: (file: string) => boolean): Found {
  const file = places.setting.replace(/^~(?=$|\/)/, places.home);
  if (!path.isAbsolute(file)) {
    throw new NotThere(`suture.server.path must be absolute, not "${places.setting}"`);
  }
  const found = [file, path.join(file, "suture"), path.join(file, "bin", "suture")].find(executable);
  if (found === undefined) {
    throw new NotThere(`suture.server.path names no program: ${file}`);
  }
  return { command: found, origin: "setting" };
}

function candidates(places: Places): Found[] {
  const beside = places.interpreters.map((each) => ({ command: path.join(path.dirname(each), "suture"), origin: "interpreter" as const }));
  const inside = places.folders.flatMap((folder) =>
    ENVIRONMENTS.map((name) => ({ command: path.join(folder, name, "bin", "suture"), origin: "workspace" as const })),
  );
  // a relative entry of PATH would let the opened folder choose what is run
  const entries = places.search.split(path.delimiter).filter((each) => path.isAbsolute(each));
  const searched = entries.map((entry) => ({ command: path.join(entry, "suture"), origin: "path" as const }));
  return [...beside, ...inside, ...searched, { command: path.join(places.managed, "bin", "suture"), origin: "managed" }];
}

/** Whether a version is at least another one; by the numbers of both, so that `0.1.0.dev3` counts as `0.1.0`. */
export function atLeast(version: string, least: string): boolean {
  const numbers = (text: string) => (/^\d+(?:\.\d+)*/.exec(text)?.[0] ?? "").split(".").map(Number);
  const [have, want] = [numbers(version), numbers(least)];
  for (let at = 0; at < Math.max(have.length, want.length); at += 1) {
    const [one, other] = [have[at] ?? 0, want[at] ?? 0];
    if (one !== other) {
      return one > other;
    }
  }
  return true;
}
