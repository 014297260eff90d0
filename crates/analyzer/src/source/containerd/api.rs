//! containerd's gRPC interface, generated from `proto/containerd`.

#![allow(missing_docs, unreachable_pub, dead_code, clippy::all, clippy::pedantic)]

include!(concat!(env!("OUT_DIR"), "/containerd.rs"));

pub(super) use containerd::services::content::v1 as content;
pub(super) use containerd::services::images::v1 as images;
pub(super) use containerd::services::namespaces::v1 as namespaces;
