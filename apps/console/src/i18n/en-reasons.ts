/**
 * Why something waits or needs attention, and what to do: the words of docs/failure-modes.md, which
 * a test compares.
 */
export const enReasons = {
  'hold.unknown_order': 'Unknown order',
  'hold.unknown_order.means': 'No order of that number is registered',
  'hold.unknown_order.do':
    'Register it: that releases the event in the same transaction. The schedule looks too (orders inserted by other means). After the deadline an alarm; held on. Not acceptable',
  'hold.amount_mismatch': 'Wrong amount',
  'hold.amount_mismatch.means': "The provider's amount is not the amount due",
  'hold.amount_mismatch.do':
    'Find out why. Accept: the order counts as paid with the amount received. Or refund at the provider and reject',
  'hold.currency_mismatch': 'Wrong currency',
  'hold.currency_mismatch.means': "Another currency than the order's",
  'hold.currency_mismatch.do':
    'Refund at the provider and reject. Not acceptable: amounts of two currencies cannot be added',
  'hold.merchant_mismatch': 'Another merchant',
  'hold.merchant_mismatch.means':
    "Well signed, but for another app, seller or merchant number than the channel's",
  'hold.merchant_mismatch.do':
    'If the account is yours: list it in the channel for the next ones, and accept these. Else reject: the money went elsewhere',
  'hold.trade_on_other_order': "Another order's trade",
  'hold.trade_on_other_order.means': 'That trade pays another order of the merchant already',
  'hold.trade_on_other_order.do':
    'Look at both orders. If it pays this one: release the trade there, which applies this event. Else reject. Not acceptable: a trade pays one order of its merchant',
  'hold.id_conflict': 'Same ID, other content',
  'hold.id_conflict.means':
    'A known notification ID came with another content: its order, trade, amounts or facts are not those of the first one. Equal ones are duplicates',
  'hold.id_conflict.do':
    "Compare both notifications with the provider's records. Accept this content too, or reject it",
  'hold.unsupported_event': 'Unsupported kind',
  'hold.unsupported_event.means':
    'Genuine, but of a kind that this version does not understand, or that could be read in two ways',
  'hold.unsupported_event.do':
    'Look at its fields, do by hand what it asks for, reject. Not acceptable: nothing could be read',
  'hold.unconfirmed': 'Unconfirmed',
  'hold.unconfirmed.means':
    'Encrypted but not signed (WeChat Pay v2 refund notices): it proves nothing by itself',
  'hold.unconfirmed.do':
    'Look the refund up at WeChat Pay; accept applies it as told. A signed notice (v3) that tells the same releases it',
  'hold.internal_error': 'Internal error',
  'hold.internal_error.means':
    'The transaction failed because of this message alone; the log has the error',
  'hold.internal_error.do':
    'Mend the cause, update; the schedule or a retry applies it. Not acceptable',

  'attention.second_payment': 'Paid twice',
  'attention.second_payment.do':
    "Refund the surplus trades at the provider; their refunds do not touch the order's status",
  'attention.over_refund': 'Refunded too much',
  'attention.over_refund.do': "Compare with the provider's records; two systems may have refunded",
  'attention.refund_abnormal': 'Refund failed at the bank',
  'attention.refund_abnormal.do':
    'Refund to another account at WeChat Pay; the flag goes when the refund succeeds or is closed',
  'attention.paid_late': 'Paid after it was closed',
  'attention.paid_late.do': 'Deliver or refund; the order is paid',
  'attention.closed_though_paid': 'Closed although paid',
  'attention.closed_though_paid.do':
    'As `paid_late`; if it was your close: look whether your system closes without asking',

  'attention.contested_trade': "Another merchant's trade, too",
  'attention.contested_trade.do':
    "Look the trade up in the provider's records. If it is not this order's: release it, and refund nothing. Else nothing: the order is paid",

  'dead.malformed_job': 'Not a job of ours',
  'dead.malformed_job.do':
    'The gateway is newer than the worker: update the worker, which applies it by itself. Else somebody else writes into the queue: close that; dismiss',
  'dead.unknown_channel': 'Unknown channel',
  'dead.unknown_channel.do': "Give the worker the gateway's channel file, send it SIGHUP, re-drive",
  'dead.verification_failed': 'Could not be proved',
  'dead.verification_failed.do':
    'Keys differ: give both the same file (a retired key stays listed), send SIGHUP, re-drive. Else it was tampered with: dismiss',
  'dead.identity_mismatch': "Another notification's ID",
  'dead.identity_mismatch.do':
    'Gateway and worker of different versions: update, re-drive. Else it was tampered with: dismiss',
  'dead.undecodable': 'Could not be read',
  'dead.undecodable.do': 'Report it; update, re-drive',
  'dead.attempts_exhausted': 'Every attempt failed',
  'dead.attempts_exhausted.do':
    'The database was away that long, or refuses even the raw bytes: mend it, re-drive',

  'whyNot.unknown_order':
    'The order is not registered. Register it, which releases the event; or reject it.',
  'whyNot.currency_mismatch':
    'Amounts of two currencies cannot be added. Refund it at the provider and reject it.',
  'whyNot.trade_on_other_order':
    'A trade pays one order, and another one has it. Release it there, or reject this event.',
  'whyNot.unsupported_event':
    'What it says could not be read. Look at the notification, and reject it.',
  'whyNot.internal_error': 'Nobody has to vouch for it. Retry it once the cause is mended.',
  'whyNot.nothing_said': 'It changes no order. Reject it.',
} as const;
