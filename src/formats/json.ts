// Parses JSON, an array of objects or JSON lines, with only a few lines in memory.
//
// Lines are collected until they end with a brace, and then given to JSON.parse. If they are not yet JSON, the next
// line is added.
import type { Refusal } from '../cli/input';
import { type Lines, LONGEST } from './lines';

/** `line`: the first of its lines. */
export interface JsonObject {
  readonly line: number;
  readonly value: Readonly<Record<string, unknown>>;
  /** Why there is no object. Then it is the last one: after an error the rest cannot be parsed. */
  readonly problem?: Refusal;
}

export function* objectsOf(lines: Lines): Iterable<JsonObject> {
  let array: 'none' | 'open' | 'closed' = 'none';
  let [text, line] = ['', 0];
  for (const next of lines) {
    if (array === 'closed' && next.trim() !== '') {
      return yield wrong(lines.number, 'there is text after the ] of the array');
    }
    if (text === '') line = lines.number;
    text += `${next.trim()}\n`;
    if (array === 'none' && text.startsWith('[')) {
      array = 'open';
      text = text.slice(1);
    }
    let values = parseObjects(text);
    if (values === null && array === 'open' && text.endsWith(']\n')) {
      values = parseObjects(text.slice(0, -2));
      if (values !== null) array = 'closed';
    }
    if (values === null) {
      if (text.length > LONGEST) return yield wrong(line, 'an object is longer than 64 KB, or the text is not JSON');
      continue;
    }
    text = '';
    for (const value of values) yield { line, value };
  }
  if (text.trim() !== '') yield wrong(line, 'this is not JSON, or it is cut off');
  else if (array === 'open') yield wrong(lines.number, 'the input ends before the ] of the array');
  // The ] proves that nothing is missing. Without an array, only the last line break does.
  else if (array === 'closed') lines.isComplete = true;
}

/** Parses the objects in some lines, with or without commas between them; null if they are incomplete. */
function parseObjects(text: string): JsonObject['value'][] | null {
  const list = text.trim().replace(/^,/, '').replace(/,$/, '');
  if (list !== '' && !/^\{.*\}$/s.test(list)) return null;
  try {
    return JSON.parse(`[${list}]`);
  } catch {
    return null;
  }
}

function wrong(line: number, problem: string): JsonObject {
  const hint = 'JSON is an array of objects, as allow-nets export --format json writes it';
  return { line, value: {}, problem: { problem, hint } };
}
