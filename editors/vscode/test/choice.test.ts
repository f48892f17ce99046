import * as assert from "node:assert/strict";
import { test } from "node:test";
import { Choice } from "../src/choice";
import type { FileTexts, Hunk } from "../src/wire";

const hunk = (id: string, before: [number, number], after: [number, number]): Hunk => ({
  id,
  taken: true,
  before: { start: before[0], end: before[1] },
  after: { start: after[0], end: after[1] },
  removed: "",
  added: "",
});
const file = (path: string, ...hunks: Hunk[]): FileTexts => ({ uri: `file:///w/${path}`, path, before: "", after: "", hunks });
const A = file("a.py", hunk("a1", [1, 2], [1, 4]), hunk("a2", [10, 10], [12, 13]));
const B = file("b.py", hunk("b1", [0, 3], [0, 0]));

test("at first everything is taken, and nothing need be said of it", () => {
  const choice = new Choice();
  choice.put("o", [A, B]);
  assert.equal(choice.taken("o"), undefined);
  assert.equal(choice.takenOf("o", "a.py"), undefined);
  assert.deepEqual(choice.hunks("o").map((each) => each.id), ["a1", "a2", "b1"]);
  assert.deepEqual(choice.hunks("unknown"), []);
});

test("what is left out is not taken, and can be taken again", () => {
  const choice = new Choice();
  choice.put("o", [A, B]);
  choice.leaveOut("o", "a2", true);
  assert.ok(choice.isLeftOut("o", "a2"));
  assert.deepEqual(choice.taken("o"), ["a1", "b1"]);
  assert.deepEqual(choice.takenOf("o", "a.py"), ["a1"]);
  assert.equal(choice.takenOf("o", "b.py"), undefined);
  choice.leaveOut("o", "a2", false);
  assert.equal(choice.taken("o"), undefined);
});

test("nothing at all is a choice, too", () => {
  const choice = new Choice();
  choice.put("o", [B]);
  choice.leaveOut("o", "b1", true);
  assert.deepEqual(choice.taken("o"), []);
});

test("a fix that has other changes now is taken as a whole", () => {
  const choice = new Choice();
  choice.put("o", [A]);
  choice.leaveOut("o", "a1", true);
  choice.put("o", [A]);
  assert.deepEqual(choice.taken("o"), ["a2"]);
  choice.put("o", [file("a.py", hunk("a3", [1, 2], [1, 4]))]);
  assert.equal(choice.taken("o"), undefined);
});

test("offers do not mix, and what was decided is forgotten", () => {
  const choice = new Choice();
  choice.put("o", [A]);
  choice.put("p", [A]);
  choice.leaveOut("o", "a1", true);
  assert.equal(choice.taken("p"), undefined);
  choice.forget("o");
  assert.deepEqual(choice.hunks("o"), []);
  assert.ok(!choice.isLeftOut("o", "a1"));
});

test("the change at a line is the one there, else the nearest, on either side", () => {
  const choice = new Choice();
  choice.put("o", [A, B]);
  const at = (side: "before" | "after", line: number) => choice.at("o", "a.py", side, line)?.id;
  assert.deepEqual([0, 1, 5, 7, 30].map((line) => at("before", line)), ["a1", "a1", "a1", "a2", "a2"]);
  assert.deepEqual([3, 8, 12].map((line) => at("after", line)), ["a1", "a2", "a2"]);
  assert.equal(choice.at("o", "b.py", "after", 7)?.id, "b1");
  assert.equal(choice.at("o", "c.py", "after", 0), undefined);
});
