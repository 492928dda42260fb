// One SMTP connection: lines out, replies in with the time that each took. A command at a time (no pipelining), so that a reply's time
// is that of its command alone.
//
// In trouble: a connection that ends, or a reply that takes longer than a minute, is an error of whoever waits for it.
import type { Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';

export interface Reply {
  /** The three digits. */
  code: number;
  /** The text after the code, the lines of a longer reply joined by newlines. */
  text: string;
  /** From the command's last byte to the reply's, in milliseconds. */
  ms: number;
}

const replyTimeoutMs = 60_000;

export class SmtpConnection {
  private received = '';
  private ended: Error | null = null;
  private wake: () => void = () => {};

  constructor(private socket: Socket) {
    this.listen(socket);
  }

  send(bytes: Buffer): Promise<Reply> {
    this.socket.write(bytes);
    return this.reply();
  }

  /** Goes on in TLS. The certificate is not looked at. */
  upgrade(): void {
    const plain = this.socket;
    plain.removeAllListeners();
    this.socket = connectTls({ socket: plain, rejectUnauthorized: false });
    this.listen(this.socket);
  }

  close(): void {
    this.socket.destroy();
  }

  /** The next reply, for the banner too. */
  async reply(): Promise<Reply> {
    const start = performance.now();
    for (;;) {
      const match = /^(?:\d{3}-.*\r\n)*(\d{3})(?: .*)?\r\n/.exec(this.received);
      if (match !== null) {
        this.received = this.received.slice(match[0].length);
        const lines = match[0].trimEnd().split('\r\n');
        const text = lines.map((line) => line.slice(4)).join('\n');
        return { code: Number(match[1]), text, ms: performance.now() - start };
      }
      if (this.ended !== null) throw this.ended;
      await this.more();
    }
  }

  private more(): Promise<void> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error('no reply within a minute')), replyTimeoutMs);
      this.wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  private listen(socket: Socket): void {
    const end = (error: Error) => {
      this.ended ??= error;
      this.wake();
    };
    socket.setNoDelay(true);
    // Each byte as one character, so that a reply that is not UTF-8 is seen as it is.
    socket.on('data', (bytes: Buffer) => {
      this.received += bytes.toString('latin1');
      this.wake();
    });
    socket.on('error', end);
    socket.on('close', () => end(new Error('the server closed the connection')));
  }
}
