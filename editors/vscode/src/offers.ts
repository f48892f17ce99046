/** The offers that the server told of, in the order in which they came. What an offer is worth and whether it still holds, the server says. */

import type { Offer, OfferTold } from "./wire";

/** An offer that was decided, or that came to its end by itself. */
export interface Closed {
  readonly offer: Offer;
  readonly state: string;
  readonly reason: string;
}

const MOST_CLOSED = 50;

export class Offers {
  private readonly standing = new Map<string, Offer>();
  private past: Closed[] = [];
  private shown = "";
  private readonly listeners: ((told: OfferTold, news: boolean) => void)[] = [];

  onChange(listener: (told: OfferTold, news: boolean) => void): void {
    this.listeners.push(listener);
  }

  /** Take what the server says. An offer that it tells again was proven again; that is no news. */
  take(told: OfferTold): void {
    const news = told.state === "ready" && !this.standing.has(told.offer.id);
    if (told.state === "ready") {
      this.standing.set(told.offer.id, told.offer);
    } else {
      this.standing.delete(told.offer.id);
      this.past = [{ offer: told.offer, state: told.state, reason: told.reason }, ...this.past.filter((each) => each.offer.id !== told.offer.id)];
      this.past = this.past.slice(0, MOST_CLOSED);
    }
    for (const listener of this.listeners) {
      listener(told, news);
    }
  }

  /** The server is gone, and with it everything that it offered; it offers again what still holds. */
  clear(): void {
    const gone = [...this.standing.values()];
    this.standing.clear();
    for (const offer of gone) {
      for (const listener of this.listeners) {
        listener({ state: "expired", reason: "the server has ended", offer }, false);
      }
    }
  }

  get all(): Offer[] {
    return [...this.standing.values()];
  }

  get closed(): readonly Closed[] {
    return this.past;
  }

  get(id: string): Offer | undefined {
    return this.standing.get(id);
  }

  /** The one that a person looks at, else the oldest. */
  get current(): Offer | undefined {
    return this.standing.get(this.shown) ?? this.all[0];
  }

  look(id: string): void {
    this.shown = id;
  }

  /** The neighbour of the one that was looked at last; round at both ends. */
  beside(step: 1 | -1): Offer | undefined {
    const all = this.all;
    const at = all.findIndex((each) => each.id === this.shown);
    if (at < 0) {
      return step === 1 ? all[0] : all.at(-1);
    }
    return all[(at + step + all.length) % all.length];
  }
}

/** `+3 −1`, as a person reads it. */
export function counts(offer: Offer): string {
  const added = offer.files.reduce((sum, each) => sum + each.added, 0);
  const removed = offer.files.reduce((sum, each) => sum + each.removed, 0);
  return `+${added} −${removed}`;
}

/** The names of an offer's files. */
export function names(offer: Offer): string {
  return offer.files.map((each) => each.path.replace(/^.*\//, "")).join(", ");
}

/** What was proven, in one line. */
export function proof(offer: Offer): string {
  return offer.proven.join(", ") || offer.title;
}

/** The same, to stand alone. */
export function heading(offer: Offer): string {
  const said = proof(offer);
  return said.charAt(0).toUpperCase() + said.slice(1);
}
