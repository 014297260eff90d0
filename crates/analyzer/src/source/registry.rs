//! Registries.
use crate::{
    Error, Result,
    source::{Image, OpenOptions},
};
pub fn open(_: &jettison_oci::Reference, _: &OpenOptions) -> Result<Image> {
    Err(Error::NotBuilt("docker://", "registry"))
}
