// The formats of import and export, and how an input without --format is told apart: by the name of its file, else by how it begins.
import * as path from 'node:path';

/** `dovecot`: a passwd-file, read only. */
export type Format = 'csv' | 'tsv' | 'json' | 'dovecot';
export const FORMATS: readonly Format[] = ['csv', 'tsv', 'json', 'dovecot'];

const EXTENSIONS: Readonly<Record<string, Format>> = {
  '.csv': 'csv',
  '.tsv': 'tsv',
  '.tab': 'tsv',
  '.json': 'json',
  '.jsonl': 'json',
  '.ndjson': 'json',
};

/** How the fields of a line stand apart. `escapes`: of tab-separated text as `mysql --batch` writes it. */
export interface Dialect {
  readonly separator: string;
  readonly quotes: boolean;
  readonly escapes: boolean;
}

/** `name`: of the file, or `-`. `start`: the first characters of the input. */
export function guessFormat(name: string, start: string): Format {
  const known = EXTENSIONS[path.extname(name).toLowerCase()];
  if (known !== undefined) return known;
  if (/^\s*[[{]/.test(start)) return 'json';
  const line = firstLine(start);
  if (line.includes('\t')) return 'tsv';
  return line.includes('|') && !line.includes(',') ? 'tsv' : 'csv';
}

/** psql -A separates by | unless told otherwise and escapes nothing; spreadsheets write ; where a comma separates decimals. */
export function dialectOf(format: 'csv' | 'tsv', start: string): Dialect {
  // As spreadsheets write it, and read it back.
  const named = /^\s*"?sep=(.)"?\r?\n/i.exec(start)?.[1];
  if (named !== undefined) return { separator: named, quotes: format === 'csv', escapes: false };
  const line = firstLine(start);
  if (format === 'tsv') {
    const bars = !line.includes('\t') && line.includes('|');
    return { separator: bars ? '|' : '\t', quotes: false, escapes: !bars };
  }
  const outside = line.replace(/"(?:[^"]|"")*("|$)/g, '');
  const separator = [',', ';', '\t', '|'].find((candidate) => outside.includes(candidate)) ?? ',';
  return { separator, quotes: true, escapes: false };
}

function firstLine(start: string): string {
  return /^\s*([^\r\n]*)/.exec(start)?.[1] ?? '';
}
