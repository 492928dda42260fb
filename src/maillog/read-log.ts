// From the files of a mail log to sightings: reads them one after the other and keeps account of what could not be read.
//
// Plain files are read block by block, large ones by threads; compressed ones and pipes as a stream. Compression is told by a file's first
// bytes, not by its name. A file that ends in the middle of its compressed data, or that cannot be read further, still gives what came before;
// how it ended is in the answer.
import * as fs from 'node:fs';
import { Answers } from './answers';
import { BlockReader, type ReadBlock } from './block';
import { compressionOf, decompress, MAGIC_LENGTH } from './compressed';
import { DeliveryReader, lineAt } from './delivery-reader';
import type { Input } from './input';
import type { LeftOut } from './left-out';
import { BLOCK, LARGEST, LineSplitter } from './lines';
import { Numbered } from './numbered';
import { Source } from './source';
import { Blocks, Threads } from './threads';

/** What could not be read of one file. */
export interface Reading extends LeftOut {
  readonly name: string;
  /** Why the file could not be read to its end, or null. */
  readonly damage: string | null;
}

/**
 * Takes sightings, good until it returns, with the answers about texts of their reader, and tells the line of each whose user name or address
 * cannot be one.
 */
export type OnSightings = (
  numbered: Numbered,
  answers: Answers,
  onUnreadable: (line: number) => void,
) => void;

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
  private readonly answers = new Answers();
  private readonly numbered = new Numbered(new ArrayBuffer(LARGEST));
  private damage: string | null = null;

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
    return { name, damage: this.damage, ...this.deliveries.leftOut.take() };
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
    const { dovecot } = this.options;
    const blocks = new Blocks(Math.ceil(size / BLOCK));
    const reader = new BlockReader(descriptor, this.deliveries);
    const tellBytes = (block: number) => this.options.onBytes(Math.min(BLOCK, size - block * BLOCK));
    const threads = size >= LARGE ? new Threads({ descriptor, dovecot, latest }, blocks) : null;
    try {
      for (;;) {
        const moreComes = threads?.takeIn((scanned, block, answers) => {
          this.handOnBlock(scanned, new Numbered(scanned.buffer), answers);
          this.deliveries.leftOut.add(scanned.leftOut);
          tellBytes(block);
        });
        const block = blocks.take();
        if (block !== null) {
          this.handOnBlock(reader.read(block, this.numbered), this.numbered, this.answers);
          tellBytes(block);
          if (threads !== null) await messages();
        } else if (moreComes) await threads?.change();
        else break;
      }
    } finally {
      await threads?.end();
    }
  }

  private async readStream(): Promise<void> {
    const { name, descriptor } = this.input;
    let position = 0;
    const lines = new LineSplitter((bytes) => {
      const start = position;
      this.deliveries.read(bytes, start, this.numbered);
      this.handOn(this.numbered, this.answers, start, (line) => lineAt(bytes, line));
      position += bytes.length;
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
    this.deliveries.leftOut.tooLong += lines.tooLong;
  }

  private handOnBlock({ position, damage }: ReadBlock, numbered: Numbered, answers: Answers): void {
    this.handOn(numbered, answers, position, (line) => this.lineAt(position + line));
    this.damage ??= damage;
  }

  private handOn(
    numbered: Numbered,
    answers: Answers,
    position: number,
    lineAt: (line: number) => string,
  ): void {
    this.onSightings(numbered, answers, (line) =>
      this.deliveries.leftOut.addBroken(lineAt(line), position + line),
    );
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
}

/** Lets the messages of threads in. */
async function messages(): Promise<void> {
  await new Promise(setImmediate);
}
