create table goods (id int auto_increment primary key, name varchar(40), cents int);
insert into goods (name, cents) values ('thing', 250);
