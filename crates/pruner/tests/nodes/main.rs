//! Real runtimes, pruned with clocks of the test's own.
#![allow(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

mod containerd;
mod desk;
mod docker;
mod kubernetes;
mod podman;
mod races;
mod views;
mod watch;
