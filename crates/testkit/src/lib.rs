//! Images made in code, and real runtimes and registries started for tests. Never published.

pub mod demo;
pub mod image;
