/** Thin lines over VS Code, in the words of this extension. What has logic takes these as arguments, so that its tests need no VS Code. */

import * as vscode from "vscode";
import { plain } from "./notice";

export const section = "suture";

export function setting<T>(name: string, otherwise: T): T {
  return vscode.workspace.getConfiguration(section).get<T>(name) ?? otherwise;
}

export function inspect(name: string) {
  return vscode.workspace.getConfiguration(section).inspect(name);
}

export function isTrusted(): boolean {
  return vscode.workspace.isTrusted;
}

export function folders(): string[] {
  return (vscode.workspace.workspaceFolders ?? []).filter((each) => each.uri.scheme === "file").map((each) => each.uri.fsPath);
}

/** Show something and ask; undefined when it is closed. */
export async function ask(kind: "info" | "warn" | "error", text: string, ...choices: string[]): Promise<string | undefined> {
  const { showInformationMessage, showWarningMessage, showErrorMessage } = vscode.window;
  const show = { info: showInformationMessage, warn: showWarningMessage, error: showErrorMessage }[kind];
  return show(plain(text), ...choices);
}

export function say(kind: "info" | "warn" | "error", text: string): void {
  void ask(kind, text);
}

export async function setContext(name: string, value: unknown): Promise<void> {
  await vscode.commands.executeCommand("setContext", `${section}.${name}`, value);
}

/** Progress in a notification that can be cancelled. */
export function withProgress<T>(
  title: string,
  work: (report: (message: string) => void, cancelled: vscode.CancellationToken) => Promise<T>,
): Thenable<T> {
  const options = { location: vscode.ProgressLocation.Notification, title: plain(title), cancellable: true };
  return vscode.window.withProgress(options, (progress, token) => work((message) => progress.report({ message: plain(message) }), token));
}

/** Say something until a promise is kept. `title` may have links to commands: what others wrote in it must be `plain`. */
export function showUntil(title: string, until: Promise<void>): void {
  const options = { location: vscode.ProgressLocation.Notification, title };
  void vscode.window.withProgress(options, async (progress) => {
    progress.report({ increment: 100 }); // nothing goes on: a full bar stands still
    await until;
  });
}

/** Interpreters that the workspace uses, as the Python extension says where it is installed. */
export async function interpreters(): Promise<string[]> {
  const python = vscode.extensions.getExtension<PythonExtension>("ms-python.python");
  if (!python || !isTrusted()) {
    return [];
  }
  const api = python.isActive ? python.exports : await python.activate();
  const scopes = vscode.workspace.workspaceFolders?.map((each) => each.uri) ?? [undefined];
  const paths = scopes.map((each) => api?.environments?.getActiveEnvironmentPath(each).path ?? "");
  return [...new Set(paths.filter(Boolean))];
}

interface PythonExtension {
  readonly environments?: { getActiveEnvironmentPath(scope?: vscode.Uri): { path: string } };
}
