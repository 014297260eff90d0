<?php
namespace Shop;

class Goods
{
    public function page(): string
    {
        $db = new \PDO('sqlite::memory:');
        $db->exec("create table goods (name text); insert into goods values ('thing')");
        $document = new \DOMDocument();
        $list = $document->appendChild($document->createElement('ul'));
        foreach ($db->query('select name from goods') as $row) {
            $list->appendChild($document->createElement('li', $row['name']));
        }
        return $document->saveHTML();
    }
}
