/** Saying that a fix is ready, in a way that can be taken back.
 *
 * VS Code shows a message until somebody closes it, and its buttons stay when the fix was decided elsewhere: in the quick-fix menu, in the
 * diff, by an edit. Progress in a notification ends when the extension says so, and its title may have links to commands. So the notice is
 * one of those: it goes with the fix, when the fix is looked at, and by itself after a while; the status bar counts what is ready. Where a person
 * hides it before, VS Code moves it into the status bar for the rest of that while. */

export interface Shown {
  /** Show a notice until the promise is kept. */
  (title: string, until: Promise<void>): void;
}

export interface Clock {
  after(ms: number, work: () => void): () => void;
}

export class Notice {
  private about = "";
  private end: () => void = () => undefined;

  constructor(
    private readonly show: Shown,
    private readonly clock: Clock,
    private readonly patience = 20_000,
  ) {}

  /** Say it, unless another notice is still there: the status bar has the rest. */
  begin(offer: string, title: string): void {
    if (this.about) {
      return;
    }
    this.about = offer;
    const until = new Promise<void>((resolve) => {
      const forget = this.clock.after(this.patience, () => this.over(offer));
      this.end = () => {
        forget();
        resolve();
      };
    });
    this.show(title, until);
  }

  /** The offer was looked at or decided, or is gone. */
  over(offer: string): void {
    if (this.about === offer) {
      this.about = "";
      this.end();
    }
  }
}

/** A link to a command, for a notice. */
export function link(label: string, command: string, ...given: readonly unknown[]): string {
  return `[${label}](command:${command}?${encodeURIComponent(JSON.stringify(given))})`;
}

/** A text of others in which VS Code finds no link: in its messages `[text](command:name)` would run that command. */
export function plain(text: string): string {
  return text.replaceAll("](", "] (");
}
