// What a benchmark measures: a row of the table, with its goal, and the table.
import { printTable } from '../../src/cli/table';

export interface Figure {
  value: number;
  unit: 'ms' | 'us' | 's' | '/s' | 'MB';
}

export interface Row {
  what: string;
  measured: Figure;
  /** What it was compared with in the same run. */
  against?: { what: string; value: number };
  /** Of the ratio where there is one to compare with, else of the measured value. */
  goal?: { atMost: number } | { atLeast: number };
}

/** A group of rows that are measured in one go; `--only` chooses groups by name. `needs`: programs of the table in test/packages.mjs. */
export interface Group {
  name: string;
  needs: readonly string[];
  measure(): Promise<Row[]>;
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 ? upper : (upper + (sorted[middle - 1] ?? Number.NaN)) / 2;
}

function ratio(row: Row): number | undefined {
  return row.against && row.measured.value / row.against.value;
}

/** Undefined for a row without a goal. */
export function isMet(row: Row): boolean | undefined {
  if (!row.goal) return undefined;
  const value = ratio(row) ?? row.measured.value;
  return 'atMost' in row.goal ? value <= row.goal.atMost : value >= row.goal.atLeast;
}

function number(value: number): string {
  return value >= 1000 ? Math.round(value).toLocaleString('en') : value.toPrecision(3);
}

function figure(value: number, { unit }: Figure): string {
  return `${number(value)}${unit === '/s' ? '' : ' '}${unit}`;
}

function cells(row: Row): string[] {
  const { what, measured, against, goal } = row;
  const times = ratio(row);
  const bound = goal && ('atMost' in goal ? goal.atMost : goal.atLeast);
  const unit = times === undefined ? ` ${measured.unit}` : ' x';
  return [
    what,
    figure(measured.value, measured),
    against ? `${figure(against.value, measured)} ${against.what}` : '',
    times === undefined ? '' : `${number(times)} x`,
    goal ? `${'atMost' in goal ? '<=' : '>='} ${bound}${unit}` : '',
    { true: 'met', false: 'MISSED', undefined: '' }[`${isMet(row)}`] ?? '',
  ];
}

/** Prints the rows, group by group. */
export function printRows(groups: readonly { name: string; rows: Row[] }[]): void {
  const lines = groups.flatMap(({ name, rows }) => [[`[${name}]`], ...rows.map(cells)]);
  printTable(
    ['', 'median', 'compared with', 'ratio', 'goal', ''],
    lines.map((line) => ({ cells: line })),
  );
}
