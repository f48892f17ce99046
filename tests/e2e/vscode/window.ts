/** The real VS Code: code-server in a headless Chromium, on a workspace of its own, with the extension installed and the real server.
 *
 * Every test has an editor of its own, so that none sees another one's journal, trust or layout. What is looked at is what a person sees:
 * texts and labels of the page, files on the disk, and the journal. */

import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import * as fs from "node:fs";
import { createRequire } from "node:module";
import * as net from "node:net";
import * as os from "node:os";
import * as path from "node:path";
import { DatabaseSync } from "node:sqlite";

export const root = path.resolve(import.meta.dirname, "../../..");
const cache = process.env["SUTURE_E2E_CACHE"] ?? "";
const shots = path.join(root, ".cache/e2e/vscode");
export const bin = path.join(root, ".venv/bin");
const vsix = path.join(root, "editors/vscode/dist/suture.vsix");
const { chromium } = createRequire(path.join(cache, "package.json"))("playwright-core");

/** playwright-core lies in the cache, where no type checker finds it. */
type Page = any;

export interface Options {
  readonly settings?: Record<string, unknown>;
  readonly trusted?: boolean;
  /** Folders to open beside the first one. */
  readonly folders?: readonly string[];
  /** PATH, as the person's shell says it: the editor takes it from there. */
  readonly path?: string;
  /** Whether there is an extension, too, that lists tests in the Testing view. */
  readonly tester?: boolean;
}

const quiet = {
  "workbench.startupEditor": "none",
  "workbench.tips.enabled": false,
  "chat.commandCenter.enabled": false,
  "chat.disableAIFeatures": true,
  "workbench.secondarySideBar.defaultVisibility": "hidden",
  "extensions.ignoreRecommendations": true,
  "telemetry.telemetryLevel": "off",
  "update.mode": "none",
  "window.commandCenter": false,
  "git.enabled": false,
  "editor.minimap.enabled": false,
  "files.autoSave": "off",
  "workbench.editorAssociations": {},
};

export class Window {
  readonly page: Page;
  readonly folder: string;
  /** The folders beside it. */
  readonly others: readonly string[];
  readonly home: string;
  private readonly browser: { close(): Promise<void> };
  private readonly server: ChildProcess;
  private readonly name: string;

  private constructor(parts: { page: Page; folder: string; others: readonly string[]; home: string; browser: { close(): Promise<void> }; server: ChildProcess; name: string }) {
    this.page = parts.page;
    this.folder = parts.folder;
    this.others = parts.others;
    this.home = parts.home;
    this.browser = parts.browser;
    this.server = parts.server;
    this.name = parts.name;
  }

  static async open(name: string, folder: string, options: Options = {}): Promise<Window> {
    const home = fs.mkdtempSync(path.join(os.tmpdir(), "suture-e2e-"));
    writeSettings(home, options);
    const environment = hostless(home);
    if (options.path !== undefined) {
      fs.writeFileSync(path.join(home, ".profile"), `export PATH='${options.path}'\n`);
    }
    install(home, environment, vsix);
    if (options.tester) {
      install(home, environment, tester(home));
    }
    const port = await freePort();
    const server = codeServer(["--bind-addr", `127.0.0.1:${port}`, ...folders(home), target(home, folder, options)], environment);
    await listening(port, server);
    const browser = await chromium.launch({
      executablePath: process.env["CHROMIUM"] ?? "/usr/bin/chromium",
      args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"],
    });
    const page = await browser.newPage({ viewport: { width: 1280, height: 800 } });
    page.setDefaultTimeout(30_000);
    const query = (options.folders?.length ?? 0) > 0 ? `workspace=${target(home, folder, options)}` : `folder=${folder}`;
    await page.goto(`http://127.0.0.1:${port}/?${query}`);
    await page.locator(".monaco-workbench .statusbar").waitFor({ timeout: 60_000 });
    return new Window({ page, folder, others: options.folders ?? [], home, browser, server, name });
  }

  /** Run a command of the palette by its title. An editor that comes to the front meanwhile closes the palette, and a person opens it again. */
  async command(title: string): Promise<void> {
    for (let tries = 0; !(await this.commanded(title)); tries += 1) {
      if (tries === 4) {
        throw new Error(`no way to run ${title}`);
      }
    }
  }

  private async commanded(title: string): Promise<boolean> {
    await this.page.keyboard.press("F1");
    const input = this.page.locator(".quick-input-widget input").first();
    const row = this.page.locator(".quick-input-list .monaco-list-row").filter({ has: this.page.getByText(title, { exact: true }) }).first();
    try {
      await input.waitFor({ timeout: 5000 });
      await input.fill(`>${title}`, { timeout: 5000 });
      await row.waitFor({ timeout: 5000 });
      await this.page.waitForTimeout(200); // the list is sorted anew while it is looked at
      await row.click({ timeout: 3000 });
      return true;
    } catch {
      await this.page.keyboard.press("Escape");
      return false;
    }
  }

