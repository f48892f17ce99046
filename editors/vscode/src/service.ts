/** The server's life: found, started, restarted, and installed where a person wants that. */

import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import * as vscode from "vscode";
import type { LanguageClient } from "vscode-languageclient/node";
import type { Channels, Hearing } from "./client";
import { atLeast, type Found, locate } from "./locate";
import { carried, make, run } from "./managed";
import { Queue } from "./queue";
import type { Server } from "./status";
import { ask, folders, interpreters, isTrusted, say, setContext, setting, withProgress } from "./vscodeapi";
import type { Answers, Ask } from "./wire";

const INSTALL = "Install";
const UPDATE = "Update";
const SETTINGS = "Open settings";
const OUTPUT = "Show output";

export class Service {
  state: Server = "off";
  private client: LanguageClient | undefined;
  private found: Found | undefined;
  private readonly queue = new Queue();

  constructor(
    private readonly context: vscode.ExtensionContext,
    private readonly channels: Channels,
    private readonly settings: readonly string[],
    private readonly hearing: Hearing,
    private readonly changed: () => void,
  ) {}

  /** Start it where it lies, or start it anew. */
  restart(): Promise<void> {
    return this.queue.run(async () => {
      await this.end();
      await this.begin();
    });
  }

  stop(): Promise<void> {
    return this.queue.run(() => this.end());
  }

  /** Run a command of the server. */
  readonly ask: Ask = async (command, argument) => {
    const client = this.running;
    if (!client) {
      throw new Error("the language server does not run");
    }
    return client.sendRequest<Answers[typeof command]>("workspace/executeCommand", { command, arguments: [argument] });
  };

  /** The client, while it runs. */
  get running(): LanguageClient | undefined {
    return this.client?.isRunning() ? this.client : undefined;
  }

  /** A person trusts the workspace: a server that lies in it may be used from now on. */
  async trusted(): Promise<void> {
    await this.moved();
    await this.running?.sendNotification("suture/trust", { trusted: true });
    this.changed();
  }

  /** The server may lie elsewhere now: start it anew where it does. */
  moved(): Promise<void> {
    return this.queue.run(async () => {
      const found = await this.find().catch(() => undefined);
      if (!this.running || found?.command !== this.found?.command) {
        await this.end();
        await this.begin();
      }
    });
  }

  /** Make the managed environment; the click that leads here is the consent. */
  async install(): Promise<void> {
    const pythons = [...(await interpreters()), "python3.13", "python3.12", "python3.11", "python3"];
    this.become("installing");
    try {
      const requirement = setting("server.package", "") || (await carried(this.context.extensionPath));
      const wanted = { folder: this.managed, requirement, pythons };
      await withProgress("suture: installing the language server", async (report, token) => {
        const cancelled = new AbortController();
        token.onCancellationRequested(() => cancelled.abort());
        await make(wanted, run, report, cancelled.signal);
      });
    } catch (error) {
      this.become(this.running ? "running" : "missing");
      this.channels.output.error(String(error));
      if ((await ask("error", `The language server could not be installed: ${String(error)}`, OUTPUT)) === OUTPUT) {
        this.channels.output.show();
      }
      return;
    }
    await this.restart();
  }

  private get managed(): string {
    return path.join(this.context.globalStorageUri.fsPath, "server");
  }

  private async find(): Promise<Found | undefined> {
    const places = {
      setting: setting("server.path", ""),
      interpreters: await interpreters(),
      folders: isTrusted() ? folders() : [],
      search: process.env["PATH"] ?? "",
      managed: this.managed,
      home: os.homedir(),
    };
    return locate(places, executable);
  }

  private async begin(): Promise<void> {
    this.become("starting");
    try {
      this.found = await this.find();
    } catch (error) {
      this.become("missing");
      void this.offerSettings(String(error instanceof Error ? error.message : error));
      return;
    }
    if (!this.found) {
      this.become("missing");
      void this.offerInstallation();
      return;
    }
    await this.launch(this.found);
  }

  private async launch(found: Found): Promise<void> {
    this.channels.output.info(`starting ${found.command} (${found.origin})`);
    const { makeClient } = await import("./client");
    const client: LanguageClient = makeClient(found.command, this.settings, this.channels, this.hearing, (state) => {
      if (this.client === client) {
        this.become(state);
      }
    });
    this.client = client;
    try {
      await client.start();
    } catch (error) {
      this.become("failed");
      this.channels.output.error(String(error));
      void this.explainFailure(found);
      return;
    }
    void this.checkVersion(client, found);
  }

  private async end(): Promise<void> {
    const client = this.client;
    this.client = undefined;
    this.become("off");
    await client?.dispose().catch((error: unknown) => this.channels.output.warn(`the server did not end well: ${String(error)}`));
  }

  private become(state: Server): void {
    this.state = state;
    void setContext("running", state === "running");
    void setContext("missing", state === "missing");
    this.changed();
  }

  private async checkVersion(client: LanguageClient, found: Found): Promise<void> {
    const version = client.initializeResult?.serverInfo?.version ?? "0";
    const least = String((this.context.extension.packageJSON as { leastServer: string }).leastServer);
    this.channels.output.info(`server ${version}`);
    if (atLeast(version, least)) {
      return;
    }
    const text = `This extension needs suture ${least} or later, and ${found.command} is ${version}.`;
    if (found.origin !== "managed") {
      say("warn", text);
    } else if ((await ask("warn", text, UPDATE)) === UPDATE) {
      await this.install();
    }
  }

  private async offerInstallation(): Promise<void> {
    const text =
      "suture's language server was not found. Install it with pip into a virtual environment of its own, in this extension's storage folder?";
    const chosen = await ask("info", text, INSTALL, SETTINGS);
    if (chosen === INSTALL) {
      await this.install();
    } else if (chosen === SETTINGS) {
      await openSettings();
    }
  }

  private async offerSettings(text: string): Promise<void> {
    if ((await ask("error", text, SETTINGS)) === SETTINGS) {
      await openSettings();
    }
  }

  private async explainFailure(found: Found): Promise<void> {
    if ((await ask("error", `The language server ${found.command} did not start.`, OUTPUT)) === OUTPUT) {
      this.channels.output.show();
    }
  }
}

async function openSettings(): Promise<void> {
  await vscode.commands.executeCommand("workbench.action.openSettings", "suture.server");
}

function executable(file: string): boolean {
  try {
    fs.accessSync(file, fs.constants.X_OK);
    return fs.statSync(file).isFile();
  } catch {
    return false;
  }
}
