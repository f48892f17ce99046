/** Once with a real model: the embedded one, where its weights are in the cache (`suture model pull qwen2.5-coder-0.5b`). */

import * as assert from "node:assert/strict";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { test } from "node:test";
import { BY_HAND, inEditor } from "./run.ts";
import { EVEN, write } from "./workspaces.ts";

const models = path.join(process.env["XDG_CACHE_HOME"] ?? path.join(os.homedir(), ".cache"), "suture/models");
const there = fs.existsSync(path.join(models, "qwen2.5-coder-0.5b-instruct-q4_k_m.gguf"));

if (!there) {
  test("model: the weights are not in the cache", { skip: true }, () => undefined);
} else {
  const settings = { ...BY_HAND, "suture.policy.spec": "embedded:qwen2.5-coder-0.5b", "suture.policy.models": models };
  inEditor("model", "the embedded model repairs through the editor", () => write(EVEN, "even"), () => ({ settings }), async (it) => {
    await it.file("test_even.py", 5);
    await it.squiggle();
    await it.fixHere();
    await it.notification("A fix is ready", 240_000);
    await it.choose("A fix is ready", "Review");
    await it.reviewing("even.py");
    await it.shot("1-diff");
    await it.press("Control+Alt+Enter", () => it.decisions().length > 0);
    await it.until(() => it.read("even.py") !== EVEN["even.py"]);
    assert.deepEqual(it.decisions(), ["accepted"]);
    await it.resting();
  });
}
