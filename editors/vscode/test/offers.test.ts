import * as assert from "node:assert/strict";
import { test } from "node:test";
import { counts, heading, names, Offers, proof } from "../src/offers";
import type { Offer, OfferTold } from "../src/wire";

const offer = (id: string): Offer => ({
  id,
  root: "file:///w",
  problem: "p",
  check: "tests",
  title: "Fix with agent: passes test_a, build clean",
  proven: ["passes test_a", "build clean"],
  findings: [],
  files: [
    { uri: "file:///w/a/b.py", path: "a/b.py", kind: "change", added: 2, removed: 1 },
    { uri: "file:///w/c.py", path: "c.py", kind: "create", added: 3, removed: 0 },
  ],
  diff: "",
  policy: "script",
  seconds: 1,
  episode: "e",
  state: "ready",
});
const told = (id: string, state: OfferTold["state"] = "ready", reason = ""): OfferTold => ({ state, reason, offer: offer(id) });

test("a new offer is news, and one that was proven again is not", () => {
  const offers = new Offers();
  const news: boolean[] = [];
  offers.onChange((_, is) => news.push(is));
  offers.take(told("a"));
  offers.take(told("a"));
  offers.take(told("a", "expired"));
  offers.take(told("a"));
  assert.deepEqual(news, [true, false, false, true]);
});

test("what is decided is kept as past, the newest first", () => {
  const offers = new Offers();
  offers.take(told("a"));
  offers.take(told("b"));
  offers.take(told("a", "rejected"));
  offers.take(told("b", "expired", "the failure is gone"));
  assert.deepEqual(offers.all, []);
  assert.deepEqual(offers.closed.map((each) => [each.offer.id, each.state, each.reason]), [["b", "expired", "the failure is gone"], ["a", "rejected", ""]]);
});

test("one goes from offer to offer, round at both ends", () => {
  const offers = new Offers();
  assert.equal(offers.beside(1), undefined);
  for (const id of ["a", "b", "c"]) {
    offers.take(told(id));
  }
  assert.equal(offers.beside(1)?.id, "a");
  assert.equal(offers.beside(-1)?.id, "c");
  offers.look("c");
  assert.equal(offers.current?.id, "c");
  assert.equal(offers.beside(1)?.id, "a");
  offers.take(told("c", "accepted"));
  assert.equal(offers.current?.id, "a");
});

test("with the server go its offers", () => {
  const offers = new Offers();
  const states: string[] = [];
  offers.take(told("a"));
  offers.onChange((each) => states.push(each.state));
  offers.clear();
  assert.deepEqual(states, ["expired"]);
  assert.deepEqual(offers.all, []);
});

test("an offer in words", () => {
  assert.equal(counts(offer("a")), "+5 −1");
  assert.equal(names(offer("a")), "b.py, c.py");
  assert.equal(proof(offer("a")), "passes test_a, build clean");
  assert.equal(heading(offer("a")), "Passes test_a, build clean");
});
