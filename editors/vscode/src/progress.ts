/** Progress of what a person asked for, as a notification that can be cancelled: the language client shows it in the status bar, where it cannot.
 *
 * One at a time; of "fix all" the others stay in the status bar. */

export interface Told {
  readonly kind: string;
  readonly title?: string;
  readonly message?: string;
  readonly cancellable?: boolean;
}

export interface Show {
  (title: string, cancel: () => void, work: (report: (message: string) => void) => Promise<void>): void;
}

export class Progresses {
  private readonly open = new Map<string | number, { message: string; report?: (message: string) => void; end: () => void }>();

  constructor(
    private readonly show: Show,
    private readonly cancel: (token: string | number) => void,
  ) {}

  /** Whether it was taken; what was not is the language client's. */
  take(token: string | number, told: Told): boolean {
    const known = this.open.get(token);
    if (told.kind === "begin" && told.cancellable && this.open.size === 0) {
      this.begin(token, told);
      return true;
    }
    if (told.kind === "report" && known && told.message) {
      known.message = told.message;
      known.report?.(told.message);
    } else if (told.kind === "end" && known) {
      this.open.delete(token);
      known.end();
      return false; // the client has something to put away, too
    }
    return known !== undefined;
  }

  /** The server is gone. */
  clear(): void {
    for (const each of this.open.values()) {
      each.end();
    }
    this.open.clear();
  }

  private begin(token: string | number, told: Told): void {
    let end = (): void => undefined;
    const ended = new Promise<void>((resolve) => {
      end = resolve;
    });
    this.open.set(token, { message: told.message ?? "", end });
    this.show(told.title ?? "suture", () => this.cancel(token), (report) => {
      const known = this.open.get(token);
      if (known) {
        known.report = report;
        report(known.message);
      }
      return ended;
    });
  }
}
