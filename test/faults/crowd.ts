// Many SMTP clients at once, who ask about one recipient after the other under ever new user names and addresses (XCLIENT), and
// remember each answer with its time. Whether an answer is right is for the test to say.
//
// In trouble: what is no answer to a recipient (a connection that ends, an XCLIENT that is refused) is an error of `ended`.
import { setTimeout as sleep } from 'node:timers/promises';
import { clientAs } from '../postfix/policy-set-up';
import type { SmtpClient } from '../postfix/smtp-client';

/** Who asks from where, and the code of the right answer by the name of the list in force. */
export interface Ask {
  readonly user: string;
  readonly address: string;
  readonly right: Readonly<Record<string, 250 | 554>>;
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

export interface CrowdOptions {
  /** The clients are spread over these. */
  readonly ports: readonly number[];
  readonly clients: number;
  /** Each client goes through all of them, beginning at a place of its own. */
  readonly asks: readonly Ask[];
  /** How many recipients each client asks about; without: until `end`. */
  readonly recipients?: number;
  /** How long (ms) a client rests before each recipient; default 0. */
  readonly rest?: number;
  /** Whether a message is sent to those that were accepted, each few sessions. */
  readonly deliver?: boolean;
}

/** Recipients asked about under one name. */
const TURN = 3;

/** After how many names a client connects anew. */
const SESSION = 4;

export class Crowd {
  readonly answers: Answer[] = [];
  /** Settled when all clients have gone. */
  readonly ended: Promise<unknown>;
  private over = false;

  constructor(private readonly options: CrowdOptions) {
    this.ended = Promise.all(Array.from({ length: options.clients }, (_, i) => this.client(i)));
    this.ended.catch(() => {}); // told by whoever waits for it
  }

  /** Lets the clients end after their present turn. */
  end(): Promise<unknown> {
    this.over = true;
    return this.ended;
  }

  /** The answers to what was asked at this time or later. */
  since(time: number): Answer[] {
    return this.answers.filter(({ begun }) => begun >= time);
  }

  private async client(number: number): Promise<void> {
    const { ports, asks, recipients = Number.POSITIVE_INFINITY, rest = 0, deliver = false } = this.options;
    const port = ports[number % ports.length] ?? 0;
    let client: SmtpClient | null = null;
    let asked = 0;
    for (let turn = 0; asked < recipients && !this.over; turn++) {
      const ask = asks[(number + turn) % asks.length] as Ask;
      client = await this.become(client, port, ask, turn % SESSION === 0);
      let accepted = 0;
      for (let i = 0; i < TURN && asked < recipients; i++, asked++) {
        if (rest > 0) await sleep(rest);
        const begun = performance.now();
        const { code, text } = await client.rcpt(`friend${i}@example.net`);
        this.answers.push({ client: number, ask, code, text, begun, ended: performance.now() });
        if (code === 250) accepted++;
      }
      if (deliver && accepted > 0 && turn % SESSION === 1) {
        const { code, text } = await client.data();
        if (code !== 250) throw new Error(`a message to ${accepted} recipients: ${code} ${text}`);
      }
    }
    await client?.quit();
  }

  private async become(
    client: SmtpClient | null,
    port: number,
    { user, address }: Ask,
    anew: boolean,
  ): Promise<SmtpClient> {
    if (client !== null && !anew) {
      await client.xclient({ ADDR: address, LOGIN: user });
      await client.mail('sender@example.com');
      return client;
    }
    await client?.quit();
    return clientAs(port, user, address);
  }
}
