//! The kit's own tests: what it makes is read back by other people's programs.
#![allow(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

mod containerd;
mod demo;
mod engine;
mod image;
mod podman;
mod registry;
mod require;
