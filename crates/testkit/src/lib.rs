//! Images made in code, and real runtimes and registries started for tests. Never published.
//!
//! - [`image`]: layers, images, indexes, and every archive shape that tools write
//! - [`demo`]: the demonstration image, of the machine's own packages
//! - [`busybox`]: a small image that runs
//! - [`engine`], [`podman`], [`containerd`]: private runtimes, gone when their value is dropped
//! - [`containers_storage`]: a private store for skopeo and buildah
//! - [`cri`]: pods of a runtime, made as the kubelet makes them; [`grpc_proxy`] stands in front of one,
//!   records calls and fails them
//! - [`kubernetes`]: a fake API server over TLS, with faults
//! - [`registry`]: a private registry, and a front that demands tokens and injects faults
//! - [`require`]: what a test needs of the machine, and how to do without

pub mod busybox;
pub mod containerd;
pub mod containers_storage;
pub mod cri;
pub mod demo;
pub mod engine;
pub mod grpc_proxy;
pub mod image;
pub mod kubernetes;
pub mod podman;
pub mod process;
pub mod registry;
pub mod require;
