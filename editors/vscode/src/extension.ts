/** Where the extension begins. Nothing here waits: the editor goes on while the server starts. */

import * as vscode from "vscode";
import { Choice } from "./choice";
import type { Channels } from "./client";
import { answered, type Parts, register } from "./commands";
import { Notice } from "./notice";
import { Offers } from "./offers";
import { Pages } from "./pages";
import { Review } from "./review";
import { Service } from "./service";
import { statusBarItem } from "./statusBar";
import { OFFER, parsed, TEXT, Texts } from "./texts";
import { EpisodesView, OffersView } from "./trees";
import { isTrusted, section, setContext, showUntil } from "./vscodeapi";
import type { Status, Text } from "./wire";

let service: Service | undefined;

const clock = {
  after(ms: number, work: () => void): () => void {
    const timer = setTimeout(work, ms);
    return () => clearTimeout(timer);
  },
};

/** Settings of the extension itself, which are no business of the server. */
const OWN = ["server.", "offers.", "trace."];
const RESTARTING = ["suture.server.path"];

export function activate(context: vscode.ExtensionContext): void {
  const began = performance.now();
  const channels: Channels = {
    output: vscode.window.createOutputChannel("suture", { log: true }),
    trace: vscode.window.createOutputChannel("suture trace"),
  };
  const { item, show } = statusBarItem();
  const offers = new Offers();
  const texts = new Texts();
  const roots = new Map<string, Status>();
  const refresh = (): void => {
    const state = service?.state ?? "off";
    if (state !== "running") {
      roots.clear();
    }
    show({ server: state, trusted: isTrusted(), offers: offers.all.length, roots: [...roots.values()] });
  };
  const hearing = {
    offer: offers.take.bind(offers),
    status: (told: Status) => {
      const ended = (roots.get(told.root)?.repairing ?? 0) > told.repairing || !roots.has(told.root);
      roots.set(told.root, told);
      refresh();
      if (ended) {
        episodes.refresh();
      }
    },
    text: ({ name, text, title, page }: Text) => (page ? pages.transcript(name, title ?? name, page) : void texts.show(name, text)),
    answered: (command: string, answer: unknown) => void answered(parts, command, answer),
  };
  const its = new Service(context, channels, serverSettings(context), hearing, () => {
    if (its.state === "off" || its.state === "failed") {
      offers.clear();
    }
    refresh();
  });
  service = its;
  const episodes = new EpisodesView(offers, its.ask);
  const choice = new Choice();
  const pages = new Pages();
  const review = new Review(offers, choice, texts, new Notice(showUntil, clock), its.ask, () => fixes.refresh());
  const fixes = new OffersView(offers, choice, (offer) => review.load(offer));
  const fixesView = vscode.window.createTreeView("suture.offers", { treeDataProvider: fixes });
  offers.onChange((told, news) => {
    refresh();
    episodes.refresh();
    void review.heard(told, news);
  });
  const parts: Parts = { service: its, offers, choice, pages, review, texts, output: channels.output };
  context.subscriptions.push(
    item,
    channels.output,
    channels.trace,
    vscode.workspace.registerTextDocumentContentProvider(OFFER, texts),
    vscode.workspace.registerTextDocumentContentProvider(TEXT, texts),
    review,
    pages,
    fixesView,
    fixesView.onDidChangeCheckboxState(({ items }) => {
      for (const [node, state] of items) {
        if ("hunk" in node) {
          void review.leaveOut(node.offer, node.hunk, state === vscode.TreeItemCheckboxState.Unchecked);
        }
      }
    }),
    vscode.window.onDidChangeVisibleTextEditors(() => review.mark()),
    vscode.window.registerTreeDataProvider("suture.episodes", episodes),
    vscode.workspace.onDidGrantWorkspaceTrust(() => void its.trusted()),
    vscode.workspace.onDidChangeWorkspaceFolders(({ removed }) => {
      removed.forEach((each) => roots.delete(each.uri.toString()));
      refresh();
    }),
    vscode.workspace.onDidChangeConfiguration((event) => {
      if (RESTARTING.some((each) => event.affectsConfiguration(each))) {
        void its.moved();
      }
    }),
    vscode.window.tabGroups.onDidChangeTabs(() => void watchDiffs(offers)),
    vscode.window.tabGroups.onDidChangeTabGroups(() => void watchDiffs(offers)),
    ...register(parts),
  );
  refresh();
  void its.restart();
  channels.output.info(`activated in ${(performance.now() - began).toFixed(0)} ms`);
}

export async function deactivate(): Promise<void> {
  await service?.stop();
}

/** Keep the context key of the keybindings: whether the active editor is the diff of an offer. */
async function watchDiffs(offers: Offers): Promise<void> {
  const input = vscode.window.tabGroups.activeTabGroup.activeTab?.input;
  const named = input instanceof vscode.TabInputTextDiff ? parsed(input.modified) : undefined;
  if (named) {
    offers.look(named.offer);
  }
  await setContext("offerShown", named !== undefined);
}

/** The names of the settings that the server is told, as package.json contributes them. */
function serverSettings(context: vscode.ExtensionContext): string[] {
  type Contributed = { contributes: { configuration: { properties: Record<string, unknown> }[] } };
  const { contributes } = context.extension.packageJSON as Contributed;
  const names = contributes.configuration.flatMap((each) => Object.keys(each.properties)).map((each) => each.slice(section.length + 1));
  return names.filter((name) => !OWN.some((own) => name.startsWith(own)));
}
