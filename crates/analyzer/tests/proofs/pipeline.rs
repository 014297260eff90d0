//! From layers to their account through real archives, as the product reads them.

use std::num::NonZeroUsize;
use std::path::Path;

use jettison_analyzer::account::{Account, account};
use jettison_analyzer::blob::decompress::Expansion;
use jettison_analyzer::layer::read::{ReadLayer, ReadOptions, read_layers};
use jettison_analyzer::progress::Silent;
use jettison_analyzer::source::{Image, OpenOptions, archive};
use jettison_testkit::image::{self, Compression, ImageBuilder, ImageFiles, LayerBuilder, Wrap};
use tempfile::NamedTempFile;

/// An image of these layers.
pub(crate) fn image(layers: Vec<LayerBuilder>, compression: Compression) -> image::Image {
    let named = layers.into_iter().enumerate();
    named
        .fold(ImageBuilder::new().compression(compression), |image, (at, layer)| {
            image.layer(layer, &format!("RUN step {at}"))
        })
        .build()
}

/// The archive of an image in a file.
pub(crate) fn file(files: &ImageFiles, wrap: Wrap) -> NamedTempFile {
    let file = NamedTempFile::new().unwrap();
    files.write_archive(file.path(), wrap).unwrap();
    file
}

/// What `docker save` makes of the layers, in a file.
pub(crate) fn saved(layers: Vec<LayerBuilder>) -> NamedTempFile {
    let image = image(layers, Compression::Plain);
    file(&ImageFiles::docker_archive(&[image]), Wrap::None)
}

fn options() -> OpenOptions {
    OpenOptions { verify: true, ..OpenOptions::default() }
}

/// Opens an archive in a file.
pub(crate) fn open(path: &Path) -> Image {
    archive::open_file(path, None, None, &options()).unwrap()
}

/// Opens an archive that passes by.
pub(crate) fn open_stream(bytes: &[u8]) -> Image {
    archive::open_stream(bytes, "the stream", None, None, &options()).unwrap()
}

/// Reads all layers, each digest checked.
pub(crate) fn read(image: &Image, jobs: usize) -> Vec<ReadLayer> {
    let options = ReadOptions {
        jobs: NonZeroUsize::new(jobs).unwrap(),
        verify: true,
        gather: false,
        expansion: Expansion::default(),
        cache: None,
        progress: &Silent,
    };
    read_layers(image, &options).unwrap()
}

/// Reads and accounts.
pub(crate) fn account_of(image: Image, jobs: usize) -> Account {
    let layers = read(&image, jobs);
    account(image, layers, None, NonZeroUsize::new(jobs).unwrap()).unwrap()
}

/// Accounts for layers through the archive that `docker save` would make.
pub(crate) fn account_saved(layers: Vec<LayerBuilder>) -> Account {
    account_of(open(saved(layers).path()), 2)
}
