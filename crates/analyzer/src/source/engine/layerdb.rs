//! Docker's own store, below its data root: configs under `image/overlay2/imagedb`, layers under
//! `image/overlay2/layerdb` by chain ID, their directories under `overlay2`.

use std::path::{Path, PathBuf};

use jettison_oci::{Algorithm, Digest, chain_ids};

use crate::blob::Region;
use crate::source::engine::in_place::{Refusal, Unpacked, refusal};

/// A digest or an ID in a file of its own.
const ID_MAX: u64 = 1024;

/// Where the config of an image stands.
pub(super) fn config_path(root: &Path, id: &Digest) -> PathBuf {
    root.join("image/overlay2/imagedb/content").join(id.algorithm().name()).join(id.hex())
}

/// The layers with these `diff_ids`, bottom first.
pub(super) fn layers(root: &Path, diff_ids: &[Digest]) -> Result<Vec<Unpacked>, Refusal> {
    let layerdb = root.join("image/overlay2/layerdb").join(Algorithm::Sha256.name());
    let layer = |(diff_id, chain_id): (&Digest, Digest)| {
        let filed = layerdb.join(chain_id.hex());
        if read(&filed.join("diff"))? != diff_id.as_str() {
            return Err(Refusal::Unfit(format!("{} is not {diff_id}", filed.display())));
        }
        let cache_id = read(&filed.join("cache-id"))?;
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
        if cache_id.is_empty() || !cache_id.bytes().all(plain) {
            return Err(Refusal::Unfit(format!("{} has a malformed cache-id", filed.display())));
        }
        Ok(Unpacked {
            directory: root.join("overlay2").join(cache_id).join("diff"),
            tar_split: filed.join("tar-split.json.gz"),
            tar_size: None,
        })
    };
    diff_ids.iter().zip(chain_ids(diff_ids)).map(layer).collect()
}

fn read(path: &Path) -> Result<String, Refusal> {
    let what = path.display().to_string();
    let bytes =
        Region::open(path).and_then(|region| region.read_all(&what, ID_MAX)).map_err(refusal)?;
    Ok(String::from_utf8_lossy(&bytes).trim().to_owned())
}
