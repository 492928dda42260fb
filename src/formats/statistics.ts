// Parses the lines of the statistics files of the regional registries (RIR statistics exchange format).
import { type Range, rangeFrom, rangeOfNetwork } from '../cli/range';
import { refusal, type Trouble, wrongUsage } from '../failure';
import { parseNetwork } from '../rules/network';
import type { ListEntry } from './network-list';

/** The lines of several files may come one after the other. */
export class Statistics {
  /** The number of records that the summaries of the current file name, and of those that came. */
  private promised = 0;
  private read = 0;
  private cut: Trouble | null = null;

  /**
   * The entry of a line, or null. A line is registry|CC|ipv4|start|count|date|status, with a prefix length for the count
   * of ipv6; or the version, or the summary of a type. Throws Trouble.
   */
  entryOf(fields: readonly string[]): ListEntry | null {
    const [registry = '', country = '', type, start, size = '', date = ''] = fields;
    const isSummary = date === 'summary';
    if (isSummary || /^[\d.]+$/.test(registry)) {
      if (this.read > 0) this.endFile();
      if (isSummary) this.promised += Number(size);
      return null;
    }
    this.read++;
    const isRecord = /^\d{1,10}$/.test(size) && /^\d*$/.test(date);
    if (isRecord && type === 'asn') return null;
    const range = isRecord ? rangeOf(`${type}`, `${start}`, size) : null;
    if (range === null) throw wrongUsage(`${fields.join('|')} is not a network`, 'fetch the file again');
    return /^(?:ZZ)?$/.test(country) ? null : { range, country };
  }

  /** Throws Trouble if a file has fewer records than its summaries say. */
  checkCounts(): void {
    this.endFile();
    if (this.cut !== null) throw this.cut;
  }

  private endFile(): void {
    const { promised, read } = this;
    this.promised = 0;
    this.read = 0;
    if (read >= promised) return;
    const problem = `the list is cut off: a statistics file has ${read} of the ${promised} records of its summary`;
    this.cut ??= refusal(problem, 'fetch it again, or add --force');
  }
}

function rangeOf(type: string, start: string, size: string): Range | null {
  if (type === 'ipv4') return rangeFrom(start, BigInt(size));
  const read = parseNetwork(`${start}/${size}`);
  return read === null ? null : rangeOfNetwork(read.network);
}
