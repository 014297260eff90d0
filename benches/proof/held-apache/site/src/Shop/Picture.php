<?php
namespace Shop;

class Picture
{
    public function draw(): void
    {
        $image = imagecreatetruecolor(64, 16);
        imagestring($image, 3, 2, 2, 'open', imagecolorallocate($image, 255, 255, 255));
        imagepng($image);
    }
}
