//! Docker's format: `manifest.json` lists images, each with a config and layers in order. The
//! names of the members mean nothing beyond it.

use jettison_oci::{Digest, Reference};
use serde::Deserialize;

use crate::blob::decompress::Compression;
use crate::blob::digester::check;
use crate::error::{Error, Result};
use crate::image::Config;
use crate::limits::{DESCRIPTORS_MAX, DOCUMENT_MAX};
use crate::source::archive::members::Members;
use crate::source::{Descriptor, Image, Layer, LayerData, OpenOptions, Origin};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Row {
    config: String,
    repo_tags: Option<Vec<String>>,
    layers: Option<Vec<String>>,
}

impl Row {
    /// What tells this image from the others: its tags, else its position.
    fn names(&self, position: usize) -> Vec<String> {
        match self.repo_tags.as_deref() {
            Some(tags) if !tags.is_empty() => tags.to_vec(),
            _ => vec![format!("@{position}")],
        }
    }

    /// The hex digits of the config's digest, as its name shows them.
    fn config_hex(&self) -> &str {
        let name = self.config.rsplit('/').next().unwrap_or(&self.config);
        let name = name.strip_suffix(".json").unwrap_or(name);
        name.strip_prefix("sha256:").unwrap_or(name)
    }

    fn is(&self, position: usize, wanted: &str) -> bool {
        if wanted == format!("@{position}") {
            return true;
        }
        let tags = self.repo_tags.as_deref().unwrap_or_default();
        if tags.iter().any(|tag| tag == wanted) {
            return true;
        }
        let normalised = |text: &str| text.parse::<Reference>().ok();
        if let Some(wanted) = normalised(wanted)
            && tags.iter().any(|tag| normalised(tag).as_ref() == Some(&wanted))
        {
            return true;
        }
        let id = wanted.strip_prefix("sha256:").unwrap_or(wanted);
        id.len() >= 12 && self.config_hex().starts_with(id)
    }
}

pub(super) fn open(
    members: &Members,
    what: &str,
    wanted: Option<&str>,
    origin: Origin,
    options: &OpenOptions,
) -> Result<Image> {
    let name = format!("manifest.json in {what}");
    let bytes = members.document("manifest.json", DOCUMENT_MAX)?.unwrap_or_default();
    let rows: Vec<Row> =
        serde_json::from_slice(&bytes).map_err(|error| Error::malformed(&name, error))?;
    let (position, row) = choose(&rows, what, wanted)?;
    let mut origin = origin;
    if wanted.is_none()
        && let Some(tag) = row.repo_tags.iter().flatten().next()
        && origin.transport == crate::source::Transport::DockerArchive
    {
        origin.reference = format!("{what}:{}", jettison_oci::escape::line(tag));
    }
    let missing = |blob: &str| Error::MissingBlob {
        what: format!("image {position} of {name}"),
        blob: jettison_oci::escape::line(blob),
    };
    let config_bytes = members
        .document(&row.config, DOCUMENT_MAX)?
        .ok_or_else(|| missing(&format!("the config {}", row.config)))?;
    let config_digest = Digest::sha256(&config_bytes);
    let config_name = format!("config {} in {what}", jettison_oci::escape::line(&row.config));
    if let Ok(named) = format!("sha256:{}", row.config_hex()).parse::<Digest>() {
        check(&config_name, &named, &config_digest)?;
    }
    let config = Config::parse(&config_name, &config_bytes)?;
    options.check_platform(what, &config)?;
    let names = row.layers.as_deref().unwrap_or_default();
    if names.len() != config.diff_ids.len() || names.len() > DESCRIPTORS_MAX {
        return Err(Error::malformed(
            &name,
            format!(
                "it names {} layers, the config has {} diff_ids",
                names.len(),
                config.diff_ids.len()
            ),
        ));
    }
    let layers = names
        .iter()
        .zip(&config.diff_ids)
        .map(|(layer, diff_id)| {
            let data =
                members.layer_data(layer)?.ok_or_else(|| missing(&format!("the layer {layer}")))?;
            let descriptor = descriptor(layer, &data)?;
            Ok(Layer { descriptor, diff_id: diff_id.clone(), data })
        })
        .collect::<Result<_>>()?;
    Ok(Image {
        origin,
        manifest_digest: None,
        manifest: None,
        config_digest,
        warnings: config.warnings(),
        config,
        layers,
        siblings: None,
        notes: Vec::new(),
    })
}

fn choose<'a>(rows: &'a [Row], what: &str, wanted: Option<&str>) -> Result<(usize, &'a Row)> {
    let all = || -> Vec<String> {
        rows.iter()
            .enumerate()
            .flat_map(|(at, row)| row.names(at))
            .map(|name| jettison_oci::escape::line(&name))
            .collect()
    };
    match wanted {
        Some(wanted) => {
            let found: Vec<_> =
                rows.iter().enumerate().filter(|(at, row)| row.is(*at, wanted)).collect();
            match found[..] {
                [] => Err(Error::NoSuchImage {
                    what: what.to_owned(),
                    wanted: wanted.to_owned(),
                    found: all(),
                }),
                [one, ..] => Ok(one),
            }
        }
        None => match rows {
            [] => Err(Error::NotAnImage {
                what: what.to_owned(),
                expected: "an image archive",
                because: "its manifest.json lists no image".to_owned(),
            }),
            [one] => Ok((0, one)),
            _ => Err(Error::Ambiguous { what: what.to_owned(), found: all() }),
        },
    }
}

/// Docker 25 and later store blobs under their digests. A compressed one is a blob like a
/// registry's, and is checked like one.
fn descriptor(name: &str, data: &LayerData) -> Result<Option<Descriptor>> {
    let named = name
        .strip_prefix("blobs/")
        .and_then(|rest| rest.split_once('/'))
        .and_then(|(algorithm, hex)| format!("{algorithm}:{hex}").parse::<Digest>().ok());
    let Some(digest) = named else { return Ok(None) };
    let (compression, size) = match data {
        LayerData::Region(region) => {
            let mut head = [0; 8];
            let read = region.read_at(&mut head, 0)?;
            (Compression::detect(name, &head[..read])?, region.len())
        }
        LayerData::Scanned(scanned) => (scanned.compression, scanned.stored),
        _ => return Ok(None),
    };
    let suffix = match compression {
        Compression::None => return Ok(None),
        Compression::Gzip => "gzip",
        Compression::Zstd => "zstd",
    };
    let media_type = format!("application/vnd.oci.image.layer.v1.tar+{suffix}");
    Ok(Some(Descriptor { media_type, digest, size }))
}
