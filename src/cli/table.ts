// Tables: a line of titles and one for each row, in columns as wide as what stands in them.
import { columns } from './output';

/** What is wider pushes its own line out and not all others. */
const WIDEST = 43;

/** `right`: the numbers of columns that are aligned to the right. */
export function tableLines(
  titles: readonly string[],
  rows: readonly (readonly string[])[],
  right: readonly number[] = [],
): { head: string; lines: string[] } {
  const widthOf = (title: string, i: number) =>
    rows.reduce((most, row) => Math.max(most, row[i]?.length ?? 0), title.length);
  const widths = titles.map((title, i) => Math.min(WIDEST, widthOf(title, i)));
  const line = (cells: readonly string[]) =>
    columns(
      cells.map((cell, i) => (right.includes(i) ? cell.padStart(widths[i] ?? 0) : cell)),
      widths,
    );
  return { head: line(titles), lines: rows.map(line) };
}
