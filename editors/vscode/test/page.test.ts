import * as assert from "node:assert/strict";
import { test } from "node:test";
import { policy, report, transcript } from "../src/page";

const directives = (text: string): Record<string, string> => Object.fromEntries(text.split("; ").map((each) => each.split(/ (.*)/s).slice(0, 2) as [string, string]));
const first = (html: string): string => /http-equiv="Content-Security-Policy" content="([^"]*)"/.exec(html)?.[1] ?? "";

test("a page may have its styles and the pictures that lie in it, and nothing else", () => {
  assert.deepEqual(directives(policy("N")), {
    "default-src": "'none'",
    "style-src": "'nonce-N'",
    "img-src": "data:",
    "base-uri": "'none'",
    "form-action": "'none'",
  });
});

test("a transcript is a document with the policy before everything else", () => {
  const html = transcript("<b>&\"", "<h1>Repair</h1>", "N");
  assert.equal(first(html), policy("N"));
  assert.ok(html.indexOf("http-equiv") < html.indexOf("<style"));
  assert.ok(html.includes("<title>&lt;b&gt;&amp;&quot;</title>"));
  assert.ok(html.includes("<body>\n<h1>Repair</h1>\n</body>"));
  assert.doesNotMatch(html, /<script/);
});

test("a report lies below our policy, and loses its own", () => {
  const html = report('<!DOCTYPE html><html><head><META content="default-src *" http-equiv=Content-Security-Policy><style type="text/css">p{}</style></head><body>x</body></html>', "N");
  assert.equal(html.match(/http-equiv/gi)?.length, 1);
  assert.equal(first(html), policy("N"));
  assert.ok(html.indexOf("http-equiv") < html.indexOf("<html"));
  assert.ok(html.includes('<style nonce="N">p{}</style>'));
  assert.equal(html.match(/<!doctype/gi)?.length, 1);
});
