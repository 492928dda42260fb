// Parses JSON, an array of values or JSON lines, with only one value in memory.
import type { Lines } from './lines';
import type { Report } from './report';

const HINT = 'was it cut off? JSON is an array of objects, or one object a line';

/**
 * The values, with the first line of each. At the first text that is not JSON it stops: `report` has the problem.
 * `longest`: the most characters in a value.
 */
export function* jsonValues(lines: Lines, longest: number, report: Report): Iterable<{ line: number; value: unknown }> {
  const isArray = lines.first.trim().startsWith('[');
  let isClosed = false;
  /** The first line that is not blank. */
  let start = 0;
  /** The lines of the current value, and the first of them. */
  let text = '';
  let line = 0;
  /** The number of brackets and braces that are open. */
  let depth = 0;
  let count = 0;
  for (const next of lines) {
    const part = next.trim();
    if (part === '') continue;
    if (isClosed) return report.add(lines.number, 'there is text after the ] of the array', HINT);
    start ||= lines.number;
    if (text === '') line = lines.number;
    text += `${part}\n`;
    depth += depthOf(part);
    isClosed = isArray && depth === 0;
    if (isClosed || depth === Number(isArray)) {
      const list = `${isArray && line === start ? '' : '['}${text.replace(/^,|,\n$/g, '')}${isClosed ? '' : ']'}`;
      const values = parseArray(list);
      if (values === null) break;
      for (const value of values) yield { line, value };
      count += values.length;
      text = '';
    } else if (text.length > longest) {
      return report.add(line, 'an object is longer than 64 KB, or the text is not JSON', HINT);
    }
  }
  if (text !== '') report.add(line, 'this is not JSON, or it is cut off', HINT);
  else if (isArray && !isClosed) report.add(lines.number, 'the input ends before the ] of the array', HINT);
  // The end of the array, or of the only value, proves that nothing is missing. After JSON lines, the line break does.
  else if (isClosed || count === 1) lines.isComplete = true;
}

/** How many more brackets and braces a line opens than it closes. */
function depthOf(line: string): number {
  const marks = line.replace(/"[^"\\]*(?:\\.[^"\\]*)*"/g, '');
  return (marks.match(/[[{]/g)?.length ?? 0) - (marks.match(/[\]}]/g)?.length ?? 0);
}

function parseArray(text: string): unknown[] | null {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
