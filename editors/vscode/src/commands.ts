/** The commands: what a person asks for, as requests to the server. Their names differ from the server's own, which the client registers. */

import * as vscode from "vscode";
import type { Choice } from "./choice";
import { heading, type Offers } from "./offers";
import type { Pages } from "./pages";
import type { Review } from "./review";
import type { Service } from "./service";
import type { Texts } from "./texts";
import type { FileNode, HunkNode, Node } from "./trees";
import { say } from "./vscodeapi";
import type { Answers, Episode, Hunk, Offer } from "./wire";

export interface Parts {
  readonly service: Service;
  readonly offers: Offers;
  readonly choice: Choice;
  readonly pages: Pages;
  readonly review: Review;
  readonly texts: Texts;
  readonly output: vscode.LogOutputChannel;
}

/** What a command is given by where it was run: a row of our views, an offer by its identifier, a test of another extension, a file. */
type Given = Node | Episode | string | Tested | vscode.Uri;
type Handler = (parts: Parts, given?: Given) => Promise<void>;

/** Name -> what it does. */
export const COMMANDS: Readonly<Record<string, Handler>> = {
  "suture.fixHere": fixHere,
  "suture.fixTest": fixTest,
  "suture.fixFile": fixFile,
  "suture.fixWorkspace": fixWorkspace,
  "suture.runChecks": runChecks,
  "suture.cancelRepairs": cancelRepairs,
  "suture.showOffer": showOffer,
  "suture.acceptOffer": (parts, given) => onOffer(parts, given, (offer) => parts.review.accept(offer)),
  "suture.acceptFile": acceptFile,
  "suture.acceptChange": acceptChange,
  "suture.leaveOutChange": leaveOutChange,
  "suture.rejectOffer": (parts, given) => onOffer(parts, given, (offer) => parts.review.reject(offer)),
  "suture.rejectOfferAndShowMine": (parts, given) => onOffer(parts, given, (offer) => parts.review.rejectAndShowMine(offer)),
  "suture.nextOffer": (parts) => beside(parts, 1),
  "suture.previousOffer": (parts) => beside(parts, -1),
  "suture.openEpisode": openEpisode,
  "suture.openReport": ({ pages }, given) => pages.report(given instanceof vscode.Uri ? given : undefined),
  "suture.restartServer": ({ service }) => service.restart(),
  "suture.installServer": ({ service }) => service.install(),
  "suture.showOutput": async ({ output }) => output.show(),
  "suture.showMenu": showMenu,
};

/** Register all of them; a failure is said, once. */
export function register(parts: Parts): vscode.Disposable[] {
  return Object.entries(COMMANDS).map(([name, handler]) =>
    vscode.commands.registerCommand(name, async (given?: Given) => {
      try {
        await handler(parts, given);
      } catch (error) {
        parts.output.error(`${name}: ${String(error)}`);
        say("warn", `suture: ${error instanceof Error ? error.message : String(error)}`);
      }
    }),
  );
}

/** What the server says of a command that its own code action ran. */
export async function answered({ offers, review }: Parts, command: string, answer: unknown): Promise<void> {
  if (command === "suture.fix") {
    await fixing(answer as Answers["suture.fix"], offers, review);
  } else if (command === "suture.fixAll") {
    const { refused, jobs, offers: ready } = answer as Answers["suture.fixAll"];
    const offer = ready?.map((each) => offers.get(each)).find((each) => each !== undefined);
    if (jobs.length === 0 && offer) {
      await review.show(offer);
    } else if (refused ?? jobs.length === 0) {
      say("warn", `Fix with agent: ${refused ?? "there is nothing to fix"}`);
    }
  }
}

async function fixing(answer: Answers["suture.fix"], offers: Offers, review: Review): Promise<void> {
  const offer = answer.offer ? offers.get(answer.offer) : undefined;
  if (answer.refused) {
    say("warn", `Fix with agent: ${answer.refused}`);
  } else if (offer) {
    await review.show(offer);
  }
}

interface CodeAction {
  readonly title: string;
  readonly data?: { readonly offer?: string };
  readonly disabled?: { readonly reason: string };
  readonly command?: { readonly command: string; readonly arguments?: readonly object[] };
}

