/** The way that a person goes: a squiggle, the quick-fix menu, progress, an offer, its diff, and a decision. */

import * as assert from "node:assert/strict";
import { BY_HAND, inEditor } from "./run.ts";
import { CART, RIGHT, script, write } from "./workspaces.ts";

const cart = () => write(CART);
const policy = (turn: object) => () => ({ settings: { ...BY_HAND, "suture.policy.spec": script(turn) } });

inEditor("main", "a squiggle leads to a proven fix that is accepted", cart, policy({ ...RIGHT, delay: 4 }), async (it) => {
  await it.file("cart.py", 2);
  await it.file("test_cart.py", 5);
  await it.squiggle();
  await it.shot("1-squiggle");
  const titles = await it.quickFixes();
  await it.shot("2-menu");
  assert.deepEqual(titles.map((each) => each.trim()), ["Fix with agent (tests)"]);
  await it.fix("Fix with agent (tests)");
  await it.notification("Fix with agent (tests)");
  await it.status("repairing 1");
  await it.notification(/repairing · /);
  await it.shot("3-progress");
  await it.notification(/A fix is ready: Review · Accept · Reject · cart.py \+1 −1, passes test_total and 2 others/);
  await it.status("1 fix ready");
  await it.shot("4-offer");
  assert.equal(it.read("cart.py"), CART["cart.py"]);
  await it.choose("A fix is ready", "Review");
  await it.reviewing("cart.py");
  await it.shot("5-diff");
  await it.picture("vscode");
  await it.press("Control+Alt+Enter", () => it.decisions().length > 0);
  await it.until(() => it.read("cart.py").includes("return sum(prices)\n"));
  await it.until(async () => /^def total\(prices\):\n {4}return sum\(prices\)$/m.test(await it.text()));
  await it.resting();
  assert.deepEqual(it.decisions(), ["accepted"]);
  await it.shot("6-accepted");
  await it.file("test_cart.py", 5);
  await it.gone(".squiggly-error", "");
});

inEditor("menu", "the quick-fix menu carries the proven edit", cart, policy(RIGHT), async (it) => {
  await it.file("cart.py", 2);
  await it.file("test_cart.py", 5);
  await it.squiggle();
  await it.fixHere();
  await it.notification("A fix is ready");
  await it.choose("A fix is ready", "Review");
  await it.reviewing("cart.py");
  await it.file("test_cart.py", 5);
  const titles = await it.quickFixes();
  await it.shot("1-proven");
  assert.deepEqual(titles.map((each) => each.trim()), ["Fix with agent: passes test_total and 2 others, build clean"]);
  await it.fix("passes test_total");
  await it.until(() => it.decisions().length > 0);
  assert.deepEqual(it.decisions(), ["accepted"]);
  await it.gone(".tab", "proven fix");
  await it.resting();
});

inEditor("reject", "a fix is rejected, and the person's own one is kept", cart, policy(RIGHT), async (it) => {
  await it.file("cart.py", 2);
  await it.file("test_cart.py", 5);
  await it.squiggle();
  await it.fixHere();
  await it.choose("A fix is ready", "Review");
  await it.reviewing("cart.py");
  await it.command("suture: Reject fix and write my own");
  await it.until(() => it.decisions().length > 0);
  assert.deepEqual(it.decisions(), ["rejected"]);
  await it.gone(".tab", "proven fix");
  await it.see(".tab.active", /^cart.py/);
  await it.status("Ln 2");
  await it.shot("1-mine");
  assert.equal(it.read("cart.py"), CART["cart.py"]);
  await it.page.keyboard.press("End");
  await it.page.keyboard.type(" - 1");
  await it.page.keyboard.press("Control+S");
  await it.until(() => it.decisions().includes("rejected_with_correction"));
  await it.page.locator('.activitybar [aria-label="suture"]').first().click();
  await it.see(".pane-body .monaco-list-row", "rejected");
  await it.shot("2-episodes");
});

