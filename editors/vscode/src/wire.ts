/** What docs/language-server.md says of the `suture/*` messages and the answers of the commands. */

export type OfferState = "ready" | "withdrawn" | "expired" | "accepted" | "rejected" | "moved" | "proving" | "applying";

export interface OfferFile {
  readonly uri: string;
  readonly path: string;
  readonly kind: "change" | "create" | "delete";
  readonly added: number;
  readonly removed: number;
}

export interface Position {
  readonly line: number;
  readonly character: number;
}

export interface OfferFinding {
  readonly path: string;
  readonly range: { readonly start: Position; readonly end: Position };
  readonly code: string;
  readonly message: string;
}

export interface Offer {
  readonly id: string;
  readonly root: string;
  readonly problem: string;
  readonly check: string;
  readonly title: string;
  readonly proven: readonly string[];
  readonly findings: readonly OfferFinding[];
  readonly files: readonly OfferFile[];
  readonly diff: string;
  readonly policy: string;
  readonly seconds: number;
  readonly episode: string;
  readonly state: OfferState;
}

/** `suture/offer` */
export interface OfferTold {
  readonly state: "ready" | "withdrawn" | "expired" | "accepted" | "rejected";
  readonly reason: string;
  readonly offer: Offer;
}

/** `suture/status` */
export interface Status {
  readonly root: string;
  readonly checking: readonly string[];
  readonly repairing: number;
  readonly queued: number;
  readonly offers: number;
  /** What fails and has no offer. */
  readonly problems: number;
  readonly policy: "unknown" | "ready" | "down";
  readonly trusted: boolean;
  readonly message: string;
}

/** `suture/text` */
export interface Text {
  readonly name: string;
  readonly text: string;
  /** The same as the body of a HTML document, of what has one. */
  readonly page?: string;
  readonly title?: string;
}

/** Lines, counted from 0; `end` is the one behind the last. */
export interface Lines {
  readonly start: number;
  readonly end: number;
}

/** One change of a file. */
export interface Hunk {
  readonly id: string;
  readonly taken: boolean;
  readonly before: Lines;
  readonly after: Lines;
  readonly removed: string;
  readonly added: string;
}

export interface FileTexts {
  readonly uri: string;
  readonly path: string;
  readonly before: string | null;
  readonly after: string | null;
  readonly hunks: readonly Hunk[];
}

/** An episode as the journal has it. */
export interface Episode {
  readonly root: string;
  readonly id: string;
  /** Seconds since 1970. */
  readonly created: number;
  readonly check: string;
  readonly outcome: string;
  readonly reason: string;
  readonly policy: string;
  readonly seconds: number;
  readonly files: number;
  readonly added: number;
  readonly removed: number;
}

/** Answers, by command. */
export interface Answers {
  "suture.check": { checks: { root: string; name: string; status: string; findings: number }[]; refused?: string };
  "suture.fix": { job?: string; offer?: string; state?: string; refused?: string };
  "suture.fixAll": { jobs: string[]; offers: string[]; refused?: string };
  "suture.cancel": { cancelled: number };
  "suture.offers": Offer[];
  "suture.diff": { files: FileTexts[]; diff: string };
  "suture.seen": null;
  "suture.accept": { applied: boolean; reason?: string };
  "suture.accepted": null;
  "suture.reject": null;
  "suture.episodes": Episode[];
  "suture.showEpisode": { title?: string; text?: string; refused?: string };
  "suture.restart": null;
}

export type Command = keyof Answers;

/** Runs a command of the server; rejects where no server runs. */
export type Ask = <C extends Command>(command: C, argument: object) => Promise<Answers[C]>;
