/** The documents of the pages, with a policy that allows what they need: styles that carry a nonce, and pictures inside the document. */

/** Nothing runs, nothing is fetched from anywhere, nothing is sent. */
export function policy(nonce: string): string {
  return `default-src 'none'; style-src 'nonce-${nonce}'; img-src data:; base-uri 'none'; form-action 'none'`;
}

/** A transcript; its body comes escaped from the server. */
export function transcript(title: string, body: string, nonce: string): string {
  return `<!DOCTYPE html>
<html lang="en">
<head>
${head(nonce)}
<title>${escaped(title)}</title>
<style nonce="${nonce}">${STYLE}</style>
</head>
<body>
${body}
</body>
</html>`;
}

/** A report as it was written, below our policy. Its styles get the nonce; what it says in `meta` about itself counts for nothing. */
export function report(html: string, nonce: string): string {
  const inside = html
    .replace(/<!doctype[^>]*>/gi, "")
    .replace(/<meta\b[^>]*\bhttp-equiv\b[^>]*>/gi, "")
    .replace(/<style\b[^>]*>/gi, `<style nonce="${nonce}">`);
  return `<!DOCTYPE html>\n${head(nonce)}\n<style nonce="${nonce}">${BASE}</style>\n${inside}`;
}

function head(nonce: string): string {
  return `<meta charset="utf-8"><meta http-equiv="Content-Security-Policy" content="${policy(nonce)}">`;
}

function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");
}

/** A report brings its own colours, for paper; without this the editor's text colour would lie on them. */
const BASE = "html { background: #fff; color: #1b1b1b; color-scheme: light; } body { background: #fff; color: #1b1b1b; }";

const STYLE = `
body { font-family: var(--vscode-font-family); font-size: var(--vscode-font-size); line-height: 1.5; color: var(--vscode-editor-foreground); background: var(--vscode-editor-background); max-width: 100ch; margin: 0 auto; padding: 1em 2em 4em; }
h1 { font-size: 1.5em; font-weight: 600; margin: 0.4em 0; }
h2 { font-size: 1.15em; font-weight: 600; margin: 1.6em 0 0.4em; padding-bottom: 0.2em; border-bottom: 1px solid var(--vscode-widget-border, var(--vscode-panel-border)); }
pre, code { font-family: var(--vscode-editor-font-family); font-size: var(--vscode-editor-font-size); }
code { background: var(--vscode-textCodeBlock-background); color: inherit; padding: 0 0.25em; border-radius: 3px; }
pre { background: var(--vscode-textCodeBlock-background); padding: 0.6em 0.8em; margin: 0.4em 0; border-radius: 4px; overflow-x: auto; white-space: pre-wrap; overflow-wrap: anywhere; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: 0.1em 1.2em; margin: 0.8em 0; }
dt { color: var(--vscode-descriptionForeground); }
dd { margin: 0; overflow-wrap: anywhere; }
ul { padding-left: 1.2em; margin: 0.4em 0; }
.outcome { margin: 0.4em 0; padding: 0.3em 0.8em; border-left: 4px solid var(--vscode-editorWarning-foreground); }
.outcome.fixed { border-color: var(--vscode-testing-iconPassed); }
.diff span { display: block; padding: 0 0.3em; }
.diff .added { background: var(--vscode-diffEditor-insertedLineBackground, rgba(0, 160, 0, 0.15)); }
.diff .removed { background: var(--vscode-diffEditor-removedLineBackground, rgba(200, 0, 0, 0.15)); }
.diff .place, .diff .head { color: var(--vscode-descriptionForeground); }
details { margin: 0.4em 0; }
summary { cursor: pointer; padding: 0.15em 0; }
summary:focus-visible { outline: 1px solid var(--vscode-focusBorder); }
`;
