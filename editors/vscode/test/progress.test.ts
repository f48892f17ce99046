import * as assert from "node:assert/strict";
import { test } from "node:test";
import { Progresses } from "../src/progress";

function watched() {
  const said: string[] = [];
  const cancelled: (string | number)[] = [];
  const presses: (() => void)[] = [];
  const progresses = new Progresses(
    (title, cancel, work) => {
      said.push(`begin ${title}`);
      presses.push(cancel);
      void work((message) => said.push(message)).then(() => said.push("end"));
    },
    (token) => cancelled.push(token),
  );
  return { progresses, said, cancelled, presses };
}

test("the first is a notification, the others are left to the language client", async () => {
  const { progresses, said } = watched();
  assert.ok(progresses.take("a", { kind: "begin", title: "Fix", message: "waits", cancellable: true }));
  assert.ok(!progresses.take("b", { kind: "begin", title: "Other", cancellable: true }));
  assert.ok(progresses.take("a", { kind: "report", message: "step 1" }));
  assert.ok(!progresses.take("b", { kind: "report", message: "step 1" }));
  assert.ok(!progresses.take("a", { kind: "end" }));
  await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual(said, ["begin Fix", "waits", "step 1", "end"]);
  assert.ok(progresses.take("c", { kind: "begin", title: "Next", cancellable: true }));
});

test("cancelling names the token", () => {
  const { progresses, cancelled, presses } = watched();
  progresses.take("a", { kind: "begin", title: "Fix", cancellable: true });
  presses[0]?.();
  assert.deepEqual(cancelled, ["a"]);
});

test("with the server all of it ends", async () => {
  const { progresses, said } = watched();
  progresses.take("a", { kind: "begin", title: "Fix", cancellable: true });
  progresses.clear();
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(said.at(-1), "end");
});