/** What the quick-fix menu has of suture for the cursor's place, without the menu. */
async function fixHere(parts: Parts): Promise<void> {
  const editor = vscode.window.activeTextEditor;
  const client = parts.service.running;
  if (!editor || !client) {
    say("info", client ? "Open a Python file first." : "suture's language server does not run.");
    return;
  }
  const { document, selection } = editor;
  const range = client.code2ProtocolConverter.asRange(selection);
  const touched = vscode.languages.getDiagnostics(document.uri).filter((each) => each.range.intersection(document.lineAt(selection.active).range));
  const diagnostics = await client.code2ProtocolConverter.asDiagnostics(touched);
  const asked = { textDocument: { uri: document.uri.toString() }, range, context: { diagnostics, only: ["quickfix"], triggerKind: 1 } };
  const found = (await client.sendRequest<CodeAction[] | null>("textDocument/codeAction", asked)) ?? [];
  const chosen = found.length > 1 ? await choose(found) : found[0];
  if (chosen) {
    await take(parts, chosen);
  } else if (found.length === 0) {
    say("info", "Nothing is known to be wrong here. Run the checks, or go to a failing line.");
  }
}

async function choose(found: readonly CodeAction[]): Promise<CodeAction | undefined> {
  const items = found.map((action) => ({ label: action.title, detail: action.disabled?.reason ?? "", action }));
  return (await vscode.window.showQuickPick(items, { title: "Fix with agent" }))?.action;
}

async function take(parts: Parts, { disabled, data, command }: CodeAction): Promise<void> {
  const offer = data?.offer ? parts.offers.get(data.offer) : undefined;
  if (disabled) {
    say("info", `Fix with agent: ${disabled.reason}`);
  } else if (offer) {
    await parts.review.show(offer);
  } else if (command) {
    await answered(parts, command.command, await parts.service.ask("suture.fix", command.arguments?.[0] ?? {}));
  }
}

/** What the Testing view gives of a test, whoever's it is: the test, or a message of it. */
interface Tested {
  readonly uri?: vscode.Uri;
  readonly range?: vscode.Range;
  readonly test?: Tested;
}

async function fixTest(parts: Parts, given?: Given): Promise<void> {
  const tested = given as Tested | undefined;
  const { uri, range } = tested?.test ?? tested ?? {};
  if (!uri) {
    say("info", "This test does not say in which file it is.");
    return;
  }
  const lines = range && { start: { line: range.start.line, character: 0 }, end: { line: range.end.line, character: 0 } };
  const work = parts.service.ask("suture.fixAll", { uri: uri.toString(), ...(lines ? { range: lines } : {}) });
  await answered(parts, "suture.fixAll", await work);
}

async function fixFile(parts: Parts): Promise<void> {
  const uri = vscode.window.activeTextEditor?.document.uri;
  if (uri?.scheme === "file") {
    await answered(parts, "suture.fixAll", await parts.service.ask("suture.fixAll", { uri: uri.toString() }));
  } else {
    say("info", "Open a Python file first.");
  }
}

async function fixWorkspace(parts: Parts): Promise<void> {
  const folders = vscode.workspace.workspaceFolders ?? [];
  const folder = folders.length > 1 ? await vscode.window.showWorkspaceFolderPick() : folders[0];
  if (folder) {
    await answered(parts, "suture.fixAll", await parts.service.ask("suture.fixAll", { root: folder.uri.toString() }));
  }
}

async function runChecks({ service }: Parts): Promise<void> {
  const { refused } = await service.ask("suture.check", {});
  if (refused) {
    say("warn", `suture: ${refused}`);
  }
}

async function cancelRepairs({ service }: Parts): Promise<void> {
  const { cancelled } = await service.ask("suture.cancel", {});
  vscode.window.setStatusBarMessage(`suture: ${cancelled} cancelled`, 4000);
}

/** Do something with the offer that was pointed at, that is shown, or that a person chooses. */
async function onOffer(parts: Parts, given: Given | undefined, work: (offer: Offer) => Promise<void>): Promise<void> {
  if (typeof given === "string" && !parts.offers.get(given)) {
    say("info", "The fix is not there any more.");
    return;
  }
  const offer = pointedAt(parts, given) ?? parts.review.active()?.offer ?? (await chosenOffer(parts.offers));
  if (offer) {
    await work(offer);
  }
}

function pointedAt({ offers }: Parts, given: Given | undefined): Offer | undefined {
  if (typeof given === "string") {
    return offers.get(given);
  }
  const node = ourNode(given);
  return node && offers.get("offer" in node ? node.offer.id : node.id);
}

/** A row of the view of offers. A button in an editor's title gives the address of what the editor shows, which says nothing more. */
function ourNode(given: Given | undefined): Node | undefined {
  const ours = given !== undefined && typeof given !== "string" && ("offer" in given || "proven" in given);
  return ours ? (given as Node) : undefined;
}

