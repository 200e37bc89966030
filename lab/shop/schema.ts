/** The sample application's tables. Keys and indexes come after the first rows: filling is then several times faster. */
export const tables = `
create table customers (
  id bigint generated always as identity,
  name text not null,
  email text not null,
  city text not null,
  profile jsonb not null default '{}',
  joined_at timestamptz not null default now()
);
create table accounts (
  id bigint generated always as identity,
  customer_id bigint,
  kind text not null check (kind in ('customer', 'till')),
  balance numeric(16, 2) not null default 0,
  check ((kind = 'customer') = (customer_id is not null))
);
create table products (
  id bigint generated always as identity,
  sku text not null,
  name text not null,
  price numeric(10, 2) not null check (price > 0),
  attributes jsonb not null default '{}'
);
create table orders (
  id bigint generated always as identity,
  customer_id bigint not null,
  status text not null default 'placed' check (status in ('placed', 'paid')),
  total numeric(12, 2) not null check (total > 0),
  details jsonb not null,
  placed_at timestamptz not null default now()
);
create table order_items (
  order_id bigint not null,
  line integer not null check (line > 0),
  product_id bigint not null,
  quantity integer not null check (quantity > 0),
  price numeric(10, 2) not null check (price > 0)
);
create table payments (
  id bigint generated always as identity,
  order_id bigint not null,
  reference uuid not null default gen_random_uuid(),
  from_account bigint not null,
  to_account bigint not null check (to_account <> from_account),
  amount numeric(12, 2) not null check (amount > 0),
  paid_at timestamptz not null default now()
);`;

export const keys = `
alter table customers add primary key (id), add unique (email);
alter table accounts add primary key (id), add unique (customer_id), add foreign key (customer_id) references customers;
alter table products add primary key (id), add unique (sku);
alter table orders add primary key (id), add foreign key (customer_id) references customers;
alter table order_items add primary key (order_id, line),
  add foreign key (order_id) references orders, add foreign key (product_id) references products;
alter table payments add primary key (id), add unique (order_id), add unique (reference),
  add foreign key (order_id) references orders,
  add foreign key (from_account) references accounts, add foreign key (to_account) references accounts;
create index on orders (placed_at);
create index on orders (customer_id);`;