  /** Choose a row of the list that asks. */
  async pick(label: string): Promise<void> {
    await this.page.locator(".quick-input-list .monaco-list-row").filter({ hasText: label }).first().click();
  }

  /** Open a file of the workspace, with the cursor on a line. */
  async file(name: string, line = 1): Promise<void> {
    const base = path.basename(name);
    const tab = this.page.locator(`.tab.active[aria-label^="${base}"]`);
    for (let tries = 0; tries < 5; tries += 1) {
      await this.choosing(base, line);
      if (await tab.waitFor({ timeout: 3000 }).then(() => true, () => false)) {
        break; // the list of files is sorted anew while it is looked at, and the click may meet another one
      }
    }
    await tab.waitFor();
    await this.status(`Ln ${line},`);
  }

  private async choosing(base: string, line: number): Promise<void> {
    await this.page.keyboard.press("Control+P");
    const input = this.page.locator(".quick-input-widget input").first();
    await input.waitFor();
    await input.fill(`${base}:${line}`);
    const row = this.page.locator(`.quick-input-list .monaco-list-row[aria-label^="${base}"]`).first();
    await row.waitFor();
    await this.page.waitForTimeout(200);
    await row.click();
  }

  /** Wait for a text anywhere in a part of the page. */
  async see(selector: string, text: string | RegExp, timeout = 30_000): Promise<string> {
    const found = this.page.locator(selector).filter({ hasText: text }).first();
    await found.waitFor({ timeout });
    return (await found.innerText()) as string;
  }

  /** The text of a row in a list that draws only what is in view. */
  async scrolledTo(list: string, row: string, text: RegExp): Promise<string> {
    await this.page.locator(list).locator(row).first().waitFor();
    const found = this.page.locator(list).locator(row).filter({ hasText: text }).first();
    await this.page.locator(list).hover();
    for (let tries = 0; tries < 40 && (await found.count()) === 0; tries += 1) {
      await this.page.mouse.wheel(0, 200);
      await this.page.waitForTimeout(100);
    }
    return (await found.innerText()) as string;
  }

  async gone(selector: string, text: string | RegExp, timeout = 30_000): Promise<void> {
    await this.page.locator(selector).filter({ hasText: text }).first().waitFor({ state: "hidden", timeout });
  }

  status(text: string | RegExp, timeout = 30_000): Promise<string> {
    return this.see(".statusbar-item", text, timeout);
  }

  /** Wait until nothing goes on. */
  async resting(timeout = 30_000): Promise<void> {
    await this.page.locator('.statusbar-item [aria-label^="suture: Nothing is going on"], .statusbar-item[aria-label^="suture: Nothing is going on"]').first().waitFor({ timeout });
  }

  notification(text: string | RegExp, timeout = 30_000): Promise<string> {
    return this.see(".notification-toast", text, timeout);
  }

  /** Press a button of a notification. */
  async choose(text: string | RegExp, button: string): Promise<void> {
    const toast = this.page.locator(".notification-toast").filter({ hasText: text }).first();
    await toast.waitFor();
    await toast.locator("a, .monaco-button").filter({ hasText: new RegExp(`^${button}$`) }).first().click();
  }

  /** Underlined places of the editor in front. */
  async squiggle(timeout = 30_000): Promise<void> {
    await this.page.locator(".squiggly-error").first().waitFor({ timeout });
  }

  /** The titles of the quick-fix menu at the cursor, which stays open. */
  async quickFixes(): Promise<string[]> {
    const rows = this.page.locator(".action-widget .monaco-list-row.action");
    await this.press("Control+.", () => rows.first().isVisible());
    return (await rows.allInnerTexts()) as string[];
  }

  /** Press keys until they had their effect: on a busy machine the editor may not listen yet, where a person would press again. */
  async press(keys: string, done: () => Promise<boolean> | boolean): Promise<void> {
    for (let tries = 0; tries < 10 && !(await done()); tries += 1) {
      await this.page.keyboard.press(keys);
      for (let waits = 0; waits < 20 && !(await done()); waits += 1) {
        await this.page.waitForTimeout(100);
      }
    }
  }

  /** Wait until the diff of a file of an offer is in front, with its commands. */
  async reviewing(name = ""): Promise<void> {
    await this.see(".tab.active", `${name} (proven fix)`);
    await this.page.locator('.editor-actions .action-label[aria-label^="Accept fix"]').first().waitFor();
  }

  /** The command of the same effect, by its key. */
  async fixHere(): Promise<void> {
    await this.press("Control+Alt+.", async () => this.page.locator(".notification-toast, .statusbar-item").filter({ hasText: /Fix with agent|repairing|ready/ }).first().isVisible());
  }

