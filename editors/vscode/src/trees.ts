/** The two views: fixes that are ready, and what became of earlier ones. */

import * as vscode from "vscode";
import type { Choice } from "./choice";
import { counts, names, type Offers, proof } from "./offers";
import type { Ask, Episode, Hunk, Offer, OfferFile } from "./wire";

export interface FileNode {
  readonly offer: Offer;
  readonly file: OfferFile;
}

/** A change of a file, that can be left out. */
export interface HunkNode extends FileNode {
  readonly hunk: Hunk;
}

export type Node = Offer | FileNode | HunkNode;

const SIGNS: Record<string, string> = {
  accepted: "check",
  rejected: "x",
  expired: "history",
  withdrawn: "circle-slash",
  fixed: "sparkle",
  unfixed: "circle-slash",
  cancelled: "stop-circle",
  infrastructure: "warning",
};
const KINDS = { change: "", create: "new", delete: "deleted" } as const;

export class OffersView implements vscode.TreeDataProvider<Node> {
  private readonly changed = new vscode.EventEmitter<undefined>();
  readonly onDidChangeTreeData = this.changed.event;

  constructor(
    private readonly offers: Offers,
    private readonly choice: Choice,
    private readonly load: (offer: string) => Promise<void>,
  ) {
    offers.onChange(() => this.changed.fire(undefined));
  }

  refresh(): void {
    this.changed.fire(undefined);
  }

  async getChildren(node?: Node): Promise<Node[]> {
    if (node === undefined) {
      return this.offers.all;
    }
    if ("hunk" in node) {
      return [];
    }
    if ("file" in node) {
      return this.choice.hunks(node.offer.id, node.file.path).map((hunk) => ({ ...node, hunk }));
    }
    if (this.choice.hunks(node.id).length === 0) {
      await this.load(node.id).catch(() => undefined); // decided meanwhile: it is about to go
    }
    return node.files.map((file) => ({ offer: node, file }));
  }

  getTreeItem(node: Node): vscode.TreeItem {
    if ("hunk" in node) {
      return hunkItem(node, this.choice.isLeftOut(node.offer.id, node.hunk.id));
    }
    return "file" in node ? fileItem(node, this.choice.hunks(node.offer.id).length > 1) : offerItem(node);
  }
}

function offerItem(offer: Offer): vscode.TreeItem {
  const item = new vscode.TreeItem(names(offer), vscode.TreeItemCollapsibleState.Collapsed);
  item.id = offer.id;
  item.description = [folder(offer), `${counts(offer)} ${proof(offer)}`].filter(Boolean).join(" · ");
  item.tooltip = [offer.title, ...offer.findings.map((each) => `${each.path}: ${each.message}`)].join("\n");
  item.iconPath = new vscode.ThemeIcon("sparkle");
  item.contextValue = "offer";
  item.command = { command: "suture.showOffer", title: "Review", arguments: [offer] };
  return item;
}

/** The name of an offer's folder, where there are several. */
function folder(offer: Offer): string {
  const several = (vscode.workspace.workspaceFolders?.length ?? 0) > 1;
  return several ? (vscode.workspace.getWorkspaceFolder(vscode.Uri.parse(offer.root))?.name ?? "") : "";
}

/** Changes are listed where there is more than one to choose from. */
function fileItem(node: FileNode, several: boolean): vscode.TreeItem {
  const { offer, file } = node;
  const { Expanded, None } = vscode.TreeItemCollapsibleState;
  const item = new vscode.TreeItem(vscode.Uri.parse(file.uri), several ? Expanded : None);
  item.id = `${offer.id}:${file.path}`;
  item.label = file.path;
  item.description = `${KINDS[file.kind]} +${file.added} −${file.removed}`.trim();
  item.contextValue = "offerFile";
  item.command = { command: "suture.showOffer", title: "Review", arguments: [node] };
  return item;
}

function hunkItem(node: HunkNode, out: boolean): vscode.TreeItem {
  const { hunk, offer } = node;
  const line = (text: string): string => text.split(/\r\n|\r|\n/).find((each) => each.trim())?.trim() ?? "";
  const lines = (text: string): number => text.match(/\r\n|\r|\n|[^\r\n]$/g)?.length ?? 0;
  const item = new vscode.TreeItem(line(hunk.added) || `− ${line(hunk.removed) || "an empty line"}`);
  item.id = `${offer.id}:${hunk.id}`;
  item.description = `line ${hunk.before.start + 1} +${lines(hunk.added)} −${lines(hunk.removed)}`;
  item.tooltip = out ? "Left out: the rest is not proven without it" : "Taken";
  const { Checked, Unchecked } = vscode.TreeItemCheckboxState;
  item.checkboxState = { state: out ? Unchecked : Checked, tooltip: out ? "Take this change" : "Leave out this change" };
  item.contextValue = "offerHunk";
  item.command = { command: "suture.showOffer", title: "Review", arguments: [node] };
  return item;
}

export class EpisodesView implements vscode.TreeDataProvider<Episode> {
  private readonly changed = new vscode.EventEmitter<undefined>();
  readonly onDidChangeTreeData = this.changed.event;

  constructor(
    private readonly offers: Offers,
    private readonly server: Ask,
  ) {}

  refresh(): void {
    this.changed.fire(undefined);
  }

  async getChildren(node?: Episode): Promise<Episode[]> {
    return node ? [] : this.server("suture.episodes", {}).catch(() => []);
  }

  getTreeItem(episode: Episode): vscode.TreeItem {
    const closed = this.offers.closed.find((each) => each.offer.episode === episode.id);
    const offer = closed?.offer ?? this.offers.all.find((each) => each.episode === episode.id);
    const outcome = closed?.state ?? episode.outcome;
    const item = new vscode.TreeItem(`${episode.check}: ${outcome}`);
    item.id = episode.id;
    item.description = [when(episode.created), offer ? names(offer) : episode.reason].filter(Boolean).join(" · ");
    item.tooltip = [episode.reason, `${episode.seconds.toFixed(1)} s, ${episode.policy}`].filter(Boolean).join("\n");
    item.iconPath = new vscode.ThemeIcon(SIGNS[outcome] ?? "circle-outline");
    item.contextValue = "episode";
    item.command = { command: "suture.openEpisode", title: "Show transcript", arguments: [episode] };
    return item;
  }
}

/** The time for today, the day for what is older. */
function when(seconds: number): string {
  const time = new Date(1000 * seconds);
  const today = time.toDateString() === new Date().toDateString();
  return today ? time.toLocaleTimeString(undefined, { hour: "2-digit", minute: "2-digit" }) : time.toLocaleDateString();
}
