// Reads a mail log and finds the lines of the given kinds. It searches for their marks in whole blocks, since a log has
// many lines and few of them matter.
//
// DIAGNOSTICS: nothing is skipped silently. Hints say what could not be read.
import { quantity } from '../cli/output';
import { stampReader, unwrap, utf8 } from './header';
import type { LineKind } from './line-kinds';
import { type Input, readBlocks } from './log-file';

/** A user and an address, as one log line names them. */
export interface Sighting {
  /** As the client gave it. */
  readonly user: string;
  /** `unknown` if Postfix does not know it. */
  readonly address: string;
  /** Of a refusal. */
  readonly reason: string;
  /** ms since 1970. */
  readonly time: number;
  /** How many equal lines this one stands for. */
  readonly count: number;
}

const NEWLINE = 10;
/** A power failure leaves NUL bytes. */
const NUL = Buffer.alloc(1);
/** In bytes. Postfix and syslog write much shorter lines. */
const LONGEST_LINE = 1 << 16;
const LONGEST_EXAMPLE = 160;

/** Returns hints at what could not be read. */
export async function readLog(
  input: Input,
  kinds: readonly LineKind[],
  onFound: (found: Sighting) => void,
): Promise<string[]> {
  const timeOf = stampReader(input.latest);
  const marks = kinds.map((kind) => ({ kind, mark: Buffer.from(kind.mark) }));
  let withNul = 0;
  let unread = 0;
  let example = '';
  const skip = (line: string) => {
    if (unread++ === 0) example = utf8(line.slice(0, LONGEST_EXAMPLE));
  };
  const readLine = (line: string, { form, other, decode }: LineKind) => {
    if (line.includes('\0')) return;
    const found = form.exec(line);
    const wrapped = found === null ? unwrap(line) : null;
    const groups = (wrapped === null ? found : form.exec(wrapped.text))?.groups;
    if (groups === undefined) {
      if (!other.test(wrapped?.text ?? line)) skip(line);
      return;
    }
    const { address = '', reason = '' } = groups;
    const user = decode(groups['user'] ?? '');
    const time = timeOf(groups);
    if (user === '' || time === null) skip(line);
    else onFound({ user, address, reason, time, count: wrapped?.count ?? 1 });
  };
  const readLines = (bytes: Buffer) => {
    for (const { kind, mark } of marks) eachLine(bytes, mark, (line) => readLine(line, kind));
    eachLine(bytes, NUL, () => withNul++);
  };
  // The bytes after the last line break. Those of an overlong line are cut, so that memory stays bounded.
  let rest = Buffer.alloc(0);
  const readRest = () => (rest.length > LONGEST_LINE ? skip(rest.toString('latin1')) : readLines(rest));
  const damage = await readBlocks(input, (block) => {
    const end = block.lastIndexOf(NEWLINE) + 1;
    const start = rest.length > 0 ? block.indexOf(NEWLINE) + 1 : 0;
    if (start > 0) {
      rest = Buffer.concat([rest, block.subarray(0, start - 1)]);
      readRest();
      rest = Buffer.alloc(0);
    }
    readLines(block.subarray(start, end));
    rest = Buffer.concat([rest, block.subarray(end)]).subarray(0, LONGEST_LINE + 1);
  });
  // Where reading stops early, the last line is incomplete.
  if (damage === null) readRest();
  const hints: string[] = [];
  if (unread > 0) {
    hints.push(
      `${input.name}: ${quantity(unread, 'line')} not understood, for example: ${example}`,
      "read a journal with: LC_ALL=C journalctl -o short-iso -u 'postfix*'; please report other forms",
    );
  }
  if (withNul > 0) hints.push(`${input.name}: left out ${quantity(withNul, 'broken line')} with NUL bytes`);
  if (damage !== null) hints.push(`${input.name} ${damage}`);
  return hints;
}

/** `bytes`: whole lines. `onLine` gets each one that contains the mark, decoded as Latin-1. */
function eachLine(bytes: Buffer, mark: Buffer, onLine: (line: string) => void): void {
  for (let at = bytes.indexOf(mark), end = 0; at >= 0; at = bytes.indexOf(mark, end)) {
    end = bytes.indexOf(NEWLINE, at);
    if (end < 0) end = bytes.length;
    onLine(bytes.toString('latin1', bytes.lastIndexOf(NEWLINE, at) + 1, end));
  }
}
