//! End-to-end tests: the built command against files, registries and runtimes. A module a topic.
#![allow(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

mod golden;
mod jettison;
mod shop;
