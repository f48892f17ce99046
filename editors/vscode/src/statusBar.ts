/** The status bar item. */

import * as vscode from "vscode";
import { face, type Situation } from "./status";

const COLOURS = { none: undefined, warning: "statusBarItem.warningBackground", error: "statusBarItem.errorBackground" } as const;

export function statusBarItem(): { item: vscode.StatusBarItem; show: (now: Situation) => void } {
  const item = vscode.window.createStatusBarItem("suture.status", vscode.StatusBarAlignment.Left, 50);
  item.name = "suture";
  item.command = "suture.showMenu";
  const show = (now: Situation): void => {
    const { text, tooltip, severity } = face(now);
    const colour = COLOURS[severity];
    item.text = text;
    item.tooltip = tooltip;
    item.backgroundColor = colour ? new vscode.ThemeColor(colour) : undefined;
    item.accessibilityInformation = { label: `suture: ${tooltip}`, role: "button" };
    item.show();
  };
  return { item, show };
}
