/** What happens while an agent works, or cannot. */

import * as assert from "node:assert/strict";
import { BY_HAND, inEditor } from "./run.ts";
import { CART, RIGHT, script, write } from "./workspaces.ts";

const cart = () => write(CART);
const policy = (spec: () => string) => () => ({ settings: { ...BY_HAND, "suture.policy.spec": spec() } });

inEditor("cancel", "a repair is cancelled half-way", cart, policy(() => script({ ...RIGHT, delay: 120 })), async (it) => {
  await it.file("test_cart.py", 5);
  await it.squiggle();
  await it.quickFixes();
  await it.fix("Fix with agent (tests)");
  await it.status("repairing 1");
  await it.notification(/asking|[3-9] s/);
  // VS Code leaves disabled entries out of the quick-fix menu; the command says why
  await it.page.keyboard.press("Control+Alt+.");
  await it.notification("an agent is at work");
  await it.shot("1-busy");
  await it.choose("Fix with agent (tests)", "Cancel");
  await it.until(() => it.journal("SELECT outcome FROM episodes").length > 0);
  assert.deepEqual(it.journal("SELECT outcome FROM episodes"), [["cancelled"]]);
  await it.resting();
  assert.equal(it.read("cart.py"), CART["cart.py"]);
  assert.deepEqual(it.journal("SELECT count(*) FROM offers"), [[0]]);
});

inEditor("edit", "the text is edited while the agent works", cart, policy(() => script({ ...RIGHT, delay: 6 })), async (it) => {
  await it.file("test_cart.py", 5);
  await it.file("cart.py", 1);
  await it.page.waitForTimeout(500);
  await it.file("test_cart.py", 5);
  await it.squiggle();
  await it.fixHere();
  await it.notification(/[2-9] s/);
  await it.file("cart.py", 1);
  await it.page.keyboard.press("Control+Home");
  await it.page.keyboard.type("# prices are in cents\n");
  await it.notification("A fix is ready");
  await it.page.waitForTimeout(3000);
  await it.choose("A fix is ready", "Review");
  await it.reviewing("cart.py");
  await it.see(".view-line", "prices are in cents");
  await it.shot("1-moved");
  await it.press("Control+Alt+Enter", () => it.decisions().length > 0);
  await it.until(() => it.decisions().includes("accepted"), 60);
  await it.until(async () => /^# prices are in cents\ndef total\(prices\):\n {4}return sum\(prices\)$/m.test(await it.text()));
  assert.equal(it.read("cart.py"), CART["cart.py"], "a file with changes of the person's own is not saved");
  await it.shot("2-accepted");
});

inEditor("down", "the policy does not answer", cart, policy(() => "http://127.0.0.1:9/v1#none"), async (it) => {
  await it.file("test_cart.py", 5);
  await it.squiggle();
  await it.quickFixes();
  await it.fix("Fix with agent (tests)");
  await it.notification("the policy does not answer");
  await it.status("policy down");
  await it.shot("1-down");
  await it.page.keyboard.press("Control+Alt+.");
  await it.notification(/Fix with agent: the policy does not answer/);
  await it.shot("2-refused");
  assert.deepEqual(it.decisions(), []);
});
