// A small SMTP client that shows each reply as it is. Steps that a test only wants behind it (EHLO, STARTTLS, XCLIENT) throw when they are
// refused; what may be the test's subject (AUTH, MAIL, RCPT, DATA) gives the reply.
import { connect as connectTcp } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { type Reply, SmtpConnection } from './smtp-connection';
import { xtext } from './xtext';

export type { Reply };

export interface ConnectOptions {
  port: number;
  /** Default 127.0.0.1 */
  host?: string;
  /** The address to come from, any 127.x.y.z. */
  localAddress?: string;
  /** TLS from the first byte, as on the submissions port. */
  tls?: boolean;
}

export class SmtpClient {
  private constructor(private readonly connection: SmtpConnection) {}

  /** Connects and reads the banner. @throws when the banner is not 220 */
  static async connect({ port, host = '127.0.0.1', localAddress, tls = false }: ConnectOptions): Promise<SmtpClient> {
    const from = localAddress === undefined ? {} : { localAddress };
    const socket = tls
      ? connectTls({ port, host, ...from, rejectUnauthorized: false })
      : connectTcp({ port, host, ...from });
    const connection = new SmtpConnection(socket);
    expectCode(await connection.reply(), 220);
    return new SmtpClient(connection);
  }

  /** Sends a line (its CR LF is added) and reads the reply. Bytes of a string above 127 are sent as UTF-8. */
  command(line: string | Buffer): Promise<Reply> {
    return this.connection.send(Buffer.concat([Buffer.from(line), Buffer.from('\r\n')]));
  }

  /** @throws when it is not accepted */
  async ehlo(name = 'client.test'): Promise<Reply> {
    return expectCode(await this.command(`EHLO ${name}`), 250);
  }

  /** STARTTLS and a new EHLO. The certificate is not looked at. */
  async startTls(): Promise<void> {
    expectCode(await this.command('STARTTLS'), 220);
    this.connection.upgrade();
    await this.ehlo();
  }

  authPlain(user: string, password: string): Promise<Reply> {
    return this.command(`AUTH PLAIN ${base64(`\0${user}\0${password}`)}`);
  }

  async authLogin(user: string, password: string): Promise<Reply> {
    expectCode(await this.command('AUTH LOGIN'), 334);
    expectCode(await this.command(base64(user)), 334);
    return this.command(base64(password));
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
    // Postfix refuses XCLIENT in the middle of a mail transaction.
    expectCode(await this.command('RSET'), 250);
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
  async data(body = 'Subject: test\r\n\r\ntest\r\n'): Promise<Reply> {
    const go = await this.command('DATA');
    return go.code === 354 ? this.command(`${body.replace(/^\./gm, '..')}.`) : go;
  }

  /** QUIT, and waits for the connection's end. */
  async quit(): Promise<void> {
    await this.command('QUIT');
    this.close();
  }

  close(): void {
    this.connection.close();
  }
}

function expectCode(reply: Reply, code: number): Reply {
  if (reply.code !== code) throw new Error(`expected ${code}, got ${reply.code} ${reply.text}`);
  return reply;
}

function base64(text: string): string {
  return Buffer.from(text).toString('base64');
}
