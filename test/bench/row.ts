// What a benchmark measures: a row of the table, with its goal.

/** A number to print with its unit: 'ms', 'us', 's' (times), '/s' (a rate), 'MB'. */
export interface Figure {
  value: number;
  unit: 'ms' | 'us' | 's' | '/s' | 'MB';
}

/** Whether the ratio, or else the measured value, must be at most or at least this. */
export interface Goal {
  of: 'ratio' | 'value';
  is: 'at most' | 'at least';
  bound: number;
}

export interface Row {
  what: string;
  measured: Figure;
  /** What it was compared with in the same run. */
  against?: { what: string; figure: Figure };
  goal?: Goal;
  /** Further figures for the JSON file and the note column, e.g. p99. */
  more?: Record<string, number>;
}

/** A group of rows that are measured in one go; `--only` chooses groups by name. */
export interface Group {
  name: string;
  measure(): Promise<Row[]>;
}

/** Thrown by a group that needs something that is not installed here. */
export class LeftOut extends Error {}

export function median(values: number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 ? upper : (upper + (sorted[middle - 1] ?? Number.NaN)) / 2;
}

export function ratio(row: Row): number | undefined {
  return row.against && row.measured.value / row.against.figure.value;
}

/** Undefined for a row without a goal. */
export function isMet(row: Row): boolean | undefined {
  if (!row.goal) return undefined;
  const value = row.goal.of === 'ratio' ? ratio(row) : row.measured.value;
  if (value === undefined) throw new Error(`${row.what}: a goal for a ratio, and nothing to compare with`);
  return row.goal.is === 'at most' ? value <= row.goal.bound : value >= row.goal.bound;
}
