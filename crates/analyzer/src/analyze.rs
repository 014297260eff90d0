//! The whole, top to bottom: a word becomes an image, the image's layers become indexes, the
//! indexes a tree, the tree an account. Read this page first.

use std::io::Read;
use std::num::NonZeroUsize;

use jettison_oci::{Platform, escape};

use crate::account::base::{self, Base, BaseSource};
use crate::account::{Account, account, account_beside};
use crate::error::{Error, Result};
use crate::layer::cache::Cache;
use crate::layer::read::{ReadLayer, ReadOptions, read_layers};
use crate::source::store::diff_ids;
use crate::source::{Image, OpenOptions, Transport, resolve};

/// What the caller says the base image is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BaseArgument {
    /// So many of the bottom layers.
    Count(usize),
    /// The layers that this image shares.
    Image(String),
}

/// How an image is to be analyzed. All that this crate knows of its surroundings comes in here.
pub struct Options<'a> {
    /// How it is opened.
    pub open: OpenOptions,
    /// Threads that decompress and hash.
    pub jobs: NonZeroUsize,
    /// Whether every diff_id is checked.
    pub verify: bool,
    /// What the caller says of the base image.
    pub base: Option<BaseArgument>,
    /// Indexes of layers that were read before.
    pub cache: Option<&'a Cache>,
}

/// Accounts for every byte of the image that `word` means. `stdin` is read where that is `-`.
pub fn analyze(
    word: &str,
    stdin: &mut dyn FnMut() -> Box<dyn Read>,
    options: &Options<'_>,
) -> Result<Account> {
    let (image, layers, base) = read(word, stdin, options)?;
    account(image, layers, base, options.jobs)
}

/// The same, and what `beside` tells of the image, as [`account_beside`] asks it.
pub fn analyze_beside<T>(
    word: &str,
    stdin: &mut dyn FnMut() -> Box<dyn Read>,
    options: &Options<'_>,
    beside: impl FnOnce(&Account) -> T,
) -> Result<(Account, T)> {
    let (image, layers, base) = read(word, stdin, options)?;
    account_beside(image, layers, base, options.jobs, beside)
}

fn read(
    word: &str,
    stdin: &mut dyn FnMut() -> Box<dyn Read>,
    options: &Options<'_>,
) -> Result<(Image, Vec<ReadLayer>, Option<Base>)> {
    let open = OpenOptions { verify: options.verify, ..options.open.clone() };
    let mut image = resolve::open(word, stdin, &open)?;
    let base = find_base(&mut image, options)?;
    let layers = read_layers(
        &image,
        &ReadOptions {
            jobs: options.jobs,
            verify: options.verify,
            expansion: options.open.expansion,
            gather: options.open.gather,
            cache: options.cache,
            progress: &*options.open.progress.0,
        },
    );
    if let Some(cache) = options.cache {
        cache.trim();
    }
    Ok((image, layers?, base))
}

/// The platforms of the image that `word` means, in the order of its index: one where there is no
/// choice. Attestations are none.
pub fn platforms(word: &str, options: &OpenOptions) -> Result<Vec<Platform>> {
    // An index tells what it has to who asks for what none has.
    let nowhere = OpenOptions {
        platform: Platform::new("none", "none", None),
        platform_asked: true,
        ..options.clone()
    };
    match resolve::open(word, &mut || Box::new(std::io::empty()), &nowhere) {
        Ok(image) => Ok(vec![image.config.platform]),
        Err(Error::NoSuchPlatform { found, .. }) => {
            let mut platforms: Vec<Platform> = Vec::new();
            for platform in found.iter().filter_map(|text| text.parse().ok()) {
                if !platforms.contains(&platform) {
                    platforms.push(platform);
                }
            }
            Ok(platforms)
        }
        Err(error) => Err(error),
    }
}

/// The base boundary: annotations that prove true, then what the caller says; never a guess.
fn find_base(image: &mut Image, options: &Options<'_>) -> Result<Option<Base>> {
    let annotated = match annotated_base(image, options) {
        Some(base) if base.layers.is_some() => {
            if options.base.is_some() {
                image.warnings.push(
                    "--base is not used: the image's own annotations tell its base".to_owned(),
                );
            }
            return Ok(Some(base));
        }
        other => other,
    };
    let given = match &options.base {
        None => None,
        Some(BaseArgument::Count(layers)) => {
            Some(base::count(*layers, image.config.diff_ids.len())?)
        }
        Some(BaseArgument::Image(word)) => {
            let other = resolve::open(word, &mut || Box::new(std::io::empty()), &options.open)?;
            let found = base::compare(
                other.origin.to_string(),
                &image.config.diff_ids,
                &other.config.diff_ids,
            );
            if found.is_none() {
                image.warnings.push(format!(
                    "--base {word}: {} shares no layer with this image",
                    other.origin
                ));
            }
            found
        }
    };
    let base = given.or(annotated);
    if let Some(Base { source: BaseSource::Annotation, reference, layers: None, .. }) = &base {
        image.warnings.push(format!(
            "the annotations name the base {}, which cannot be read from here: \
             --base IMAGE tells own layers from its",
            reference.as_deref().map_or("only by its digest".to_owned(), escape::line)
        ));
    }
    Ok(base)
}

/// The base that the manifest's annotations name, with its layers where it can be looked up and
/// stands at the bottom of this image.
fn annotated_base(image: &Image, options: &Options<'_>) -> Option<Base> {
    let (name, digest) = base::annotated(image.manifest.as_ref()?)?;
    let digest_text = digest.as_ref().map(ToString::to_string);
    let reference = name.clone().or(digest_text);
    let beside = digest.as_ref().and_then(|digest| {
        let store = image.siblings.as_deref()?;
        diff_ids(store, digest, &options.open).ok()
    });
    // Only an image that came over the network may lead to another one there.
    let at_registry = || {
        let name = name.as_ref().filter(|_| image.origin.transport == Transport::Docker)?;
        let word = match &digest {
            Some(digest) => {
                let name: jettison_oci::Reference = name.parse().ok()?;
                format!("docker://{}", name.at(digest.clone()))
            }
            None => format!("docker://{name}"),
        };
        let base = resolve::open(&word, &mut || Box::new(std::io::empty()), &options.open).ok()?;
        Some(base.config.diff_ids)
    };
    let layers = beside
        .or_else(at_registry)
        .filter(|base| image.config.diff_ids.starts_with(base))
        .map(|base| base.len());
    Some(Base { source: BaseSource::Annotation, reference, layers, image_layers: layers })
}
