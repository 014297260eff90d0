//! Where the base image ends and the image's own layers begin. Proven or not known, never
//! guessed.

use jettison_oci::Digest;

use crate::error::{Error, Result};
use crate::image::Manifest;

/// OCI's annotation with the base image's name.
pub const BASE_NAME: &str = "org.opencontainers.image.base.name";
/// OCI's annotation with the digest of the base image's manifest.
pub const BASE_DIGEST: &str = "org.opencontainers.image.base.digest";

/// How the boundary is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BaseSource {
    /// The manifest's annotations name the base.
    Annotation,
    /// The caller gave the number of layers.
    Count,
    /// All layers of the image that the caller named stand at the bottom of this one.
    Image,
    /// Some of them do: this image was built on an older or newer state of it.
    CommonPrefix,
}

impl BaseSource {
    /// The word in reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Annotation => "annotation",
            Self::Count => "count",
            Self::Image => "image",
            Self::CommonPrefix => "common-prefix",
        }
    }
}

/// The base image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Base {
    /// How it is known.
    pub source: BaseSource,
    /// Its name, where there is one.
    pub reference: Option<String>,
    /// How many layers of this image are its; `None` where only its name is known.
    pub layers: Option<usize>,
    /// How many layers the base image has; `None` where it was not read. More than `layers`
    /// where only the lower ones are in this image.
    pub image_layers: Option<usize>,
}

/// The base that annotations name, without its layers: those are known only once its own config
/// has been read.
pub fn annotated(manifest: &Manifest) -> Option<(Option<String>, Option<Digest>)> {
    let name = manifest.annotations.get(BASE_NAME).filter(|name| !name.is_empty()).cloned();
    let digest = manifest.annotations.get(BASE_DIGEST).and_then(|digest| digest.parse().ok());
    (name.is_some() || digest.is_some()).then_some((name, digest))
}

/// The base of `diff_ids` that an image with the layers `base` is.
pub fn compare(reference: String, diff_ids: &[Digest], base: &[Digest]) -> Option<Base> {
    let common = diff_ids.iter().zip(base).take_while(|(a, b)| a == b).count();
    let source = match common {
        0 => return None,
        all if all == base.len() => BaseSource::Image,
        _ => BaseSource::CommonPrefix,
    };
    Some(Base {
        source,
        reference: Some(reference),
        layers: Some(common),
        image_layers: Some(base.len()),
    })
}

/// The base that a number of layers says.
pub fn count(layers: usize, of: usize) -> Result<Base> {
    if layers > of {
        return Err(Error::Usage(format!("--base {layers}: the image has only {of} layers")));
    }
    Ok(Base {
        source: BaseSource::Count,
        reference: None,
        layers: Some(layers),
        image_layers: None,
    })
}
