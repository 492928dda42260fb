// A small SMTP client that shows each reply as it is. One command at a time (no pipelining), so that the time of a reply is that of
// its command alone. Steps that prepare a test (EHLO, STARTTLS, XCLIENT) throw when they are refused; what may be the test's
// subject (AUTH, MAIL, RCPT, DATA) returns the reply.
//
// In trouble: a connection that ends, or a reply that takes longer than a minute, is an error of whoever waits for it.
import { connect as connectTcp, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';

export interface Reply {
  /** The three digits. */
  code: number;
  /** The text after the code, the lines of a longer reply joined by newlines. */
  text: string;
  /** From the last byte of the command to that of the reply, in milliseconds. */
  ms: number;
}

export interface ConnectOptions {
  port: number;
  /** The address to come from, any 127.x.y.z. */
  localAddress?: string;
  /** TLS from the first byte, as on the submissions port. */
  tls?: boolean;
}

/** How a session begins: without TLS, with STARTTLS, or with TLS from the first byte. */
export type Start = 'plain' | 'starttls' | 'tls';

interface LogIn extends Omit<ConnectOptions, 'tls'> {
  start?: Start;
  /** The client's address by XCLIENT. */
  address?: string | undefined;
  user: string;
  /** Default `secret` */
  password?: string;
}

export class SmtpClient {
  private received = '';
  private chunks: AsyncIterator<Buffer>;

  private constructor(private socket: Socket) {
    this.chunks = this.listen();
  }

  /** Connects and reads the banner. @throws when the banner is not 220 */
  static async connect({ tls = false, ...where }: ConnectOptions): Promise<SmtpClient> {
    const to = { host: '127.0.0.1', ...where };
    const client = new SmtpClient(tls ? connectTls({ ...to, rejectUnauthorized: false }) : connectTcp(to));
    expectCode(await client.reply(), 220);
    return client;
  }

  /** A client that has logged in, ready for its first recipient. @throws when the server does not take a step */
  static async logIn({ start = 'plain', address, user, password = 'secret', ...where }: LogIn): Promise<SmtpClient> {
    const client = await SmtpClient.connect({ ...where, tls: start === 'tls' });
    try {
      await client.ehlo();
      if (address !== undefined) await client.xclient({ ADDR: address });
      if (start === 'starttls') await client.startTls();
      expectCode(await client.authPlain(user, password), 235);
      expectCode(await client.mail('sender@example.com'), 250);
      return client;
    } catch (error) {
      client.close();
      throw error;
    }
  }

  /** Sends a line (its CR LF is added) and reads the reply. Characters above 127 are sent as UTF-8. */
  command(line: string): Promise<Reply> {
    this.socket.write(`${line}\r\n`);
    return this.reply();
  }

  /** @throws when it is not accepted */
  async ehlo(): Promise<Reply> {
    return expectCode(await this.command('EHLO client.test'), 250);
  }

  /** STARTTLS and a new EHLO. The certificate is not checked. */
  async startTls(): Promise<void> {
    expectCode(await this.command('STARTTLS'), 220);
    await this.chunks.return?.();
    this.socket = connectTls({ socket: this.socket, rejectUnauthorized: false });
    this.chunks = this.listen();
    await this.ehlo();
  }

  authPlain(user: string, password: string): Promise<Reply> {
    return this.command(`AUTH PLAIN ${Buffer.from(`\0${user}\0${password}`).toString('base64')}`);
  }

  /**
   * XCLIENT_README: who the client is to be taken for, `{ ADDR: '192.0.2.1', LOGIN: 'test1' }`. An IPv6 ADDR gets its prefix, all
   * values are xtext encoded. Followed by a new EHLO, as the session begins anew. @throws when it is not accepted
   */
  async xclient(attributes: Readonly<Record<string, string | Buffer>>): Promise<void> {
    const words = Object.entries(attributes).map(([name, value]) => {
      const ipv6 = name === 'ADDR' && typeof value === 'string' && value.includes(':');
      return `${name}=${ipv6 ? 'IPV6:' : ''}${xtext(value)}`;
    });
    expectCode(await this.command(`XCLIENT ${words.join(' ')}`), 220);
    await this.ehlo();
  }

  mail(from: string): Promise<Reply> {
    return this.command(`MAIL FROM:<${from}>`);
  }

  rcpt(to: string): Promise<Reply> {
    return this.command(`RCPT TO:<${to}>`);
  }

  /** DATA, a message and the final dot. @returns the reply to DATA when that is refused, else the last one */
  async data(): Promise<Reply> {
    const go = await this.command('DATA');
    return go.code === 354 ? this.command('Subject: test\r\n\r\ntest\r\n.') : go;
  }

  /** QUIT, and waits for the reply. */
  async quit(): Promise<void> {
    await this.command('QUIT');
    this.close();
  }

  close(): void {
    this.socket.destroy();
  }

  private async reply(): Promise<Reply> {
    const start = performance.now();
    for (;;) {
      const match = /^(?:\d{3}-.*\r\n)*(\d{3})(?: .*)?\r\n/.exec(this.received);
      if (match !== null) {
        this.received = this.received.slice(match[0].length);
        const lines = match[0].trimEnd().split('\r\n');
        const text = lines.map((line) => line.slice(4)).join('\n');
        return { code: Number(match[1]), text, ms: performance.now() - start };
      }
      const { value, done } = await this.chunks.next();
      if (done) throw new Error('the server closed the connection');
      // One character a byte, so that a reply that is not UTF-8 is seen as it is.
      this.received += value.toString('latin1');
    }
  }

  private listen(): AsyncIterator<Buffer> {
    this.socket.setNoDelay(true);
    this.socket.setTimeout(60_000, () => this.socket.destroy(new Error('no reply within a minute')));
    // The socket goes on below TLS.
    return this.socket.iterator({ destroyOnReturn: false });
  }
}

/** Logs in, and sends a message if the recipient is accepted. @returns code and text of the reply to the recipient */
export async function sendMail(session: LogIn, to = 'friend@example.net'): Promise<string> {
  const client = await SmtpClient.logIn(session);
  const { code, text } = await client.rcpt(to);
  if (code === 250) expectCode(await client.data(), 250);
  await client.quit();
  return `${code} ${text}`;
}

function expectCode(reply: Reply, code: number): Reply {
  if (reply.code !== code) throw new Error(`expected ${code}, got ${reply.code} ${reply.text}`);
  return reply;
}

/** RFC 3461 section 4: printable ASCII without `+`, `=` and space, every other byte as `+XX`. */
function xtext(value: string | Buffer): string {
  const encode = (byte: string) => `+${byte.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`;
  return Buffer.from(value)
    .toString('latin1')
    .replace(/[^!-~]|[+=]/g, encode);
}
