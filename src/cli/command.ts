// What a command is: the one source of its parsing, its --help, its completion and its page in the manual.
import type { Options } from 'yargs';

/** What the command line gave. Option names as they are written, without the dashes. */
export interface Arguments {
  text(name: string): string | null;
  texts(name: string): string[];
  flag(name: string): boolean;
  /** What stood after `--`. */
  readonly rest: string[];
  /** The database file. */
  readonly db: string;
}

export interface Command {
  /** As yargs wants it: `add <user> <network..>`. */
  readonly line: string;
  /** What follows it after all options, for --help: `-- <command> [arg..]`. */
  readonly tail?: string;
  readonly summary: string;
  /** More for the manual and --help, a paragraph a string. */
  readonly about?: readonly string[];
  readonly positionals?: Readonly<Record<string, string>>;
  readonly options?: Readonly<Record<string, Options>>;
  /** A command line and what it does. */
  readonly examples: readonly (readonly [string, string])[];
  /** Gives the exit status, and throws Trouble. */
  run(given: Arguments): number | Promise<number>;
}

/** `add <user> <network..>` as the manual writes it: `add USER NETWORK...`. */
export function shownLine(line: string): string {
  return line.replace(/<([^>.]+)(\.\.)?>|\[([^\].]+)(\.\.)?\]/g, (_, needed, many, optional, anyMany) => {
    const name = String(needed ?? optional).toUpperCase();
    const dots = many || anyMany ? '...' : '';
    return needed === undefined ? `[${name}${dots}]` : `${name}${dots}`;
  });
}
