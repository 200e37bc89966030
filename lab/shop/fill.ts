import type pg from 'pg';
import { keys, tables } from './schema.ts';

/** Orders to begin with, all of them paid, spread over half a year. */
export interface FillOptions {
  orders: number;
  /** Opens another session of the owner; some statements run side by side. */
  connect(): Promise<pg.Client>;
}

const products = 500;
const tills = 64;
/** An order's receipt is so many hashes: 64 bytes each that nothing compresses, in base64. */
const receiptHashes = 18;

/** Makes the tables and fills them with rows that keep every rule of the application. */
export async function fill(client: pg.Client, { orders, connect }: FillOptions): Promise<void> {
  const customers = Math.max(50, Math.round(orders / 10));
  await client.query(tables);
  await client.query(customersSql, [customers]);
  await client.query(accountsSql, [tills]);
  await client.query(productsSql, [products]);
  await client.query(itemsSql, [orders, products]);
  const half = Math.ceil(orders / 2);
  await Promise.all([
    ordersBetween(connect, 1, half, orders, customers),
    ordersBetween(connect, half + 1, orders, orders, customers),
  ]);
  await client.query(paymentsSql, [tills, customers]);
  await client.query(balancesSql);
  await client.query(keys);
  await client.query("select setval(pg_get_serial_sequence('orders', 'id'), max(id)) from orders");
  await client.query('analyze');
}

async function ordersBetween(
  connect: () => Promise<pg.Client>,
  from: number,
  to: number,
  all: number,
  customers: number,
): Promise<void> {
  const client = await connect();
  try {
    await client.query(ordersSql, [from, to, all, customers, receiptHashes]);
  } finally {
    await client.end();
  }
}

const customersSql = `
insert into customers (name, email, city, profile)
select 'Customer ' || i, 'customer' || i || '@example.org',
       (array['Lisbon', 'Hamburg', 'Oslo', 'Trieste', 'Rotterdam', 'Cork'])[1 + i % 6],
       jsonb_build_object('language', (array['pt', 'de', 'no', 'it', 'nl', 'en'])[1 + i % 6], 'newsletter', i % 3 = 0)
from generate_series(1, $1::int) i`;

const accountsSql = `
with customer_accounts as (
  insert into accounts (customer_id, kind) select id, 'customer' from customers order by id returning 1
)
insert into accounts (kind) select 'till' from generate_series(1, $1::int), (select count(*) from customer_accounts) c`;

const productsSql = `
insert into products (sku, name, price, attributes)
select 'SKU-' || lpad(i::text, 5, '0'),
       (array['Lantern', 'Rope', 'Compass', 'Oar', 'Flare', 'Anchor', 'Life vest', 'Chart'])[1 + i % 8] || ' No. ' || i,
       3 + (i * 37 % 9500) / 100.0, jsonb_build_object('weightGrams', 100 + i * 13 % 5000, 'fragile', i % 7 = 0)
from generate_series(1, $1::int) i`;

const itemsSql = `
insert into order_items (order_id, line, product_id, quantity, price)
select picked.i, picked.line, picked.product, 1 + (picked.i + picked.line) % 3, products.price
from (select i, line, 1 + (i * 7 + line * 13) % $2::int as product
      from generate_series(1, $1::int) i, lateral generate_series(1, 1 + i % 3) line) picked
join products on products.id = picked.product`;

const ordersSql = `
insert into orders (id, customer_id, status, total, details, placed_at) overriding system value
select i, 1 + (i * 7919::bigint) % $4::int, 'paid', items.total,
       jsonb_build_object('channel', (array['web', 'app', 'phone'])[1 + i % 3], 'gift', i % 11 = 0, 'receipt', receipt.text),
       now() - ($3::int - i) * (interval '180 days' / $3::int)
from generate_series($1::int, $2::int) i
join (select order_id, sum(quantity * price) as total from order_items where order_id between $1::int and $2::int group by 1)
  items on items.order_id = i
cross join lateral (
  select encode(string_agg(sha512(int8send(i::bigint * 64 + part)), ''::bytea), 'base64') as text
  from generate_series(1, $5::int) part) receipt`;

const paymentsSql = `
insert into payments (order_id, from_account, to_account, amount, paid_at)
select orders.id, accounts.id, $2::int + 1 + orders.id % $1::int, total, placed_at + interval '20 seconds'
from orders join accounts on accounts.customer_id = orders.customer_id order by orders.id`;

const balancesSql = `
update accounts set balance = moved.sum
from (select account, sum(amount) from (
        select from_account as account, -amount as amount from payments
        union all select to_account, amount from payments) both_sides
      group by account) moved
where moved.account = accounts.id`;