inEditor("keyboard", "a fix is asked for, looked at and rejected without the mouse", cart, policy(RIGHT), async (it) => {
  await it.file("test_cart.py", 5);
  await it.squiggle();
  await it.fixHere();
  await it.notification("A fix is ready");
  await it.press("Alt+]", async () => it.page.locator(".tab.active").filter({ hasText: "proven fix" }).isVisible());
  await it.reviewing("cart.py");
  await it.page.keyboard.type("x");
  await it.see(".monaco-editor-overlaymessage", /read-only/i);
  await it.press("Control+Alt+Shift+Backspace", () => it.decisions().length > 0);
  await it.gone(".tab", "proven fix");
  await it.see(".tab.active", /^cart.py/);
  await it.status("Ln 2,");
  assert.deepEqual(it.decisions(), ["rejected"]);
  await it.file("test_cart.py", 5);
  await it.fixHere();
  await it.notification("A fix is ready");
  await it.press("Alt+[", async () => it.page.locator(".tab.active").filter({ hasText: "proven fix" }).isVisible());
  await it.reviewing("cart.py");
  await it.press("Control+Alt+Backspace", () => it.decisions().length > 1);
  assert.deepEqual(it.decisions(), ["rejected", "rejected"]);
  await it.file("test_cart.py", 5);
  await it.fixHere();
  await it.notification("A fix is ready");
  await it.press("Alt+]", async () => it.page.locator(".tab.active").filter({ hasText: "proven fix" }).isVisible());
  await it.reviewing("cart.py");
  await it.press("Control+Alt+Shift+Enter", () => it.decisions().length > 2);
  assert.deepEqual(it.decisions(), ["rejected", "rejected", "accepted"]);
  await it.until(() => it.read("cart.py").includes("return sum(prices)\n"));
});

inEditor("notice", "a notice goes when its fix is decided elsewhere, or looked at", cart, policy(RIGHT), async (it) => {
  await it.file("cart.py", 2);
  await it.file("test_cart.py", 5);
  await it.squiggle();
  await it.fixHere();
  await it.notification("A fix is ready");
  await it.quickFixes();
  await it.fix("passes test_total");
  await it.gone(".notification-toast", "A fix is ready", 10_000);
  await it.until(() => it.decisions().length > 0);
  assert.deepEqual(it.decisions(), ["accepted"]);
  await it.file("cart.py", 2); // a quick fix is not saved by itself
  await it.page.keyboard.press("Control+S");
  await it.file("test_cart.py", 5);
  await it.gone(".squiggly-error", "");
  await it.file("cart.py", 2);
  await it.page.keyboard.press("End");
  await it.page.keyboard.type(" + 2");
  await it.page.keyboard.press("Control+S");
  await it.file("test_cart.py", 5);
  await it.squiggle();
  await it.fixHere();
  await it.notification("A fix is ready");
  await it.file("cart.py", 2);
  await it.page.keyboard.press("End");
  await it.page.keyboard.type(" + 3");
  await it.gone(".notification-toast", "A fix is ready", 20_000);
  await it.until(() => it.decisions().includes("expired"));
  await it.shot("1-gone");
  await it.page.locator(".statusbar-item .codicon-bell, .statusbar-item .codicon-bell-dot").first().click();
  await it.see(".notifications-center", /No New Notifications|Notifications/i);
  assert.equal(await it.page.locator(".notifications-center .notification-list-item").filter({ hasText: "A fix is ready" }).count(), 0);
});

inEditor("places", "the context menu and the Problems panel have it, too", cart, policy(RIGHT), async (it) => {
  await it.file("test_cart.py", 5);
  await it.squiggle();
  await it.page.locator(".editor-instance .view-line").filter({ hasText: "test_empty" }).first().click({ button: "right" });
  await it.see(".context-view .action-label, .monaco-menu .action-label", "Fix with agent");
  await it.shot("1-context-menu");
  await it.page.keyboard.press("Escape");
  await it.gone(".monaco-menu .action-label", "Fix with agent");
  await it.page.keyboard.press("Control+Shift+M");
  const problem = it.page.locator(".markers-panel .monaco-list-row").filter({ hasText: "test_total" }).first();
  await problem.click();
  const entry = it.page.locator(".monaco-menu .action-item").filter({ hasText: "Fix with agent (tests)" }).first();
  await it.press("Control+.", () => entry.isVisible());
  await it.shot("2-problems");
  await it.page.keyboard.press("Escape");
  await it.menu(problem, "Fix with agent (tests)", "3-problems-menu");
  await it.notification("A fix is ready");
  await it.choose("A fix is ready", "Reject");
  await it.until(() => it.decisions().length > 0);
  assert.deepEqual(it.decisions(), ["rejected"]);
});
