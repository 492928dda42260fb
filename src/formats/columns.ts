// The columns of an input, and how a header line names them.
//
// A column that is not known is refused: to ignore a column `expire` or `active` would let people in.
import { wrongUsage } from '../failure';

/** In the order in which export writes them; an input without a header has the same order. */
export const COLUMNS = ['user', 'network', 'note', 'expires', 'added_at', 'added_by', 'set', 'local'] as const;
export type Column = (typeof COLUMNS)[number];

/** The column of each field, null for an ignored one. COLUMNS itself means that the input has no header. */
export type Columns = readonly (Column | null)[];

/** A field is null if it is the format's word for that (NULL, \N). */
export type Fields = readonly (string | null)[];

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
export function isHeader(fields: Fields, isNetwork: (text: string) => boolean): boolean {
  const names: readonly string[] = [...COLUMNS, ...OTHER_NAMES];
  return fields.some((field) => names.includes(nameOf(field))) && !fields.some((field) => isNetwork(field ?? ''));
}

/** The columns of a header. Throws Trouble if it cannot be used. */
export function columnsOf(header: Fields): Columns {
  const names = header.map(nameOf);
  const columns = names.map((name) => COLUMNS.find((column) => column === name) ?? null);
  const unknown = names.find((name, i) => columns[i] === null && !IGNORED.includes(name));
  if (unknown !== undefined) throw wrongUsage(`the column ${unknown} is not known`, hintFor(names));
  const twice = columns.find((column, i) => column !== null && columns.indexOf(column) !== i);
  if (twice) throw wrongUsage(`there are two columns ${twice}`, 'leave one of them out');
  const needed: readonly Column[] = columns.includes('set') ? ['network'] : ['user', 'network'];
  const lacking = needed.find((name) => !columns.includes(name));
  if (lacking !== undefined) throw wrongUsage(`there is no column ${lacking}`, hintFor(names));
  return columns;
}

export function valuesOf(fields: Fields, columns: Columns): Values {
  const values: Values = {};
  fields.forEach((field, i) => {
    const column = columns[i];
    if (column) values[column] = field || null;
  });
  return values;
}
