import * as assert from "node:assert/strict";
import { test } from "node:test";
import { face, type Situation } from "../src/status";
import type { Status } from "../src/wire";

const quiet: Status = { root: "file:///w", checking: [], repairing: 0, queued: 0, offers: 0, problems: 0, policy: "ready", trusted: true, message: "" };
const at = (change: Partial<Situation>, ...roots: Partial<Status>[]): Situation => ({
  server: "running",
  trusted: true,
  offers: 0,
  roots: roots.map((each) => ({ ...quiet, ...each })),
  ...change,
});

test("the most pressing thing is said", () => {
  assert.equal(face(at({})).text, "$(check) suture");
  assert.equal(face(at({}, { problems: 1 }, { problems: 2 })).text, "$(wrench) suture: 3 problems");
  assert.match(face(at({ offers: 1 }, { problems: 1 })).text, /1 fix ready$/);
  assert.match(face(at({}, { checking: ["tests"] })).text, /checking$/);
  assert.match(face(at({ offers: 2 }, { checking: ["tests"] })).text, /checking · 2 fixes ready$/);
  assert.match(face(at({ offers: 1 })).text, /1 fix ready$/);
  assert.match(face(at({}, { policy: "down", message: "why" })).text, /policy down$/);
  assert.equal(face(at({}, { policy: "down", message: "why" })).tooltip, "why");
  assert.equal(face(at({}, { message: "the environment is another one" })).severity, "warning");
});

test("work in all folders is counted together", () => {
  assert.match(face(at({}, { repairing: 1, queued: 2 }, { repairing: 1 })).text, /repairing 2, 2 waiting$/);
});

test("without a server nothing else matters", () => {
  assert.equal(face(at({ server: "missing", offers: 3 })).severity, "error");
  assert.equal(face(at({ server: "failed" })).severity, "error");
  assert.match(face(at({ server: "starting" })).tooltip, /starting/);
});

test("restricted mode says so", () => {
  assert.match(face(at({ trusted: false })).tooltip, /^Restricted mode/);
  assert.equal(face(at({ trusted: false, server: "missing" })).severity, "error");
});