function showOffer(parts: Parts, given?: Given): Promise<void> {
  const node = ourNode(given);
  const at = node && "hunk" in node ? { path: node.file.path, hunk: node.hunk } : node && "file" in node ? firstOf(parts, node) : undefined;
  return onOffer(parts, given, (offer) => parts.review.show(offer, at));
}

function firstOf({ choice }: Parts, { offer, file }: FileNode): { path: string; hunk: Hunk } | undefined {
  const hunk = choice.hunks(offer.id, file.path)[0];
  return hunk && { path: file.path, hunk };
}

async function chosenOffer(offers: Offers): Promise<Offer | undefined> {
  const all = offers.all;
  if (all.length === 0) {
    say("info", "No fix is ready.");
  }
  if (all.length < 2) {
    return all[0];
  }
  const items = all.map((offer) => ({ label: heading(offer), description: offer.files.map((each) => each.path).join(", "), offer }));
  return (await vscode.window.showQuickPick(items, { title: "Fixes that are ready" }))?.offer;
}

async function acceptFile(parts: Parts, given?: Given): Promise<void> {
  const node = ourNode(given);
  const shown = node && "file" in node ? { offer: node.offer, path: node.file.path } : parts.review.active();
  if (shown) {
    await parts.review.acceptFile(shown.offer, shown.path);
  } else {
    say("info", "Open the diff of a file of a fix first.");
  }
}

async function acceptChange(parts: Parts, given?: Given): Promise<void> {
  const at = change(parts, given);
  if (at) {
    await parts.review.accept(at.offer, { hunks: [at.hunk.id] });
  }
}

async function leaveOutChange(parts: Parts, given?: Given): Promise<void> {
  const at = change(parts, given);
  if (at) {
    await parts.review.leaveOut(at.offer, at.hunk);
  }
}

/** The change that was pointed at, else the one at the cursor. */
function change(parts: Parts, given: Given | undefined): { offer: Offer; hunk: Hunk } | undefined {
  const node = ourNode(given);
  const at = node && "hunk" in node ? (node as HunkNode) : parts.review.changeHere();
  if (!at) {
    say("info", "Open the diff of a fix, and go to one of its changes.");
  }
  return at;
}

async function beside({ offers, review }: Parts, step: 1 | -1): Promise<void> {
  const offer = offers.beside(step);
  if (offer) {
    await review.show(offer);
  } else {
    say("info", "No fix is ready.");
  }
}

async function openEpisode(parts: Parts, given?: Given): Promise<void> {
  const { root, episode } = pointedEpisode(parts, given);
  if (!episode) {
    say("info", "No episode is known yet.");
    return;
  }
  const { refused } = await parts.service.ask("suture.showEpisode", { root, episode });
  if (refused) {
    say("warn", `suture: ${refused}`);
  }
}

/** The episode that was pointed at, that of the fix that is shown, or the latest. */
function pointedEpisode(parts: Parts, given?: Given): { root?: string; episode?: string } {
  const { offers, review } = parts;
  if (given !== undefined && typeof given !== "string" && "outcome" in given) {
    return { root: given.root, episode: given.id };
  }
  const offer = pointedAt(parts, given) ?? review.active()?.offer ?? offers.current ?? offers.closed[0]?.offer;
  return offer ? { root: offer.root, episode: offer.episode } : {};
}

async function showMenu(parts: Parts): Promise<void> {
  if (!vscode.workspace.isTrusted) {
    await vscode.commands.executeCommand("workbench.trust.manage");
    return;
  }
  const items = menu(parts).map(([label, command]) => ({ label, command }));
  const chosen = await vscode.window.showQuickPick(items, { title: "suture" });
  if (chosen) {
    await vscode.commands.executeCommand(chosen.command);
  }
}

function menu({ service, offers }: Parts): [string, string][] {
  if (service.state === "missing") {
    return [["$(cloud-download) Install the language server", "suture.installServer"], ["$(output) Show output", "suture.showOutput"]];
  }
  const ready: [string, string][] = offers.all.length
    ? [
        ["$(diff) Review the fix that is ready", "suture.showOffer"],
        ["$(check) Accept it", "suture.acceptOffer"],
        ["$(x) Reject it", "suture.rejectOffer"],
      ]
    : [];
  return [
    ...ready,
    ["$(play) Run the checks", "suture.runChecks"],
    ["$(wrench) Fix all in the workspace", "suture.fixWorkspace"],
    ["$(stop-circle) Cancel all repairs", "suture.cancelRepairs"],
    ["$(debug-restart) Restart the language server", "suture.restartServer"],
    ["$(output) Show output", "suture.showOutput"],
  ];
}
