// Bundles the extension into dist/extension.js. Features of the language client that suture's server has no use for are left out: the
// client registers all of them by itself, they are a third of the bundle, and each tells the server of an ability that nobody asks for.
import { copyFileSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { build } from "esbuild";

const unused = [
  "callHierarchy", "codeLens", "colorProvider", "completion", "declaration", "definition", "documentHighlight", "documentLink", "documentSymbol",
  "fileOperations", "foldingRange", "formatting", "hover", "implementation", "inlayHint", "inlineValue", "linkedEditingRange", "notebook",
  "reference", "rename", "selectionRange", "semanticTokens", "signatureHelp", "typeDefinition", "typeHierarchy", "workspaceSymbol",
];

// The messages of these, in the protocol's own package, of which nothing but the features above makes use.
const unsaid = [
  "callHierarchy", "colorProvider", "declaration", "fileOperations", "foldingRange", "implementation", "inlayHint", "inlineCompletion", "inlineValue",
  "linkedEditingRange", "moniker", "notebook", "selectionRange", "semanticTokens", "typeDefinition", "typeHierarchy",
];

const nothing = `
class Nothing {
  getState() { return { kind: "static" }; }
  fillClientCapabilities() {}
  initialize() {}
  clear() {}
}
module.exports = new Proxy({}, { get: (_, name) => (name === "__esModule" ? true : Nothing) });
`;

const leaveOut = {
  name: "leave-out",
  setup(it) {
    // the client asks whether the editor is recent enough, which package.json demands already
    it.onLoad({ filter: /semver\/functions\/(?:parse|satisfies)\.js$/ }, () => ({ contents: "module.exports = () => ({});", loader: "js" }));
    // globs of documents, of which our selector has none
    it.onLoad({ filter: /node_modules\/minimatch\/minimatch\.js$/ }, () => ({ contents: "module.exports = {};", loader: "js" }));
    const features = `vscode-languageclient/lib/common/(?:${unused.join("|")})`;
    const messages = `vscode-languageserver-protocol/lib/common/protocol\\.(?:${unsaid.join("|")})`;
    it.onLoad({ filter: new RegExp(`(?:${features}|${messages})\\.js$`) }, () => ({ contents: nothing, loader: "js" }));
  },
};

function notice(folder) {
  const { name, version, license } = JSON.parse(readFileSync(`${folder}/package.json`, "utf8"));
  const file = readdirSync(folder).find((each) => /^licen[cs]e/i.test(each));
  return `${name} ${version} (${license})\n\n${file ? readFileSync(`${folder}/${file}`, "utf8") : ""}\n`;
}

const release = process.argv.includes("--release");
const result = await build({
  entryPoints: ["src/extension.ts"],
  outfile: "dist/extension.js",
  bundle: true,
  platform: "node",
  format: "cjs",
  target: "node20",
  external: ["vscode"],
  minify: release,
  sourcemap: release ? false : "inline",
  legalComments: "none",
  metafile: true,
  plugins: [leaveOut],
});
if (process.argv.includes("--analyze")) {
  const inputs = Object.values(result.metafile.outputs)[0].inputs;
  for (const [name, { bytesInOutput }] of Object.entries(inputs).sort((a, b) => b[1].bytesInOutput - a[1].bytesInOutput)) {
    console.log(`${bytesInOutput} ${name}`);
  }
}
const bytes = Object.values(result.metafile.outputs)[0].bytes;
console.log(`dist/extension.js: ${Math.round(bytes / 1000)} kB`);
if (release) {
  const packages = new Set(Object.keys(result.metafile.inputs).flatMap((each) => /^node_modules\/(?:@[^/]+\/)?[^/]+/.exec(each) ?? []));
  writeFileSync("dist/NOTICES.txt", [...packages].sort().map(notice).join("\n"));
  copyFileSync("../../LICENSE", "LICENSE");
}
if (release && bytes > 300_000) {
  throw new Error("the bundle is larger than 300 kB");
}
