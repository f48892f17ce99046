/** Looking at offers: notifications, diff editors, and what a person decides there. */

import * as vscode from "vscode";
import type { Choice } from "./choice";
import { link, type Notice, plain } from "./notice";
import { counts, names, type Offers, proof } from "./offers";
import { OFFER, offerUri, parsed, type Texts } from "./texts";
import { say, setContext, setting } from "./vscodeapi";
import type { Ask, Hunk, Offer, OfferTold } from "./wire";

/** A part of an offer: some of its files, or some of its changes. */
export interface Part {
  readonly files?: readonly string[];
  readonly hunks?: readonly string[];
}

export class Review {
  private readonly leftOut = vscode.window.createTextEditorDecorationType({
    isWholeLine: true,
    backgroundColor: new vscode.ThemeColor("diffEditor.unchangedRegionBackground"),
    after: {
      contentText: "left out",
      color: new vscode.ThemeColor("editorCodeLens.foreground"),
      fontStyle: "italic",
      margin: "0 0 0 3em",
    },
  });

  constructor(
    private readonly offers: Offers,
    private readonly choice: Choice,
    private readonly texts: Texts,
    private readonly notice: Notice,
    private readonly server: Ask,
    private readonly chosen: () => void,
  ) {}

  /** The server told of an offer. */
  async heard(told: OfferTold, news: boolean): Promise<void> {
    await setContext("offers", this.offers.all.length);
    if (told.state !== "ready") {
      this.notice.over(told.offer.id);
      await this.close(told.offer.id);
      if (told.state === "expired" || told.state === "withdrawn") {
        vscode.window.setStatusBarMessage(`$(circle-slash) suture: fix ${told.state}: ${told.reason}`, 8000);
      }
    } else if (news) {
      this.notify(told.offer);
    } else if (this.choice.hunks(told.offer.id).length > 0) {
      await this.load(told.offer.id);
    }
  }

  /** Show the diff of an offer, one editor a file, the first in front; or only the file of one of its changes, with that change in view. */
  async show(offer: Offer, at?: { path: string; hunk: Hunk }): Promise<void> {
    this.offers.look(offer.id);
    this.notice.over(offer.id);
    await this.load(offer.id);
    void this.server("suture.seen", { offer: offer.id });
    for (const { path } of at ? [at] : [...offer.files].reverse()) {
      const line = this.choice.hunks(offer.id, path).find((each) => !at || each.id === at.hunk.id)?.after.start;
      const selection = line === undefined ? {} : { selection: new vscode.Range(line, 0, line, 0) };
      const sides = [offerUri(offer.id, path, "before"), offerUri(offer.id, path, "after")] as const;
      const options: vscode.TextDocumentShowOptions = { preview: false, ...selection };
      await vscode.commands.executeCommand("vscode.diff", ...sides, `${path} (proven fix)`, options);
    }
    this.mark();
  }

  /** Apply it, or a part of it: what a person left out is not taken. */
  async accept(offer: Offer, part: Part = this.part(offer)): Promise<void> {
    const clean = vscode.workspace.textDocuments.filter((each) => !each.isDirty).map((each) => each.uri.toString());
    const known = new Set(vscode.workspace.textDocuments.map((each) => each.uri.toString()));
    const touched = (path: string): boolean => this.choice.hunks(offer.id, path).some((each) => part.hunks?.includes(each.id));
    const wanted = new Set(part.files ?? offer.files.map((each) => each.path).filter(touched));
    const answer = await this.server("suture.accept", { offer: offer.id, ...part });
    if (!answer.applied) {
      say("warn", `Not applied: ${answer.reason ?? "the editor did not apply it"}`);
      return;
    }
    const whole = part.files === undefined && part.hunks === undefined;
    const changed = offer.files.filter((each) => each.kind !== "delete" && (whole || wanted.has(each.path)));
    const uris = changed.map((each) => vscode.Uri.parse(each.uri));
    const first = this.choice.hunks(offer.id, changed[0]?.path ?? "").find((each) => !part.hunks || part.hunks.includes(each.id));
    if (setting("offers.saveAccepted", true)) {
      await save(uris.filter((each) => clean.includes(each.toString()) || !known.has(each.toString())));
    }
    await this.close(offer.id);
    await reveal(uris[0], first?.before.start);
    if (!whole) {
      vscode.window.setStatusBarMessage("$(info) suture: a part of the fix was taken, not proven alone", 10_000);
    }
  }

  /** Apply one file of it, without those of its changes that were left out. */
  acceptFile(offer: Offer, path: string): Promise<void> {
    const hunks = this.choice.takenOf(offer.id, path);
    return this.accept(offer, hunks ? { hunks } : { files: [path] });
  }

  /** Leave a change out of what will be accepted, or take it again; the diff shows what would be left. */
  async leaveOut(offer: Offer, hunk: Hunk, out = !this.choice.isLeftOut(offer.id, hunk.id)): Promise<void> {
    this.choice.leaveOut(offer.id, hunk.id, out);
    await this.load(offer.id);
    if (out) {
      vscode.window.setStatusBarMessage("$(info) suture: left out (Space takes it again); the rest was not proven alone", 8000);
    }
  }

