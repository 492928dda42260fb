// Whom an entry is about: a user, a domain (`@example.com`) or everybody (`*`), and in which order they are looked up.
//
// A SASL user name comes from the network. It is compared, never interpreted: after folding it must equal a subject exactly.

export const EVERYBODY = '*';

/** Subjects are compared without regard to case: Unicode NFC, lower case. */
export function foldName(name: string): string {
  // Lower case can undo the composition (H with a line below has no composed form, its small letter has).
  return name.normalize('NFC').toLowerCase().normalize('NFC');
}

/** A name that can be compared: NUL ends a name for some SQLite clients, and U+FFFD stands for any bytes that are not UTF-8. */
export function isComparable(name: string): boolean {
  return name !== '' && !name.includes('\0') && !name.includes('\ufffd');
}

/**
 * The subjects of a SASL user name, folded, the narrowest first: `user@domain`, `user`, `@domain`, `*`. The domain begins after the
 * last `@`. A local part that would be a subject of another kind (`*`, or with an `@` of its own) is left out.
 */
export function subjectsOf(user: string): string[] {
  const name = foldName(user);
  const at = name.lastIndexOf('@');
  const local = name.slice(0, Math.max(0, at));
  const isUser = !local.includes('@') && local !== EVERYBODY;
  const wider = at < 0 ? [] : [...(isUser ? [local] : []), name.slice(at)];
  return [name, ...wider, EVERYBODY].filter(isComparable);
}
