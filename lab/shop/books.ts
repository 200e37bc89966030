/** What the shop does with its database: each act is one statement, so that it happens wholly or not at all. */
import { randomBytes } from 'node:crypto';
import type { Pool, QueryResultRow } from 'pg';

export interface Line {
  product: number;
  quantity: number;
}

export interface Order {
  id: string;
  customer: string;
  status: 'placed' | 'paid';
  total: string;
  placedAt: string;
  lines: { product: string; quantity: number; price: string }[];
  paidAt?: string;
}

/** The request cannot be met, whatever is tried: said to the client as 4xx. */
export class NotPossible extends Error {
  readonly status: number;
  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

export class Books {
  readonly #pool: Pool;
  #tills: number[] | undefined;

  constructor(pool: Pool) {
    this.#pool = pool;
  }

  /** Places an order at today's prices. */
  async place(customer: number, lines: readonly Line[]): Promise<{ id: string; total: string }> {
    const details = { channel: 'web', gift: false, receipt: randomBytes(800).toString('base64') };
    const rows = await this.#ask<{ id: string; total: string; lines: number }>(placeSql, [
      customer,
      JSON.stringify(lines),
      JSON.stringify(details),
    ]);
    const placed = rows[0];
    if (placed === undefined) throw new NotPossible(422, 'no such customer, or not all of these products exist');
    return { id: placed.id, total: placed.total };
  }

  /** Moves the order's total from the customer's account to a till. */
  async pay(order: string): Promise<{ reference: string; amount: string }> {
    const rows = await this.#ask<{ reference: string; amount: string }>(paySql, [order, await this.#till()]);
    const paid = rows[0];
    if (paid === undefined) throw new NotPossible(409, `order ${order} is not there, or is paid already`);
    return paid;
  }

  async read(id: string): Promise<Order | undefined> {
    const rows = await this.#ask<Order>(readSql, [id]);
    return rows[0];
  }

  async customers(): Promise<number> {
    const rows = await this.#ask<{ newest: string | null }>('select max(id) as newest from customers', []);
    return Number(rows[0]?.newest ?? 0);
  }

  async counts(): Promise<{ orders: string; payments: string; customers: string; turnover: string }> {
    const rows = await this.#ask<{ orders: string; payments: string; customers: string; turnover: string }>(
      countsSql,
      [],
    );
    return rows[0] ?? { orders: '0', payments: '0', customers: '0', turnover: '0' };
  }

  async newest(): Promise<{ id: string; customer: string; total: string; status: string; placedAt: Date }[]> {
    return this.#ask(newestSql, []);
  }

  /** Whether the database answers and takes writes. */
  async state(): Promise<{ writable: boolean }> {
    const rows = await this.#ask<{ readonly: boolean }>('select pg_is_in_recovery() as readonly', []);
    return { writable: rows[0]?.readonly === false };
  }

  /** Sentences about what does not add up; empty when all does. */
  async contradictions(): Promise<string[]> {
    const rows = await this.#ask<{ said: string }>(contradictionsSql, []);
    return rows.map(({ said }) => said);
  }

  /** A till of many: one row that every payment updates would queue them all. */
  async #till(): Promise<number> {
    this.#tills ??= (await this.#ask<{ id: string }>("select id from accounts where kind = 'till'", [])).map(({ id }) =>
      Number(id),
    );
    const till = this.#tills[Math.floor(Math.random() * this.#tills.length)];
    if (till === undefined) throw new Error('the shop has no till: the table accounts holds none');
    return till;
  }

  async #ask<T extends QueryResultRow>(sql: string, values: unknown[]): Promise<T[]> {
    const { rows } = await this.#pool.query<T>({ name: sql.slice(0, 60), text: sql, values });
    return rows;
  }
}

const placeSql = `
/* place */ with wanted as (
  select product, quantity, row_number() over () as line from jsonb_to_recordset($2::jsonb) as w (product bigint, quantity integer)
), priced as (
  select wanted.*, products.price from wanted join products on products.id = wanted.product
), placed as (
  insert into orders (customer_id, total, details)
  select $1::bigint, sum(quantity * price), $3::jsonb from priced
  having count(*) = (select count(*) from wanted) and exists (select from customers where id = $1::bigint)
  returning id, total
), items as (
  insert into order_items (order_id, line, product_id, quantity, price)
  select placed.id, line, product, quantity, price from placed, priced returning 1
)
select id, total, (select count(*) from items)::int as lines from placed`;

const paySql = `
/* pay */ with due as (
  select orders.id, orders.total, accounts.id as payer
  from orders join accounts on accounts.customer_id = orders.customer_id
  where orders.id = $1 and orders.status = 'placed' for update of orders
), debited as (
  update accounts set balance = balance - due.total from due where accounts.id = due.payer returning due.id, due.total, due.payer
), credited as (
  update accounts set balance = balance + debited.total from debited where accounts.id = $2 returning accounts.id
), settled as (
  update orders set status = 'paid' from due where orders.id = due.id
)
insert into payments (order_id, from_account, to_account, amount)
select debited.id, debited.payer, credited.id, debited.total from debited, credited
returning reference, amount`;

const readSql = `
/* read */ select orders.id, customer_id as customer, status, total, placed_at as "placedAt", paid_at as "paidAt",
  (select jsonb_agg(jsonb_build_object('product', product_id::text, 'quantity', quantity, 'price', price::text) order by line)
   from order_items where order_id = orders.id) as lines
from orders left join payments on payments.order_id = orders.id where orders.id = $1`;

const countsSql = `
/* counts */ select (select count(*) from orders) as orders, (select count(*) from payments) as payments,
  (select count(*) from customers) as customers,
  (select coalesce(sum(balance), 0) from accounts where kind = 'till') as turnover`;

const newestSql = `
/* newest */ select orders.id, customers.name as customer, total, status, placed_at as "placedAt"
from orders join customers on customers.id = customer_id order by orders.id desc limit 12`;

const contradictionsSql = `
/* contradictions */ select 'the accounts sum up to ' || sum(balance) || ' and not to 0' as said from accounts having sum(balance) <> 0
union all
select count(*) || ' orders have a total that is not the sum of their items' from orders
  left join (select order_id, sum(quantity * price) as total from order_items group by 1) items on items.order_id = orders.id
  where items.total is distinct from orders.total having count(*) > 0
union all
select count(*) || ' paid orders have no payment of their total' from orders
  left join payments on payments.order_id = orders.id
  where orders.status = 'paid' and payments.amount is distinct from orders.total having count(*) > 0`;
