/** Where the server comes from, what it costs to start the extension, and starting anew. */

import * as assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import * as fs from "node:fs";
import * as path from "node:path";
import { BY_HAND, inEditor } from "./run.ts";
import { bin } from "./window.ts";
import { CART, RIGHT, script, write } from "./workspaces.ts";

const cart = () => write(CART);

inEditor("start", "the extension starts fast, and its server starts anew when asked", cart, () => ({
  path: `${bin}:/usr/bin:/bin`,
  settings: { ...BY_HAND, "suture.server.path": "", "suture.policy.spec": script(RIGHT) },
}), async (it) => {
  await it.file("test_cart.py", 5);
  await it.squiggle();
  assert.match(it.log(), /starting .*suture \(path\)/);
  const before = it.processes().filter((each) => each.endsWith("suture lsp"));
  await it.command("suture: Restart the language server");
  await it.until(() => (it.log().match(/server 0\./g) ?? []).length === 2);
  const after = it.processes().filter((each) => each.endsWith("suture lsp"));
  assert.equal(before.length, 1);
  assert.equal(after.length, 1);
  await it.file("test_cart.py", 5);
  await it.squiggle();
  await it.command("Developer: Show Running Extensions");
  const row = await it.scrolledTo(".runtime-extensions-editor", ".monaco-list-row", /^suture/m);
  const spent = Number(/Activation:\s*(\d+)\s*ms/.exec(row.replaceAll("\n", " "))?.[1]);
  console.log(`activation: ${spent} ms (loading the bundle and activate)`);
  await it.shot("1-activation");
  assert.ok(spent <= 200, `${spent} ms; 100 on a machine that does nothing else`);
});

inEditor("missing", "no server is found, and one click installs it", cart, () => ({
  path: "/usr/bin:/bin",
  settings: { ...BY_HAND, "suture.server.path": "", "suture.policy.spec": script(RIGHT) },
}), async (it) => {
  await it.file("test_cart.py", 5);
  await it.notification("language server was not found");
  await it.shot("1-missing");
  await it.choose("language server was not found", "Install");
  await it.notification(/installing/);
  await it.shot("2-installing");
  await it.until(() => /server 0\./.test(it.log()), 300);
  const storage = path.join(it.home, "user/User/globalStorage/suture.suture/server/bin/suture");
  assert.ok(fs.existsSync(storage));
  const packages = execFileSync(path.join(path.dirname(storage), "python"), ["-m", "pip", "list", "--format=freeze"], { encoding: "utf8" });
  assert.match(packages, /^suture @ file:.*\/dist\/server\/suture-[0-9.]+-py3-none-any.whl|^suture==/m);
  assert.match(packages, /^xllamacpp==/m, "the engine of the embedded model, which is the policy where none is set");
  await it.squiggle();
  await it.shot("3-installed");
});