  async fix(title: string): Promise<void> {
    await this.page.locator(".action-widget .monaco-list-row.action").filter({ hasText: title }).first().click();
  }

  /** The text of the editor in front, as far as it is drawn. */
  async text(): Promise<string> {
    // at once: the editor draws its lines anew at any time
    return this.page.evaluate(() => {
      const drawn = [...document.querySelectorAll(".editor-instance .view-lines")].at(-1);
      const lines = [...(drawn?.querySelectorAll(".view-line") ?? [])] as HTMLElement[];
      const placed = lines.map((line) => ({ top: line.getBoundingClientRect().top, text: line.innerText }));
      return placed.sort((one, other) => one.top - other.top).map((each) => each.text.replaceAll("\u00a0", " ")).join("\n");
    }) as Promise<string>;
  }

  /** What the editors that are visible draw beside their text. */
  async drawn(): Promise<string> {
    return this.page.evaluate(() => {
      const seen = [...document.querySelectorAll(".editor-instance .view-line span")];
      return seen.map((each) => getComputedStyle(each, "::after").content).filter((each) => each !== "none").join("\n").replaceAll("\u00a0", " ");
    }) as Promise<string>;
  }

  /** The page that is in front. */
  webview(): Page {
    return this.page.frameLocator("iframe.webview.ready").frameLocator("#active-frame");
  }

  /** Choose an entry of the menu that a row has. */
  async menu(row: Page, entry: string, shot = ""): Promise<void> {
    await row.click({ button: "right" });
    const found = this.page.locator(".monaco-menu .action-item").filter({ hasText: entry }).first();
    await found.waitFor();
    if (shot) {
      await this.shot(shot);
    }
    for (let tries = 0; tries < 5 && (await found.isVisible()); tries += 1) {
      await this.page.waitForTimeout(300); // a menu that has just opened does not listen yet
      await found.click({ timeout: 2000 }).catch(() => undefined);
    }
  }

  read(name: string): string {
    return fs.readFileSync(path.join(this.folder, name), "utf8");
  }

  journal(query: string): unknown[][] {
    const file = path.join(this.home, "data/suture/journal.sqlite3");
    if (!fs.existsSync(file)) {
      return [];
    }
    const database = new DatabaseSync(file, { readOnly: true });
    try {
      return database.prepare(query).all().map((row) => Object.values(row as object));
    } finally {
      database.close();
    }
  }

  decisions(): string[] {
    return this.journal("SELECT kind FROM decisions ORDER BY id").map(([kind]) => String(kind));
  }

  /** Wait until something is true that no page shows. */
  async until(what: () => boolean | Promise<boolean>, seconds = 30, about = String(what)): Promise<void> {
    const end = Date.now() + 1000 * seconds;
    while (!(await what())) {
      if (Date.now() > end) {
        throw new Error(`not within ${seconds} s: ${about}`);
      }
      await this.page.waitForTimeout(100);
    }
  }

  async shot(label: string): Promise<void> {
    fs.mkdirSync(shots, { recursive: true });
    await this.page.waitForTimeout(300);
    await this.page.screenshot({ path: path.join(shots, `${this.name}-${label}.png`) });
  }

  /** A small picture for the documents; `docs/NAME.png` is such a one that was looked at. */
  async picture(name: string): Promise<void> {
    const size = this.page.viewportSize();
    await this.page.setViewportSize({ width: 1000, height: 400 });
    await this.page.mouse.move(500, 300);
    await this.page.waitForTimeout(800);
    await this.page.screenshot({ path: path.join(shots, `picture-${name}.png`) });
    await this.page.setViewportSize(size);
    await this.page.waitForTimeout(300);
  }

  /** Command lines of the processes that this editor started, directly or not. */
  processes(): string[] {
    const all = execFileSync("ps", ["-eo", "pid=,ppid=,args="], { encoding: "utf8" }).trim().split("\n");
    const rows = all.map((line) => /^\s*(\d+)\s+(\d+)\s+(.*)$/.exec(line)).filter((each) => each !== null);
    const ours = new Set([this.server.pid]);
    for (let before = 0; before < ours.size; ) {
      before = ours.size;
      for (const [, pid, parent] of rows) {
        if (ours.has(Number(parent))) {
          ours.add(Number(pid));
        }
      }
    }
    return rows.filter(([, pid]) => ours.has(Number(pid))).map((each) => each[3] ?? "");
  }

  /** The log of the extension's output channel. */
  log(): string {
    const found = execFileSync("find", [path.join(this.home, "user/logs"), "-path", "*suture.suture*", "-name", "*.log"], { encoding: "utf8" });
    return found.split("\n").filter(Boolean).map((each) => fs.readFileSync(each, "utf8")).join("\n");
  }

