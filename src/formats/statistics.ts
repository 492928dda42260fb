// Parses the lines of the statistics files of the regional registries (RIR statistics exchange format).
import { rangeFrom, rangeOfNetwork } from '../cli/range';
import { Trouble } from '../failure';
import type { LineContent } from './network-list';

/** The lines of several files may come one after the other. */
export class Statistics {
  /** The number of records that the summaries of the current file name, and of those that came. */
  private promised = 0;
  private read = 0;
  private cut: Trouble | null = null;

  /** registry|CC|ipv4|start|count|date|status; ipv6: a prefix length for the count; or version, or summary of a type. */
  contentOf(fields: readonly string[]): LineContent {
    const [registry = '', country = '', type, start, size = '', date = ''] = fields;
    const isSummary = date === 'summary';
    if (isSummary || /^[\d.]+$/.test(registry)) {
      if (this.read > 0) this.endFile();
      if (isSummary) this.promised += Number(size);
      return 'none';
    }
    this.read++;
    const isRecord = /^\d{1,10}$/.test(size) && /^\d*$/.test(date);
    if (isRecord && type === 'asn') return 'none';
    const text = `${start}/${size}`;
    const range = isRecord ? (type === 'ipv4' ? rangeFrom(`${start}`, BigInt(size)) : rangeOfNetwork(text)) : null;
    if (range === null) return { problem: `${fields.join('|')} is not a network`, hint: 'fetch the file again' };
    return /^(?:ZZ)?$/.test(country) ? 'none' : { range, country };
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
    this.cut ??= new Trouble({ kind: 'refused', problem, hint: 'fetch it again, or add --force' });
  }
}
