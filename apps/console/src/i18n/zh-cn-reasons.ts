import type { enReasons } from './en-reasons.js';

export const zhCnReasons: Readonly<Record<keyof typeof enReasons, string>> = {
  'hold.unknown_order': '订单未登记',
  'hold.unknown_order.means': '系统中没有登记过这个订单号',
  'hold.unknown_order.do':
    '登记该订单，登记的同时会自动释放此事件。系统也会定期检查（订单可能由其他途径写入）。超过期限会告警，但事件仍保持挂起。此类事件不能人工确认',
  'hold.amount_mismatch': '金额不符',
  'hold.amount_mismatch.means': '支付平台通知的金额与应付金额不一致',
  'hold.amount_mismatch.do':
    '请先查明原因。人工确认后，订单按实收金额计为已支付；也可以在支付平台退款后驳回此事件',
  'hold.currency_mismatch': '币种不符',
  'hold.currency_mismatch.means': '通知中的币种与订单币种不同',
  'hold.currency_mismatch.do':
    '请在支付平台退款，然后驳回。不同币种的金额不能相加，因此不能人工确认',
  'hold.merchant_mismatch': '收款方不符',
  'hold.merchant_mismatch.means': '签名有效，但应用、卖家或商户号不属于本渠道',
  'hold.merchant_mismatch.do':
    '如果账户确实是您的，请把它加入渠道配置，并人工确认这些事件；否则请驳回，钱款已付给他人',
  'hold.trade_on_other_order': '交易已属其他订单',
  'hold.trade_on_other_order.means': '该笔交易已用于支付本商户的另一个订单',
  'hold.trade_on_other_order.do':
    '请核对这两个订单。如果该交易属于本订单，请在另一订单上解除该交易，此事件随即生效；否则请驳回。同一商户的一笔交易只能支付一个订单，因此不能人工确认',
  'hold.id_conflict': '通知 ID 冲突',
  'hold.id_conflict.means':
    '同一个通知 ID 到达了另一种内容：订单、交易、金额或事实与第一次的不同。内容相同的算作重复',
  'hold.id_conflict.do': '请将两条通知与支付平台的记录核对，再决定人工确认或驳回此内容',
  'hold.unsupported_event': '不支持的通知类型',
  'hold.unsupported_event.means': '通知真实有效，但当前版本无法识别其类型，或其内容存在歧义',
  'hold.unsupported_event.do':
    '请查看通知字段，手工完成所需处理后驳回。内容无法识别，因此不能人工确认',
  'hold.unconfirmed': '待核实',
  'hold.unconfirmed.means': '内容已加密但没有签名（微信支付 v2 退款通知），仅凭它不能证明任何事',
  'hold.unconfirmed.do':
    '请在微信支付商户平台查询该退款；人工确认后按通知内容处理。若收到内容一致且带签名的通知（v3），会自动释放',
  'hold.internal_error': '内部错误',
  'hold.internal_error.means': '仅因这条消息导致事务失败，错误详情见日志',
  'hold.internal_error.do':
    '排除原因并更新版本后，定时任务或手动重试会处理它。此类事件不能人工确认',

  'attention.second_payment': '重复支付',
  'attention.second_payment.do': '请在支付平台退还多付的交易；这些退款不影响订单状态',
  'attention.over_refund': '退款超额',
  'attention.over_refund.do': '请与支付平台的记录核对，可能有两个系统都发起了退款',
  'attention.refund_abnormal': '退款异常',
  'attention.refund_abnormal.do':
    '请在微信支付商户平台改退至其他账户；退款成功或关闭后，此标记自动消失',
  'attention.paid_late': '关闭后才支付',
  'attention.paid_late.do': '请发货或退款；订单已计为已支付',
  'attention.closed_though_paid': '已支付却被关闭',
  'attention.closed_though_paid.do':
    '处理方法同“关闭后才支付”；如果是您的系统关闭的，请检查它是否未经查询就关闭订单',

  'attention.contested_trade': '交易另有商户主张',
  'attention.contested_trade.do':
    '请在支付平台核对该交易。如果它不属于本订单，请解除该交易，且不要退款；否则无需处理，订单已计为已支付',

  'dead.malformed_job': '并非本系统的任务',
  'dead.malformed_job.do':
    '网关版本比 worker 新：请更新 worker，更新后会自动处理。否则说明有其他程序在写入队列：请先堵住来源，再忽略此条',
  'dead.unknown_channel': '未知渠道',
  'dead.unknown_channel.do': '请让 worker 使用与网关相同的渠道配置，向其发送 SIGHUP 后重新处理',
  'dead.verification_failed': '验签未通过',
  'dead.verification_failed.do':
    '两边密钥不一致：请使用同一份配置（已停用的密钥也要保留），发送 SIGHUP 后重新处理。否则说明内容被篡改，请忽略此条',
  'dead.identity_mismatch': '通知 ID 不符',
  'dead.identity_mismatch.do':
    '网关与 worker 版本不同：请更新后重新处理。否则说明内容被篡改，请忽略此条',
  'dead.undecodable': '无法解析',
  'dead.undecodable.do': '请反馈此缺陷；更新版本后重新处理',
  'dead.attempts_exhausted': '重试次数用尽',
  'dead.attempts_exhausted.do': '数据库长时间不可用，或拒绝写入原始内容：修复后重新处理',

  'whyNot.unknown_order': '订单尚未登记。登记订单会自动释放此事件；或者驳回。',
  'whyNot.currency_mismatch': '不同币种的金额不能相加。请在支付平台退款后驳回。',
  'whyNot.trade_on_other_order':
    '一笔交易只能支付一个订单，而它已属于其他订单。请在该订单上解除交易，或驳回此事件。',
  'whyNot.unsupported_event': '通知内容无法识别。请查看通知后驳回。',
  'whyNot.internal_error': '无需人工担保。排除原因后重试即可。',
  'whyNot.nothing_said': '它不改变任何订单。请驳回。',
};
