create table goods (id int generated always as identity primary key, name text not null, price numeric(9, 2));
insert into goods (name, price) select 'thing ' || n, n * 1.5 from generate_series(1, 5000) n;
create role shop login password 'shop';
grant select, insert, update on goods to shop;
