<?php
spl_autoload_register(function (string $class): void {
    require __DIR__ . '/../src/' . str_replace('\\', '/', $class) . '.php';
});
$path = $_GET['path'] ?? '';
switch (strtok($path, '/')) {
    case '':
        echo json_encode(['up' => true]), "\n";
        break;
    case 'goods':
        echo (new Shop\Goods)->page();
        break;
    case 'picture':
        header('Content-Type: image/png');
        (new Shop\Picture)->draw();
        break;
    case 'money':
        echo (new NumberFormatter('de_AT', NumberFormatter::CURRENCY))->formatCurrency(1234.5, 'EUR'), "\n";
        break;
    case 'session':
        session_save_path('/tmp');
        session_start();
        $_SESSION['n'] = ($_SESSION['n'] ?? 0) + 1;
        echo $_SESSION['n'], "\n";
        break;
    case 'broken':
        throw new RuntimeException('on purpose');
    default:
        http_response_code(404);
        include __DIR__ . '/errors/404.html';
}
