// From the files of a mail log to sightings: reads them one after the other and keeps account of what could not be read.
//
// Plain files are read block by block, large ones by threads; compressed ones and pipes as a stream. Compression is told by a file's first
// bytes, not by its name. A file that ends in the middle of its compressed data, or that cannot be read further, still gives what came before;
// how it ended is in the answer.
import * as fs from 'node:fs';
import { availableParallelism } from 'node:os';
import { BlockReader } from './block';
import { compressionOf, decompress, MAGIC_LENGTH } from './compressed';
import { DeliveryReader, type LeftOut, lineAt } from './delivery-reader';
import type { Input } from './input';
import { BLOCK, LARGEST, LineSplitter } from './lines';
import { Packed } from './packed';
import { Source } from './source';
import { scanned } from './threads';

/** What could not be read of one file. */
export interface Reading extends LeftOut {
  readonly name: string;
  /** Why the file could not be read to its end, or null. */
  readonly damage: string | null;
}

/** Takes sightings, good until it returns, and tells the line of each whose user name or address cannot be one. */
export type OnSightings = (packed: Packed, onUnreadable: (line: number) => void) => void;

export interface ReadOptions {
  /** Dovecot's logins count too. */
  readonly dovecot: boolean;
  /** Told how many bytes were read, again and again. */
  readonly onBytes: (count: number) => void;
}

/** To start threads for less takes longer than to do without. */
const LARGE = 32 * BLOCK;

export async function readLog(
  inputs: readonly Input[],
  options: ReadOptions,
  onSightings: OnSightings,
): Promise<Reading[]> {
  const readings: Reading[] = [];
  for (const input of inputs) {
    const one = new OneLog(input, options, onSightings);
    readings.push(await one.read());
    if (input.descriptor !== 0) fs.closeSync(input.descriptor);
  }
  return readings;
}

class OneLog {
  private readonly deliveries: DeliveryReader;
  private damage: string | null = null;
  private broken = 0;
  private example: string | null = null;
  private tooLong = 0;
  private withNul = 0;

  constructor(
    private readonly input: Input,
    private readonly options: ReadOptions,
    private readonly onSightings: OnSightings,
  ) {
    this.deliveries = new DeliveryReader(options.dovecot, input.latest);
  }

  async read(): Promise<Reading> {
    const { name, size } = this.input;
    if (this.isPlainFile()) await this.readFile(size ?? 0);
    else await this.readStream();
    this.addLeftOut(this.deliveries.takeLeftOut());
    const { damage, broken, example, tooLong, withNul } = this;
    return { name, damage, broken, example, tooLong, withNul };
  }

  /** One that can be read at any place. (Standard input may have been read from by another program.) */
  private isPlainFile(): boolean {
    const { descriptor, size } = this.input;
    if (descriptor === 0 || !size) return false;
    const first = Buffer.alloc(MAGIC_LENGTH);
    try {
      return compressionOf(first.subarray(0, fs.readSync(descriptor, first, 0, MAGIC_LENGTH, 0))) === null;
    } catch {
      return false;
    }
  }

  private async readFile(size: number): Promise<void> {
    const { descriptor, latest } = this.input;
    const { dovecot, onBytes } = this.options;
    const blocks = Math.ceil(size / BLOCK);
    const tellBytes = (block: number) => onBytes(Math.min(BLOCK, size - block * BLOCK));
    let block = 0;
    if (size >= LARGE && availableParallelism() > 1) {
      for await (const { buffer, used, position, damage, leftOut } of scanned(
        { descriptor, dovecot, latest },
        blocks,
      )) {
        const packed = new Packed(buffer);
        packed.used = used;
        this.handOn(packed, (line) => this.lineAt(position + line));
        this.addLeftOut(leftOut);
        this.damage ??= damage;
        tellBytes(block++);
      }
    }
    const packed = new Packed(new ArrayBuffer(LARGEST));
    const reader = new BlockReader(descriptor, this.deliveries);
    for (; block < blocks; block++) {
      const { position, damage } = reader.read(block, packed);
      this.handOn(packed, (line) => this.lineAt(position + line));
      this.damage ??= damage;
      tellBytes(block);
    }
  }

  private async readStream(): Promise<void> {
    const { name, descriptor } = this.input;
    const packed = new Packed(new ArrayBuffer(LARGEST));
    const lines = new LineSplitter((bytes) => {
      this.deliveries.read(bytes, packed);
      this.handOn(packed, (line) => lineAt(bytes, line));
    });
    const source = new Source(descriptor, this.options.onBytes);
    const first = source.next();
    const compression = first === null ? null : compressionOf(first);
    if (first !== null && compression !== null) {
      this.damage = await decompress(compression, name, first, source, (chunk) => lines.write(chunk));
    } else if (first !== null) {
      lines.write(first);
      while (lines.fill((buffer, offset, length) => source.read(buffer, offset, length)));
    }
    this.damage ??= source.damage;
    lines.end(this.damage === null);
    this.tooLong += lines.tooLong;
  }

  private handOn(packed: Packed, lineAt: (line: number) => string): void {
    this.onSightings(packed, (line) => this.deliveries.addBroken(lineAt(line)));
    packed.used = 0;
  }

  private lineAt(position: number): string {
    const bytes = Buffer.alloc(1024);
    try {
      return lineAt(
        bytes.subarray(0, fs.readSync(this.input.descriptor, bytes, 0, bytes.length, position)),
        0,
      );
    } catch {
      return '';
    }
  }

  private addLeftOut({ broken, example, tooLong, withNul }: LeftOut): void {
    this.broken += broken;
    this.example ??= example;
    this.tooLong += tooLong;
    this.withNul += withNul;
  }
}
