// Parses Dovecot's passwd-file (doc.dovecot.org, Passwd-file): user:password:uid:gid:gecos:home:shell:extra fields.
// Only the user and the extra field allow_nets are used.
import type { Refusal } from '../cli/input';

/** Seven fields, then the extra fields, which may contain colons (IPv6 networks). */
const LINE = /^([^:]*):(?:[^:]*:){6}(.*)$/;

/**
 * The user and networks of a line. Null if the user has no allow_nets, which in Dovecot means from everywhere.
 * Undefined for a comment.
 */
export function readPasswdLine(text: string): { user: string; network: string } | Refusal | null | undefined {
  if (/^\s*(?:#|$)/.test(text)) return undefined;
  if (!text.includes(':')) return { problem: 'this is no line of a passwd-file', hint: 'leave --format out' };
  const [, user = '', extra = ''] = LINE.exec(text) ?? [];
  const field = extra.split(/[ \t\r]+/).find((word) => word.startsWith('allow_nets='));
  if (field === undefined) {
    if (!text.includes('allow_nets=')) return null;
    return { problem: 'allow_nets is not an extra field', hint: 'extra fields follow the seventh colon of a line' };
  }
  const network = field.slice('allow_nets='.length);
  if (!/(?:^|,)local(?:,|$)/.test(network)) return { user, network };
  const hint = 'in Dovecot it means a connection from the server itself: write 127.0.0.0/8,::1';
  return { problem: 'local is not a network', hint };
}
