// The text of main.cf and master.cf as Postfix reads it: logical lines, of which each character still knows its place in the file.
//
// A line that starts with white space continues the one before it; empty lines and lines that start with # are skipped, also inside
// a logical line (postconf(5), "Format"; master(5), "Syntax"). Edits are made at those places, so that comments, layout and everything else
// stay as the administrator wrote them; postconf would fold a list to one line and leave its comments behind.

/** A part of the file's logical text. `at(i)`: where in the file the character i stands, or would stand for i = text.length. */
export interface Slice {
  readonly text: string;
  at(index: number): number;
}

export interface LogicalLine extends Slice {
  /** Where its first physical line begins, and where the line after its last one does. */
  readonly start: number;
  readonly end: number;
}

/** A replacement in the file's text. */
export interface Edit {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

interface Piece {
  readonly index: number;
  readonly offset: number;
  readonly text: string;
}

export function logicalLines(file: string): LogicalLine[] {
  const lines: LogicalLine[] = [];
  let pieces: Piece[] = [];
  let end = 0;
  const finish = () => {
    if (pieces.length > 0) lines.push(lineOf(pieces, end));
    pieces = [];
  };
  for (let offset = 0; offset < file.length; ) {
    const newline = file.indexOf('\n', offset);
    const next = newline < 0 ? file.length : newline + 1;
    const text = file.slice(offset, newline < 0 ? file.length : newline);
    if (!/^\s*(#|$)/.test(text)) {
      if (!/^\s/.test(text)) finish();
      const last = pieces.at(-1);
      pieces.push({ index: last === undefined ? 0 : last.index + last.text.length, offset, text });
      end = next;
    }
    offset = next;
  }
  finish();
  return lines;
}

function lineOf(pieces: readonly Piece[], end: number): LogicalLine {
  const at = (index: number): number => {
    // The end of one piece and not the start of the next: an insertion there belongs to what it follows.
    const piece = pieces.find((one) => index < one.index + one.text.length) ?? pieces.at(-1);
    return piece === undefined ? 0 : piece.offset + index - piece.index;
  };
  return { text: pieces.map(({ text }) => text).join(''), at, start: pieces[0]?.offset ?? 0, end };
}

/** The part of a slice from `start` to `end`. */
export function part(slice: Slice, start: number, end: number): Slice {
  return {
    text: slice.text.slice(start, end),
    // The place behind a part's last character, also where the next character is on another physical line.
    at: (index) =>
      start + index >= end && end > start ? slice.at(end - 1) + 1 + (start + index - end) : slice.at(start + index),
  };
}

/** The file with all edits made. They must not overlap. */
export function edited(file: string, edits: readonly Edit[]): string {
  return [...edits]
    .sort((a, b) => b.start - a.start)
    .reduce((text, { start, end, text: inserted }) => text.slice(0, start) + inserted + text.slice(end), file);
}

/** The file with a block of lines at its end; a file without a newline at its end stays one. */
export function appended(file: string, block: string): string {
  return file === '' || file.endsWith('\n') ? `${file}${block}\n` : `${file}\n${block}`;
}

/** The edit that takes a logical line away, so that what `appended` has put there leaves nothing behind. */
export function removal(file: string, { start, end }: LogicalLine): Edit {
  const before = end === file.length && !file.endsWith('\n') && start > 0 ? start - 1 : start;
  return { start: before, end, text: '' };
}

/** What differs between two texts, as whole lines. */
export function changedLines(before: string, after: string): { before: string[]; after: string[] } {
  const [old, now] = [before.split('\n'), after.split('\n')];
  let first = 0;
  while (first < old.length && first < now.length && old[first] === now[first]) first++;
  let last = 0;
  while (last < old.length - first && last < now.length - first && old.at(-1 - last) === now.at(-1 - last)) last++;
  return { before: old.slice(first, old.length - last), after: now.slice(first, now.length - last) };
}
