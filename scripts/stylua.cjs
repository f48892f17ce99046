#!/usr/bin/env node
// StyLua over editors/neovim with the settings of its stylua.toml. The package of npm is the library without its program, hence this.
//   node scripts/stylua.cjs check|write
const fs = require("node:fs");
const path = require("node:path");
const stylua = require("@johnnymorganz/stylua");

const folder = path.join(__dirname, "..", "editors", "neovim");
const NAMES = {
  syntax: ["syntax", stylua.LuaVersion],
  column_width: ["column_width"],
  indent_type: ["indent_type", stylua.IndentType],
  indent_width: ["indent_width"],
  quote_style: ["quote_style", stylua.QuoteStyle],
  call_parentheses: ["call_parentheses", stylua.CallParenType],
  collapse_simple_statement: ["collapse_simple_statement", stylua.CollapseSimpleStatement],
};

function settings() {
  const config = stylua.Config.new();
  for (const line of fs.readFileSync(path.join(folder, "stylua.toml"), "utf8").split("\n").filter(Boolean)) {
    const [key, value] = line.split(" = ").map((each) => JSON.parse(each.match(/^[a-z_]+$/) ? `"${each}"` : each));
    const [name, kinds] = NAMES[key];
    config[name] = kinds ? kinds[value] : value;
  }
  return config;
}

let wrong = 0;
for (const name of fs.readdirSync(folder, { recursive: true }).filter((each) => each.endsWith(".lua")).sort()) {
  const file = path.join(folder, name);
  const text = fs.readFileSync(file, "utf8");
  const formatted = stylua.formatCode(text, settings(), undefined, stylua.OutputVerification.Full);
  if (formatted === text) continue;
  if (process.argv[2] === "write") {
    fs.writeFileSync(file, formatted);
  } else {
    console.error(`editors/neovim/${name} is not as StyLua writes it: bash scripts/e2e_neovim.sh format`);
    wrong += 1;
  }
}
process.exitCode = wrong ? 1 : 0;
