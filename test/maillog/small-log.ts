// Lines of a small log, to be put together in a test.

/** A message that Postfix took. `when`: `2026-11-04T05:47:54Z`. */
export function taken(user: string, address: string, when: string): string {
  return `${when} mx1 postfix/submission/smtpd[4711]: 4BDF1C20E7: client=unknown[${address}], sasl_method=PLAIN, sasl_username=${user}\n`;
}

/** So many, a minute apart from midnight on. */
export function many(count: number, user: string, address: string, day = '2026-11-04'): string {
  const clock = (i: number) => [Math.floor(i / 60), i % 60].map((part) => String(part).padStart(2, '0')).join(':');
  return Array.from({ length: count }, (_, i) => taken(user, address, `${day}T${clock(i)}:00Z`)).join('');
}
