/** Several files, several problems, several folders. */

import * as assert from "node:assert/strict";
import * as fs from "node:fs";
import * as path from "node:path";
import { BY_HAND, inEditor } from "./run.ts";
import { CART, RIGHT, script, SHOP, TWO, write, WRONG } from "./workspaces.ts";

inEditor("files", "a fix of several files is taken as a whole", () => write(SHOP, "shop"), () => ({ settings: { "suture.policy.spec": script(WRONG), "suture.harness.edits_by_rule": "first" } }), async (it) => {
  await it.file("report.py", 1);
  await it.squiggle();
  await it.fixHere();
  await it.notification(/A fix is ready: .* · 2 files \+2 −2/);
  await it.choose("A fix is ready", "Review");
  await it.see(".tab", "till.py (proven fix)");
  await it.see(".tab", "report.py (proven fix)");
  await it.page.locator('.activitybar [aria-label="suture"]').first().click();
  const row = it.page.locator(".pane-body .monaco-list-row").first();
  await row.waitFor();
  await row.locator(".monaco-tl-twistie").click();
  await it.see(".pane-body .monaco-list-row", "till.py");
  await it.shot("1-review");
  await it.command("suture: Accept fix");
  await it.until(() => it.decisions().includes("accepted"));
  await it.until(() => it.read("shop/till.py").includes("from shop.tax") && it.read("shop/report.py").includes("from shop.tax"));
  await it.gone(".tab", "proven fix");
});

inEditor("one-file", "one file of a fix is taken", () => write(SHOP, "shop"), () => ({ settings: { "suture.policy.spec": script(WRONG), "suture.harness.edits_by_rule": "first" } }), async (it) => {
  await it.file("report.py", 1);
  await it.squiggle();
  await it.fixHere();
  await it.choose("A fix is ready", "Review");
  await it.see(".tab", "till.py (proven fix)");
  await it.reviewing("report.py");
  await it.command("suture: Accept this file of the fix");
  await it.until(() => it.decisions().length > 0);
  assert.deepEqual(it.decisions(), ["accepted_with_edits"]);
  await it.until(() => it.read("shop/report.py").includes("from shop.tax"));
  assert.ok(!it.read("shop/till.py").includes("from shop.tax"));
});

inEditor("all", "all problems of a workspace are repaired, each decided alone", () => write(TWO, "two"), () => ({ settings: { ...BY_HAND, "suture.policy.spec": script({ text: "    return sum(numbers)\n", repeat: 0 }) } }), async (it) => {
  await it.file("test_two.py", 5);
  await it.squiggle();
  await it.command("suture: Fix all in workspace with agent");
  await it.status("2 fixes ready");
  await it.shot("1-ready");
  await it.command("suture: Next fix");
  await it.reviewing();
  await it.page.keyboard.press("Alt+]");
  await it.page.waitForTimeout(1000);
  await it.shot("2-next");
  await it.press("Control+Alt+Enter", () => it.decisions().length > 0);
  await it.until(() => it.decisions().length === 1);
  await it.gone(".tab.active", "proven fix");
  await it.status("1 fix ready");
  await it.command("suture: Accept fix");
  await it.until(() => it.decisions().length === 2);
  assert.deepEqual(it.decisions(), ["accepted", "accepted"]);
  await it.until(() => !/\+ 1/.test(it.read("one.py") + it.read("two.py")));
  await it.resting();
});

inEditor("roots", "two folders in one window", () => write(CART), () => ({ folders: [write(TWO, "two")], settings: { ...BY_HAND, "suture.policy.spec": script({ text: "    return sum(numbers)\n", repeat: 0 }) } }), async (it) => {
  await it.file("test_cart.py", 5);
  await it.squiggle();
  await it.file("test_two.py", 5);
  await it.squiggle();
  await it.shot("1-roots");
  assert.equal(it.processes().filter((each) => each.includes("suture_server.worker")).length, 2, "a worker a folder");
  await it.command("suture: Fix all in workspace with agent");
  await it.pick("two"); // which of the folders
  await it.status("2 fixes ready");
  await it.page.locator('.activitybar [aria-label="suture"]').first().click();
  await it.see(".pane-body .monaco-list-row", /two\.py\s*two · \+1 −1/); // the folder's name
  await it.shot("2-ready");
  await it.command("suture: Next fix");
  await it.reviewing();
  await it.command("suture: Accept fix");
  await it.until(() => it.decisions().length === 1);
  await it.status("1 fix ready");
  await it.command("suture: Reject fix");
  await it.until(() => it.decisions().length === 2);
  assert.deepEqual(it.decisions(), ["accepted", "rejected"]);
  const two = it.others[0] ?? "";
  await it.until(() => [`one`, `two`].filter((each) => !/\+ 1/.test(fs.readFileSync(path.join(two, `${each}.py`), "utf8"))).length === 1);
  assert.equal(it.read("cart.py"), CART["cart.py"], "the other folder is as it was");
  await it.file("test_cart.py", 5);
  await it.squiggle();
});

inEditor("restricted", "a workspace that is not trusted runs nothing", () => write(CART), () => ({ trusted: false, settings: { ...BY_HAND, "suture.policy.spec": script(RIGHT) } }), async (it) => {
  await it.page.waitForTimeout(1500);
  await it.shot("1-asked");
  await it.page.getByRole("button", { name: /No, I don't trust/ }).click({ timeout: 8000 }).catch(() => undefined);
  await it.file("test_cart.py", 5);
  await it.page.locator('[aria-label^="suture: Restricted mode"]').first().waitFor();
  await it.page.waitForTimeout(8000);
  await it.shot("2-restricted");
  assert.equal(await it.page.locator(".squiggly-error").count(), 0);
  assert.ok(!fs.existsSync(path.join(it.home, "data/suture")), "nothing was opened, so there is no journal");
  assert.ok(!it.processes().some((each) => each.includes("suture_server.worker")), "no worker process");
  await it.command("Workspaces: Manage Workspace Trust");
  await it.page.getByRole("button", { name: "Trust", exact: true }).first().click();
  await it.see(".workspace-trust-editor", /You trust this folder/);
  await it.page.keyboard.press("Escape"); // it lies over the window
  await it.file("test_cart.py", 5);
  await it.squiggle();
  await it.shot("3-trusted");
});
