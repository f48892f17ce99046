import * as assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { told, type Inspected } from "../src/settings";

const given: Record<string, Inspected & { defaultValue?: unknown }> = {
  "editor.check_on": { defaultValue: "save" },
  "policy.spec": { defaultValue: "embedded", globalValue: "vllm" },
  "privacy.exclude": { globalValue: ["a"], workspaceValue: ["b"] },
  "harness.thinking": { workspaceFolderValue: false, workspaceValue: true },
};
const names = [...Object.keys(given), "unknown"];

test("only what was set is told, the nearest value first", () => {
  assert.deepEqual(told(names, (name) => given[name], true), { "policy.spec": "vllm", "privacy.exclude": ["b"], "harness.thinking": false });
});

test("in restricted mode what the workspace says is not told", () => {
  assert.deepEqual(told(names, (name) => given[name], false), { "policy.spec": "vllm", "privacy.exclude": ["a"] });
});

const manifest = JSON.parse(readFileSync("package.json", "utf8"));
const properties: Record<string, { scope: string }> = Object.assign({}, ...manifest.contributes.configuration.map((each: { properties: object }) => each.properties));

test("what can run code or send code away is the person's alone", () => {
  const mine = ["server.path", "server.package", "policy.spec", "environment.python", "guard.allow_test_edits", "guard.allow_deletions", "journal.path", "sandbox.seconds", "privacy.exclude"];
  for (const name of mine) {
    assert.equal(properties[`suture.${name}`]?.scope, "machine", name);
  }
  const restricted = Object.keys(properties).filter((name) => properties[name]?.scope === "machine");
  assert.deepEqual([...manifest.capabilities.untrustedWorkspaces.restrictedConfigurations].sort(), restricted.sort());
});

test("commands in menus, keys and views are there", () => {
  const known = new Set(manifest.contributes.commands.map((each: { command: string }) => each.command));
  const text = JSON.stringify([manifest.contributes.menus, manifest.contributes.keybindings, manifest.contributes.viewsWelcome, manifest.contributes.walkthroughs]);
  const named = text.match(/suture\.[a-z]+[A-Z][A-Za-z]+(?=[")])/g) ?? [];
  assert.ok(named.length > 10);
  assert.deepEqual(named.filter((each) => !known.has(each) && !["suture.offerShown"].includes(each)), []);
});
