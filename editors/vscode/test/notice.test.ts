import * as assert from "node:assert/strict";
import { test } from "node:test";
import { link, Notice, plain } from "../src/notice";

/** A screen, and a clock that goes when it is told to. */
function begun() {
  const screen: string[] = [];
  const due: (() => void)[] = [];
  const notice = new Notice(
    (title, until) => {
      screen.push(title);
      void until.then(() => screen.splice(screen.indexOf(title), 1));
    },
    {
      after: (_, work) => {
        due.push(work);
        return () => due.splice(due.indexOf(work), 1);
      },
    },
  );
  const passed = async (): Promise<string[]> => {
    await new Promise((resolve) => setImmediate(resolve));
    return [...screen];
  };
  return { notice, due, passed };
}

test("a notice goes with its offer", async () => {
  const { notice, due, passed } = begun();
  notice.begin("a", "A is ready");
  assert.deepEqual(await passed(), ["A is ready"]);
  notice.over("b");
  assert.deepEqual(await passed(), ["A is ready"]);
  notice.over("a");
  assert.deepEqual(await passed(), []);
  assert.equal(due.length, 0);
});

test("one at a time, and the next one when it is gone", async () => {
  const { notice, passed } = begun();
  notice.begin("a", "A is ready");
  notice.begin("b", "B is ready");
  assert.deepEqual(await passed(), ["A is ready"]);
  notice.over("a");
  notice.begin("c", "C is ready");
  assert.deepEqual(await passed(), ["C is ready"]);
});

test("it goes by itself after a while", async () => {
  const { notice, due, passed } = begun();
  notice.begin("a", "A is ready");
  due.splice(0).forEach((each) => each());
  assert.deepEqual(await passed(), []);
  notice.begin("b", "B is ready");
  assert.deepEqual(await passed(), ["B is ready"]);
});

test("a link says what is run with what", () => {
  assert.equal(link("Review", "suture.showOffer", "o1"), "[Review](command:suture.showOffer?%5B%22o1%22%5D)");
});

test("what others write is no link", () => {
  // as VS Code finds links in messages
  const links = /\[([^\]]+)\]\(((?:https?:\/\/|command:|file:)[^)\s]+)(?: (["'])(.+?)(\3))?\)/i;
  for (const hostile of ["test_x[a](command:workbench.action.quit)", "[a](https://example.org)"]) {
    assert.match(hostile, links);
    assert.doesNotMatch(plain(hostile), links);
  }
  assert.equal(plain("passes test_x[1] (and 2 others)"), "passes test_x[1] (and 2 others)");
});
