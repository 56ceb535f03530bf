/**
 * `{provider}.{channel}.{notification ID}.{16 hex}` of the simulated channels, as it stands in what the
 * gateway tells a store (a packed argument in Redis, a text in PostgreSQL). Gateways of the release before
 * write 8 hex digits, which end where something else follows.
 */
const JOB_ID =
  /(?:alipay|wechatpay-v2|wechatpay)\.sim-[a-z0-9-]+\.[A-Za-z0-9_-]{1,100}\.[0-9a-f]{8}(?:([0-9a-f]{8})|(?=[^0-9a-f]))/g;
/** No job ID is longer: 12 + 40 + 100 + 16 characters and three dots. */
const LONGEST = 171;

/** Finds job IDs in a stream of bytes, also where one is spread over two pieces; each is told once. */
export function jobIdScanner(found: (jobId: string) => void): (chunk: Buffer) => void {
  let tail = '';
  return (chunk) => {
    const text = tail + chunk.toString('latin1');
    for (const match of text.matchAll(JOB_ID)) {
      const end = match.index + match[0].length;
      // Of the short ones what follows had to be seen, too.
      const seen = match[1] === undefined ? end + 1 : end;
      if (seen > tail.length) found(match[0]);
    }
    tail = text.slice(-LONGEST);
  };
}
