// A JSON array of objects, or one object after the other (JSON lines), taken apart without holding all of it.
//
// Only the outline is read here (strings, braces); JSON.parse reads each object.
import type { Refusal } from '../cli/input';
import { LONGEST } from './delimited';

export interface JsonObject {
  readonly line: number;
  readonly value: Readonly<Record<string, unknown>> | null;
  readonly problem: Refusal | null;
}

const HINT = 'JSON is an array of objects, as allow-nets export --format json writes it';

/** What matters between objects, in an object, and in a string. */
const BETWEEN = /\n|[^\s,]/g;
const INSIDE = /["{}[\]\n]/g;
const STRING = /["\\\n]/g;

export class JsonReader {
  broken = false;
  private text = '';
  private at = 0;
  private start = -1;
  private startLine = 1;
  private line = 1;
  /** Of braces and brackets inside of an object. */
  private depth = 0;
  private inString = false;
  private array: 'none' | 'open' | 'closed' = 'none';

  constructor(private readonly give: (object: JsonObject) => void) {}

  /** False when no more can be read. */
  read(chunk: string): boolean {
    const kept = this.start < 0 ? this.at : this.start;
    this.text = this.text.slice(kept) + chunk;
    this.at -= kept;
    if (this.start >= 0) this.start = 0;
    for (;;) {
      const pattern = this.inString ? STRING : this.start >= 0 ? INSIDE : BETWEEN;
      pattern.lastIndex = this.at;
      const found = pattern.exec(this.text);
      if (found === null) {
        this.at = this.text.length;
        break;
      }
      const isEscape = found[0] === '\\';
      if (isEscape && found.index + 1 >= this.text.length) {
        this.at = found.index;
        break;
      }
      this.at = found.index + (isEscape ? 2 : 1);
      const object = this.step(found[0]);
      if (object !== null) this.give(object);
      if (this.broken) return false;
    }
    if (this.start < 0 || this.at - this.start <= LONGEST) return true;
    this.give(this.stop('an object is longer than 64 KB'));
    return false;
  }

  end(): void {
    if (this.broken) return;
    if (this.start >= 0) this.give(this.stop('the input ends inside an object'));
    else if (this.array === 'open') this.give(this.stop('the input ends before the ] of the array'));
  }

  /** Whether an array has had its end. Without one, nothing tells but the end of the last line. */
  get isComplete(): boolean {
    return this.array === 'closed';
  }

  private step(character: string): JsonObject | null {
    if (character === '\n') this.line++;
    else if (this.inString) {
      if (character === '"') this.inString = false;
    } else if (this.start >= 0) return this.insideObject(character);
    else if (character === '{' && this.array !== 'closed') {
      this.start = this.at - 1;
      this.startLine = this.line;
      this.depth = 1;
    } else if (character === '[' && this.array === 'none') this.array = 'open';
    else if (character === ']' && this.array === 'open') this.array = 'closed';
    else return this.stop(`there is ${JSON.stringify(character)} where an object should begin`);
    return null;
  }

  private insideObject(character: string): JsonObject | null {
    if (character === '"') this.inString = true;
    else if (character === '{' || character === '[') this.depth++;
    else if ((character === '}' || character === ']') && --this.depth === 0) {
      const text = this.text.slice(this.start, this.at);
      this.start = -1;
      return parsed(this.startLine, text);
    }
    return null;
  }

  private stop(problem: string): JsonObject {
    this.broken = true;
    return {
      line: this.start >= 0 ? this.startLine : this.line,
      value: null,
      problem: { problem, hint: HINT },
    };
  }
}

function parsed(line: number, text: string): JsonObject {
  try {
    return { line, value: JSON.parse(text) as Record<string, unknown>, problem: null };
  } catch (error) {
    return {
      line,
      value: null,
      problem: { problem: `this is not JSON: ${(error as Error).message}`, hint: HINT },
    };
  }
}
