import type { Random } from '@payonce/testkit/machine/random';
import { recut } from '../workload/recut.js';
import { arbitraryBytes, mutateBytes, mutateFields } from './bytes.js';
import type { Genuine, Target } from './genuine.js';
import { alone, type FuzzRequest, type Maker, partsOf, wellFramed } from './parts.js';
import { elsewhere, misframed, mutatedHeaders } from './request-heads.js';

/** Larger than the gateway accepts. */
const HUGE_BYTES = 300 * 1024;
/** As large as it accepts. */
const LARGE_BYTES = 250 * 1024;

const genuine: Maker = (target, random) =>
  wellFramed(partsOf(target, random.pick(target.pool)), 'genuine');

const signed: Maker = (target, random) => {
  const request = target.signHostile(random);
  return wellFramed({ ...partsOf(target, request), path: target.ownPath }, 'signed');
};

const forged: Maker = (target, random) =>
  wellFramed(partsOf(target, random.pick(target.pool).forge(random)));

const arbitrary: Maker = (target, random) => {
  const most = random.chance(0.01) ? LARGE_BYTES : 4_096;
  const { headers } = random.pick(target.pool);
  return wellFramed(partsOf(target, { headers, body: arbitraryBytes(random, most) }));
};

const mutatedBody: Maker = (target, random) => {
  const { headers, body } = random.pick(target.pool);
  return wellFramed(partsOf(target, { headers, body: mutateBytes(body, random) }));
};

const mutatedFields: Maker = (target, random) => {
  const { headers, body } = random.pick(target.pool);
  const changed = mutateFields(body, target.separator, random);
  return wellFramed(partsOf(target, { headers, body: changed }));
};

/**
 * The head of one message with the body of another; or the end of one after the beginning of
 * another.
 */
const spliced: Maker = (target, random) => {
  const [one, other] = [random.pick(target.pool), random.pick(target.pool)];
  const at = random.between(0, one.body.length);
  const body = Buffer.concat([one.body.subarray(0, at), other.body.subarray(at)]);
  return wellFramed(partsOf(target, { headers: other.headers, body }));
};

/**
 * Genuine, with another cut of its signed text or another envelope of its cipher text. It may be
 * accepted only as its notification.
 */
const recutGenuine: Maker = (target, random) => {
  const notification = random.pick(target.pool);
  const request = recut(target.provider, notification, random) ?? notification;
  return wellFramed(partsOf(target, request));
};

const huge: Maker = (target, random) => {
  const { headers, body } = random.pick(target.pool);
  const more = Buffer.alloc(HUGE_BYTES, random.pick(['&a=b', '<a>1</a>', '[', ' ', '\0']));
  // It is refused unread, so the reply may or may not arrive.
  const parts = partsOf(target, { headers, body: Buffer.concat([body, more]) });
  return alone(parts, [['content-length', String(parts.body.length)]]);
};

const SHARES: readonly (readonly [share: number, maker: Maker])[] = [
  [3, genuine],
  [4, signed],
  [3, forged],
  [12, arbitrary],
  [8, recutGenuine],
  [30, mutatedBody],
  [16, mutatedFields],
  [5, spliced],
  [13, mutatedHeaders],
  [2, elsewhere],
  [4, misframed],
];
const BAG = SHARES.flatMap(([share, maker]) => Array.from({ length: share }, () => maker));
/** Each sends a third of a megabyte. */
const HUGE_CHANCE = 0.001;

export function fuzzRequest(target: Target, random: Random): FuzzRequest {
  return (random.chance(HUGE_CHANCE) ? huge : random.pick(BAG))(target, random);
}

/** As the provider sends it. */
export function genuineRequest(target: Target, notification: Genuine): FuzzRequest {
  return wellFramed(partsOf(target, notification), 'genuine');
}
