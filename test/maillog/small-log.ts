// Lines from which a test builds a small log.

/** Postfix accepts a message of an authenticated user. `when`: `2026-11-04T05:47:54Z`. */
export function acceptedLine(user: string, address: string, when: string): string {
  return `${when} mx1 postfix/submission/smtpd[4711]: 4BDF1C20E7: client=unknown[${address}], sasl_method=PLAIN, sasl_username=${user}\n`;
}

/** As many such lines, one a minute from midnight on. */
export function acceptedLines(count: number, user: string, address: string, day = '2026-11-04'): string {
  const clock = (i: number) => [Math.floor(i / 60), i % 60].map((part) => String(part).padStart(2, '0')).join(':');
  return Array.from({ length: count }, (_, i) => acceptedLine(user, address, `${day}T${clock(i)}:00Z`)).join('');
}
