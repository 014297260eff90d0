//! Reads the layers of a container image and accounts for every byte.
//!
//! Bytes become entries, entries a tree, the tree an account; I/O stands at the rim. From the
//! ground up:
//!
//! - [`limits`], [`error`], [`entry`]: what no parser goes past, what can go wrong, one tar entry
//! - [`image`]: manifest, index, config, history aligned with the layers
//! - [`blob`]: regions of files, digests, decompression within bounds
//! - [`layer`]: the tar parser, a layer's index, the cache of indexes, reading side by side
//! - [`source`]: archives, layouts, engines, containerd, registries, and bare words
//! - [`tree`]: the final filesystem, and what each layer did to it
//! - [`account`]: live, wasted by cause, duplicates, dive's figures
//! - [`content`]: what one file's content says of others, looked at as it passes by
//! - [`facts`]: packages and their files, what the image runs, what that reaches, what nothing uses
//! - [`rule`], [`finding`], [`remedy`]: what is worth telling of files, each byte once, and how it is
//!   mended
//! - [`advice`]: changes to how it is built, with what they save
//! - [`report`]: the account as text, JSON and a page for browsers, and its briefing in the formats of
//!   other programs
//! - [`analyze`]: the whole, top to bottom: the page to read first

pub mod account;
pub mod advice;
pub mod analyze;
pub mod blob;
pub mod content;
pub mod diff;
pub mod entry;
pub mod error;
pub mod facts;
pub mod finding;
pub mod gate;
pub mod image;
pub mod layer;
pub mod limits;
pub mod progress;
pub mod remedy;
pub mod report;
pub mod rule;
pub mod source;
pub mod tree;
pub mod why;

pub use error::{Error, Result};
