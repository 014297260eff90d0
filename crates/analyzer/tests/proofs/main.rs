//! The account against what others say of the same bytes: an independent replay of the layers,
//! dive itself, and Python's tarfile.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod cases;
mod dive;
mod findings;
mod model;
mod pipeline;
mod plan;
mod replay;
mod tar;
mod views;
