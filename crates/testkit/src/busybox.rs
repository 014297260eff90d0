//! A small image that runs: the machine's own static busybox.

use crate::image::{Image, ImageBuilder, LayerBuilder, Meta};
use crate::require;
use jettison_oci::Platform;

/// An image named `tag` that holds only busybox and runs `words`, such as `["sleep", "600"]`.
pub fn image(tag: &str, words: &[&str]) -> anyhow::Result<Image> {
    Ok(builder(tag, words)?.build())
}

/// The same, for more layers to be put on it.
pub fn builder(tag: &str, words: &[&str]) -> anyhow::Result<ImageBuilder> {
    let program = fs_err::read(require::program("busybox", "busybox-static")?)?;
    let mut layer =
        LayerBuilder::new().directory("bin").file_with("bin/busybox", program, Meta::mode(0o755));
    for name in ["cat", "chmod", "echo", "ls", "mkdir", "rm", "sh", "sleep", "touch"] {
        layer = layer.hard_link(format!("bin/{name}"), "bin/busybox");
    }
    layer = layer.directory_with("tmp", Meta::mode(0o1777));
    Ok(ImageBuilder::new()
        .platform(Platform::host())
        .layer(layer, "ADD rootfs.tar / # buildkit")
        .env("PATH", "/bin")
        .entrypoint(words)
        .tag(tag))
}
