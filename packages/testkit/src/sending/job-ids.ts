/**
 * `{provider}.{channel}.{notification ID}.{16 hex}` of the simulated channels, as the gateway sends
 * it to a store (a packed argument in Redis, a text in PostgreSQL). Gateways of the previous
 * release write 8 hex digits, which end where another character follows.
 */
const JOB_ID =
  /(?:alipay|wechatpay-v2|wechatpay)\.sim-[a-z0-9-]+\.[A-Za-z0-9_-]{1,100}\.[0-9a-f]{8}(?:([0-9a-f]{8})|(?=[^0-9a-f]))/g;
/** No job ID is longer: 12 + 40 + 100 + 16 characters and three dots. */
const LONGEST = 171;

/** Finds job IDs in a stream of bytes, also across two pieces; each is reported once. */
export function jobIdScanner(found: (jobId: string) => void): (chunk: Buffer) => void {
  let tail = '';
  return (chunk) => {
    const text = tail + chunk.toString('latin1');
    for (const match of text.matchAll(JOB_ID)) {
      const end = match.index + match[0].length;
      // A short one also needs the following character.
      const seen = match[1] === undefined ? end + 1 : end;
      if (seen > tail.length) found(match[0]);
    }
    tail = text.slice(-LONGEST);
  };
}
