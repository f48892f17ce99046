import * as assert from "node:assert/strict";
import { existsSync, mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { carried, make, run } from "../src/managed";

const wanted = () => ({ folder: join(mkdtempSync(join(tmpdir(), "suture-managed-")), "server"), requirement: "suture", pythons: ["old", "new"] });
const never = new AbortController().signal;

test("the first interpreter that is new enough makes it", async () => {
  const asked: string[] = [];
  const want = wanted();
  await make(want, async (command, args) => {
    asked.push(`${command} ${args[0]} ${args[1]?.slice(0, 5)}`);
    return command === "new" ? "1\n" : "0\n";
  }, () => undefined, never);
  assert.deepEqual(asked, ["old -c impor", "new -c impor", "new -m venv", `${join(want.folder, "bin/python")} -m pip`]);
});

test("what was begun is taken away when it fails", async () => {
  const want = wanted();
  const failing = async (command: string, args: readonly string[]) => {
    if (args[1] === "venv") {
      mkdirSync(want.folder, { recursive: true });
    }
    if (args[1] === "pip") {
      throw new Error("no network");
    }
    return command === "old" ? "1" : "";
  };
  await assert.rejects(make(want, failing, () => undefined, never), /no network/);
  assert.ok(!existsSync(want.folder));
});

test("one that works stays when an update fails", async () => {
  const want = wanted();
  const python = join(want.folder, "bin/python");
  mkdirSync(dirname(python), { recursive: true });
  writeFileSync(python, "");
  await assert.rejects(make(want, () => Promise.reject(new Error("no network")), () => undefined, never), /no network/);
  assert.ok(existsSync(python));
});

test("the server that came with the extension is installed, with the embedded model's engine", async () => {
  const extension = mkdtempSync(join(tmpdir(), "suture-extension-"));
  await assert.rejects(carried(extension), /carries no server/);
  mkdirSync(join(extension, "dist/server"), { recursive: true });
  writeFileSync(join(extension, "dist/server/suture-0.1.0-py3-none-any.whl"), "");
  assert.equal(await carried(extension), `${extension}/dist/server/suture-0.1.0-py3-none-any.whl[local]`);
});

test("without Python it says what to install", async () => {
  await assert.rejects(make(wanted(), async () => "0", () => undefined, never), /apt install/);
});

test("a program's last words are the error, and it can be cancelled", async () => {
  assert.equal((await run("sh", ["-c", "echo yes"], never)).trim(), "yes");
  await assert.rejects(run("sh", ["-c", "echo why >&2; exit 3"], never), /^Error: why$/);
  const cancelled = new AbortController();
  const waiting = run("sleep", ["30"], cancelled.signal);
  cancelled.abort();
  await assert.rejects(waiting, /abort/i);
});
