import * as assert from "node:assert/strict";
import { test } from "node:test";
import { Queue } from "../src/queue";

test("restarts that are asked for meanwhile are done once", async () => {
  const queue = new Queue();
  const done: string[] = [];
  let release = (): void => undefined;
  const held = new Promise<void>((resolve) => {
    release = resolve;
  });
  const all = [
    queue.run(async () => {
      await held;
      done.push("first");
    }),
    queue.run(async () => void done.push("second")),
    queue.run(async () => void done.push("third")),
  ];
  release();
  await Promise.all(all);
  assert.deepEqual(done, ["first", "third"]);
});

test("a failure does not stop what comes after", async () => {
  const queue = new Queue();
  await assert.rejects(queue.run(() => Promise.reject(new Error("no"))), /no/);
  let ran = false;
  await queue.run(async () => {
    ran = true;
  });
  assert.ok(ran);
});

test("nothing runs side by side", async () => {
  const queue = new Queue();
  let running = 0;
  const work = async () => {
    running += 1;
    assert.equal(running, 1);
    await new Promise((resolve) => setTimeout(resolve, 5));
    running -= 1;
  };
  await Promise.all([queue.run(work), queue.run(work)]);
  await queue.run(work);
  assert.equal(running, 0);
});