  /** The change at the cursor of the diff that is in front. */
  changeHere(): { offer: Offer; hunk: Hunk } | undefined {
    const shown = this.active();
    const editor = vscode.window.activeTextEditor;
    const side = editor?.document.uri.query === "before" ? "before" : "after";
    const hunk = shown && this.choice.at(shown.offer.id, shown.path, side, editor?.selection.active.line ?? 0);
    return shown && hunk ? { offer: shown.offer, hunk } : undefined;
  }

  async reject(offer: Offer, reason = ""): Promise<void> {
    await this.server("suture.reject", { offer: offer.id, ...(reason ? { reason } : {}) });
    await this.close(offer.id);
  }

  /** Reject it and go where it would have changed something: what the person writes there is recorded as the fix that was wanted. */
  async rejectAndShowMine(offer: Offer): Promise<void> {
    const { files } = await this.server("suture.diff", { offer: offer.id });
    await this.reject(offer);
    const file = files.find((each) => each.before !== null);
    if (file) {
      await reveal(vscode.Uri.parse(file.uri), firstDifference(file.before ?? "", file.after ?? ""));
      vscode.window.setStatusBarMessage("$(edit) suture: write your own fix; it is proven and kept as a correction", 8000);
    }
  }

  /** The offer, and the file of it, that the active editor shows. */
  active(): { offer: Offer; path: string } | undefined {
    const input = vscode.window.tabGroups.activeTabGroup.activeTab?.input;
    const named = input instanceof vscode.TabInputTextDiff ? parsed(input.modified) : undefined;
    const offer = named && this.offers.get(named.offer);
    return offer && named ? { offer, path: named.path } : undefined;
  }

  /** Mark, in the editors that are visible, what was left out. */
  mark(): void {
    for (const editor of vscode.window.visibleTextEditors.filter((each) => each.document.uri.scheme === OFFER)) {
      const named = parsed(editor.document.uri);
      const out = named && editor.document.uri.query === "after" ? this.choice.hunks(named.offer, named.path).filter((each) => !each.taken) : [];
      const ranges = out.map(({ after }) => new vscode.Range(after.start, 0, Math.max(after.end - 1, after.start), 0));
      editor.setDecorations(this.leftOut, ranges.map((range) => ({ range, hoverMessage: "Space takes it again. What is left was not proven alone." })));
    }
  }

  /** Have the texts and the changes of an offer as they are now. */
  async load(offer: string): Promise<void> {
    let { files } = await this.server("suture.diff", { offer });
    this.choice.put(offer, files);
    const hunks = this.choice.taken(offer);
    if (hunks) {
      ({ files } = await this.server("suture.diff", { offer, hunks }));
      this.choice.put(offer, files);
    }
    this.texts.put(offer, files);
    this.mark();
    this.chosen();
  }

  dispose(): void {
    this.leftOut.dispose();
  }

  private part(offer: Offer): Part {
    const hunks = this.choice.taken(offer.id);
    return hunks ? { hunks } : {};
  }

  private notify(offer: Offer): void {
    if (!setting("offers.notify", true)) {
      return;
    }
    const where = offer.files.length === 1 ? names(offer) : `${offer.files.length} files`;
    const links = [link("Review", "suture.showOffer", offer.id), link("Accept", "suture.acceptOffer", offer.id), link("Reject", "suture.rejectOffer", offer.id)];
    // only one line is shown until a person unfolds it, so that what can be done goes before what a name may push out of it
    this.notice.begin(offer.id, `A fix is ready: ${links.join(" · ")} · ${plain(`${where} ${counts(offer)}, ${proof(offer)}`)}`);
  }

  private tabs(offer: string): vscode.Tab[] {
    const all = vscode.window.tabGroups.all.flatMap((group) => group.tabs);
    return all.filter(({ input }) => input instanceof vscode.TabInputTextDiff && parsed(input.modified)?.offer === offer);
  }

  private async close(offer: string): Promise<void> {
    const tabs = this.tabs(offer);
    if (tabs.length > 0) {
      await vscode.window.tabGroups.close(tabs, true);
    }
    this.texts.forget(offer);
    this.choice.forget(offer);
  }
}

/** Save documents that had no changes of the person's own. */
async function save(uris: readonly vscode.Uri[]): Promise<void> {
  const wanted = new Set(uris.map((each) => each.toString()));
  for (const document of vscode.workspace.textDocuments) {
    if (document.isDirty && wanted.has(document.uri.toString())) {
      await document.save();
    }
  }
}

async function reveal(uri: vscode.Uri | undefined, line = -1): Promise<void> {
  if (uri) {
    const document = await vscode.workspace.openTextDocument(uri);
    const selection = line >= 0 ? new vscode.Range(line, 0, line, 0) : undefined;
    await vscode.window.showTextDocument(document, { preview: false, ...(selection ? { selection } : {}) });
  }
}

function firstDifference(before: string, after: string): number {
  const [old, renewed] = [before.split(/\r\n|\r|\n/), after.split(/\r\n|\r|\n/)];
  const at = old.findIndex((line, number) => line !== renewed[number]);
  return at < 0 ? 0 : at;
}
