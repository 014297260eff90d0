//! Images of many small files, written to disk layer by layer, so that a million files are never
//! in memory at once. They are made by a process of their own: the kernel counts the memory of a
//! process that starts another as the other's.

use std::io::{BufWriter, Write as _};
use std::path::Path;

use clap::Subcommand;
use jettison_testkit::image::{BLOCK, CREATED, Header, LayerBuilder, Meta};
use serde_json::json;

use crate::{million, whiteouts};

/// An image to be made.
#[derive(Clone, Copy, Debug, Subcommand)]
pub(crate) enum Recipe {
    /// Many files, and whiteouts that take some of them away.
    Whiteouts,
    /// So many files in a hundred layers.
    Million { files: usize },
}

impl Recipe {
    /// Writes the image to `path`.
    pub(crate) fn write(self, path: &Path) -> anyhow::Result<()> {
        match self {
            Self::Whiteouts => write(path, 2, whiteouts::layer),
            Self::Million { files } => {
                write(path, million::LAYERS, |at| million::layer(at, files / million::LAYERS))
            }
        }
    }
}

/// Writes an archive in Docker's format whose layers are what `layer` makes of 0, 1, ….
fn write(path: &Path, layers: usize, layer: impl Fn(usize) -> LayerBuilder) -> anyhow::Result<()> {
    let mut archive = BufWriter::new(fs_err::File::create(path)?);
    let mut member = |name: &str, content: &[u8]| -> anyhow::Result<()> {
        let mut header = Header::posix(b'0');
        header.name(name.as_bytes()).meta(&Meta::default()).size(content.len() as u64).seal();
        archive.write_all(&header.0)?;
        archive.write_all(content)?;
        let padding = content.len().next_multiple_of(BLOCK) - content.len();
        archive.write_all(&[0; BLOCK][..padding])?;
        Ok(())
    };
    let (mut names, mut diff_ids, mut history) = (Vec::new(), Vec::new(), Vec::new());
    for at in 0..layers {
        let layer = layer(at);
        let name = format!("{at}/layer.tar");
        member(&name, &layer.tar())?;
        names.push(name);
        diff_ids.push(layer.diff_id());
        history.push(json!({ "created": CREATED, "created_by": format!("COPY {at} /") }));
    }
    let config = json!({
        "architecture": "amd64", "os": "linux", "created": CREATED, "config": {},
        "rootfs": { "type": "layers", "diff_ids": diff_ids }, "history": history,
    });
    member("config.json", config.to_string().as_bytes())?;
    let manifest = json!([{ "Config": "config.json", "RepoTags": ["made:1"], "Layers": names }]);
    member("manifest.json", manifest.to_string().as_bytes())?;
    archive.write_all(&[0; 2 * BLOCK])?;
    archive.into_inner()?.sync_all()?;
    Ok(())
}
