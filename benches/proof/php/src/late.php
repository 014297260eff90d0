<?php
function late(): string
{
    $db = new PDO('sqlite::memory:');
    $document = new DOMDocument();
    $document->loadXML('<a><b/></a>');
    $zone = (new DateTime('now', new DateTimeZone('Europe/Vienna')))->getTimezone()->getName();
    return $db->query('select sqlite_version()')->fetchColumn() . ' ' . $document->saveXML() . $zone . "\n";
}
