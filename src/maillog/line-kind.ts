// What is looked for in a log: one kind of line of one program.
import type { Head } from './head';

/** A user at an address, as a line names them. */
export interface Sighting {
  /** As the client gave it. */
  readonly user: string;
  /** An IP address, `unknown`, or an address that is valid on one interface only. */
  readonly address: string;
  /** How many equal lines this one stands for. */
  readonly times: number;
  /** Of a refusal. */
  readonly reason?: string;
}

/** `broken`: it begins as one that is looked for and does not go on like it. `unknown`: it could be one, in a form that is not known. */
export type NotRead = 'other' | 'broken' | 'unknown';

export interface LineKind {
  /** Only lines that hold one of these are looked at. */
  readonly marks: readonly string[];
  /** Whether a line whose head cannot be read could be of this kind. */
  isLike(line: string): boolean;
  read(head: Head): Sighting | NotRead;
}
