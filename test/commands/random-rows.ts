// Random rows as the commands store them, made so that what they hold is known without asking the program.
import fc from 'fast-check';
import { isSubject } from '../../src/cli/input';
import { formatNetwork, parseNetwork } from '../../src/rules/network';
import { query } from '../rig/database';
import { type Pick, picks } from '../rig/random';
import { plainText, randomBits } from '../rig/spellings';

/** A row of either table, as it stands in the database. */
export interface StoredRow {
  readonly table: 'access' | 'network_set';
  readonly name: string;
  readonly network: string;
  readonly note: string | null;
  readonly expires: string | null;
  readonly added_at: string | null;
  readonly added_by: string | null;
  readonly local: 0 | 1;
}

/** What the formats give a meaning to, and what people paste. */
// biome-ignore format: a list of words
const PIECES = [
  '"', "'", ',', ';', '|', '\t', '\n', '\r', '\r\n', '\\', '\\N', '\\n', 'NULL', ' ', '  ', '\0', '{', '}', '[', ']',
  'user', 'network', '(2 rows)', '@', '/', '*', '=', ':', 'É', 'e\u0301', 'İ', 'ß', 'ﬀ', '日本', '😀', '\u202e', '\ufeff',
  '\u00a0', '\u2028', '\x7f', '\x1b[31m', '\x1e', '\x1f', '\x02', 'alice', 'example.com', '0', '1', '# ', "'; --",
];

const text = fc
  .array(fc.oneof(fc.constantFrom(...PIECES), fc.string({ unit: 'binary', maxLength: 4 })), {
    minLength: 1,
    maxLength: 6,
  })
  .map((parts) => parts.join('') || '-');

const fold = (name: string) => name.normalize('NFC').toLowerCase().normalize('NFC');
// biome-ignore lint/suspicious/noControlCharactersInRegex: no name may hold one
const CONTROL = /[\x00-\x1f\x7f-\x9f\ufffd]/g;

/** Names as the README has them: no control character, no space at either end, no network, and no domain, of which import warns. */
const user = fc
  .oneof(
    text,
    text.map((name) => `${name}@example.com`),
    text.map((name) => `@${name}`),
    fc.constant('*'),
    fc.nat(30).map((n) => `user${n}@example.com`),
  )
  .map((name) => fold(name.replace(CONTROL, '')).trim())
  .filter((name) => isSubject(name) && !/^[^@]+\.com$/.test(name));

const setName = text
  .map((name) => fold(name.replace(CONTROL, '').replace(/[\s@/,;"'=]/g, '')))
  .filter((name) => name.trim() !== '');

const moment = fc
  .date({ min: new Date('1970-01-01T00:00:00Z'), max: new Date('9999-12-31T00:00:00Z'), noInvalidDate: true })
  .map((date) => date.toISOString().replace(/\.\d+Z$/, 'Z'));

const network = picks.map(randomNetwork);

function randomNetwork(pick: Pick): string {
  if (pick(12) === 0) return 'any';
  const bits = randomBits(pick);
  const parsed = parseNetwork(`${plainText(bits)}/${pick(bits.bytes.length * 8 + 1)}`);
  if (parsed === null) throw new Error('plainText and a prefix are a network');
  return formatNetwork(parsed.network);
}

const optional = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: null });
const local = fc.integer({ min: 0, max: 9 }).map((n) => (n === 0 ? 1 : 0) as 0 | 1);
const origin = { note: optional(text), added_at: optional(fc.oneof(moment, text)), added_by: optional(text) };

const common = { network, local, ...origin };
const set = fc.record({
  table: fc.constant('network_set' as const),
  name: setName,
  expires: fc.constant(null),
  ...common,
});
const entry = fc.record({ table: fc.constant('access' as const), name: user, expires: optional(moment), ...common });
const sets: fc.Arbitrary<StoredRow[]> = fc.array(set, { maxLength: 25 });
const entries: fc.Arbitrary<StoredRow[]> = fc.array(entry, { minLength: 1, maxLength: 60 });

/** The rows of a whole database: some of the entries name a set, and no two are of the same name and network. */
export const someRows: fc.Arbitrary<StoredRow[]> = fc
  .tuple(sets, entries, fc.array(fc.nat(), { maxLength: 20 }))
  .map(([inSets, own, ofSets]) => {
    const names = inSets.map(({ name }) => name);
    const named = names.length === 0 ? [] : ofSets.map((n) => ({ at: n % own.length, set: names[n % names.length] }));
    const rows = [...inSets, ...own];
    for (const { at, set } of named) {
      const row = own[at];
      if (row) rows.push({ ...row, network: `@${set}` });
    }
    const unique = new Map(rows.map((row) => [`${row.table}\n${row.name}\n${row.network}`, row]));
    return [...unique.values()];
  });

/** All rows of both tables in a fixed order. */
export function dump(db: string): unknown[] {
  const columns = 'network, canonical, note, added_at, added_by, local';
  const sql = `select 'access' as "table", user as name, ${columns}, expires from access
    union all select 'network_set', name, ${columns}, null from network_set`;
  return query(db, `select * from (${sql}) order by 1, 2, 3`);
}
