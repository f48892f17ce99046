/** Starts, stops and restarts, one after another. Whatever is asked while one is under way is done once, afterwards: the last wish counts. */

export class Queue {
  private waiting: (() => Promise<void>) | undefined;
  private running: Promise<void> | undefined;

  /** Do it, after what is under way; resolves when everything that was asked is done. */
  run(work: () => Promise<void>): Promise<void> {
    this.waiting = work;
    this.running ??= this.drain();
    return this.running;
  }

  private async drain(): Promise<void> {
    try {
      while (this.waiting) {
        const work = this.waiting;
        this.waiting = undefined;
        await work();
      }
    } finally {
      this.running = undefined;
    }
  }
}
