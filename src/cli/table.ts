// Prints tables row by row: the first rows set the widths of the columns, so that a long list needs no memory.
import { type Colour, printLine } from './output';

/** The number of rows that determine the widths. */
const SAMPLE = 1000;
/** A wider cell does not widen its column; it only shifts the rest of its own line. */
const WIDEST = 43;

export interface TableLine {
  readonly cells: readonly string[];
  readonly colour?: Colour | null;
}

/** `titles`: null for none. `right`: the columns that are aligned to the right. */
export function printTable(
  titles: readonly string[] | null,
  lines: Iterable<TableLine>,
  right: readonly number[] = [],
): void {
  const sample: TableLine[] = titles === null ? [] : [{ cells: titles, colour: 'bold' }];
  let widths: number[] | null = null;
  for (const line of lines) {
    if (widths !== null) printInColumns(line, widths, right);
    else if (sample.push(line) === SAMPLE) widths = printSample(sample, right);
  }
  if (widths === null) printSample(sample, right);
}

function printSample(sample: readonly TableLine[], right: readonly number[]): number[] {
  const widthOf = (i: number) => sample.reduce((most, { cells }) => Math.max(most, cells[i]?.length ?? 0), 0);
  const widths = (sample[0]?.cells ?? []).map((_, i) => Math.min(WIDEST, widthOf(i)));
  for (const line of sample) printInColumns(line, widths, right);
  return widths;
}

function printInColumns({ cells, colour }: TableLine, widths: readonly number[], right: readonly number[]): void {
  const padded = cells.map((cell, i) => {
    const width = widths[i] ?? 0;
    if (right.includes(i)) return cell.padStart(width);
    return i === cells.length - 1 ? cell : cell.padEnd(width);
  });
  printLine(padded.join('  ').trimEnd(), colour);
}
