//! An entry of the layer cache of unknown bytes, its own checksum and the hashes' key made right: it is refused or
//! used, and what it says is accounted for.

#![no_main]

use std::num::NonZeroUsize;

use jettison_analyzer::account::account;
use jettison_analyzer::layer::cache::Cache;
use jettison_analyzer::layer::content_hash;
use jettison_fuzz::image;
use jettison_oci::{Bytes, Digest};
use libfuzzer_sys::fuzz_target;

/// Bytes before the identity of the hashes' key.
const MAGIC: usize = "jettison layer\n".len();

fuzz_target!(|bytes: &[u8]| {
    let Ok(root) = tempfile::tempdir() else { return };
    let cache = Cache::open(root.path().to_owned(), Bytes(1 << 30));
    let digest = Digest::sha256(b"");
    let mut body = bytes.get(..bytes.len().saturating_sub(32)).unwrap_or_default().to_vec();
    if let Some(identity) = body.get_mut(MAGIC..MAGIC + 32) {
        identity.copy_from_slice(&content_hash::identity());
    }
    let entry = [&body[..], blake3::hash(&body).as_bytes()].concat();
    let name = format!("sha256-{}.layer", digest.hex());
    fs_err::create_dir_all(cache.directory()).expect("a temporary directory");
    fs_err::write(cache.directory().join(name), entry).expect("a temporary file");
    let mut image = image::image(vec![image::streamed(Vec::new())]);
    image::describe(&mut image, digest, 0);
    if let Ok(layers) = image::read(&image, Some(&cache)) {
        for entry in layers[0].index.entries() {
            let _ = (entry.path(), entry.link(), entry.xattrs().count(), entry.hash());
        }
        let _ = account(image, layers, None, NonZeroUsize::MIN);
    }
});
