/**
 * Why something waits or needs attention, and what to do: the words of docs/failure-modes.md, which
 * a test compares.
 */
export const enReasons = {
  'hold.unknown_order': 'Unknown order',
  'hold.unknown_order.means': 'No order with this number is registered',
  'hold.unknown_order.do':
    'Register the order, which releases the event in the same transaction. A schedule also checks, for orders inserted by other means. After the deadline there is an alarm, and the event stays held. It cannot be accepted',
  'hold.amount_mismatch': 'Wrong amount',
  'hold.amount_mismatch.means': "The provider's amount is not the amount due",
  'hold.amount_mismatch.do':
    'Find out why. Accept the event, and the order counts as paid with the amount received. Or refund the payment at the provider and reject the event',
  'hold.currency_mismatch': 'Wrong currency',
  'hold.currency_mismatch.means': "The currency is not the order's currency",
  'hold.currency_mismatch.do':
    'Refund the payment at the provider and reject the event. It cannot be accepted: amounts in two currencies cannot be added',
  'hold.merchant_mismatch': 'Another merchant',
  'hold.merchant_mismatch.means':
    "The signature is valid, but the app, seller or merchant number is not the channel's",
  'hold.merchant_mismatch.do':
    'If the account is yours, add it to the channel for later events, and accept these. Otherwise reject them: the money went elsewhere',
  'hold.trade_on_other_order': "Another order's trade",
  'hold.trade_on_other_order.means': 'The trade already pays another order of the merchant',
  'hold.trade_on_other_order.do':
    'Look at both orders. If the trade pays this one, release it on the other order, which applies this event. Otherwise reject the event. It cannot be accepted: a trade pays one order of its merchant',
  'hold.id_conflict': 'Same ID, other content',
  'hold.id_conflict.means':
    'A known notification ID arrived with other content: its order, trade, amounts or facts differ from the first one. Equal contents are duplicates',
  'hold.id_conflict.do':
    "Compare both notifications with the provider's records. Then accept this content too, or reject it",
  'hold.unsupported_event': 'Unsupported kind',
  'hold.unsupported_event.means':
    'Genuine, but this release does not understand its kind, or it can be read in two ways',
  'hold.unsupported_event.do':
    'Look at its fields, do by hand what it asks for, then reject it. It cannot be accepted: its content could not be read',
  'hold.unconfirmed': 'Unconfirmed',
  'hold.unconfirmed.means':
    'Encrypted but not signed (WeChat Pay v2 refund notices), so it proves nothing by itself',
  'hold.unconfirmed.do':
    'Look up the refund at WeChat Pay. Accepting the event applies it as received. A signed notice (v3) of the same refund releases it',
  'hold.internal_error': 'Internal error',
  'hold.internal_error.means':
    'The transaction failed because of this message alone. The log has the error',
  'hold.internal_error.do':
    'Fix the cause and update. The schedule or a retry then applies it. It cannot be accepted',

  'attention.second_payment': 'Paid twice',
  'attention.second_payment.do':
    "Refund the surplus trades at the provider. Their refunds do not change the order's status",
  'attention.over_refund': 'Refunded too much',
  'attention.over_refund.do': "Compare with the provider's records: two systems may have refunded",
  'attention.refund_abnormal': 'Refund failed at the bank',
  'attention.refund_abnormal.do':
    'Refund to another account at WeChat Pay. The flag disappears when the refund succeeds or is closed',
  'attention.paid_late': 'Paid after it was closed',
  'attention.paid_late.do': 'Deliver or refund. The order is paid',
  'attention.closed_though_paid': 'Closed although paid',
  'attention.closed_though_paid.do':
    'As for `paid_late`. If your system closed the order, check whether it does so without asking the provider',

  'attention.contested_trade': 'Trade claimed by another merchant',
  'attention.contested_trade.do':
    "Look up the trade in the provider's records. If it does not belong to this order, release it and refund nothing. Otherwise do nothing: the order is paid",

  'dead.malformed_job': 'Not a valid job',
  'dead.malformed_job.do':
    'If the gateway is newer than the worker, update the worker, which then applies the job by itself. Otherwise another program writes into the queue: stop it, and dismiss the job',
  'dead.unknown_channel': 'Unknown channel',
  'dead.unknown_channel.do':
    "Give the worker the gateway's channel file, send it SIGHUP, and re-drive",
  'dead.verification_failed': 'Could not be verified',
  'dead.verification_failed.do':
    'If the keys differ, give gateway and worker the same channel file (a retired key stays listed), send SIGHUP, and re-drive. Otherwise the job was tampered with: dismiss it',
  'dead.identity_mismatch': "Another notification's ID",
  'dead.identity_mismatch.do':
    'If gateway and worker have different versions, update and re-drive. Otherwise the job was tampered with: dismiss it',
  'dead.undecodable': 'Could not be read',
  'dead.undecodable.do': 'Report it. After an update, re-drive',
  'dead.attempts_exhausted': 'Every attempt failed',
  'dead.attempts_exhausted.do':
    'The database was down that long, or rejects even the raw bytes. Fix it and re-drive',

  'whyNot.unknown_order':
    'The order is not registered. Register it, which releases the event, or reject the event.',
  'whyNot.currency_mismatch':
    'Amounts in two currencies cannot be added. Refund the payment at the provider and reject the event.',
  'whyNot.trade_on_other_order':
    'The trade already pays another order. Release it there, or reject this event.',
  'whyNot.unsupported_event':
    'Its content could not be read. Look at the notification, then reject the event.',
  'whyNot.internal_error': 'It needs no decision. Retry it after the cause is fixed.',
  'whyNot.nothing_said': 'It changes no order. Reject it.',
} as const;
