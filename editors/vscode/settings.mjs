// Writes the settings into package.json: their types, defaults and words are docs/settings.schema.json's, only who may set them is decided here.
//
//     node settings.mjs            writes
//     node settings.mjs --check    fails where package.json says something else
import { readFileSync, writeFileSync } from "node:fs";

// What an editor sends goes before every file, so an opened folder may decide only what no rule binds, as in its suture.toml: the rest is of
// scope machine, which VS Code does not take from .vscode/settings.json. A table has no place among an editor's settings.
const TABLES = ["checks"];
const scope = (rule) => (rule === "free" ? "window" : "machine");

const own = {
  "server.path": {
    type: "string",
    default: "",
    scope: "machine",
    markdownDescription:
      "The program `suture`, or the folder of an environment that has it. Found by itself where empty: the workspace's interpreter, `PATH`, then the environment that this extension manages.",
  },
  "server.package": {
    type: "string",
    default: "",
    scope: "machine",
    markdownDescription: "What pip installs into the managed environment: a requirement, or a wheel's path. Where empty, the server that came with this extension.",
  },
  "offers.notify": { type: "boolean", default: true, scope: "window", description: "Show a notification when a fix is ready." },
  "offers.saveAccepted": {
    type: "boolean",
    default: true,
    scope: "window",
    description: "Save the files of an accepted fix, those with unsaved changes of your own excepted.",
  },
  "trace.server": {
    type: "string",
    enum: ["off", "messages", "verbose"],
    default: "off",
    scope: "window",
    description: "What the channel \"suture trace\" shows of the conversation with the language server.",
  },
};

const schema = JSON.parse(readFileSync(new URL("../../docs/settings.schema.json", import.meta.url), "utf8"));
const sections = Object.entries(schema.properties).filter(([section]) => !TABLES.includes(section));

function contributed({ "x-scope": _who, "x-rule": rule, ...rest }) {
  return { ...rest, scope: scope(rule) };
}

const named = (entries) => Object.fromEntries(entries.map(([name, value]) => [`suture.${name}`, value]));
const configuration = [
  { title: "Extension", properties: named(Object.entries(own)) },
  ...sections.map(([section, { properties }]) => ({
    title: section[0].toUpperCase() + section.slice(1),
    properties: named(Object.entries(properties).map(([key, value]) => [`${section}.${key}`, contributed(value)])),
  })),
];

const manifest = new URL("package.json", import.meta.url);
const before = readFileSync(manifest, "utf8");
const parsed = JSON.parse(before);
parsed.contributes.configuration = configuration;
parsed.capabilities.untrustedWorkspaces.restrictedConfigurations = configuration
  .flatMap((each) => Object.entries(each.properties))
  .filter(([, value]) => value.scope === "machine")
  .map(([name]) => name);
const after = `${JSON.stringify(parsed, null, 2)}\n`;
if (process.argv.includes("--check")) {
  if (before !== after) {
    console.error("package.json and docs/settings.schema.json differ: run node settings.mjs");
    process.exit(1);
  }
} else {
  writeFileSync(manifest, after);
}
