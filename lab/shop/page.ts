export interface Shown {
  orders: string;
  payments: string;
  customers: string;
  turnover: string;
  newest: { id: string; customer: string; total: string; status: string; placedAt: Date }[];
}

/** The shop's only page: what it holds, and that it goes on. */
export function page(shown: Shown): string {
  const facts = [
    ['orders', grouped(shown.orders)],
    ['payments', grouped(shown.payments)],
    ['customers', grouped(shown.customers)],
    ['turnover', `€\u00a0${grouped(shown.turnover.split('.')[0] ?? '')}`],
  ];
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="refresh" content="2">
<link rel="icon" href="data:,">
<title>Orders: the sample shop</title>
<style>${style}</style>
</head>
<body>
<main>
<h1>The ship chandler</h1>
<p>A sample shop. Every order and payment goes through the front door to whichever server is the primary.</p>
<dl>${facts.map(([name, value]) => `<div><dt>${name}</dt><dd>${value}</dd></div>`).join('')}</dl>
<table>
<caption>Newest orders</caption>
<thead><tr><th>Order</th><th>Customer</th><th>Placed (UTC)</th><th>Total</th><th>State</th></tr></thead>
<tbody>${shown.newest.map(row).join('\n')}</tbody>
</table>
</main>
</body>
</html>
`;
}

function row(order: Shown['newest'][number]): string {
  const at = order.placedAt.toISOString().slice(11, 19);
  return `<tr><td>${escaped(order.id)}</td><td>${escaped(order.customer)}</td><td>${at}</td><td>€\u00a0${grouped(order.total)}</td><td>${escaped(order.status)}</td></tr>`;
}

function grouped(number: string): string {
  const [whole = '', cents] = number.split('.');
  const groups = whole.replace(/\B(?=(\d{3})+$)/g, ',');
  return escaped(cents === undefined ? groups : `${groups}.${cents}`);
}

function escaped(text: string): string {
  return text.replace(/[&<>"]/g, (sign) => `&#${sign.charCodeAt(0)};`);
}

const style = `
:root { color-scheme: light dark; --ink: #1c2b33; --soft: #5b6b74; --line: #d5dde1; --paper: #fbfaf7; --sea: #14606e; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6ecee; --soft: #9aaab2; --line: #33434b; --paper: #12191d; --sea: #63bccb; } }
body { margin: 0; background: var(--paper); color: var(--ink); font: 16px/1.5 system-ui, sans-serif; }
main { max-width: 46rem; margin: clamp(1.5rem, 6vw, 3rem) auto; padding: 0 1.25rem; }
h1 { font: 600 2rem/1.2 Georgia, serif; margin: 0 0 .25rem; color: var(--sea); }
p, caption, dt { color: var(--soft); }
dl { display: grid; grid-template-columns: repeat(auto-fit, minmax(8rem, 1fr)); gap: 1rem; margin: 2rem 0; }
dd { margin: 0; font-size: 1.5rem; font-variant-numeric: tabular-nums; }
table { width: 100%; border-collapse: collapse; font-variant-numeric: tabular-nums; }
caption { text-align: left; padding-bottom: .5rem; }
th { font-weight: 600; } th, td { text-align: left; padding: .4rem .5rem; border-bottom: 1px solid var(--line); }
td:nth-child(4), th:nth-child(4) { text-align: right; }
@media (max-width: 34rem) { td:nth-child(2), th:nth-child(2) { display: none; } th:first-child, td:first-child { padding-left: 0; } }`;
