// The columns of an input, and how a header line names them.
//
// A column that is not known is refused: to ignore a column `expire` or `active` would let people in.
import type { Refusal } from '../cli/input';

/** In the order in which export writes them; an input without a header has the same order. */
export const COLUMNS = ['user', 'network', 'note', 'expires', 'added_at', 'added_by', 'set', 'local'] as const;
export type Column = (typeof COLUMNS)[number];

/** The column of each field, null for an ignored one. COLUMNS itself means that the input has no header. */
export type Columns = readonly (Column | null)[];

/** The fields of a row: null if empty, undefined if the input does not have the column. */
export type Values = { [column in Column]?: string | null };

/** What `list --json` and `learn --json` print besides, and a field without a name. */
const IGNORED = ['', 'state', 'problem', 'messages', 'days', 'first', 'last', 'allowed', 'by', 'marks'];

/** The names that other programs have for our columns. */
const OTHER_NAMES = ['username', 'login', 'email', 'account', 'allow_nets', 'networks', 'ip', 'cidr'];

function hintFor(names: readonly string[]): string {
  const areOthers = names.length > 1 && names.slice(0, 2).every((name) => OTHER_NAMES.includes(name));
  const [user, network] = areOthers ? names : ['username', 'allow_nets'];
  return `the columns are ${COLUMNS.join(', ')}; in SQL: select ${user} as user, ${network} as network, valid_to as expires; a network is 192.0.2.0/24, or any for everywhere; leave out rows that are switched off or not valid yet, then other columns`;
}

const nameOf = (field: string | null) => (field ?? '').trim().toLowerCase();

/** Whether the first line of an input is a header. `isNetwork`: whether a field is a network, and so data. */
export function isHeader(fields: readonly (string | null)[], isNetwork: (text: string) => boolean): boolean {
  const names: readonly string[] = [...COLUMNS, ...OTHER_NAMES];
  return fields.some((field) => names.includes(nameOf(field))) && !fields.some((field) => isNetwork(field ?? ''));
}

/** The columns of a header, or why it cannot be used. */
export function columnsOf(header: readonly (string | null)[]): Columns | Refusal {
  const names = header.map(nameOf);
  const columns = names.map((name) => COLUMNS.find((column) => column === name) ?? null);
  const unknown = names.find((name, i) => columns[i] === null && !IGNORED.includes(name));
  if (unknown !== undefined) return { problem: `the column ${unknown} is not known`, hint: hintFor(names) };
  const twice = columns.find((column, i) => column !== null && columns.indexOf(column) !== i);
  if (twice) return { problem: `there are two columns ${twice}`, hint: 'leave one of them out' };
  const needed: readonly Column[] = columns.includes('set') ? ['network'] : ['user', 'network'];
  const lacking = needed.find((name) => !columns.includes(name));
  return lacking === undefined ? columns : { problem: `there is no column ${lacking}`, hint: hintFor(names) };
}

export function valuesOf(fields: readonly (string | null)[], columns: Columns): Values {
  const values: Values = {};
  fields.forEach((field, i) => {
    const column = columns[i];
    if (column) values[column] = field || null;
  });
  return values;
}
