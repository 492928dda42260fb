// The columns of an input, and how a header line names them.
//
// Unknown columns are ignored and reported, unless they may change the meaning of a row: to ignore a column `expire` or
// `active` would let people in.
import type { Refusal } from '../cli/input';
import { nearest } from '../cli/nearest';

/** In the order in which export writes them; an input without a header has the same order. */
export const COLUMNS = ['user', 'network', 'note', 'expires', 'added_at', 'added_by', 'set', 'local'] as const;
export type Column = (typeof COLUMNS)[number];

/** The fields of a row: null if empty, undefined if the input does not have the column. */
export type Values = { [column in Column]?: string | null };

const KNOWN = `the columns are ${COLUMNS.join(', ')}`;

export function isColumn(name: string): name is Column {
  return (COLUMNS as readonly string[]).includes(name);
}

export function columnName(field: string | null): string {
  return (field ?? '').trim().toLowerCase();
}

/** Columns of other programs that may change the meaning of a row, with a hint. */
const OTHER_MEANINGS: readonly (readonly [name: RegExp, hint: string])[] = [
  [
    /^(?:valid_?)?(?:from|start|begin|since)/,
    'every row counts at once: leave out the rows that do not, and this column',
  ],
  [/expir|until|valid_?to|^end|^to$/, `did you mean expires? ${KNOWN}`],
  [/mask|prefix|bits|length/, 'write the length of a network behind it: 10.0.0.0/8'],
  [
    /^(?:is_)?(?:active|enabled?|disabled?|deleted|blocked|locked|revoked|suspended|valid|allow|deny|permit|action|status|type)$/,
    'every row lets its user in: leave out the rows that do not, and this column',
  ],
];

/** Why a column cannot be ignored, or null. */
export function refuseColumn(name: string): Refusal | null {
  // `list --json` prints `state` and `problem`, which import may ignore.
  if (name === '' || isColumn(name) || name === 'state' || name === 'problem') return null;
  const other = OTHER_MEANINGS.find(([pattern]) => pattern.test(name))?.[1];
  const alike = COLUMNS.find((column) => name.startsWith(column) || (name.length > 2 && column.startsWith(name)));
  const meant = alike ?? (name.length > 5 ? nearest(name, COLUMNS) : null);
  const hint = other ?? (meant === null ? null : `did you mean ${meant}? ${KNOWN}`);
  return hint === null ? null : { problem: `the column ${name} is not known`, hint };
}

/** The names that other programs have for our columns. */
const USER_NAMES = /^(?:user_?name|login|e?-?mail|address|account)$/;
const NETWORK_NAMES = /^(?:allow_nets|nets?|networks|ips?|ip_?addr(?:ess)?|cidr)$/;
const isOtherName = (name: string) => USER_NAMES.test(name) || NETWORK_NAMES.test(name);

/** Whether the first line of an input is a header. `isNetwork`: whether a field is a network, and so data. */
export function isHeader(fields: readonly (string | null)[], isNetwork: (text: string) => boolean): boolean {
  if (fields.some((field) => field !== null && isNetwork(field))) return false;
  const names = fields.map(columnName);
  const others = names.filter(isOtherName).length;
  return names.includes('network') || (names.includes('user') && names[1] !== '') || others > 1;
}

/** Why a header cannot be used, or null. */
export function refuseHeader(names: readonly string[]): Refusal | null {
  const twice = names.find((name, i) => isColumn(name) && names.indexOf(name) !== i);
  if (twice !== undefined) return { problem: `there are two columns ${twice}`, hint: 'leave one of them out' };
  const needed = names.includes('set') ? ['network'] : ['network', 'user'];
  const lacking = needed.find((name) => !names.includes(name));
  if (lacking !== undefined && names.some(isOtherName)) {
    const user = names.find((name) => name === 'user' || USER_NAMES.test(name)) ?? 'username';
    const network = names.find((name) => name === 'network' || NETWORK_NAMES.test(name)) ?? 'allow_nets';
    return {
      problem: `the columns ${names.join(' and ')} are not known`,
      hint: `name them user and network, in SQL: select ${user} as user, ${network} as network; a user who may send from everywhere has the network any`,
    };
  }
  const refusal = names.map(refuseColumn).find((each) => each !== null);
  return refusal ?? (lacking === undefined ? null : { problem: `there is no column ${lacking}`, hint: KNOWN });
}
