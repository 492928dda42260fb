// The subject of an entry: a user, a domain (`@example.com`) or everybody (`*`), and the order in which they are looked
// up.
//
// A SASL user name comes from the network, so it is only compared: after folding it must equal a subject exactly.

export const EVERYBODY = '*';

/** Folds a name for case-insensitive comparison: Unicode NFC, lower case. */
export function foldName(name: string): string {
  // Lower-casing can undo NFC: H with a line below has no composed form, but its small letter has one.
  return name.normalize('NFC').toLowerCase().normalize('NFC');
}

/** Whether a name can be compared. NUL ends a name for some SQLite clients, and U+FFFD stands for any invalid UTF-8. */
export function isComparable(name: string): boolean {
  return name !== '' && !name.includes('\0') && !name.includes('\ufffd');
}

/**
 * The subjects of a SASL user name, folded, narrowest first: `user@domain`, `user`, `@domain`, `*`. The domain starts
 * after the last `@`. A local part that is `*` or contains an `@` is left out, since it would mean another subject.
 */
export function subjectsOf(user: string): string[] {
  const name = foldName(user);
  const at = name.lastIndexOf('@');
  const local = name.slice(0, Math.max(0, at));
  const isUser = !local.includes('@') && local !== EVERYBODY;
  const wider = at < 0 ? [] : [...(isUser ? [local] : []), name.slice(at)];
  return [name, ...wider, EVERYBODY].filter(isComparable);
}
