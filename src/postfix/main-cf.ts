// main.cf as text: its parameters, and where the value of each stands.
import { type LogicalLine, logicalLines, part, type Slice } from './config-text';

export interface Parameter {
  readonly name: string;
  /** Without the white space around it. */
  readonly value: Slice;
  readonly line: LogicalLine;
}

/** All definitions, in the order of the file. Of several with one name the last counts. */
export function parametersOf(mainCf: string): Parameter[] {
  return logicalLines(mainCf).flatMap((line) => {
    const equals = line.text.indexOf('=');
    if (equals < 0) return [];
    return [{ name: line.text.slice(0, equals).trim(), value: valueAfter(line, equals, line.text.length), line }];
  });
}

/** The value that follows the "=" at `equals`. An empty one stands right behind it. */
export function valueAfter(slice: Slice, equals: number, end: number): Slice {
  const text = slice.text.slice(equals + 1, end);
  const trimmed = text.trim();
  if (trimmed === '') return { text: '', at: () => slice.at(equals) + 1 };
  const start = equals + 1 + text.indexOf(trimmed);
  return part(slice, start, start + trimmed.length);
}

export function parameterOf(mainCf: string, name: string): Parameter | null {
  return parametersOf(mainCf).findLast((parameter) => parameter.name === name) ?? null;
}
