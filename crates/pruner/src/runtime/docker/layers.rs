//! How many bytes each layer of Docker's own store takes.

use std::cell::RefCell;
use std::collections::HashMap;
use std::path::{Path, PathBuf};

use jettison_oci::{Digest, chain_ids};

/// The longest file with a number.
const NUMBER_MAX: usize = 32;

/// The chain IDs of these layers; `None` where they are no digests.
pub(super) fn chain(diff_ids: &[String]) -> Option<Vec<Digest>> {
    let diff_ids: Result<Vec<Digest>, _> = diff_ids.iter().map(|id| id.parse()).collect();
    Some(chain_ids(&diff_ids.ok()?))
}

/// Sizes of layers: from the store's files where they can be read, else from what the engine says
/// of an image's history.
pub(super) struct Sizes {
    layerdb: Option<PathBuf>,
    known: RefCell<HashMap<Digest, u64>>,
}

impl Sizes {
    /// `root` is the driver's directory below the engine's data root: `image/overlay2`.
    pub(super) fn new(root: Option<&Path>) -> Self {
        let layerdb = root.map(|root| root.join("layerdb/sha256")).filter(|path| path.is_dir());
        Self { layerdb, known: RefCell::default() }
    }

    /// The size of each layer of a chain, bottom first; `None` where the sizes that `history`
    /// gives, newest first, cannot be told to belong to which layers.
    pub(super) fn of(
        &self,
        chain: &[Digest],
        history: impl FnOnce() -> Vec<i64>,
    ) -> Option<Vec<u64>> {
        if let Some(layerdb) = &self.layerdb {
            let sizes: Option<Vec<u64>> = chain.iter().map(|id| self.filed(layerdb, id)).collect();
            if sizes.is_some() {
                return sizes;
            }
        }
        align(&history(), chain.len())
    }

    fn filed(&self, layerdb: &Path, id: &Digest) -> Option<u64> {
        if let Some(size) = self.known.borrow().get(id) {
            return Some(*size);
        }
        let text = fs_err::read(layerdb.join(id.hex()).join("size")).ok()?;
        let text = text.get(..text.len().min(NUMBER_MAX))?;
        let size = std::str::from_utf8(text).ok()?.trim().parse().ok()?;
        self.known.borrow_mut().insert(id.clone(), size);
        Some(size)
    }
}

/// Sizes of instructions, newest first, as sizes of layers, bottom first. Instructions without a
/// layer have none: so have layers without content, and where there are such nobody can tell which
/// is which.
fn align(history: &[i64], layers: usize) -> Option<Vec<u64>> {
    let sized: Vec<u64> = history
        .iter()
        .rev()
        .filter_map(|size| u64::try_from(*size).ok())
        .filter(|size| *size > 0)
        .collect();
    (sized.len() == layers).then_some(sized)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_of_instructions_belong_to_layers_only_where_that_is_certain() {
        assert_eq!(align(&[3, 0, 0, 7], 2), Some(vec![7, 3]));
        assert_eq!(align(&[3, 0, 7], 3), None);
        assert_eq!(align(&[], 0), Some(vec![]));
        assert_eq!(align(&[-1], 1), None);
    }

    #[test]
    fn the_store_s_files_come_first() {
        let room = tempfile::tempdir().unwrap();
        let [a, b] = [b"a", b"b"].map(|text| Digest::sha256(text));
        let chain = chain(&[a.to_string(), b.to_string()]).unwrap();
        for (id, size) in chain.iter().zip(["12", "30\n"]) {
            let layer = room.path().join("layerdb/sha256").join(id.hex());
            fs_err::create_dir_all(&layer).unwrap();
            fs_err::write(layer.join("size"), size).unwrap();
        }
        let sizes = Sizes::new(Some(room.path()));
        assert_eq!(sizes.of(&chain, Vec::new), Some(vec![12, 30]));
        let elsewhere = Sizes::new(None);
        assert_eq!(elsewhere.of(&chain, || vec![5, 4]), Some(vec![4, 5]));
        assert!(super::chain(&["no digest".to_owned()]).is_none());
    }
}