  async close(failed = false): Promise<void> {
    if (failed) {
      await this.shot("failed").catch(() => undefined);
      await this.page.locator(".statusbar-item .codicon-bell, .statusbar-item .codicon-bell-dot").first().click({ timeout: 2000 }).catch(() => undefined);
      await this.shot("failed-notifications").catch(() => undefined);
      console.error(this.log().slice(-3000));
    }
    await this.browser.close();
    this.server.kill("SIGTERM");
    await Promise.race([new Promise((resolve) => this.server.once("exit", resolve)), new Promise((resolve) => setTimeout(resolve, 10_000))]);
    this.server.kill("SIGKILL");
    fs.rmSync(this.home, { recursive: true, force: true });
  }
}

function folders(home: string): string[] {
  const quietly = ["--auth", "none", "--disable-telemetry", "--disable-update-check", "--disable-getting-started-override"];
  return [...quietly, "--user-data-dir", path.join(home, "user"), "--extensions-dir", path.join(home, "extensions")];
}

function codeServer(args: readonly string[], environment: NodeJS.ProcessEnv): ChildProcess {
  const entry = path.join(cache, "node_modules/code-server/out/node/entry.js");
  return spawn(path.join(cache, "bin/node"), [entry, ...args], { env: environment, stdio: "ignore" });
}

function install(home: string, environment: NodeJS.ProcessEnv, extension: string): void {
  const entry = path.join(cache, "node_modules/code-server/out/node/entry.js");
  execFileSync(path.join(cache, "bin/node"), [entry, ...folders(home), "--install-extension", extension], { env: environment, stdio: "ignore" });
}

/** Packs the extension of `tester/`. */
function tester(home: string): string {
  const packed = path.join(home, "tester.vsix");
  const vsce = path.join(root, "editors/vscode/node_modules/@vscode/vsce/vsce");
  const args = ["package", "--allow-missing-repository", "--skip-license", "--no-dependencies", "--out", packed];
  execFileSync(path.join(cache, "bin/node"), [vsce, ...args], { cwd: path.join(import.meta.dirname, "tester"), stdio: "ignore" });
  return packed;
}

/** What the server must not find of the person who runs the tests. The cache of environments is shared: making one takes a while. */
function hostless(home: string): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(([name]) => !/^(SUTURE_|XDG_|VSCODE_|VIRTUAL_ENV|PYTHON)/.test(name));
  const places = { XDG_DATA_HOME: "data", XDG_CONFIG_HOME: "config", XDG_STATE_HOME: "state" };
  const own = Object.entries(places).map(([name, folder]) => [name, path.join(home, folder)]);
  return Object.fromEntries([...pip(), ...kept, ...own, ["HOME", home], ["XDG_CACHE_HOME", path.join(root, ".cache/e2e/cache")]]);
}

/** How the person installs packages is none of what is tested. */
function pip(): [string, string][] {
  const file = path.join(os.homedir(), ".config/pip/pip.conf");
  const cached = path.join(process.env["XDG_CACHE_HOME"] ?? path.join(os.homedir(), ".cache"), "pip");
  return [["PIP_CACHE_DIR", cached], ...(fs.existsSync(file) ? [["PIP_CONFIG_FILE", file] satisfies [string, string]] : [])];
}

function writeSettings(home: string, options: Options): void {
  const trust = options.trusted === false ? {} : { "security.workspace.trust.enabled": false };
  const given = {
    ...quiet,
    ...trust,
    "suture.server.path": path.join(bin, "suture"),
    "suture.environment.python": path.join(bin, "python"),
    "suture.editor.notice": false,
    "suture.verdict.controls": 1, // what a proof asks beyond its runs is tested elsewhere
    "suture.verdict.shaken": 0,
    ...options.settings,
  };
  for (const which of ["User", "Machine"]) {
    fs.mkdirSync(path.join(home, "user", which), { recursive: true });
    fs.writeFileSync(path.join(home, "user", which, "settings.json"), JSON.stringify(given, null, 2));
  }
}

function target(home: string, folder: string, options: Options): string {
  if (!options.folders?.length) {
    return folder;
  }
  const file = path.join(home, "all.code-workspace");
  fs.writeFileSync(file, JSON.stringify({ folders: [folder, ...options.folders].map((each) => ({ path: each })) }));
  return file;
}

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const taken = net.createServer().listen(0, "127.0.0.1", () => {
      const { port } = taken.address() as net.AddressInfo;
      taken.close(() => resolve(port));
    });
  });
}

async function listening(port: number, server: ChildProcess): Promise<void> {
  for (let tries = 0; tries < 300; tries += 1) {
    if (server.exitCode !== null) {
      throw new Error(`code-server ended with ${server.exitCode}`);
    }
    const answered = await fetch(`http://127.0.0.1:${port}/healthz`).then((each) => each.ok, () => false);
    if (answered) {
      return;
    }
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error("code-server does not answer");
}
