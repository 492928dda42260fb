// Finds the networks in JSON that a provider publishes, wherever they are in it.
import { isRefusal, readNetwork } from '../cli/input';
import { hint } from '../cli/output';
import { Trouble } from '../failure';
import { parseNetwork } from '../rules/network';
import { type Range, rangeOfNetwork } from '../rules/range';
import type { Lines } from './lines';

/**
 * The range of every string that is a network with a `/`. Addresses without one are ignored, since they may be a
 * netmask or the address of something else; those in arrays are counted in a hint.
 */
export function jsonRanges(lines: Lines): Range[] {
  const ranges: Range[] = [];
  let addresses = 0;
  const visit = (value: unknown, isListed: boolean): void => {
    if (typeof value === 'object' && value !== null) {
      for (const each of Object.values(value)) visit(each, Array.isArray(value));
    }
    if (typeof value !== 'string' || parseNetwork(value) === null) return;
    const read = readNetwork(value);
    if (!value.includes('/')) addresses += Number(isListed);
    else if (isRefusal(read)) throw refused(read.problem, read.hint);
    else ranges.push(rangeOfNetwork(value) as Range);
  };
  visit(parseJson([...lines]), false);
  if (addresses > 0) hint(`addresses without a / that were left out: ${addresses}; one a line, they are taken`);
  lines.isComplete = true;
  return ranges;
}

/** Parses one JSON value, or one object per line. */
function parseJson(lines: readonly string[]): unknown {
  const values = lines.filter((line) => line.trim() !== '');
  const isOneEach = values.length > 1 && values.every((line) => /^\s*\{.*\}\s*$/.test(line));
  try {
    return isOneEach ? values.map((line) => JSON.parse(line)) : JSON.parse(lines.join('\n'));
  } catch (error) {
    throw refused(`this is not JSON: ${(error as Error).message}`, 'was it cut off? Fetch it again');
  }
}

function refused(problem: string, hint: string): Trouble {
  return new Trouble({ kind: 'refused', problem, hint });
}
