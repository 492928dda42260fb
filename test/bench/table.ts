// Prints the rows as one aligned table.
import { type Figure, isMet, type Row, ratio } from './row';

function number(value: number): string {
  if (value >= 1000) return Math.round(value).toLocaleString('en');
  return value.toFixed(value >= 100 ? 0 : value >= 10 ? 1 : 2);
}

function figure({ value, unit }: Figure): string {
  return `${number(value)}${unit === '/s' ? '' : ' '}${unit}`;
}

function goal(row: Row): string {
  if (!row.goal) return '';
  const { of, is, bound } = row.goal;
  return `${is === 'at most' ? '<=' : '>='} ${of === 'ratio' ? `${bound} x` : figure({ ...row.measured, value: bound })}`;
}

function cells(row: Row): string[] {
  const times = ratio(row);
  const met = isMet(row);
  return [
    row.what,
    figure(row.measured),
    row.against ? `${figure(row.against.figure)} ${row.against.what}` : '',
    times === undefined ? '' : `${number(times)} x`,
    goal(row),
    met === undefined ? '' : met ? 'met' : 'NOT MET',
    Object.entries(row.more ?? {})
      .map(([name, value]) => `${name} ${number(value)}`)
      .join(', '),
  ];
}

/** The table of all rows, group by group, without a final newline. */
export function table(groups: { name: string; rows: Row[] }[]): string {
  const head = ['', 'median', 'compared with', 'ratio', 'goal', '', 'also'];
  const blocks = groups.map(({ name, rows }) => ({ name, lines: rows.map(cells) }));
  const all = [head, ...blocks.flatMap(({ lines }) => lines)];
  const widths = head.map((_, column) => Math.max(...all.map((line) => (line[column] ?? '').length)));
  const print = (line: string[]) =>
    line
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd();
  return [print(head), ...blocks.flatMap(({ name, lines }) => [`[${name}]`, ...lines.map(print)])].join('\n');
}
