// JSON: an array of objects, or one object after the other (JSON lines), read without holding more than some lines of it.
//
// JSON.parse reads the lines up to one that ends with a brace: nearly always one object. What then is no JSON yet goes on in the next line.
import { Trouble } from '../failure';
import { type Lines, LONGEST } from './lines';

/** `line`: where the lines begin that hold it. */
export interface JsonObject {
  readonly line: number;
  readonly value: Readonly<Record<string, unknown>>;
}

/** Throws Trouble: text after an error cannot be understood. */
export function* objectsOf(lines: Lines): Iterable<JsonObject> {
  let isOpen = false;
  let isClosed = false;
  let [text, line] = ['', 0];
  for (const next of lines) {
    if (isClosed && next.trim() !== '') throw refused(lines.number, 'there is text after the ] of the array');
    if (text === '') line = lines.number;
    text += `${next.trim()}\n`;
    if (!isOpen && text.startsWith('[')) {
      isOpen = true;
      text = text.slice(1);
    }
    let values = parsed(text);
    if (values === null && isOpen && text.endsWith(']\n')) {
      values = parsed(text.slice(0, -2));
      isClosed = values !== null;
      isOpen = !isClosed;
    }
    if (values === null) {
      if (text.length > LONGEST) throw refused(line, 'an object is longer than 64 KB, or the text is not JSON');
      continue;
    }
    text = '';
    for (const value of values) {
      if (typeof value !== 'object' || value === null || Array.isArray(value))
        throw refused(line, 'this is not an object');
      yield { line, value: value as JsonObject['value'] };
    }
  }
  if (text.trim() !== '') throw refused(line, 'this is not JSON, or it is cut off');
  if (isOpen) throw refused(lines.number, 'the input ends before the ] of the array');
  // Without an array, only the end of the last line tells that nothing is missing.
  if (isClosed) lines.isComplete = true;
}

/** The values of lines, with or without commas between them; null while they are incomplete. */
function parsed(text: string): unknown[] | null {
  const list = text.trim().replace(/^,/, '').replace(/,$/, '');
  if (list !== '' && !list.endsWith('}')) return null;
  try {
    return JSON.parse(`[${list}]`) as unknown[];
  } catch {
    return null;
  }
}

function refused(line: number, problem: string): Trouble {
  const hint = 'JSON is an array of objects, as allow-nets export --format json writes it';
  return new Trouble({ kind: 'refused', problem: `line ${line}: ${problem}`, hint });
}
