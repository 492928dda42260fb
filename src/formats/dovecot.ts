// Dovecot's passwd-file (doc.dovecot.org, Passwd-file): user:password:uid:gid:gecos:home:shell:extra fields. Of each line the user and the
// extra field allow_nets count. A user without it is left out: Dovecot lets him in from everywhere, and so says nothing.

/** The seven fields before the extra fields, which may hold colons: IPv6 networks. */
const LINE = /^([^:]*):(?:[^:]*:){6}(.*)$/;

/** `networks`: null when the line has no allow_nets. */
export interface PasswdLine {
  readonly user: string;
  readonly networks: string | null;
}

/** Null: a comment, or an empty line. */
export function parsePasswdLine(text: string): PasswdLine | null {
  if (/^\s*(?:#|$)/.test(text)) return null;
  const [, user = text.split(':', 1)[0] ?? '', extra = ''] = LINE.exec(text) ?? [];
  const field = extra.split(/[ \t]+/).find((word) => word.startsWith('allow_nets='));
  return { user, networks: field?.slice('allow_nets='.length) ?? null };
}

/** Whether a text looks like a line of a passwd-file. */
export function looksLikePasswd(text: string): boolean {
  return /^[^:,\s]+:(?:\{[A-Z0-9.-]+\}|[^:]*:[^:]*:[^:]*:[^:]*:[^:]*:)/.test(text) || /\ballow_nets=/.test(text);
}
