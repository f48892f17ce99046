/** What the status bar says, from what the servers of all workspace folders say. Nothing here knows of VS Code. */

import type { Status } from "./wire";

export type Server = "off" | "installing" | "starting" | "running" | "failed" | "missing";

export interface Situation {
  readonly server: Server;
  readonly trusted: boolean;
  readonly offers: number;
  readonly roots: readonly Status[];
}

export interface Face {
  readonly text: string;
  readonly tooltip: string;
  readonly severity: "none" | "warning" | "error";
}

/** The most pressing thing first: what a person can act upon goes before what goes on by itself. */
export function face(now: Situation): Face {
  if (now.server === "missing" || now.server === "failed") {
    const tooltip = now.server === "missing" ? "The language server is not installed" : "The language server does not run: see its output";
    return { text: "$(error) suture", tooltip, severity: "error" };
  }
  if (!now.trusted) {
    return { text: "$(shield) suture", tooltip: "Restricted mode: nothing of this workspace is run until you trust it", severity: "none" };
  }
  if (now.server !== "running") {
    const doing = now.server === "installing" ? "being installed" : "starting";
    return { text: "$(loading~spin) suture", tooltip: `The language server is ${doing}`, severity: "none" };
  }
  return working(now) ?? resting(now);
}

function working(now: Situation): Face | undefined {
  const repairing = sum(now.roots, (each) => each.repairing);
  const queued = sum(now.roots, (each) => each.queued);
  const ready = now.offers ? ` · ${fixes(now.offers)} ready` : "";
  if (repairing + queued > 0) {
    const waiting = queued ? `, ${queued} waiting` : "";
    const tooltip = `Repairing ${repairing}${waiting}${ready}`;
    return { text: `$(loading~spin) suture: repairing ${repairing}${waiting}${ready}`, tooltip, severity: "none" };
  }
  const checks = [...new Set(now.roots.flatMap((each) => each.checking))];
  if (checks.length > 0) {
    return { text: `$(loading~spin) suture: checking${ready}`, tooltip: `Checking: ${checks.join(", ")}`, severity: "none" };
  }
  return undefined;
}

function resting(now: Situation): Face {
  if (now.offers > 0) {
    return { text: `$(sparkle) suture: ${fixes(now.offers)} ready`, tooltip: "Proven in the sandbox, and yours to decide", severity: "none" };
  }
  const down = now.roots.find((each) => each.policy === "down");
  if (down) {
    return { text: "$(warning) suture: policy down", tooltip: down.message || "The policy does not answer", severity: "warning" };
  }
  const unable = now.roots.find((each) => each.message);
  if (unable) {
    return { text: "$(warning) suture", tooltip: unable.message, severity: "warning" };
  }
  const problems = sum(now.roots, (each) => each.problems);
  if (problems > 0) {
    const said = problems === 1 ? "1 problem" : `${problems} problems`;
    return { text: `$(wrench) suture: ${said}`, tooltip: `Nothing is going on; ${said} to repair`, severity: "none" };
  }
  return { text: "$(check) suture", tooltip: "Nothing is going on", severity: "none" };
}

function fixes(count: number): string {
  return count === 1 ? "1 fix" : `${count} fixes`;
}

function sum(roots: readonly Status[], of: (status: Status) => number): number {
  return roots.reduce((total, each) => total + of(each), 0);
}
