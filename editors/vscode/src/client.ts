/** The language client. The only module that loads it, so that it is loaded when a server is started and not with the extension.
 *
 * Here is what the server is told, and what is done with its messages. */

import type * as vscode from "vscode";
import { type Middleware, LanguageClient, RevealOutputChannelOn, type ServerOptions, State } from "vscode-languageclient/node";
import { Progresses, type Show } from "./progress";
import { told } from "./settings";
import type { Server } from "./status";
import { inspect, isTrusted, withProgress } from "./vscodeapi";
import type { OfferTold, Status, Text } from "./wire";

export interface Hearing {
  offer(told: OfferTold): void;
  status(status: Status): void;
  text(text: Text): void;
  /** The server answered a command that its own code action ran. */
  answered(command: string, answer: unknown): void;
}

export interface Channels {
  readonly output: vscode.LogOutputChannel;
  readonly trace: vscode.OutputChannel;
}

/** Make a client for a server; it is not started. */
export function makeClient(
  command: string,
  settings: readonly string[],
  channels: Channels,
  hearing: Hearing,
  became: (state: Server) => void,
): LanguageClient {
  const server: ServerOptions = { command, args: ["lsp"] };
  const progresses = new Progresses(showProgress, (token) => void client.sendNotification("window/workDoneProgress/cancel", { token }));
  const client: LanguageClient = new LanguageClient("suture", "suture", server, {
    documentSelector: [{ scheme: "file", language: "python" }],
    diagnosticCollectionName: "suture",
    outputChannel: channels.output,
    traceOutputChannel: channels.trace,
    revealOutputChannelOn: RevealOutputChannelOn.Never,
    initializationOptions: () => ({
      trusted: isTrusted(),
      offers: true,
      status: true,
      texts: true,
      pages: true,
      settings: told(settings, inspect, isTrusted()),
    }),
    middleware: middleware(settings, progresses, hearing),
  });
  client.onNotification("suture/offer", (given: OfferTold) => hearing.offer(given));
  client.onNotification("suture/status", (given: Status) => hearing.status(given));
  client.onNotification("suture/text", (given: Text) => hearing.text(given));
  client.onDidChangeState(({ newState }) => {
    if (newState === State.Stopped) {
      progresses.clear();
    }
    became(newState === State.Running ? "running" : newState === State.Starting ? "starting" : "failed");
  });
  return client;
}

const showProgress: Show = (title, cancel, work) => {
  void withProgress(title, (report, cancelled) => {
    cancelled.onCancellationRequested(cancel);
    return work(report);
  });
};

function middleware(settings: readonly string[], progresses: Progresses, hearing: Hearing): Middleware {
  return {
    workspace: {
      configuration: (params) => params.items.map(() => told(settings, inspect, isTrusted())),
    },
    executeCommand: async (command, args, next) => {
      const answer: unknown = await next(command, args);
      hearing.answered(command, answer);
      return answer;
    },
    handleWorkDoneProgress: (token, params, next) => {
      if (!progresses.take(token, params)) {
        next(token, params);
      }
    },
  };
}
