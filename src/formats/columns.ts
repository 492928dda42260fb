// Which field of a line is what: from the header line, or by position when there is none.
//
// A column that is not known is left out and told; one that is nearly known is refused: an `expire` overlooked would let people in for ever.
import { nearest, type Refusal } from '../cli/input';

export const COLUMNS = ['user', 'network', 'note', 'expires', 'added_at', 'added_by', 'set', 'local'] as const;
export type Column = (typeof COLUMNS)[number];

export interface Header {
  /** Of each column the place of its field, or -1. */
  readonly places: Readonly<Record<Column, number>>;
  /** How many fields a line has; without a header line any number is good. */
  readonly width: number | null;
  readonly unknown: readonly string[];
  readonly problem: Refusal | null;
}

/** What `list --json` shows of a row beside its columns. */
const SHOWN_ONLY = ['state', 'problem'];

/** The columns of a line without a header: user, network, and so on, as export orders them. */
export const BY_POSITION: Header = {
  places: placesOf(COLUMNS),
  width: null,
  unknown: [],
  problem: null,
};

/** Whether the first line of an input names columns: then it has one called network, or a user, and nothing that could be data. */
export function isHeader(fields: readonly (string | null)[], isNetwork: (text: string) => boolean): boolean {
  const names = fields.map(columnName);
  if (fields.some((field) => field !== null && isNetwork(field))) return false;
  return names.includes('network') || (names.includes('user') && names[1] !== '');
}

export function headerOf(fields: readonly (string | null)[]): Header {
  const names = fields.map(columnName);
  const twice = names.find((name, i) => name !== '' && names.indexOf(name) !== i && isColumn(name));
  const places = placesOf(names);
  const lacking = (['user', 'network'] as const).find(
    (name) => places[name] < 0 && (name !== 'user' || places.set < 0),
  );
  const problem =
    twice !== undefined
      ? { problem: `there are two columns ${twice}`, hint: 'leave one of them out' }
      : (names.map(refuseColumn).find((refusal) => refusal !== null) ??
        (lacking === undefined ? null : { problem: `there is no column ${lacking}`, hint: KNOWN }));
  return { places, width: names.length, unknown: names.filter((name) => !isColumn(name)), problem };
}

const KNOWN = `the columns are ${COLUMNS.join(', ')}`;

/** Why a name that is no column cannot simply be left out, or null. */
export function refuseColumn(name: string): Refusal | null {
  if (name === '' || isColumn(name) || SHOWN_ONLY.includes(name)) return null;
  const alike = COLUMNS.find((column) => name.startsWith(column) || (name.length > 2 && column.startsWith(name)));
  const near = name.length > 5 ? nearest(name, COLUMNS) : null;
  const meant = alike ?? near ?? (/expir|until|valid/.test(name) ? 'expires' : null);
  if (meant === null) return null;
  return { problem: `the column ${name} is not known`, hint: `did you mean ${meant}? ${KNOWN}` };
}

export function isColumn(name: string): name is Column {
  return (COLUMNS as readonly string[]).includes(name);
}

export function columnName(field: string | null): string {
  return (field ?? '').trim().toLowerCase();
}

function placesOf(names: readonly string[]): Record<Column, number> {
  return Object.fromEntries(COLUMNS.map((column) => [column, names.indexOf(column)])) as Record<Column, number>;
}
