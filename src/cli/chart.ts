// Bars for numbers by day, for people at a terminal.
import { coloured } from './output';

const WIDTH = 50;
/** More days are more than a screen; the last ones are shown. */
const MOST_DAYS = 62;

/** A line a day: `#` for what was allowed, `x` for what was refused, to one scale. `days`: in order. */
export function dayChart(days: readonly { day: string; allowed: number; refused: number }[]): string[] {
  const shown = days.slice(-MOST_DAYS);
  const most = Math.max(1, ...shown.map(({ allowed, refused }) => allowed + refused));
  return shown.map(({ day, allowed, refused }) => {
    const bar = (count: number) => (count === 0 ? 0 : Math.max(1, Math.round((count / most) * WIDTH)));
    const [good, bad] = [bar(allowed), bar(refused)];
    const room = ' '.repeat(Math.max(0, WIDTH + 1 - good - bad));
    const figures = `${allowed} allowed${refused === 0 ? '' : `, ${refused} refused`}`;
    return `${day}  ${coloured('#'.repeat(good), 'green')}${coloured('x'.repeat(bad), 'red')}${room} ${figures}`;
  });
}
