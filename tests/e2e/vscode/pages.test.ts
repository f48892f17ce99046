/** Transcripts and reports as pages, in which nothing runs. */

import * as assert from "node:assert/strict";
import { BY_HAND, inEditor } from "./run.ts";
import { CART, FOREIGN, RIGHT, reported, script, write } from "./workspaces.ts";

inEditor("transcript", "the transcript of an episode is a page", () => write(CART), () => ({ settings: { ...BY_HAND, "suture.policy.spec": script(RIGHT) } }), async (it) => {
  await it.file("test_cart.py", 5);
  await it.squiggle();
  await it.fixHere();
  await it.choose("A fix is ready", "Review");
  await it.reviewing("cart.py");
  await it.command("suture: Show transcript of the episode");
  const page = it.webview();
  assert.equal(await page.locator("h1").innerText(), "Repair of tests");
  assert.match(await page.locator(".outcome").innerText(), /fixed/);
  assert.match(await page.locator(".diff .added").last().innerText(), /return sum\(prices\)/);
  assert.match(await page.locator("meta[http-equiv]").getAttribute("content"), /^default-src 'none'; style-src 'nonce-[^']+'; img-src data:; base-uri 'none'; form-action 'none'$/);
  assert.equal(await page.locator("h1").evaluate((each: Element) => getComputedStyle(each).fontWeight), "600", "the page's own style counts");
  await it.shot("1-top");
  await page.locator("details").last().scrollIntoViewIfNeeded();
  await page.locator("summary").first().click();
  await it.shot("2-conversation");
});

inEditor("report", "the page of a batch run is opened", () => reported(write(CART)), () => ({ settings: { ...BY_HAND, "suture.policy.spec": script(RIGHT) } }), async (it) => {
  await it.file("test_cart.py", 5);
  await it.squiggle();
  await it.menu(it.page.locator(".explorer-folders-view .monaco-list-row").filter({ hasText: "suture.html" }), "Open a report");
  const page = it.webview();
  assert.equal(await page.locator("h1").innerText(), "1 of 1 problem fixed");
  assert.equal(await page.locator("article.fixed h3").innerText(), "tests: test_cart.py::test_total and 1 more");
  assert.equal((await page.locator(".diff .added").innerText()).trim(), "+    return sum(prices)");
  const bar = page.locator("svg rect.fixed").first();
  assert.equal(await bar.evaluate((each: Element) => getComputedStyle(each).fill), await page.locator("article.fixed").evaluate((each: Element) => getComputedStyle(each).borderLeftColor));
  assert.ok(((await bar.boundingBox())?.width ?? 0) > 100, "the plots are drawn");
  await it.shot("1-top");
  await page.locator(".diff").scrollIntoViewIfNeeded();
  await it.shot("2-diff");
});

inEditor("foreign", "nothing runs in a page that another one wrote", () => write({ ...CART, "suture-foreign.html": FOREIGN }), () => ({ settings: { ...BY_HAND, "suture.policy.spec": script(RIGHT) } }), async (it) => {
  await it.file("test_cart.py", 5);
  await it.squiggle();
  await it.menu(it.page.locator(".explorer-folders-view .monaco-list-row").filter({ hasText: "suture-foreign.html" }), "Open a report");
  const page = it.webview();
  assert.equal(await page.locator("h1").innerText(), "2 of 3 problems repaired");
  assert.equal(await page.locator("h1").evaluate((each: Element) => getComputedStyle(each).color), "rgb(0, 96, 0)", "the report's own style counts");
  await it.page.waitForTimeout(1000);
  assert.equal(await page.locator("#script").innerText(), "no script ran");
  assert.equal(await page.locator("#outside").evaluate((each: Element) => (each as HTMLImageElement).naturalWidth), 0, "nothing is fetched");
  assert.ok((await page.locator("#inside").evaluate((each: Element) => (each as HTMLImageElement).naturalWidth)) > 0, "what is inside is shown");
  await it.shot("1-page");
});
