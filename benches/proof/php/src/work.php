<?php
function greet(string $name): string
{
    return mb_strtoupper($name);
}
