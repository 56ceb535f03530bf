import type { PageContext } from './page-context.js';

/** Roughly, in the largest unit that gives a whole number: "3 min". */
export function duration({ t }: PageContext, seconds: number): string {
  const n = Math.max(0, Math.floor(seconds));
  if (n < 60) return t('duration.seconds', { n });
  if (n < 3_600) return t('duration.minutes', { n: Math.floor(n / 60) });
  if (n < 172_800) return t('duration.hours', { n: Math.floor(n / 3_600) });
  return t('duration.days', { n: Math.floor(n / 86_400) });
}
