/** The Testing view, whose tests are another extension's. */

import * as assert from "node:assert/strict";
import { BY_HAND, inEditor } from "./run.ts";
import { CART, RIGHT, script, write } from "./workspaces.ts";

inEditor("testing", "a test in the Testing view is repaired", () => write(CART), () => ({ tester: true, settings: { ...BY_HAND, "suture.policy.spec": script(RIGHT) } }), async (it) => {
  await it.file("cart.py", 1);
  await it.resting();
  await it.page.locator('.activitybar [aria-label^="Testing"]').first().click();
  const row = it.page.locator(".test-explorer .monaco-list-row").filter({ hasText: "test_cart.py" }).first();
  await row.waitFor();
  const test = it.page.locator(".test-explorer .monaco-list-row").filter({ hasText: "test_total" }).first();
  if (!(await test.isVisible())) {
    await row.locator(".monaco-tl-twistie").click();
  }
  await test.waitFor();
  await it.menu(test, "Fix with agent", "1-menu");
  await it.notification("A fix is ready");
  await it.shot("2-ready");
  await it.menu(test, "Fix with agent");
  await it.reviewing("cart.py"); // there is one already: it is shown
  await it.page.keyboard.press("Control+Alt+Backspace");
  await it.until(() => it.decisions().length > 0);
  assert.deepEqual(it.decisions(), ["rejected"]);
  await it.menu(it.page.locator(".test-explorer .monaco-list-row").filter({ hasText: "test_count" }).first(), "Fix with agent");
  await it.notification("no check of the workspace shows a failure there");
});
