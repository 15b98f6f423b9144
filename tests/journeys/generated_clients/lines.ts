// What the three programs in TypeScript share: their settings, and lines to and from the test.

import { createInterface } from "node:readline";

export interface Settings {
  site: string;
  key: string;
  domain: string;
  sender: string;
  hook: string;
}

export const settings = JSON.parse(process.env.SETTINGS ?? "{}") as Settings;

const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();

/** Prints a line for the test, and returns the one that it answers with. */
export async function hear<T>(said: object): Promise<T> {
  console.log(JSON.stringify(said));
  return JSON.parse((await lines.next()).value as string) as T;
}

/** Prints the last line. */
export function done(): never {
  console.log(JSON.stringify({ done: true }));
  process.exit(0);
}

/** Asks until there is an answer, for a minute. */
export async function until<T>(ask: () => Promise<T | undefined>): Promise<T> {
  for (let n = 0; n < 120; n++) {
    const found = await ask();
    if (found !== undefined) return found;
    await new Promise((ready) => setTimeout(ready, 500));
  }
  throw new Error("It did not happen within a minute.");
}

/** Returns a value that has to be there. */
export function must<T>(value: T | null | undefined): T {
  if (value === null || value === undefined) throw new Error("Nothing came back.");
  return value;
}

/** Throws unless two values are alike. */
export function same(found: unknown, wanted: unknown): void {
  if (JSON.stringify(found) !== JSON.stringify(wanted)) {
    throw new Error(`${JSON.stringify(found)} is not ${JSON.stringify(wanted)}`);
  }
}
