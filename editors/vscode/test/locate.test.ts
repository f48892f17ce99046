import * as assert from "node:assert/strict";
import { test } from "node:test";
import { atLeast, locate, NotThere, type Places } from "../src/locate";

const places: Places = {
  setting: "",
  interpreters: ["/env/bin/python"],
  folders: ["/src/one"],
  search: "bin:/usr/bin:.",
  managed: "/storage/server",
  home: "/home/me",
};
const only = (...files: string[]) => (file: string) => files.includes(file);

test("the nearest server is taken", () => {
  const all = ["/env/bin/suture", "/src/one/.venv/bin/suture", "/usr/bin/suture", "/storage/server/bin/suture"];
  const origins = ["interpreter", "workspace", "path", "managed"];
  for (const [at, origin] of origins.entries()) {
    assert.deepEqual(locate(places, only(...all.slice(at))), { command: all[at], origin });
  }
  assert.equal(locate(places, only()), undefined);
});

test("a relative entry of PATH is not looked at", () => {
  assert.equal(locate({ ...places, folders: [] }, only("bin/suture", "./suture", "suture")), undefined);
});

test("in restricted mode nothing of the workspace is looked at", () => {
  const restricted = { ...places, interpreters: [], folders: [] };
  assert.equal(locate(restricted, only("/env/bin/suture", "/src/one/.venv/bin/suture")), undefined);
});

test("a setting goes before all else, as a program or a folder", () => {
  const found = { command: "/opt/x/bin/suture", origin: "setting" };
  assert.deepEqual(locate({ ...places, setting: "/opt/x/bin/suture" }, only("/opt/x/bin/suture", "/env/bin/suture")), found);
  assert.deepEqual(locate({ ...places, setting: "/opt/x" }, only("/opt/x/bin/suture")), found);
  assert.equal(locate({ ...places, setting: "~/s" }, only("/home/me/s/bin/suture"))?.command, "/home/me/s/bin/suture");
});

test("a setting that leads nowhere is not passed over", () => {
  assert.throws(() => locate({ ...places, setting: "/opt/x" }, only("/env/bin/suture")), NotThere);
  assert.throws(() => locate({ ...places, setting: "suture" }, only("suture")), NotThere);
});

test("versions are compared by number", () => {
  assert.ok(atLeast("0.10.0", "0.9"));
  assert.ok(atLeast("0.1.0", "0.1"));
  assert.ok(atLeast("0.1.0.dev3", "0.1.0"));
  assert.ok(atLeast("1.0", "1.0.0"));
  assert.ok(!atLeast("0.0.9", "0.1.0"));
  assert.ok(!atLeast("", "0.1"));
});
