const SHOWN = 100;

/**
 * A plain page that reloads every two seconds.
 * @param {{ orders: import('./store.mjs').Data[], events: import('./store.mjs').Event[], refused:
 * number }} what
 */
export function pageOf({ orders, events, refused }) {
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta http-equiv="refresh" content="2">
<title>Example consumer</title>
<style>
  body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem; }
  table { border-collapse: collapse; margin-bottom: 2rem; }
  th, td { text-align: left; padding: .2rem 1rem .2rem 0; border-bottom: 1px solid #ddd; }
</style>
<h1>A merchant's system, told by payonce</h1>
<p>${events.length} order events, each signed and stored once; ${refused} requests refused.</p>
<h2>Orders</h2>
${table(
  ['order', 'status', 'paid', 'refunded', 'version'],
  orders
    .slice(-SHOWN)
    .reverse()
    .map((one) => [one.orderNumber, one.status, one.paidAmount, one.refundedAmount, one.version]),
)}
<h2>Order events, newest first</h2>
${table(
  ['received', 'type', 'order', 'version', 'webhook-id'],
  events
    .slice(0, SHOWN)
    .map(({ receivedAt, type, data, id }) => [
      receivedAt,
      type,
      data.orderNumber,
      data.version,
      id,
    ]),
)}
</html>
`;
}

/**
 * @param {string[]} head
 * @param {unknown[][]} rows
 */
function table(head, rows) {
  const line = (/** @type {string} */ tag, /** @type {unknown[]} */ cells) =>
    `<tr>${cells.map((cell) => `<${tag}>${escaped(cell)}</${tag}>`).join('')}</tr>`;
  return `<table>${line('th', head)}${rows.map((row) => line('td', row)).join('\n')}</table>`;
}

/** @param {unknown} value */
function escaped(value) {
  return String(value ?? '').replace(/[&<>"]/g, (one) => `&#${one.charCodeAt(0)};`);
}
