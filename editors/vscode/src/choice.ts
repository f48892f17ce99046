/** Which changes of an offer a person leaves out. What a change is, and what is left without it, the server says; here is only who was chosen. */

import type { FileTexts, Hunk } from "./wire";

export class Choice {
  private readonly told = new Map<string, readonly FileTexts[]>();
  private readonly out = new Map<string, Set<string>>();

  /** What the server says of an offer. Changes that it has no longer were not left out of this one. */
  put(offer: string, files: readonly FileTexts[]): void {
    this.told.set(offer, files);
    const known = new Set(this.hunks(offer).map((each) => each.id));
    const left = [...(this.out.get(offer) ?? [])].filter((each) => known.has(each));
    this.out.set(offer, new Set(left));
  }

  forget(offer: string): void {
    this.told.delete(offer);
    this.out.delete(offer);
  }

  /** The changes of an offer, or of one of its files. */
  hunks(offer: string, path?: string): Hunk[] {
    const files = this.told.get(offer) ?? [];
    return files.filter((each) => path === undefined || each.path === path).flatMap((each) => each.hunks);
  }

  isLeftOut(offer: string, hunk: string): boolean {
    return this.out.get(offer)?.has(hunk) ?? false;
  }

  leaveOut(offer: string, hunk: string, out: boolean): void {
    const left = this.out.get(offer) ?? new Set<string>();
    this.out.set(offer, left);
    if (out) {
      left.add(hunk);
    } else {
      left.delete(hunk);
    }
  }

  /** The changes that are taken; undefined for all of them. */
  taken(offer: string): string[] | undefined {
    const left = this.out.get(offer);
    return left?.size ? this.hunks(offer).map((each) => each.id).filter((each) => !left.has(each)) : undefined;
  }

  /** Those of a file that are taken; undefined for all of them. */
  takenOf(offer: string, path: string): string[] | undefined {
    const mine = this.hunks(offer, path).map((each) => each.id);
    const taken = mine.filter((each) => !this.isLeftOut(offer, each));
    return taken.length < mine.length ? taken : undefined;
  }

  /** The change at a line of a side of a file's diff, else the nearest one. */
  at(offer: string, path: string, side: "before" | "after", line: number): Hunk | undefined {
    const away = (hunk: Hunk): number => Math.max(hunk[side].start - line, line - Math.max(hunk[side].start, hunk[side].end - 1), 0);
    return this.hunks(offer, path).reduce<Hunk | undefined>((best, each) => (best && away(best) <= away(each) ? best : each), undefined);
  }
}
