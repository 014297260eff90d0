//! Images whose layers are just bytes.

use std::io::{Cursor, Read, Write as _};
use std::num::NonZeroUsize;
use std::path::Path;
use std::sync::Arc;

use jettison_analyzer::account::{Account, account};
use jettison_analyzer::blob::Region;
use jettison_analyzer::blob::decompress::Expansion;
use jettison_analyzer::error::Result;
use jettison_analyzer::image::Config;
use jettison_analyzer::layer::cache::Cache;
use jettison_analyzer::layer::read::{ReadLayer, ReadOptions, read_layers};
use jettison_analyzer::progress::Silent;
use jettison_analyzer::source::{
    Descriptor, Image, Layer, LayerData, Origin, RemoteBlob, Transport,
};
use jettison_oci::Digest;
use tempfile::NamedTempFile;

/// The compressed form may expand to the floor and this many times its size.
const RATIO: u64 = 20;

/// Bytes in memory as a blob.
struct Memory(Arc<Vec<u8>>);

impl RemoteBlob for Memory {
    fn open(&self) -> Result<Box<dyn Read + Send>> {
        Ok(Box::new(Cursor::new(self.0.as_ref().clone())))
    }
}

/// A layer that passes by.
pub fn streamed(blob: Vec<u8>) -> LayerData {
    LayerData::Remote(Arc::new(Memory(Arc::new(blob))))
}

/// A layer in a file.
pub fn seekable(path: &Path) -> Option<LayerData> {
    Region::open(path).ok().map(LayerData::Region)
}

/// The bytes in a file that goes with the value.
pub fn file(bytes: &[u8]) -> Option<NamedTempFile> {
    let mut file = NamedTempFile::new().ok()?;
    file.write_all(bytes).ok()?;
    Some(file)
}

/// An image of these layers, whose digests are only numbers.
pub fn image(layers: Vec<LayerData>) -> Image {
    let layers: Vec<Layer> = layers
        .into_iter()
        .zip(0_u32..)
        .map(|(data, at)| Layer {
            descriptor: None,
            diff_id: Digest::sha256(&at.to_le_bytes()),
            data,
        })
        .collect();
    let config =
        br#"{"architecture":"amd64","os":"linux","rootfs":{"type":"layers","diff_ids":[]}}"#;
    Image {
        origin: Origin { transport: Transport::DockerArchive, reference: "fuzz".to_owned() },
        manifest_digest: None,
        manifest: None,
        config_digest: Digest::sha256(config),
        config: Config::parse("the config", config).expect("it is well formed"),
        layers,
        siblings: None,
        notes: Vec::new(),
        warnings: Vec::new(),
    }
}

/// Names the first layer's blob, as a manifest would.
pub fn describe(image: &mut Image, digest: Digest, size: u64) {
    if let Some(layer) = image.layers.first_mut() {
        let media_type = "application/vnd.oci.image.layer.v1.tar".to_owned();
        layer.descriptor = Some(Descriptor { media_type, digest, size });
    }
}

/// Reads all layers.
pub fn read(image: &Image, cache: Option<&Cache>) -> Result<Vec<ReadLayer>> {
    read_as(image, cache, false)
}

fn read_as(image: &Image, cache: Option<&Cache>, gather: bool) -> Result<Vec<ReadLayer>> {
    let options = ReadOptions {
        jobs: NonZeroUsize::MIN,
        verify: false,
        gather,
        expansion: Expansion { ratio: RATIO },
        cache,
        progress: &Silent,
    };
    read_layers(image, &options)
}

/// Accounts for an image; the sums are asserted on the way.
pub fn account_of(image: Image) -> Result<Account> {
    let layers = read(&image, None)?;
    account(image, layers, None, NonZeroUsize::MIN)
}

/// The same, with what the contents of its files say.
pub fn gathered(image: Image) -> Result<Account> {
    let layers = read_as(&image, None, true)?;
    account(image, layers, None, NonZeroUsize::MIN)
}
