//! Pure types of the OCI field, shared by the analyzer and the pruner. No I/O happens here.
//!
//! - [`digest`]: content identifiers (`sha256:…`)
//! - [`reference`]: image names, normalised as Docker normalises them
//! - [`platform`]: `os/arch[/variant]` and which image fits a host
//! - [`bytes`]: byte sizes, exact inside, IEC for people
//! - [`chain_id`]: the identity of a stack of layers
//! - [`escape`]: names that anyone may have chosen, as text that no terminal acts upon

pub mod bytes;
pub mod chain_id;
pub mod change;
pub mod count;
pub mod digest;
pub mod escape;
pub mod platform;
pub mod reference;

pub use bytes::Bytes;
pub use chain_id::chain_ids;
pub use digest::{Algorithm, Digest};
pub use platform::Platform;
pub use reference::Reference;
