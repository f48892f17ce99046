/** Pages: transcripts of episodes, and reports that `suture fix --report` wrote. Nothing in them runs, and nothing is fetched. */

import * as crypto from "node:crypto";
import * as vscode from "vscode";
import { report, transcript } from "./page";

const LARGEST_REPORT = 20_000_000;

export class Pages implements vscode.Disposable {
  private readonly panels = new Map<string, vscode.WebviewPanel>();

  /** Show the transcript of an episode; its body is the server's. */
  transcript(name: string, title: string, body: string): void {
    this.show(`transcript:${name}`, title, transcript(title, body, nonce()));
  }

  /** Show a report, which is asked for where none is named. */
  async report(uri: vscode.Uri | undefined): Promise<void> {
    const chosen = uri ?? (await asked());
    if (!chosen) {
      return;
    }
    const { size } = await vscode.workspace.fs.stat(chosen);
    if (size > LARGEST_REPORT) {
      throw new Error(`${chosen.fsPath} is too large for a report: ${Math.round(size / 1e6)} MB`);
    }
    const text = new TextDecoder().decode(await vscode.workspace.fs.readFile(chosen));
    this.show(`report:${chosen.toString()}`, `suture: ${chosen.path.replace(/^.*\//, "")}`, report(text, nonce()));
  }

  dispose(): void {
    this.panels.forEach((each) => each.dispose());
  }

  private show(key: string, title: string, html: string): void {
    const known = this.panels.get(key);
    if (known) {
      known.webview.html = html;
      known.reveal();
      return;
    }
    const options = { enableScripts: false, enableForms: false, enableCommandUris: false, localResourceRoots: [], enableFindWidget: true };
    const panel = vscode.window.createWebviewPanel("suture.page", title, vscode.ViewColumn.Active, options);
    panel.onDidDispose(() => this.panels.delete(key));
    panel.webview.html = html;
    this.panels.set(key, panel);
  }
}

async function asked(): Promise<vscode.Uri | undefined> {
  const folder = vscode.workspace.workspaceFolders?.[0]?.uri;
  const options = { title: "Open a report of suture", openLabel: "Open", filters: { Reports: ["html"] }, ...(folder ? { defaultUri: folder } : {}) };
  return (await vscode.window.showOpenDialog(options))?.[0];
}

function nonce(): string {
  return crypto.randomBytes(16).toString("base64");
}
