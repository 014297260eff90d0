import Database from "better-sqlite3";

const db = new Database(process.env.DATABASE ?? ":memory:");
db.exec("create table if not exists goods (name text, cents int)");
db.prepare("insert into goods values (?, ?)").run("thing", 250);
export const all = () => db.prepare("select * from goods").all();
export const add = (name, cents) => db.prepare("insert into goods values (?, ?)").run(name, cents);
