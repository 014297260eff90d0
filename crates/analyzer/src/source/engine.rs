//! Docker's engine and podman's compatible socket.
use crate::{
    Error, Result,
    source::{Image, OpenOptions},
};
pub fn open_docker(_: &str, _: &OpenOptions) -> Result<Image> {
    Err(Error::NotBuilt("docker-daemon:", "engine"))
}
pub fn open_podman(_: &str, _: &OpenOptions) -> Result<Image> {
    Err(Error::NotBuilt("docker-daemon:", "engine"))
}
pub fn has_docker(_: &str, _: &OpenOptions) -> Result<bool> {
    Ok(false)
}
pub fn has_podman(_: &str, _: &OpenOptions) -> Result<bool> {
    Ok(false)
}
