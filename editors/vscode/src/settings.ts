/** Settings as the server is told them: only those that a person has set, since what an editor says goes before the project's suture.toml. */

export interface Inspected {
  readonly globalValue?: unknown;
  readonly workspaceValue?: unknown;
  readonly workspaceFolderValue?: unknown;
}

/** Dotted names and values. In restricted mode what the workspace says does not count. */
export function told(names: readonly string[], inspect: (name: string) => Inspected | undefined, trusted: boolean): Record<string, unknown> {
  const found: Record<string, unknown> = {};
  for (const name of names) {
    const given = inspect(name);
    const value = trusted ? (given?.workspaceFolderValue ?? given?.workspaceValue ?? given?.globalValue) : given?.globalValue;
    if (value !== undefined && value !== null) {
      found[name] = value;
    }
  }
  return found;
}
