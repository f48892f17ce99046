/** Virtual documents: the texts of an offer before and after it, and transcripts. Nothing of them can be edited. */

import * as vscode from "vscode";
import type { FileTexts } from "./wire";

export const OFFER = "suture-offer";
export const TEXT = "suture-text";

type Side = "before" | "after";

/** The address of one side of a file of an offer. The path keeps the file's name, so that it is shown and coloured as what it is. */
export function offerUri(offer: string, path: string, side: Side): vscode.Uri {
  return vscode.Uri.from({ scheme: OFFER, authority: offer, path: `/${path}`, query: side });
}

/** What an address of `offerUri` names. */
export function parsed(uri: vscode.Uri): { offer: string; path: string } | undefined {
  return uri.scheme === OFFER ? { offer: uri.authority, path: uri.path.slice(1) } : undefined;
}

export class Texts implements vscode.TextDocumentContentProvider {
  private readonly contents = new Map<string, string>();
  private readonly changed = new vscode.EventEmitter<vscode.Uri>();
  readonly onDidChange = this.changed.event;

  provideTextDocumentContent(uri: vscode.Uri): string {
    return this.contents.get(uri.toString()) ?? "";
  }

  /** Hold the texts of an offer; editors that show older ones of it are told. */
  put(offer: string, files: readonly FileTexts[]): void {
    for (const file of files) {
      this.set(offerUri(offer, file.path, "before"), file.before ?? "");
      this.set(offerUri(offer, file.path, "after"), file.after ?? "");
    }
  }

  forget(offer: string): void {
    for (const key of [...this.contents.keys()].filter((each) => vscode.Uri.parse(each).authority === offer)) {
      this.contents.delete(key);
    }
  }

  /** Show a text as a read-only Markdown document. */
  async show(name: string, text: string): Promise<void> {
    const uri = vscode.Uri.from({ scheme: TEXT, path: `/${name}` });
    this.set(uri, text);
    const document = await vscode.workspace.openTextDocument(uri);
    await vscode.window.showTextDocument(document, { preview: true });
  }

  private set(uri: vscode.Uri, text: string): void {
    const key = uri.toString();
    const known = this.contents.get(key);
    this.contents.set(key, text);
    if (known !== undefined && known !== text) {
      this.changed.fire(uri);
    }
  }
}
