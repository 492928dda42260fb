// Recognises inputs that are something else than lists of this program, by their first bytes or by a line, and says
// what to do with them.
import { refusal } from '../failure';

const piped = (command: string) => `${command} FILE, and a pipe into this command with - for FILE`;

type Look = readonly [pattern: RegExp, what: string, hint: string];

/** By the first bytes in hexadecimal. */
const BYTES: readonly Look[] = [
  [/^1f8b/, 'compressed by gzip', piped('gzip -dc')],
  [/^fd377a585a/, 'compressed by xz', piped('xz -dc')],
  [/^28b52ffd/, 'compressed by zstd', piped('zstd -dc')],
  [/^425a68/, 'compressed by bzip2', piped('bzip2 -dc')],
  [/^504b0304/, 'a ZIP file or a spreadsheet', 'unpack it, or save the spreadsheet as CSV'],
  [/^53514c69746520666f726d6174/, 'an SQLite database', 'for one of allow-nets: allow-nets export --db FILE'],
  // In UTF-16 without a byte order mark, every second byte of western text is zero.
  [/^(?:fffe|(?!00)..00(?!00)..00)/, 'UTF-16 text', piped('iconv -f utf-16le -t utf-8')],
  [/^(?:feff|00(?!00)..00(?!00))/, 'UTF-16 text', piped('iconv -f utf-16be -t utf-8')],
  [/^(?:..)*00/, 'not text', 'save it as text: CSV in UTF-8'],
];

/** By the first line, or one that cannot be read. */
const LINES: readonly Look[] = [
  [/^<(?:!doctype|html|\?xml|head|body)/i, 'an HTML or XML page', 'did curl save an error page? Use curl --fail'],
  [/^[-+|: ]*-{3}[-+|: ]*$/, 'a table drawn for people', 'add --batch to the mysql command, or --csv to psql'],
  [
    /^"?network"?,"?geoname_id/,
    'a list of GeoLite2, which has numbers for countries',
    "find the number in its file of Locations: grep ',NUMBER,' FILE | cut -d, -f1, and a pipe into set load NAME -",
  ],
];

/** Throws Trouble. */
export function checkBytes(start: Buffer): void {
  check(BYTES, start.toString('hex', 0, 16));
}

/** Throws Trouble. */
export function checkLine(line: string): void {
  check(LINES, line.trim());
  // As old spreadsheets end their lines. The whole input would be one line.
  const hint = piped("convert it: tr '\\r' '\\n' <");
  check([[/\r./s, 'text whose lines end in CR alone', hint]], line.replace(/"[^"]*"/g, ''));
}

function check(looks: readonly Look[], text: string): void {
  const [, what, hint] = looks.find(([pattern]) => pattern.test(text)) ?? [];
  if (what !== undefined) throw refusal(`the input is ${what}`, hint);
}
