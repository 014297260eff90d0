//! containers/storage, which podman, buildah and CRI-O share: images under `overlay-images`,
//! layers under `overlay-layers`, their directories under `overlay`.

use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hashbrown::HashMap;
use jettison_oci::Digest;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::blob::Region;
use crate::error::Error;
use crate::limits::STORE_LIST_MAX;
use crate::source::engine::in_place::{Refusal, Unpacked, refusal};

/// A row of `images.json`.
#[derive(Deserialize)]
struct ImageRow {
    id: String,
    /// ID of its top layer.
    #[serde(default)]
    layer: String,
}

/// A row of `layers.json`.
#[derive(Deserialize)]
struct LayerRow {
    id: String,
    #[serde(default)]
    parent: String,
    #[serde(default, rename = "diff-digest")]
    diff_digest: String,
    #[serde(default, rename = "diff-size")]
    diff_size: u64,
}

/// Where the config of an image stands: a "big data item" named by its digest, in base64 because
/// of the colon.
pub(super) fn config_path(root: &Path, id: &Digest) -> PathBuf {
    let item = format!("={}", STANDARD.encode(id.as_str()));
    root.join("overlay-images").join(id.hex()).join(item)
}

/// The layers of the image `id`, bottom first, if they have these `diff_ids`.
pub(super) fn layers(
    root: &Path,
    id: &Digest,
    diff_ids: &[Digest],
) -> Result<Vec<Unpacked>, Refusal> {
    let images: Vec<ImageRow> = read(&root.join("overlay-images/images.json"))?;
    let Some(image) = images.into_iter().find(|image| image.id == id.hex()) else {
        return Err(Refusal::Unfit(format!("images.json of {} lacks it", root.display())));
    };
    let rows: Vec<LayerRow> = read(&root.join("overlay-layers/layers.json"))?;
    let rows: HashMap<&str, &LayerRow> = rows.iter().map(|row| (row.id.as_str(), row)).collect();
    let mut layers = Vec::with_capacity(diff_ids.len());
    let mut next = image.layer.as_str();
    for diff_id in diff_ids.iter().rev() {
        let Some(row) = rows.get(next).filter(|row| row.diff_digest == diff_id.as_str()) else {
            return Err(Refusal::Unfit(format!(
                "layers.json of {} has not {diff_id} where the config has it",
                root.display()
            )));
        };
        if row.id.is_empty() || !row.id.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
            return Err(Refusal::Unfit(format!("layer {:?} has a malformed ID", row.id)));
        }
        layers.push(Unpacked {
            directory: root.join("overlay").join(&row.id).join("diff"),
            tar_split: root.join("overlay-layers").join(format!("{}.tar-split.gz", row.id)),
            tar_size: Some(row.diff_size),
        });
        next = &row.parent;
    }
    if !next.is_empty() {
        return Err(Refusal::Unfit("its lowest layer stands on another".to_owned()));
    }
    layers.reverse();
    Ok(layers)
}

fn read<T: DeserializeOwned>(path: &Path) -> Result<T, Refusal> {
    let what = path.display().to_string();
    let bytes = Region::open(path)
        .and_then(|region| region.read_all(&what, STORE_LIST_MAX))
        .map_err(refusal)?;
    serde_json::from_slice(&bytes).map_err(|error| refusal(Error::malformed(what, error)))
}
