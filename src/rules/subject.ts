// Whom an entry is about: a user, a domain (`@example.com`) or everybody (`*`), and in which order they are asked.
//
// A SASL user name comes from the network. It is compared, never interpreted: after folding it must equal a subject exactly.

/** Subjects are compared without regard to case: Unicode NFC, lower case. */
export function foldName(name: string): string {
  // The tables of Unicode are large, and few names need them.
  if (isAscii(name)) return name.toLowerCase();
  // Lower case can undo the composition (H with a line below has no composed form, its small letter has).
  return name.normalize('NFC').toLowerCase().normalize('NFC');
}

export function isAscii(text: string): boolean {
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) > 0x7f) return false;
  return true;
}

export const EVERYBODY = '*';

/**
 * The subjects of a SASL user name, folded, the narrowest first: `user@domain`, `user`, `@domain`, `*`. The domain begins after the
 * last `@`. `wellFormed` false: the name held bytes that are not UTF-8, which stand in `user` as U+FFFD; no subject equals those.
 */
export function subjectsOf(user: string, wellFormed = true): string[] {
  const name = foldName(user);
  const at = name.lastIndexOf('@');
  const subjects = at < 0 ? [name, EVERYBODY] : [name, name.slice(0, at), name.slice(at), EVERYBODY];
  return subjects.filter((subject) => subject !== '' && (wellFormed || !subject.includes('\ufffd')));
}
