/** A test inside an editor of its own. */

import { test } from "node:test";
import { type Options, Window } from "./window.ts";

/** No edits by rule: what is tested here is the editor, and a script says what the policy does. */
export const BY_HAND = { "suture.harness.edits_by_rule": "off" };

/** `only` in the environment picks tests by a part of their name. */
export function inEditor(name: string, about: string, folder: () => string, options: () => Options, body: (it: Window) => Promise<void>): void {
  const only = process.env["ONLY"];
  test(`${name}: ${about}`, { skip: only !== undefined && !name.includes(only) }, async () => {
    const it = await Window.open(name, folder(), options());
    let failed = true;
    try {
      await body(it);
      failed = false;
    } finally {
      await it.close(failed);
    }
  });
}
