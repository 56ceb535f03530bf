import type { SignerId } from '@payonce/testkit/signers/request';

/** The results of the requests of one provider. */
export interface Tally {
  readonly provider: SignerId;
  requests: number;
  acknowledged: number;
  refused: number;
  /** Not HTTP enough for an answer. */
  unanswered: number;
  /** Answered with 5xx, without the required answer, or genuine and refused. */
  failed: number;
  /** Accepted, although no provider ever sent it, or not in this form. */
  forgedAccepted: number;
  /**
   * Altered refund notices of API v2, which carry no signature to detect it. They are held as
   * `unconfirmed` and move nothing.
   */
  unsignedTaken: number;
}

export function newTally(provider: SignerId): Tally {
  return {
    provider,
    requests: 0,
    acknowledged: 0,
    refused: 0,
    unanswered: 0,
    failed: 0,
    forgedAccepted: 0,
    unsignedTaken: 0,
  };
}

/** The provider's rule would also check the body; here any 2xx counts as accepted. */
export type Ending = 'acknowledged' | 'refused' | 'unanswered' | 'failed';

export function endingOf(
  kind: 'genuine' | 'signed' | 'hostile',
  wellFramed: boolean,
  status: number | null,
): Ending {
  if (status === null) return wellFramed ? 'failed' : 'unanswered';
  if (status >= 500) return 'failed';
  if (status < 300) return 'acknowledged';
  return kind === 'genuine' ? 'failed' : 'refused';
}
