<?php
require_once __DIR__ . '/../src/work.php';
if (str_starts_with($_SERVER['REQUEST_URI'], '/work')) {
    require __DIR__ . '/../src/late.php';
    echo late();
} else {
    echo json_encode(['up' => greet('x')]), "\n";
}
