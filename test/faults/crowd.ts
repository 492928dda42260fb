// Many SMTP clients at once, who ask about one recipient after the other under ever new user names and addresses (XCLIENT), and
// remember each answer with its time. Whether an answer is right is for the test to say.
//
// In trouble: what is no answer to a recipient (a connection that ends, an XCLIENT that is refused) is an error of `ended`.
import { setTimeout as sleep } from 'node:timers/promises';
import { clientAs } from '../rig/policy-set-up';
import type { SmtpClient } from '../rig/smtp-client';

/** Who asks from where, and the code of the right answer by the name of the list in force. */
export interface Ask {
  readonly user: string;
  readonly address: string;
  readonly right: Readonly<Record<'A' | 'B', 250 | 554>>;
}

export interface Answer {
  readonly client: number;
  readonly ask: Ask;
  readonly code: number;
  readonly text: string;
  /** `performance.now()` when the command was sent and when the reply had come. */
  readonly begun: number;
  readonly ended: number;
}

/** Recipients asked about under one name. */
const TURN = 3;

/** After how many names a client connects anew. */
const SESSION = 4;

export class Crowd {
  readonly answers: Answer[] = [];
  /** Settled when all clients have gone. */
  readonly ended: Promise<unknown>;
  private isOver = false;

  /**
   * @param ports of each client
   * @param asks each client goes through all of them, beginning at a place of its own
   * @param rest how long (ms) a client rests before each recipient
   */
  constructor(
    readonly ports: readonly number[],
    private readonly asks: readonly Ask[],
    private readonly rest: number,
  ) {
    this.ended = Promise.all(ports.map((port, i) => this.client(i, port)));
    this.ended.catch(() => {}); // thrown to whoever waits for it
  }

  /** Lets the clients end after their present turn. */
  end(): Promise<unknown> {
    this.isOver = true;
    return this.ended;
  }

  /** The answers to what was asked at this time or later. */
  since(time: number): Answer[] {
    return this.answers.filter(({ begun }) => begun >= time);
  }

  private async client(number: number, port: number): Promise<void> {
    let client: SmtpClient | null = null;
    for (let turn = 0; !this.isOver; turn++) {
      const ask = this.asks[(number + turn) % this.asks.length] as Ask;
      if (client !== null && turn % SESSION > 0) {
        await client.xclient({ ADDR: ask.address, LOGIN: ask.user });
        await client.mail('sender@example.com');
      } else {
        await client?.quit();
        client = await clientAs(port, ask.user, ask.address);
      }
      for (let i = 0; i < TURN; i++) {
        await sleep(this.rest);
        const begun = performance.now();
        const { code, text } = await client.rcpt(`friend${i}@example.net`);
        this.answers.push({ client: number, ask, code, text, begun, ended: performance.now() });
      }
    }
    await client?.quit();
  }
}
