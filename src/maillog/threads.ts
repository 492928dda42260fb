// Threads that read blocks of one file besides the one that adds up. Which of them reads which block is left to their speed: what is added up
// does not depend on the order. What a broken thread has not told is read by the others.
import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import { Answers } from './answers';
import type { ReadBlock } from './block';
import type { LeftOut } from './left-out';
import { LARGEST } from './lines';

/** What a thread is for. */
export interface Work {
  readonly descriptor: number;
  /** As for DeliveryReader. */
  readonly dovecot: boolean;
  readonly latest: number;
}

/** What a thread found in a block. */
export interface Scanned extends ReadBlock {
  /** Of Numbered. */
  readonly buffer: SharedArrayBuffer;
  readonly leftOut: LeftOut;
}

/** The blocks of a file that nobody has taken yet, by their numbers. */
export class Blocks {
  private next = 0;
  private readonly givenBack: number[] = [];

  constructor(private readonly count: number) {}

  take(): number | null {
    return this.givenBack.pop() ?? (this.next < this.count ? this.next++ : null);
  }

  giveBack(blocks: readonly number[]): void {
    this.givenBack.push(...blocks);
  }
}

interface Thread {
  readonly worker: Worker;
  readonly answers: Answers;
  /** The blocks that it was asked for and has not told, in order. */
  readonly asked: number[];
}

interface Found {
  readonly scanned: Scanned;
  readonly block: number;
  readonly thread: Thread;
}

/** More would wait for the one that adds up. */
const MOST = 3;
/** Blocks that a thread is asked for before it has told the first of them. */
const AHEAD = 3;

export class Threads {
  private readonly threads = new Set<Thread>();
  private found: Found[] = [];
  private wake: (() => void) | null = null;

  /** Fewer threads, or none, where no more can be had. */
  constructor(
    work: Work,
    private readonly blocks: Blocks,
  ) {
    const code: string | null = null;
    if (code === null) return;
    try {
      for (let left = Math.min(MOST, availableParallelism() - 1); left > 0; left--) this.start(code, work);
    } catch {
      // The one that adds up reads, too.
    }
  }

  /** Hands on what was found since, and asks for more. Whether more will come. */
  takeIn(onFound: (scanned: Scanned, block: number, answers: Answers) => void): boolean {
    for (const { scanned, block, thread } of this.found.splice(0)) {
      onFound(scanned, block, thread.answers);
      this.ask(thread, scanned.buffer);
    }
    return [...this.threads].some(({ asked }) => asked.length > 0);
  }

  /** Until something was found, or a thread broke. */
  async change(): Promise<void> {
    await new Promise<void>((resolve) => {
      this.wake = resolve;
    });
  }

  async end(): Promise<void> {
    await Promise.all([...this.threads].map(({ worker }) => worker.terminate()));
  }

  private start(code: string, work: Work): void {
    const worker = new Worker(code, { eval: true, workerData: work });
    const thread: Thread = { worker, answers: new Answers(), asked: [] };
    this.threads.add(thread);
    worker.on('message', (scanned: Scanned) => {
      const block = thread.asked.shift();
      // Of a thread that was given up somebody else reads the block.
      if (block !== undefined) this.found.push({ scanned, block, thread });
      this.wake?.();
    });
    worker.on('error', () => this.giveUp(thread));
    worker.on('exit', () => this.giveUp(thread));
    for (let i = 0; i < AHEAD; i++) this.ask(thread, new SharedArrayBuffer(LARGEST));
  }

  /** `buffer`: for what is found. Shared and not handed over: once V8 has seen that a buffer can go, each access to any is slower. */
  private ask(thread: Thread, buffer: SharedArrayBuffer): void {
    const block = this.threads.has(thread) ? this.blocks.take() : null;
    if (block === null) return;
    thread.asked.push(block);
    thread.worker.postMessage({ block, buffer });
  }

  private giveUp(thread: Thread): void {
    this.threads.delete(thread);
    this.blocks.giveBack(thread.asked.splice(0));
    this.wake?.();
  }
}
