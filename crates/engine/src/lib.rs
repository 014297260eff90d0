//! Docker's engine and podman's compatible one: where they listen, and requests whose answers are
//! bounded.

pub mod endpoint;
mod error;
mod transport;

pub use endpoint::Endpoint;
pub use error::{Error, Result, failed, is_reference};
