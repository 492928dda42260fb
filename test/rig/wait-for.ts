// Waiting for a condition instead of a time, so that a slow machine makes a test slower and not wrong.
import { setTimeout as sleep } from 'node:timers/promises';

/**
 * Calls `condition` until it gives (or resolves to) something other than false, null and undefined, and returns that.
 * @param what for the error: `waited 30 s for WHAT`
 * @param context more for the error, for example the log
 * @throws after `timeoutMs`
 */
export async function waitFor<T>(
  what: string,
  condition: () => T | false | null | undefined | Promise<T | false | null | undefined>,
  context: () => string = () => '',
  timeoutMs = 30_000,
): Promise<T> {
  const end = Date.now() + timeoutMs;
  for (;;) {
    const result = await condition();
    if (result !== false && result !== null && result !== undefined) return result;
    if (Date.now() > end) throw new Error(`waited ${timeoutMs / 1000} s for ${what}\n${context()}`);
    await sleep(20);
  }
}
