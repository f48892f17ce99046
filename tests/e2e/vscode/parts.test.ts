/** Parts of a fix: single changes, chosen in the diff, in the view of fixes, or by the context menu. */

import * as assert from "node:assert/strict";
import { BY_HAND, inEditor } from "./run.ts";
import { script, TALLY, TALLIED, write } from "./workspaces.ts";

const tally = () => write(TALLY, "tally");
const policy = () => ({ settings: { ...BY_HAND, "suture.policy.spec": script(TALLIED) } });
const [FIRST, SECOND] = ["    result = 0\n", "    return result\n"];

inEditor("change", "a change is left out by the keyboard, and taken again", tally, policy, async (it) => {
  await it.file("test_tally.py", 5);
  await it.squiggle();
  await it.fixHere();
  await it.notification("A fix is ready");
  await it.press("Alt+]", async () => it.page.locator(".tab.active").filter({ hasText: "tally.py (proven fix)" }).isVisible());
  await it.reviewing("tally.py");
  await it.status("Ln 2,");
  await it.press("Space", async () => (await it.drawn()).includes("left out"));
  await it.until(async () => /result = 1\n/.test(await it.text()));
  await it.status(/the rest was not proven alone/);
  await it.shot("1-left-out");
  await it.page.keyboard.press("Space");
  await it.until(async () => !(await it.drawn()).includes("left out"));
  await it.until(async () => /result = 0\n/.test(await it.text()));
  await it.page.keyboard.press("Space");
  await it.until(async () => (await it.drawn()).includes("left out"));
  await it.press("Control+Alt+Enter", () => it.decisions().length > 0);
  await it.until(() => it.read("tally.py").includes(SECOND));
  assert.ok(!it.read("tally.py").includes(FIRST));
  assert.deepEqual(it.decisions(), ["accepted_with_edits"]);
  await it.gone(".tab", "proven fix");
  await it.status(/a part of the fix was taken, not proven alone/);
  await it.shot("2-accepted");
});

inEditor("boxes", "a change is left out in the view of fixes", tally, policy, async (it) => {
  await it.file("test_tally.py", 5);
  await it.squiggle();
  await it.fixHere();
  await it.choose("A fix is ready", "Review");
  await it.reviewing("tally.py");
  await it.page.locator('.activitybar [aria-label="suture"]').first().click();
  await it.page.locator(".pane-body .monaco-list-row").filter({ hasText: "passes" }).locator(".monaco-tl-twistie").click();
  const row = it.page.locator(".pane-body .monaco-list-row").filter({ hasText: "return result" });
  await row.locator(".custom-view-tree-node-item-checkbox").click();
  await it.until(async () => (await it.drawn()).includes("left out"));
  await it.shot("1-view");
  await it.command("suture: Accept fix");
  await it.until(() => it.read("tally.py").includes(FIRST));
  assert.ok(!it.read("tally.py").includes(SECOND));
  await it.until(() => it.decisions().length > 0);
  assert.deepEqual(it.decisions(), ["accepted_with_edits"]);
});

inEditor("only", "one change is accepted by the context menu", tally, policy, async (it) => {
  await it.file("test_tally.py", 5);
  await it.squiggle();
  await it.fixHere();
  await it.choose("A fix is ready", "Review");
  await it.reviewing("tally.py");
  const line = it.page.locator(".modified-in-monaco-diff-editor .view-line").filter({ hasText: "return result" }).first();
  await it.menu(line, "Accept only this change", "1-menu");
  await it.until(() => it.read("tally.py").includes(SECOND));
  assert.ok(!it.read("tally.py").includes(FIRST));
  await it.until(() => it.decisions().length > 0);
  assert.deepEqual(it.decisions(), ["accepted_with_edits"]);
});
