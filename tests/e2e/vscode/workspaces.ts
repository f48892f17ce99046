/** Broken workspaces, and policies that repair them by the book. */

import { execFileSync } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { bin } from "./window.ts";

const made: string[] = [];
process.once("exit", () => made.forEach((each) => fs.rmSync(each, { recursive: true, force: true })));

/** A folder that is gone with the process. */
function temporary(prefix: string): string {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), prefix));
  made.push(folder);
  return folder;
}

const lean = ["hypothesispytest", "asyncio", "anyio", "platformdirs", "cacheprovider"].map((name) => `-p no:${name}`).join(" ");
const project = (name: string) => `[project]\nname = "${name}"\nversion = "1"\n\n[tool.pytest.ini_options]\naddopts = "-q ${lean}"\n`;

export const CART = {
  "pyproject.toml": project("cart"),
  "cart.py": "def total(prices):\n    return sum(prices) + 1\n\n\ndef count(prices):\n    return len(prices)\n",
  "test_cart.py":
    "from cart import count, total\n\n\ndef test_total():\n    assert total([1, 2]) == 3\n\n\ndef test_empty():\n    assert total([]) == 0\n\n\ndef test_count():\n    assert count([1]) == 1\n",
};

/** Write a workspace; its folder. */
export function write(files: Record<string, string>, name = "cart"): string {
  const folder = path.join(temporary("suture-e2e-ws-"), name);
  for (const [file, text] of Object.entries(files)) {
    fs.mkdirSync(path.dirname(path.join(folder, file)), { recursive: true });
    fs.writeFileSync(path.join(folder, file), text);
  }
  return folder;
}

export interface Turn {
  readonly text: string;
  readonly repeat?: number;
  readonly delay?: number;
}

/** A scripted policy that answers with these turns; its name as a setting. */
export function script(...turns: readonly object[]): string {
  const file = path.join(temporary("suture-e2e-script-"), "script.jsonl");
  const header = { name: "script", tools: false, prefill: true };
  fs.writeFileSync(file, [header, ...turns].map((each) => `${JSON.stringify(each)}\n`).join(""));
  return `scripted:${file}`;
}

export const RIGHT = { text: "    return sum(prices)\n", repeat: 0 };
export const WRONG = { text: "    return len(prices) + 4\n", repeat: 0 };

/** Two modules that import a third by a name that leads nowhere: one mistake in two files. */
export const SHOP = {
  "pyproject.toml": project("shop"),
  "shop/__init__.py": "",
  "shop/tax.py": "def tax(price):\n    return price // 5\n",
  "shop/till.py": "from tax import tax\n\n\ndef total(price):\n    return price + tax(price)\n",
  "shop/report.py": "from tax import tax\n\n\ndef line(price):\n    return f'{price} ({tax(price)})'\n",
  "test_shop.py": "from shop.report import line\nfrom shop.till import total\n\n\ndef test_total():\n    assert total(10) == 12\n\n\ndef test_line():\n    assert line(10) == '10 (2)'\n",
};

/** Two mistakes that have nothing to do with each other. */
export const TWO = {
  "pyproject.toml": project("two"),
  "one.py": "def first(numbers):\n    return sum(numbers) + 1\n",
  "two.py": "def second(numbers):\n    return sum(numbers) + 1\n",
  "test_two.py": "from one import first\nfrom two import second\n\n\ndef test_first():\n    assert first([1, 2]) == 3\n\n\ndef test_second():\n    assert second([3, 4]) == 7\n",
};

/** What a small model can repair. */
export const EVEN = {
  "pyproject.toml": project("even"),
  "even.py": "def is_even(number):\n    return number % 2 == 1\n",
  "test_even.py": "from even import is_even\n\n\ndef test_even():\n    assert is_even(4)\n\n\ndef test_odd():\n    assert not is_even(3)\n",
};

/** One function with two mistakes, each of which a change mends. */
export const TALLY = {
  "pyproject.toml": project("tally"),
  "tally.py": "def total(prices):\n    result = 1\n    for price in prices:\n        result += price\n    return result + 1\n",
  "test_tally.py": "from tally import total\n\n\ndef test_total():\n    assert total([1, 2]) == 3\n",
};
export const TALLIED = { text: "    result = 0\n    for price in prices:\n        result += price\n    return result\n", repeat: 0 };

/** A workspace with the page of a run over it, `suture.html`; nothing else of it is changed. */
export function reported(folder: string): string {
  const home = temporary("suture-e2e-home-");
  const kept = Object.entries(process.env).filter(([name]) => !/^(SUTURE_|XDG_)/.test(name));
  const env = { ...Object.fromEntries(kept), HOME: home, SUTURE_HARNESS__EDITS_BY_RULE: "off" };
  execFileSync(path.join(bin, "suture"), ["fix", folder, "--quiet", "--policy", script(RIGHT), "--report", path.join(folder, "suture.html")], { env, stdio: "ignore" });
  return folder;
}

/** A page that tries what no report needs. */
export const FOREIGN = `<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>suture report</title>
<meta http-equiv="Content-Security-Policy" content="default-src *; script-src * 'unsafe-inline'">
<style>h1 { color: rgb(0, 96, 0); } table { border-collapse: collapse; } td { border: 1px solid #999; padding: 4px 12px; }</style></head>
<body><h1>2 of 3 problems repaired</h1>
<table><tr><td>test_total</td><td>fixed</td></tr><tr><td>test_empty</td><td>fixed</td></tr><tr><td>test_count</td><td>unfixed</td></tr></table>
<p id="script">no script ran</p>
<img id="inside" alt="" src="data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' width='120' height='20'%3E%3Crect width='80' height='20' fill='green'/%3E%3C/svg%3E">
<img id="outside" alt="outside" src="/favicon.ico">
<script>document.getElementById("script").textContent = "a script ran";</script>
<svg width="10" height="10" onload="document.getElementById('script').textContent = 'a handler ran'"></svg>
</body></html>
`;
