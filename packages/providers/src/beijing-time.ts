/**
 * A time as Alipay and WeChat Pay API v2 write it: China Standard Time without an offset.
 * @param pattern captures year, month, day, hour, minute, second and perhaps milliseconds
 * @returns null for an absent, odd or impossible one (30 February)
 */
export function beijingTime(text: string | undefined, pattern: RegExp): Date | null {
  const read = pattern.exec(text ?? '');
  if (read === null) return null;
  const [, year, month, day, hour, minute, second, ms = '000'] = read;
  const local = `${year}-${month}-${day}T${hour}:${minute}:${second}.${ms}`;
  const asIfUtc = new Date(`${local}Z`);
  // 30 February would be 1 March.
  if (Number.isNaN(asIfUtc.getTime()) || asIfUtc.toISOString() !== `${local}Z`) return null;
  return new Date(`${local}+08:00`);
}
